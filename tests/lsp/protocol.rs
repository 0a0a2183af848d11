//! The protocol itself: greetings, encodings, and what no editor should send.

use crate::client::Editor;
use serde_json::{Value, json};

const PPO: &str = "pipelines/household/ppo.epo";

#[test]
fn it_says_what_it_can_and_goodbye() {
    let editor = Editor::with(&[PPO]);
    let can = &editor.greeting["capabilities"];
    for what in [
        "hoverProvider",
        "completionProvider",
        "signatureHelpProvider",
        "definitionProvider",
        "referencesProvider",
        "documentHighlightProvider",
        "documentSymbolProvider",
        "workspaceSymbolProvider",
        "documentFormattingProvider",
        "foldingRangeProvider",
        "inlayHintProvider",
        "renameProvider",
        "codeActionProvider",
    ] {
        assert!(can.get(what).is_some(), "{what}");
    }
    assert_eq!(can["positionEncoding"], json!("utf-16"));
    assert_eq!(editor.end(), Some(0));
}

/// Columns count what the client asks for; without a wish, units of UTF-16.
#[test]
fn columns_count_what_was_agreed() {
    let text = "a = \"𝛽é\" ;\n";
    for (offers, encoding, column) in
        [(&["utf-16"][..], "utf-16", 10), (&[], "utf-16", 10), (&["utf-32"], "utf-32", 9), (&["utf-16", "utf-8"], "utf-8", 13)]
    {
        let mut editor = Editor::start(tempfile::tempdir().expect("a folder"), offers);
        assert_eq!(editor.greeting["capabilities"]["positionEncoding"], json!(encoding));
        std::fs::write(editor.path("a.epo"), text).expect("a file");
        editor.open("a.epo");
        let found = editor.diagnostics("a.epo");
        assert!(found.iter().any(|d| d["range"]["start"]["character"] == json!(column)), "{encoding}: {found:?}");
    }
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let mut editor = Editor::with(&[PPO]);
    editor.open(PPO);
    let url = editor.url(PPO);
    let mut code = |method: &str, params: Value| editor.response(method, params)["error"]["code"].clone();
    assert_eq!(code("textDocument/moon", json!({})), json!(-32601));
    assert_eq!(code("textDocument/hover", json!({ "textDocument": 3 })), json!(-32602));
    assert_eq!(code("textDocument/hover", json!(null)), json!(-32602));
    let far = json!({ "line": 4_000_000_000u32, "character": 4_000_000_000u32 });
    assert_eq!(code("textDocument/hover", json!({ "textDocument": { "uri": url }, "position": far })), json!(null));
    let unknown = json!({ "textDocument": { "uri": "file:///nowhere/x.epo" }, "position": far });
    for method in ["hover", "completion", "definition", "signatureHelp", "documentHighlight"] {
        assert_eq!(code(&format!("textDocument/{method}"), unknown.clone()), json!(null), "{method}");
    }
    // a text in no file, and a name that is no address of a file
    for url in ["untitled:Untitled-1", "memory://host/%FF/x.epo"] {
        editor.open_text(url, "pipeline a { loss { minimize = mean(logp) } }\nimport \"../../etc/passwd\"\n");
        let at = json!({ "textDocument": { "uri": url }, "position": { "line": 0, "character": 33 } });
        let found = editor.ask("textDocument/hover", at);
        assert!(found["contents"]["value"].as_str().is_some_and(|v| v.contains("*a function*")), "{url}: {found}");
    }
    editor.tell("textDocument/didChange", json!({ "textDocument": { "uri": url, "version": 2 } }));
    editor.tell("textDocument/didClose", json!({ "textDocument": { "uri": "file:///nowhere/x.epo" } }));
    editor.tell("$/setTrace", json!({ "value": "off" }));
    assert_eq!(editor.end(), Some(0));
}
