//! Hover, signatures and hints beside the text.

use crate::client::Editor;
use serde_json::json;

const PPO: &str = "pipelines/household/ppo.epo";
const EPO: &str = "pipelines/household/epo_ppo.epo";
const LIB: &str = "pipelines/lib/household.epo";

fn hover(editor: &mut Editor, file: &str, marked: &str) -> String {
    let found = editor.ask_at("textDocument/hover", file, marked);
    found["contents"]["value"].as_str().unwrap_or_else(|| panic!("nothing at `{marked}`: {found}")).to_owned()
}

#[test]
fn hover_tells_what_a_word_is() {
    let mut editor = Editor::with(&[PPO, EPO, LIB]);
    for file in [PPO, EPO, LIB] {
        editor.open(file);
    }
    let mut has = |file: &str, marked: &str, wanted: &[&str]| {
        let found = hover(&mut editor, file, marked);
        for words in wanted {
            assert!(found.contains(words), "`{words}` at `{marked}`:\n{found}");
        }
    };
    has(PPO, "value_|head {", &["*critics*", "`trunk`: "]);
    has(PPO, "clip_n|orm = 1", &["adamw { clip_norm = … }", "Takes a number above 0"]);
    has(EPO, "trajectory_mean(entro|py)", &["*a quantity*", "Entropy (natural logarithm", "one value a token"]);
    has(EPO, "history(mean(|entropy)), low", &["*a quantity*"]);
    has(EPO, "around = hist|ory(", &["*a function*", "history(", "one value for the whole batch"]);
    has(EPO, "smooth   = trajectory_m|ean(", &["fn trajectory_mean(x)", "std/losses.epo"]);
    has(EPO, "corridor(entropy, aro|und = history(mean(entropy)), low = 0, high = 2))           #", &["*a parameter*"]);
    has(PPO, "pol|icy_gradient {", &["*a pipeline*", "lib/household.epo"]);
    has(LIB, "itera|tions = 30", &["Taken over by every stage of kind `rl`"]);
    has(LIB, "sp|lit = \"unseen\"", &["games { split = … }"]);
    has(LIB, "{hist|ory}{observation}", &["*a placeholder of prompts*"]);
}

/// The value is that of the pipeline in whose text one looks; where it was written is told.
#[test]
fn hover_tells_what_a_line_comes_to_after_inheritance() {
    let mut editor = Editor::with(&[EPO, PPO]);
    editor.open(EPO);
    let text = editor.text(EPO)
        + "\npipeline longer from epo_ppo {\n  half = lambda / 2\n  loss.minimize = surrogate + 0.5 * fit - half * explore\n}\n";
    editor.write(EPO, &text);
    // the recipe has an equation of which nothing is learned, as its paper has
    assert_eq!(editor.codes(EPO), ["W0301"]);
    let found = hover(&mut editor, EPO, "ha|lf = lambda");
    assert!(found.contains("Is in `longer`:\n```epo\n0.001\n```"), "{found}");
    let found = hover(&mut editor, EPO, "half = lam|bda / 2");
    assert!(found.contains("lambda = 0.002") && found.contains("(`epo_ppo`)"), "{found}");
    let found = hover(&mut editor, EPO, "loss.mini|mize = surrogate + 0.5 * fit - half");
    // of all lines that it takes the place of, the first
    assert!(found.contains("Takes the place of") && found.contains("(`policy_gradient`)"), "{found}");
    let found = hover(&mut editor, EPO, "pipeline lon|ger from");
    assert!(
        found.contains("Inherited:") && found.contains("- `lambda` = `0.002`: ") && found.contains("- `iterations` = `30`: "),
        "{found}"
    );
}

#[test]
fn signatures_follow_the_arguments() {
    let mut editor = Editor::with(&[EPO, PPO]);
    editor.open(EPO);
    let help = editor.ask_at("textDocument/signatureHelp", EPO, "smooth   = trajectory_mean(0.1 * corridor(entropy, |around");
    let signature = &help["signatures"][0];
    assert!(signature["label"].as_str().is_some_and(|l| l.starts_with("corridor(x, around")), "{help}");
    assert_eq!(help["activeParameter"], json!(1));
    let help = editor.ask_at("textDocument/signatureHelp", EPO, "around = history(mean(|entropy)), low = 0, high = 2))           #");
    assert!(help["signatures"][0]["label"].as_str().is_some_and(|l| l.starts_with("mean(x")), "{help}");
    let text = editor.text(EPO).replacen("phase(iteration, iterations)", "clip(1, high = ", 1);
    editor.write(EPO, &text);
    let help = editor.ask_at("textDocument/signatureHelp", EPO, "clip(1, high = |");
    assert_eq!(help["activeParameter"], json!(2), "{help}");
    assert_eq!(editor.ask_at("textDocument/signatureHelp", EPO, "pipeline| epo_ppo "), json!(null));
}

#[test]
fn hints_show_levels_and_what_is_replaced() {
    let mut editor = Editor::with(&[EPO, PPO]);
    editor.open(EPO);
    let text = editor.text(EPO) + "\npipeline longer from epo_ppo {\n  iterations = 2 * 40\n  lambda = 0.003\n}\n";
    editor.write(EPO, &text);
    let whole = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 900, "character": 0 } });
    let hints = editor.ask("textDocument/inlayHint", json!({ "textDocument": { "uri": editor.url(EPO) }, "range": whole }));
    let of = |words: &str| {
        let line = text.lines().position(|line| line.contains(words)).expect("a line");
        let on_it = |hint: &&serde_json::Value| hint["position"]["line"] == json!(line);
        hints.as_array().expect("hints").iter().filter(on_it).filter_map(|h| h["label"].as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of("explore  = trajectory_mean(entropy)     "), [": batch"]);
    assert_eq!(of("iterations = 2 * 40"), ["= 80 ← 30"]);
    assert_eq!(of("lambda = 0.003"), ["← 0.002"]);
    let line = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 1, "character": 0 } });
    let none = editor.ask("textDocument/inlayHint", json!({ "textDocument": { "uri": editor.url(EPO) }, "range": line }));
    assert_eq!(none, json!([]));
}
