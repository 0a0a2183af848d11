//! What a file imports from elsewhere, by the lock beside it.

use crate::client::Editor;
use serde_json::json;
use std::path::Path;
use std::process::Command;

const MINE: &str = "import \"pack:parts.zip/demo.epo\" as parts\n\npipeline mine from parts.demo { title = \"mine\" }\n";

/// A folder with a pack and a file that imports from it.
fn folder() -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a folder");
    epo(place.path(), &["new", "demo"]);
    epo(place.path(), &["pack", "demo.epo", "--output", "parts.zip"]);
    std::fs::write(place.path().join("mine.epo"), MINE).expect("a file");
    place
}

fn epo(place: &Path, args: &[&str]) {
    let command = Command::new(env!("CARGO_BIN_EXE_epo-run")).args(args).current_dir(place).env_clear().env("HOME", place).output();
    let said = command.expect("the command starts");
    assert!(said.status.success(), "{args:?}: {}", String::from_utf8_lossy(&said.stderr));
}

#[test]
fn the_lock_is_read_when_a_file_is_opened_and_when_it_changes() {
    let mut editor = Editor::start(folder(), &[]);
    editor.open("mine.epo");
    assert_eq!(editor.codes("mine.epo"), ["E0045"]);
    epo(&editor.path(""), &["lock", "mine.epo"]);
    editor.write("mine.epo", MINE);
    assert_eq!(editor.codes("mine.epo"), [""; 0]);

    // What it imports can be looked at, and not changed.
    let found = editor.ask_at("textDocument/definition", "mine.epo", "parts.de|mo");
    let place = if found.is_array() { found[0].clone() } else { found };
    let file = place["uri"].as_str().and_then(|uri| uri.strip_prefix("file://")).expect("a file");
    assert!(file.ends_with("/pack/parts.zip/demo.epo"), "{file}");
    assert_eq!(std::fs::read_to_string(file).expect("a text"), std::fs::read_to_string(editor.path("demo.epo")).expect("a text"));
    let mut params = editor.at("mine.epo", "parts.de|mo");
    params["newName"] = json!("other");
    let refused = editor.response("textDocument/rename", params);
    assert!(refused["error"]["message"].is_string(), "{refused}");

    // Another text in the pack is none that was pinned.
    let demo = std::fs::read_to_string(editor.path("demo.epo")).expect("a text");
    std::fs::write(editor.path("demo.epo"), format!("{demo}# more\n")).expect("a file");
    std::fs::remove_file(editor.path("parts.zip")).expect("a pack");
    epo(&editor.path(""), &["pack", "demo.epo", "--output", "parts.zip"]);
    let changed = json!({ "changes": [{ "uri": editor.url("parts.zip"), "type": 2 }] });
    editor.tell("workspace/didChangeWatchedFiles", changed);
    editor.write("mine.epo", MINE);
    let said = editor.diagnostics("mine.epo");
    assert!(said.iter().any(|d| d["message"].as_str().is_some_and(|m| m.contains("it has the hash blake3:"))), "{said:?}");

    // A lock that is none pins nothing.
    std::fs::write(editor.path("epo.lock"), "pack:parts.zip/demo.epo 1\n").expect("a file");
    editor.write("mine.epo", MINE);
    assert_eq!(editor.codes("mine.epo"), ["E0045"]);
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn a_lock_counts_where_no_file_of_its_folder_is_open() {
    let place = folder();
    let mine = "import \"pack:parts.zip/demo.epo\"\nimport \"sub/part.epo\"\n\npipeline mine from demo { iterations = steps }\n";
    std::fs::write(place.path().join("mine.epo"), mine).expect("a file");
    epo(place.path(), &["lock", "mine.epo"]);
    std::fs::create_dir(place.path().join("sub")).expect("a folder");
    std::fs::write(place.path().join("sub/part.epo"), "steps = 6\n").expect("a file");
    epo(place.path(), &["check", "mine.epo"]);

    let mut editor = Editor::start(place, &[]);
    editor.open("sub/part.epo");
    let mut params = editor.at("sub/part.epo", "ste|ps");
    // the pack has a `house` too, which `mine.epo` then finds twice
    params["newName"] = json!("house");
    let refused = editor.response("textDocument/rename", params.clone());
    let message = refused["error"]["message"].as_str().unwrap_or_else(|| panic!("{refused}"));
    assert!(message.contains("E0102"), "{message}");
    params["newName"] = json!("rounds");
    let renamed = editor.response("textDocument/rename", params);
    let changes = renamed["result"]["changes"].as_object().unwrap_or_else(|| panic!("{renamed}"));
    assert_eq!(changes.len(), 2, "{renamed}");
    assert_eq!(editor.end(), Some(0));
}
