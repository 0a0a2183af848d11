//! The arrows between modules are those that `docs/architecture.md` writes, and the files of `stage` use each other in one direction.

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
    code.split("crate::").skip(1).flat_map(first_names).collect()
}

/// The name that a path begins with, or the names of its group in braces.
fn first_names(path: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![word(path)] };
    // names at the outermost level of the group
    let (mut found, mut depth, mut item) = (Vec::new(), 0, String::new());
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

/// Of a file of a folder, the other files of the folder that its paths lead to. Both are written without their ending, `mod.rs` as its folder:
/// `rl/update`, `rl`, and the folder's own `mod.rs` as an empty text.
fn files_used(file: &str, is_folder: bool, code: &str, root: &str, files: &BTreeSet<String>) -> BTreeSet<String> {
    let join = |module: &str, name: &str| if module.is_empty() { name.to_string() } else { format!("{module}/{name}") };
    let parent = |module: &str| module.rsplit_once('/').map_or(String::new(), |(parent, _)| parent.to_string());
    let mut found = BTreeSet::new();
    let mut lead = |module: &str, path: &str| {
        for name in first_names(path) {
            let below = join(module, &name);
            found.insert(if files.contains(&below) { below } else { module.to_string() });
        }
    };
    for rest in code.split(&format!("crate::{root}::")).skip(1) {
        lead("", rest);
    }
    // a chain of `super` is one path: it begins where no `::` stands before it
    for (at, _) in code.match_indices("super::").filter(|(at, _)| !code[..*at].ends_with("::")) {
        let (mut module, mut rest) = (file.to_string(), &code[at..]);
        while let Some(further) = rest.strip_prefix("super::") {
            (module, rest) = (parent(&module), further);
        }
        lead(&module, rest);
    }
    if is_folder {
        for name in files.iter().filter_map(|f| f.strip_prefix(&join(file, "")).filter(|name| !name.contains('/'))) {
            let mentions = |(at, _): (usize, &str)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            if code.match_indices(&format!("{name}::")).any(mentions) || code.contains(&format!("self::{name}::")) {
                found.insert(join(file, name));
            }
        }
    }
    found.remove(file);
    found
}

/// A way from a file back to itself.
fn circle(arrows: &Arrows) -> Option<Vec<String>> {
    fn follow(at: &str, arrows: &Arrows, way: &mut Vec<String>, done: &mut BTreeSet<String>) -> Option<Vec<String>> {
        if let Some(from) = way.iter().position(|file| file == at) {
            return Some([&way[from..], &[at.to_string()]].concat());
        }
        if !done.insert(at.to_string()) {
            return None;
        }
        way.push(at.to_string());
        let found = arrows.get(at).into_iter().flatten().find_map(|to| follow(to, arrows, way, done));
        way.pop();
        found
    }
    let mut done = BTreeSet::new();
    arrows.keys().find_map(|file| follow(file, arrows, &mut Vec::new(), &mut done))
}

#[test]
fn files_of_stage_do_not_use_each_other_in_a_circle() {
    let root = Path::new("src/stage");
    let mut paths = Vec::new();
    rust_files(root, &mut paths);
    let named = |path: &Path| {
        let name = path.strip_prefix(root).expect("below").with_extension("").to_string_lossy().replace('\\', "/");
        name.strip_suffix("mod").map_or(name.clone(), |folder| folder.trim_end_matches('/').to_string())
    };
    let files: BTreeSet<String> = paths.iter().map(|path| named(path)).collect();
    assert!(files.len() > 15 && files.contains("rl/update"), "{files:?}");
    let mut arrows = Arrows::new();
    for path in paths.iter().filter(|path| !is_test(path)) {
        let (file, text) = (named(path), fs::read_to_string(path).expect("a source"));
        let used = files_used(&file, path.ends_with("mod.rs"), &code(&text), "stage", &files);
        arrows.insert(file, used);
    }
    assert!(arrows["kinds"].contains("rl") && arrows["rl"].contains("rl/train") && arrows["rl/update"].contains("updater"), "{arrows:?}");
    assert_eq!(circle(&arrows), None);
}

#[test]
fn a_circle_is_found() {
    let files: BTreeSet<String> = ["", "a", "b", "rl", "rl/c"].map(str::to_string).into();
    let used = |file: &str, is_folder, code: &str| files_used(file, is_folder, code, "stage", &files).into_iter().collect::<Vec<_>>();
    assert_eq!(used("a", false, "use super::b::B;\nuse crate::other::rl;"), ["b"]);
    assert_eq!(used("a", false, "use super::{b::{X, Y}, rl};"), ["b", "rl"]);
    assert_eq!(used("a", false, "fn x() -> super::Stage { crate::stage::rl::y() }"), ["", "rl"]);
    assert_eq!(used("rl/c", false, "use super::super::a::A;\nuse super::Rl;"), ["a", "rl"]);
    assert_eq!(used("rl", true, "mod c;\npub use c::C;\nuse super::b::B;"), ["b", "rl/c"]);
    let arrows = |pairs: &[(&str, &str)]| -> Arrows {
        let mut arrows = Arrows::new();
        for (from, to) in pairs {
            arrows.entry(from.to_string()).or_default().insert(to.to_string());
        }
        arrows
    };
    assert_eq!(circle(&arrows(&[("a", "b"), ("a", "c"), ("b", "c")])), None);
    let found = circle(&arrows(&[("a", "b"), ("b", "c"), ("c", "b")])).expect("a circle");
    assert_eq!(found, ["b", "c", "b"]);
}

#[test]
fn names_after_crate_are_found() {
    let code = code(
        "use crate::a::B;\nuse crate::{c::{d, e}, f};\n// crate::g\nfn x() { crate::h::i() }\n#[cfg(test)]\nmod tests {\nuse crate::j;",
    );
    assert_eq!(after_crate(&code), ["a", "c", "f", "h"]);
}
