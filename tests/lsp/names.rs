//! From a name to its definition and back, in several files.

use crate::client::{Editor, edited, path_of, slice};
use epo::lang::load::Root;
use epo::plan::check;
use epo::spec::{LIBRARY, Request};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

const PPO: &str = "pipelines/household/ppo.epo";
const EPO: &str = "pipelines/household/epo_ppo.epo";
const LIB: &str = "pipelines/lib/household.epo";
const GUESS: &str = "pipelines/process/guess.epo";
const QUICK: &str = "pipelines/quickstart.epo";

fn definition(editor: &mut Editor, file: &str, marked: &str) -> (String, String) {
    let found = editor.ask_at("textDocument/definition", file, marked);
    let url = found["uri"].as_str().unwrap_or_else(|| panic!("nothing at `{marked}`: {found}")).to_owned();
    let text = std::fs::read_to_string(path_of(&url)).expect("a file");
    let start = found["range"]["start"]["line"].as_u64().expect("a line") as usize;
    (url, text.lines().nth(start).unwrap_or_default().trim().to_owned())
}

#[test]
fn definitions_are_found_in_this_file_in_others_and_in_the_library() {
    let mut editor = Editor::with(&[PPO, EPO, LIB]);
    for file in [PPO, EPO, LIB] {
        editor.open(file);
    }
    let mut leads = |file: &str, marked: &str, to: &str, line: &str| {
        let (url, found) = definition(&mut editor, file, marked);
        assert!(url.ends_with(to) && found.starts_with(line), "`{marked}` leads to {url}: {found}");
    };
    leads(EPO, "lambda * (expl|ore - beta * smooth)", EPO, "explore  = trajectory_mean(entropy) ");
    leads(EPO, "minimize = surro|gate + 0.5 * fit - lambda * (", PPO, "surrogate = ");
    leads(EPO, "pipeline epo_ppo from pp|o {", PPO, "pipeline ppo from");
    leads(EPO, "import \"pp|o.epo\"", PPO, "# PPO");
    leads(PPO, "mean(ppo_cl|ip(0.2", "/std/losses.epo", "fn ppo_clip(");
    leads(PPO, "ppo_clip(0.2, du|al = 3)", "/std/losses.epo", "fn ppo_clip(");
    leads(LIB, "evaluate { policy = wa|rm, on", LIB, "warm  = sft {");
    leads(LIB, "on = [house.kn|own, house.seen, house.unseen] }\n    page  = report { of = [warm, end] }", LIB, "known  = games");
    leads(LIB, "then = sc|ene", LIB, "prompt scene");
    leads(LIB, "tra|in.groups     = 16", LIB, "train = rl {");
    // what is built in was written nowhere
    assert_eq!(editor.ask_at("textDocument/definition", LIB, "advantage  = sco|re - mean"), Value::Null);
}

#[test]
fn references_are_those_of_all_files() {
    let mut editor = Editor::with(&[PPO, EPO, LIB]);
    editor.open(PPO);
    let at = |editor: &Editor, with: bool| {
        let mut params = editor.at(PPO, "surro|gate = mean(");
        params["context"] = json!({ "includeDeclaration": with });
        params
    };
    // the definition here takes the place of one in the library
    let params = at(&editor, true);
    let all = editor.ask("textDocument/references", params).as_array().expect("places").clone();
    let by = |end: &str| all.iter().filter(|l| l["uri"].as_str().is_some_and(|u| u.ends_with(end))).count();
    assert_eq!((by(PPO), by("/lib/household.epo")), (2, 2), "{all:?}");
    assert_eq!(by(EPO), 3, "{all:?}");
    let params = at(&editor, false);
    let uses = editor.ask("textDocument/references", params);
    assert_eq!(uses.as_array().expect("places").len(), all.len() - 2, "{uses}");
    let marks = editor.ask_at("textDocument/documentHighlight", PPO, "surro|gate = mean(");
    assert_eq!(marks.as_array().expect("marks").len(), 2);
}

/// The texts of some files after an edit of the workspace.
fn applied(texts: &BTreeMap<String, String>, edit: &Value) -> BTreeMap<String, String> {
    let mut after = texts.clone();
    for (url, edits) in edit["changes"].as_object().expect("changes") {
        let text = after.get_mut(url).unwrap_or_else(|| panic!("{url} is no file of the workspace"));
        *text = edited(text, edits.as_array().expect("edits"));
    }
    after
}

/// The mistakes of each file by code.
fn mistakes(folder: &Path, files: &[&str]) -> Vec<String> {
    let checked = |file: &&str| {
        let (_, found) = check(&Request { root: Root::File(&folder.join(file)), overrides: &[], library: &LIBRARY });
        found.0.into_iter().map(|d| format!("{file}: {}", d.code)).collect::<Vec<_>>()
    };
    files.iter().flat_map(checked).collect()
}

/// Every name that a file defines gets another one: no file has a mistake then, and the old name is gone from what was changed.
#[test]
fn every_name_can_be_another() {
    let files = [PPO, EPO, GUESS, QUICK];
    let mut editor = Editor::with(&files);
    files.iter().for_each(|file| editor.open(file));
    let texts: BTreeMap<String, String> = files.iter().map(|file| (editor.url(file), editor.text(file))).collect();
    let before = mistakes(&editor.path(""), &files);
    let (mut renamed, mut refused) = (0, Vec::new());
    for file in files {
        let url = editor.url(file);
        let symbols = editor.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": url } }));
        let mut open: Vec<Value> = symbols.as_array().expect("symbols").clone();
        while let Some(symbol) = open.pop() {
            open.extend(symbol["children"].as_array().cloned().unwrap_or_default());
            let range = &symbol["selectionRange"];
            let name = slice(&texts[&url], range).to_owned();
            // of a dotted path, the last part
            let mut position = range["end"].clone();
            position["character"] = json!(position["character"].as_u64().unwrap_or(1) - 1);
            let params = json!({ "textDocument": { "uri": url }, "position": position, "newName": "another_name" });
            let answer = editor.response("textDocument/rename", params);
            let Some(edit) = answer.get("result") else {
                refused.push(format!("{name}: {}", answer["error"]["message"].as_str().unwrap_or_default()));
                continue;
            };
            let place = tempfile::tempdir().expect("a folder");
            for (url, text) in applied(&texts, edit) {
                let path = path_of(&url).strip_prefix(editor.path("")).expect("inside").to_owned();
                std::fs::create_dir_all(place.path().join(&path).parent().expect("a folder")).expect("a folder");
                std::fs::write(place.path().join(path), text).expect("a file");
            }
            assert_eq!(mistakes(place.path(), &files), before, "`{name}` of {file}");
            renamed += 1;
        }
    }
    assert!(renamed > 20, "{renamed} of {}", refused.len() + renamed);
    let why = |words: &str| refused.iter().filter(|r| r.contains(words)).count();
    let known = why("the language's own") + why("part of the program") + why("no name here");
    assert_eq!(known, refused.len(), "{refused:#?}");
}

#[test]
fn a_name_that_would_be_a_mistake_is_refused() {
    let mut editor = Editor::with(&[PPO, EPO]);
    editor.open(EPO);
    let mut rename = |name: &str| {
        let mut params = editor.at(EPO, "expl|ore  = trajectory_mean(entropy)   ");
        params["newName"] = json!(name);
        let answer = editor.response("textDocument/rename", params);
        answer["error"]["message"].as_str().unwrap_or("done").to_owned()
    };
    assert_eq!(rename("bonus"), "done");
    assert!(rename("2x").contains("is no name"));
    assert!(rename("and").contains("is no name"));
    assert!(rename("logp").contains("is a quantity"));
    assert!(rename("smooth").contains("E0106"), "{}", rename("smooth"));
    let at = editor.at(EPO, "pipeline epo_p|po from");
    let prepared = editor.ask("textDocument/prepareRename", at);
    assert_eq!(prepared["placeholder"], json!("epo_ppo"));
}
