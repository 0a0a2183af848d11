//! Every suggestion is an edit, after which the mistake is gone.

use crate::client::{Editor, edited};
use serde_json::{Value, json};

/// The first edit that is offered for the first mistake with this code.
fn fixed(editor: &mut Editor, file: &str, code: &str) -> Option<(String, String)> {
    let diagnostic = editor.diagnostics(file).into_iter().find(|d| d["code"] == code).unwrap_or_else(|| panic!("{file} has no {code}"));
    let url = editor.url(file);
    let params = json!({ "textDocument": { "uri": url }, "range": diagnostic["range"], "context": { "diagnostics": [diagnostic] } });
    let actions = editor.ask("textDocument/codeAction", params);
    let action = actions.as_array()?.first()?.clone();
    let edits: &Vec<Value> = action["edit"]["changes"][&url].as_array()?;
    Some((action["title"].as_str()?.to_owned(), edited(&editor.text(file), edits)))
}

#[test]
fn typing_mistakes_are_mended() {
    const FILE: &str = "mine.epo";
    let sound = "# Mine.\n\nimport \"std/losses.epo\"\nimport \"std/advantages.epo\"\nimport \"lib/household.epo\"\n\npipeline mine from grouped {\n  advantage = grpo()\n  optimizer = adamw { lr = linear(1e-3), clip_norm = 1 }\n  loss.minimize = mean(ppo_clip(0.2)) + 0.1 * mean(entropy, by = turn) * 0 - mean(surrogate)\n  stages { train = rl { on = house.train, policy = warm.policy, keep = rows, groups = 4, group_size = 2 } }\n}\n";
    let sound = sound.replace(" + 0.1 * mean(entropy, by = turn) * 0 - mean(surrogate)", " - 0.001 * mean(mean(entropy, by = turn))");
    let place = tempfile::tempdir().expect("a folder");
    std::fs::write(place.path().join(FILE), &sound).expect("a file");
    let mut editor = Editor::start(place, &["utf-16"]);
    editor.open(FILE);
    assert_eq!(editor.codes(FILE), [""; 0]);
    for (right, wrong, code) in [
        ("clip_norm", "clip_nrom", "E0104"),
        ("adamw", "adamv", "E0107"),
        ("lib/household.epo", "lib/houshold.epo", "E0041"),
        ("from grouped", "from groupd", "E0109"),
        ("optimizer =", "optimiser =", "E0110"),
        ("ppo_clip", "ppo_clp", "E0115"),
        ("house.train", "house.trian", "E0111"),
        ("warm.policy", "warm.polcy", "E0111"),
        ("keep = rows", "keep = row", "E0201"),
        ("keep = rows", "keep = \"rows\"", "E0201"),
        ("mean(entropy", "mean(entrpy", "E0101"),
        ("by = turn", "by = trun", "E0101"),
        ("pipeline mine", "pipelin mine", "E0013"),
        ("import \"std/advantages.epo\"\n", "", "E0115"),
    ] {
        let broken = sound.replacen(right, wrong, 1);
        editor.write(FILE, &broken);
        let codes = editor.codes(FILE);
        let code = if codes.iter().any(|c| c == code) { code.to_owned() } else { codes.first().cloned().unwrap_or_default() };
        let (title, after) = fixed(&mut editor, FILE, &code).unwrap_or_else(|| panic!("no edit for {code}, `{wrong}`: {codes:?}"));
        // an import may come back in another place
        editor.write(FILE, &after);
        assert_eq!(editor.codes(FILE), [""; 0], "`{wrong}`: {title}\n{after}");
    }
}

#[test]
fn a_placeholder_is_mended_where_it_stands() {
    const FILE: &str = "pipelines/process/guess.epo";
    let mut editor = Editor::with(&[FILE]);
    editor.open(FILE);
    let before = editor.codes(FILE);
    let text = editor.text(FILE);
    assert!(text.contains("{observation}"), "{text}");
    editor.write(FILE, &text.replace("{observation}", "{observatoin}"));
    let (_, after) = fixed(&mut editor, FILE, "E0206").expect("an edit");
    editor.write(FILE, &after);
    assert_eq!((editor.codes(FILE), after), (before, text));
}
