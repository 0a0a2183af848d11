//! What is offered while a line is written, that is, while it is broken.

use crate::client::Editor;
use serde_json::json;

const LIB: &str = "pipelines/lib/household.epo";
const PPO: &str = "pipelines/household/ppo.epo";

/// The offers at `|` of a text in the place of the file's.
fn offers(editor: &mut Editor, file: &str, marked: &str) -> Vec<String> {
    let offset = marked.find('|').expect("a mark");
    let text = marked.replacen('|', "", 1);
    editor.write(file, &text);
    let at = json!({ "textDocument": { "uri": editor.url(file) }, "position": crate::client::position(&text, offset) });
    let found = editor.ask("textDocument/completion", at);
    found.as_array().expect("offers").iter().filter_map(|item| item["label"].as_str()).map(str::to_owned).collect()
}

#[test]
fn offers_are_what_may_stand_there() {
    let mut editor = Editor::with(&[LIB, PPO]);
    editor.open(LIB);
    let base = editor.text(LIB);
    let mut check = |line: &str, wanted: &[&str], not: &[&str]| {
        let text = format!("{base}\npipeline new from grouped {{\n  {line}\n}}\n");
        let found = offers(&mut editor, LIB, &text);
        for name in wanted {
            assert!(found.iter().any(|f| f == name), "`{name}` at `{line}`: {found:?}");
        }
        for name in not {
            assert!(!found.iter().any(|f| f == name), "`{name}` is offered at `{line}`");
        }
    };
    check("|", &["title", "loss", "stages", "train", "iterations", "advantage"], &["logp", "rl"]);
    check("ti|", &["title"], &[]);
    check("loss { |", &["minimize", "surrogate"], &["title", "groups"]);
    check("loss { minimize = |", &["surrogate", "logp", "mean", "ratio"], &["rl", "minimize"]);
    check("loss { minimize = mean(logp, |", &["by = "], &[]);
    check("loss { minimize = mean(logp, by = |", &["turn", "episode", "group"], &["logp", "mean"]);
    check("loss { minimize = mean(ppo_clip(0.2, |", &["high = ", "dual = "], &["by = "]);
    check("stages { more = |", &["rl", "sft", "evaluate"], &["household", "adamw"]);
    check("stages { more = rl { |", &["on", "groups", "seed", "loss"], &["vocabulary", "title"]);
    check("stages { more = rl { groups = 2, |", &["on"], &["groups"]);
    check("stages { more = rl { keep = |", &["rows", "episodes", "groups"], &["logp", "house"]);
    check("stages { more = rl { policy = |", &["warm", "train", "decoder", "causal_lm"], &["page", "adamw"]);
    check("stages { more = rl { policy = train.|", &["policy", "metrics", "best"], &["groups"]);
    check("stages { more = rl { on = |", &["house.train", "house.seen"], &["logp"]);
    check("stages { more = rl { on = house.|", &["train", "seen", "max_turns"], &["logp"]);
    check("stages { more = rl { optimizer = |", &["adamw", "muon"], &["decoder", "rl"]);
    check("stages { more = rl { optimizer = adamw { |", &["lr", "clip_norm"], &["groups"]);
    check("stages { more = rl { optimizer = adamw { lr = |", &["linear", "progress"], &["rl"]);
    check("stages { more = report { of = [warm, |", &["train", "end"], &["house", "logp"]);
    check("optimizer = |", &["adamw", "sgd"], &["rl", "decoder"]);
    check("train.|", &["groups", "minibatch"], &["policy_gradient"]);
    check("without |", &["advantage", "train"], &["logp"]);
    check("title = \"a|", &[], &["logp", "title"]);
}

#[test]
fn offers_at_the_top_of_a_file() {
    let mut editor = Editor::with(&[LIB, PPO]);
    editor.open(PPO);
    let found = offers(&mut editor, PPO, "import \"std/losses.epo\"\n\n|");
    assert!(["pipeline", "import", "fn", "prompt"].iter().all(|word| found.iter().any(|f| f == word)), "{found:?}");
    let found = offers(&mut editor, PPO, "import \"|\"\n");
    assert!(["std/losses.epo", "lib/household.epo"].iter().all(|word| found.iter().any(|f| f == word)), "{found:?}");
    let found = offers(&mut editor, PPO, "import \"std/losses.epo\" as std\npipeline a { loss { minimize = mean(std.|\n");
    assert!(found.iter().any(|f| f == "ppo_clip") && !found.iter().any(|f| f == "logp"), "{found:?}");
    let found = offers(&mut editor, PPO, "import \"lib/household.epo\"\npipeline mine from |\n");
    assert!(found.iter().any(|f| f == "grouped") && !found.iter().any(|f| f == "house"), "{found:?}");
    let found = offers(&mut editor, PPO, "house = household { pro|");
    assert!(found.iter().any(|f| f == "prompt") && found.iter().any(|f| f == "max_turns"), "{found:?}");
    let found = offers(&mut editor, PPO, "house = household { prompt = |");
    assert!(found.iter().any(|f| f == "windowed"), "{found:?}");
    let found = offers(&mut editor, PPO, "prompt look = \"\"\"\n{obs|\n\"\"\"\n");
    assert_eq!(found[0], "task");
    assert!(found.iter().any(|f| f == "observation"), "{found:?}");
}
