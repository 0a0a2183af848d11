//! Models of strangers: what their files ask for and cannot have, each with its message, and never more than an exit code of 1.

use crate::support::{Folder, config};
use candle_core::Device;
use epo::model::{Message, Pretrained};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

fn edit(folder: &Folder, name: &str, change: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_slice(&fs::read(folder.path(name)).expect("a file")).expect("JSON");
    change(&mut value);
    folder.write(name, &value.to_string());
}

/// What is said of a model whose tokenizer was changed.
fn tokenizer(change: impl FnOnce(&mut Value)) -> String {
    let folder = Folder::new(&config());
    edit(&folder, "tokenizer.json", change);
    let message = Pretrained::load(folder.root(), None, &Device::Cpu).expect_err("a mistake").to_string();
    message.split_once("tokenizer: ").map_or(message.clone(), |(_, what)| what.to_string())
}

fn replace(from: &str, to: &str) -> Value {
    json!({ "type": "Replace", "pattern": { "Regex": from }, "content": to })
}

#[test]
fn tokenizers_that_would_stop_their_reader_or_draw_lots() {
    assert_eq!(
        tokenizer(|t| t["model"]["dropout"] = json!(0.5)),
        "it merges pairs by chance (`dropout` is 0.5): the same text would not always give the same tokens"
    );
    assert_eq!(
        tokenizer(|t| t["model"]["continuing_subword_prefix"] = json!("xxxxxxxxxxxx")),
        "its merges use a `continuing_subword_prefix` (\"xxxxxxxxxxxx\"), which is not read here"
    );
    for table in ["AAAA", "/////wAAAAAA"] {
        assert_eq!(
            tokenizer(|t| t["normalizer"] = json!({ "type": "Precompiled", "precompiled_charsmap": table })),
            "its normalizer is a compiled table (`Precompiled`), whose reader trusts what it is given"
        );
    }
    assert_eq!(tokenizer(|t| t["normalizer"] = replace("", "x")), "its `Replace` looks for an empty pattern");
    let eight = vec![replace(".", ".........."); 8];
    assert_eq!(
        tokenizer(|t| t["normalizer"] = json!({ "type": "Sequence", "normalizers": eight })),
        "its normalizer makes a text up to 100000000 times as long; 64 times are allowed"
    );
    assert_eq!(tokenizer(|t| t["pre_tokenizer"] = json!({ "type": "FixedLength", "length": 0 })), "it cuts texts into pieces of length 0");
    let around = |pieces: Value| {
        json!({ "type": "TemplateProcessing", "single": pieces, "pair": [],
            "special_tokens": { "[X]": { "id": "[X]", "ids": [4_000_000_000_u32], "tokens": ["[X]"] } } })
    };
    let (x, a, b) = (
        json!({ "SpecialToken": { "id": "[X]", "type_id": 0 } }),
        json!({ "Sequence": { "id": "A", "type_id": 0 } }),
        json!({ "Sequence": { "id": "B", "type_id": 0 } }),
    );
    for pieces in [json!([x, b]), json!([a, a]), json!([x])] {
        assert_eq!(
            tokenizer(|t| t["post_processor"] = around(pieces)),
            "what it puts around a text (`TemplateProcessing`) does not hold the text just once"
        );
    }
    assert_eq!(
        tokenizer(|t| t["post_processor"] = around(json!([x, a]))),
        "it puts a token 4000000000 around a text, which it does not have"
    );
}

/// A model with this chat template, and what it makes of a message.
fn rendered(template: &str) -> Result<String, String> {
    let folder = Folder::new(&config());
    folder.write("chat_template.jinja", template);
    let model = Pretrained::load(folder.root(), None, &Device::Cpu).map_err(|e| e.to_string())?;
    model.chat.expect("a template").render(&[Message::new("user", "hello")]).map_err(|e| e.to_string())
}

#[test]
fn templates_that_never_end_or_grow_without_bound() {
    let loops = "{% for i in range(100000) %}{% for j in range(100000) %}{% for k in range(100000) %}{% endfor %}{% endfor %}{% endfor %}x";
    let steps = "the chat template has a mistake in line 1: it takes more steps than a prompt can need";
    assert_eq!(rendered(loops), Err(steps.into()));
    let nested = "{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}";
    assert_eq!(rendered(nested), Err(steps.into()));
    let long = format!("{{% for a in range(9000) %}}{}{{% endfor %}}", "a".repeat(4000));
    let message = rendered(&long).expect_err("a mistake");
    assert!(message.ends_with("it writes more than 16 MiB"), "{message}");
    let message = rendered(&format!("{{{{ {}1 }}}}", "-".repeat(100_000))).expect_err("a mistake");
    assert_eq!(message, "the chat template has 100007 bytes; up to 32768 are read");
}

#[test]
fn many_signs_before_a_value_end_before_the_stack_does() {
    for nest in [format!("{{{{ {}1 }}}}", "-".repeat(30_000)), format!("{{{{ {}x }}}}", "not ".repeat(8_000))] {
        // Whatever it says: it says it.
        let _ = rendered(&nest);
    }
}

#[test]
fn lists_in_lists_end_before_the_stack_does() {
    let deep = "{% set ns = namespace(x=[]) %}{% for i in range(9000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}";
    assert_eq!(rendered(deep).map(|text| text.len()), Ok(2 * 9001));
}

#[test]
fn what_no_fence_in_a_process_holds_ends_another_one() {
    let folder = Folder::new(&config());
    folder.write(
        "chat_template.jinja",
        "{% set ns = namespace(s='aaaa') %}{% for i in range(64) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
    let output =
        command.args(["model", "info"]).arg(folder.root()).env_clear().env("HOME", folder.root()).output().expect("the command starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("its files make their reader break down"), "{said}");
}
