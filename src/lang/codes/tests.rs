use super::super::source::SourceMap;
use super::super::{Diagnostics, parser};
use super::{Code, all, explain, find};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Every `"E0104"` in the string literals of the sources, with one file that has it.
fn used() -> BTreeSet<String> {
    fn visit(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()) {
            if entry.is_dir() {
                // The table itself, and whatever other layers say about their own codes, are no use.
                if !entry.ends_with("codes") {
                    visit(&entry, found);
                }
            } else if entry.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&entry).expect("a source file");
                found.extend(text.split('"').filter(|part| is_code(part)).map(str::to_owned));
            }
        }
    }
    let mut found = BTreeSet::new();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

fn is_code(text: &str) -> bool {
    text.len() == 5 && text.starts_with(['E', 'W']) && text[1..].bytes().all(|b| b.is_ascii_digit())
}

fn messages(text: &str) -> Diagnostics {
    let mut sources = SourceMap::default();
    let id = sources.add("example", None, text);
    parser::parse(&sources, id).1
}

fn is_syntax(row: &Code) -> bool {
    row.code < "E0100"
}

#[test]
fn every_code_in_use_has_a_row_and_every_row_is_used() {
    let rows: BTreeSet<String> = all().map(|row| row.code.to_owned()).collect();
    assert_eq!(rows.len(), all().count(), "a code has two rows");
    let used = used();
    let missing: Vec<_> = used.difference(&rows).collect();
    let idle: Vec<_> = rows.difference(&used).collect();
    assert!(missing.is_empty() && idle.is_empty(), "add rows in src/lang/codes/ for {missing:?}; nothing uses {idle:?}");
}

#[test]
fn rows_are_in_order_and_well_formed() {
    let codes: Vec<&str> = all().map(|row| row.code).collect();
    assert!(codes.is_sorted(), "{codes:?}");
    for row in all() {
        assert!(is_code(row.code), "{}", row.code);
        assert!(
            !row.title.ends_with('.') && row.explanation.trim().ends_with(['.', ')']),
            "{}: titles have no full stop, explanations do",
            row.code
        );
        assert_eq!(row.wrong.is_empty(), row.right.is_empty(), "{}: both examples or none", row.code);
    }
}

#[test]
fn examples_are_what_they_claim() {
    for row in all().filter(|row| !row.wrong.is_empty()) {
        let right = messages(row.right);
        assert!(right.is_empty(), "{}: the right example has {:?}", row.code, right.0);
        let wrong = messages(row.wrong);
        if is_syntax(row) {
            assert!(wrong.0.iter().any(|m| m.code == row.code), "{}: the wrong example has {:?}", row.code, wrong.0);
        } else {
            assert!(wrong.0.iter().all(|m| m.code == row.code), "{}: the wrong example has {:?}", row.code, wrong.0);
        }
    }
}

#[test]
fn explanations() {
    assert!(explain("E0002").is_ok_and(|text| text.contains("Wrong:\n\n    seeds = [0 1 2]\n\nRight:\n\n    seeds = [0, 1, 2]\n")));
    assert_eq!(find("e2").map(|row| row.code), Some("E0002"));
    assert_eq!(find("w0110").map(|row| row.code), Some("W0110"));
    assert_eq!(explain("E0999"), Err("there is no code `E0999`".to_owned()));
    assert_eq!(explain("ünsinn").unwrap_err(), "there is no code `ünsinn`");
}
