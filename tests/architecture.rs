//! The arrows between modules are those that `docs/architecture.md` writes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The block of the page, and its modules in order.
fn written() -> (Vec<String>, Arrows) {
    let page = fs::read_to_string("docs/architecture.md").expect("the page");
    let block = page.split("```arrows\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block of arrows");
    let mut order = Vec::new();
    let mut arrows = Arrows::new();
    for line in block.lines() {
        let (module, used) = line.split_once("->").unwrap_or_else(|| panic!("no arrow in `{line}`"));
        order.push(module.trim().to_string());
        let first = arrows.insert(module.trim().to_string(), used.split_whitespace().map(str::to_string).collect());
        assert!(first.is_none(), "`{module}` has two lines");
    }
    (order, arrows)
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources").map(|e| e.expect("an entry").path()) {
        if entry.is_dir() {
            rust_files(&entry, into);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            into.push(entry);
        }
    }
}

/// Files that are compiled for tests only.
fn is_test(file: &Path) -> bool {
    let name = file.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    name == "tests" || name == "fake" || name.ends_with("_tests") || file.components().any(|c| c.as_os_str() == "tests")
}

/// The code of a file without comments and without its tests, which stand at its end.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    body.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The names that follow `crate::` in a text, groups in braces included.
fn after_crate(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => {
                // names at the outermost level of the group
                let (mut depth, mut item) = (0, String::new());
                for c in group.chars() {
                    match c {
                        '}' if depth == 0 => break,
                        ',' if depth == 0 => found.push(word(std::mem::take(&mut item).trim())),
                        _ => {
                            depth += i32::from(c == '{') - i32::from(c == '}');
                            item.push(c);
                        }
                    }
                }
                found.push(word(item.trim()));
            }
            None => found.push(word(rest)),
        }
    }
    found
}

fn used(modules: &BTreeSet<String>) -> Arrows {
    let mut files = Vec::new();
    rust_files(Path::new("src"), &mut files);
    let mut arrows: Arrows = modules.iter().map(|m| (m.clone(), BTreeSet::new())).collect();
    for file in files.iter().filter(|f| !is_test(f)) {
        let path = file.strip_prefix("src").expect("a file below src");
        let first = path.components().next().map(|c| c.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
        let module = first.trim_end_matches(".rs");
        let Some(arrows) = arrows.get_mut(module) else {
            assert!(matches!(module, "lib" | "bin"), "`{module}` has no line in docs/architecture.md");
            continue;
        };
        for name in after_crate(&code(&fs::read_to_string(file).expect("a source"))) {
            // the macros of `kind` are exported at the root of the crate
            let name = if matches!(name.as_str(), "words" | "kind_rule") { "kind".to_string() } else { name };
            if name != module && modules.contains(&name) {
                arrows.insert(name);
            }
        }
    }
    arrows
}

#[test]
fn arrows_are_written_and_used() {
    let (order, written) = written();
    let modules: BTreeSet<String> = order.iter().cloned().collect();
    let used = used(&modules);
    let mut wrong = Vec::new();
    for module in &order {
        for to in used[module].difference(&written[module]) {
            wrong.push(format!("src uses `{module} -> {to}`, which docs/architecture.md does not write"));
        }
        for to in written[module].difference(&used[module]) {
            wrong.push(format!("docs/architecture.md writes `{module} -> {to}`, which src does not use"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_arrow_points_down() {
    let (order, written) = written();
    for (position, module) in order.iter().enumerate() {
        for to in &written[module] {
            let at = order.iter().position(|m| m == to).unwrap_or_else(|| panic!("`{module}` uses `{to}`, which has no line"));
            assert!(at > position, "`{module} -> {to}` points up");
        }
    }
}

#[test]
fn names_after_crate_are_found() {
    let code = code(
        "use crate::a::B;\nuse crate::{c::{d, e}, f};\n// crate::g\nfn x() { crate::h::i() }\n#[cfg(test)]\nmod tests {\nuse crate::j;",
    );
    assert_eq!(after_crate(&code), ["a", "c", "f", "h"]);
}
