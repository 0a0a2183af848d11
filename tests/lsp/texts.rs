//! Diagnostics, and what is done with whole texts: layout, folding, symbols.

use crate::client::{Editor, edited, slice};
use serde_json::json;

const PPO: &str = "pipelines/household/ppo.epo";
const EPO: &str = "pipelines/household/epo_ppo.epo";
const DEMO: &str = "pipelines/scienceworld/demo.epo";

#[test]
fn a_broken_line_hides_no_other_mistake() {
    let mut editor = Editor::with(&[DEMO]);
    editor.open(DEMO);
    assert_eq!(editor.codes(DEMO), [""; 0]);
    let text = editor.text(DEMO);
    let broken = text.replacen("pipeline ", "x = = 1\n\npipeline ", 1).replacen("groups", "grups", 1);
    editor.write(DEMO, &broken);
    let codes = editor.codes(DEMO);
    assert!(codes.iter().any(|code| code.starts_with("E00")) && codes.iter().any(|code| code == "E0104"), "{codes:?}");
    let found = editor.diagnostics(DEMO);
    let field = found.iter().find(|d| d["code"] == "E0104").expect("a message");
    assert_eq!((slice(&broken, &field["range"]), &field["severity"], &field["source"]), ("grups", &json!(1), &json!("epo")));
    assert!(field["message"].as_str().is_some_and(|m| m.starts_with("unknown field `grups`\ndid you mean `groups`?")), "{field}");
    editor.write(DEMO, &text);
    assert_eq!(editor.codes(DEMO), [""; 0]);
}

/// What stands in the editor is what imports read, and a file is checked again when one that it reads has changed.
#[test]
fn imports_read_what_is_not_saved() {
    let mut editor = Editor::with(&[PPO, EPO]);
    editor.open(EPO);
    editor.open(PPO);
    // one equation of the recipe is as its paper has it: nothing is learned from it
    assert_eq!(editor.codes(EPO), ["W0301"]);
    assert_eq!(editor.codes(PPO), [""; 0]);
    let text = editor.text(PPO);
    editor.write(PPO, &text.replace("    fit       = ", "    fitting   = ").replace("0.5 * fit", "0.5 * fitting"));
    assert_eq!(editor.codes(PPO), [""; 0]);
    editor.ask("textDocument/hover", editor.at(EPO, "pipeline epo|_ppo"));
    let codes: Vec<&str> = editor.said[&editor.url(EPO)].1.iter().filter_map(|d| d["code"].as_str()).collect();
    assert!(codes.contains(&"E0101"), "{codes:?}");
    // not saved: the file on the disk is as it was
    let url = editor.url(PPO);
    editor.tell("textDocument/didClose", json!({ "textDocument": { "uri": url } }));
    let same = editor.text(EPO);
    editor.write(EPO, &same);
    assert_eq!(editor.codes(EPO), ["W0301"]);
}

#[test]
fn the_other_places_of_a_message_are_told() {
    let mut editor = Editor::with(&[PPO]);
    editor.open(PPO);
    let text = editor.text(PPO).replace("  title     = \"PPO\"\n", "  title     = \"PPO\"\n  title     = \"again\"\n");
    editor.write(PPO, &text);
    let found = editor.diagnostics(PPO);
    let twice = found.iter().find(|d| d["code"] == "E0106").expect("a message");
    let related = &twice["relatedInformation"][0];
    assert_eq!((&related["message"], slice(&text, &related["location"]["range"])), (&json!("given here first"), "title"));
    // in the text of the library, which is written into a file to be shown
    let text = editor.text(PPO).replace("  title     = \"again\"\n", "").replace("mean(value_clip(0.2))", "trajectory_mean()");
    editor.write(PPO, &text);
    let found = editor.diagnostics(PPO);
    let other = found.iter().find(|d| d["code"] == "E0117").expect("a message");
    let url = other["relatedInformation"][0]["location"]["uri"].as_str().expect("a place");
    assert!(url.ends_with("/std/losses.epo") && crate::client::path_of(url).is_file(), "{url}");
}

/// A misspelt argument of a function of the library is blamed, not the function's body.
#[test]
fn a_mistake_is_told_where_it_was_written() {
    let mut editor = Editor::with(&[PPO, EPO]);
    editor.open(EPO);
    let text = editor.text(EPO).replacen("trajectory_mean(entropy)", "trajectory_mean(entrpy)", 1);
    editor.write(EPO, &text);
    let found = editor.diagnostics(EPO);
    let word = found.iter().find(|d| d["code"] == "E0101").expect("a message");
    assert_eq!(slice(&text, &word["range"]), "entrpy");
}

#[test]
fn a_line_that_nothing_reads_is_faded() {
    let mut editor = Editor::with(&[PPO]);
    editor.open(PPO);
    let text = format!("{}\nleft_over = 3\n", editor.text(PPO));
    editor.write(PPO, &text);
    let found = editor.diagnostics(PPO);
    assert_eq!((&found[0]["code"], &found[0]["severity"], &found[0]["tags"]), (&json!("W0110"), &json!(2), &json!([1])), "{found:?}");
}

#[test]
fn formatting_is_that_of_the_command() {
    let mut editor = Editor::with(&[EPO]);
    editor.open(EPO);
    let params = json!({ "textDocument": { "uri": editor.url(EPO) }, "options": { "tabSize": 4, "insertSpaces": true } });
    assert_eq!(editor.ask("textDocument/formatting", params.clone()), json!([]));
    let text = editor.text(EPO);
    let untidy = text.replacen("  title  = \"PPO + EPO\"", "      title  =    \"PPO + EPO\"", 1);
    editor.write(EPO, &untidy);
    let edits = editor.ask("textDocument/formatting", params.clone());
    let edits = edits.as_array().expect("edits");
    assert_eq!((edits.len(), edited(&untidy, edits)), (1, text.clone()));
    assert_eq!(slice(&untidy, &edits[0]["range"]).lines().count(), 1, "only what changes");
    editor.write(EPO, &text.replacen('{', "{ {", 1));
    assert_eq!(editor.response("textDocument/formatting", params)["error"]["code"], json!(-32803));
}

#[test]
fn blocks_comments_and_imports_fold() {
    let mut editor = Editor::with(&[DEMO]);
    editor.open(DEMO);
    let folds = editor.ask("textDocument/foldingRange", json!({ "textDocument": { "uri": editor.url(DEMO) } }));
    let text = editor.text(DEMO);
    let lines: Vec<&str> = text.lines().collect();
    let folds = folds.as_array().expect("folds").clone();
    let line = |n: &serde_json::Value| lines[n.as_u64().expect("a line") as usize];
    assert!(folds.iter().any(|f| line(&f["startLine"]).starts_with("pipeline ") && line(&f["endLine"]) != "}"), "{folds:?}");
    assert!(folds.iter().any(|f| f["kind"] == "imports") && folds.iter().any(|f| f["kind"] == "comment"), "{folds:?}");
    assert!(folds.iter().all(|f| f["startLine"].as_u64() < f["endLine"].as_u64()));
}

#[test]
fn symbols_of_a_file_and_of_the_workspace() {
    let mut editor = Editor::with(&[PPO, EPO]);
    editor.open(EPO);
    let symbols = editor.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": editor.url(EPO) } }));
    let first = &symbols[0];
    assert_eq!((&first["name"], &first["detail"]), (&json!("epo_ppo"), &json!("from ppo")));
    let names: Vec<&str> = first["children"].as_array().expect("lines").iter().filter_map(|s| s["name"].as_str()).collect();
    assert_eq!(names, ["title", "lambda", "loss"]);
    let terms: Vec<&str> = first["children"][2]["children"].as_array().expect("terms").iter().filter_map(|s| s["name"].as_str()).collect();
    assert_eq!(terms, ["explore", "smooth", "beta", "minimize"]);
    let found = editor.ask("workspace/symbol", json!({ "query": "fit" }));
    let found = found.as_array().expect("symbols");
    assert!(found.iter().any(|s| s["name"] == "fit" && s["location"]["uri"] == json!(editor.url(PPO))), "{found:?}");
}
