//! The pages under `docs/reference/` say what the program says, and every example in them is sound.
//! `UPDATE=1 cargo test --test cli reference` writes them.

use crate::repository::REPOSITORY;
use epo::builtin::Builtin;
use epo::cli::reference::pages;
use epo::lang::load::Root;
use epo::lang::render::render_all;
use epo::objective::{Objective, Scope};
use epo::plan::Plan;
use epo::registry::all_kinds;
use epo::spec::{Request, compile, equations};
use std::fs;
use std::path::Path;

#[test]
fn pages_are_fresh() {
    let folder = Path::new("docs/reference");
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(folder).expect("a folder");
        for (name, text) in pages(&REPOSITORY) {
            fs::write(folder.join(name), text).expect("a page");
        }
        return;
    }
    for (name, text) in pages(&REPOSITORY) {
        let found = fs::read_to_string(folder.join(name)).unwrap_or_default();
        let differs = found.lines().zip(text.lines()).find(|(a, b)| a != b);
        assert!(found == text, "docs/reference/{name} is stale; run `UPDATE=1 cargo test --test cli reference`\n{differs:?}");
    }
}

/// The fenced blocks of a doc comment.
fn examples(doc: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in doc.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match (&mut open, line.trim()) {
            (None, "```epo") => open = Some(String::new()),
            (Some(text), "```") => {
                found.push(std::mem::take(text));
                open = None;
            }
            (Some(text), _) => {
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    assert!(open.is_none(), "an example is not closed:\n{doc}");
    found
}

#[test]
fn examples_of_kinds_have_no_mistakes() {
    let mut count = 0;
    for (_, kind) in all_kinds() {
        for text in examples(kind.doc) {
            let compiled = compile(&Request { root: Root::Text { name: kind.name, text: &text }, overrides: &[], library: &REPOSITORY });
            assert!(compiled.diagnostics.is_empty(), "{}\n{}", kind.name, render_all(&compiled.sources, &compiled.diagnostics, false));
            if let Err(errors) = Plan::new(&compiled.pipelines) {
                panic!("{}\n{}", kind.name, render_all(&compiled.sources, &errors, false));
            }
            count += 1;
        }
    }
    assert!(count >= 12, "only {count} examples");
}

#[test]
fn examples_of_functions_have_no_mistakes() {
    for function in Builtin::ALL.iter().map(|builtin| builtin.row()) {
        let text = format!("pipeline p {{ loss {{ minimize = {} }} }}\n", function.example.text);
        let (sources, found, mut diagnostics) =
            equations(&Request { root: Root::Text { name: function.name, text: &text }, overrides: &[], library: &REPOSITORY });
        let block = found.first().and_then(|e| e.loss.as_ref());
        let checked = block.map(|block| Objective::check(block, &Scope::loss(), &mut diagnostics));
        assert!(diagnostics.is_empty(), "{}\n{}", function.name, render_all(&sources, &diagnostics, false));
        assert!(checked.flatten().is_some(), "{}: {}", function.name, function.example.text);
    }
}

#[test]
fn every_kind_and_field_says_what_it_is() {
    for (category, kind) in all_kinds() {
        assert!(!kind.summary().is_empty(), "{category} {}", kind.name);
        for field in kind.fields {
            assert!(!field.doc.trim().is_empty() && field.doc.trim().ends_with('.'), "{}.{}", kind.name, field.name);
        }
    }
}
