//! `SECURITY.md` promises nothing that is not tried.

use std::fs;
use std::path::Path;

/// The names of all tests of the project.
fn tests() -> Vec<String> {
    fn visit(folder: &Path, found: &mut Vec<String>) {
        for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                visit(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                let mut lines = text.lines().map(str::trim);
                while let Some(line) = lines.next() {
                    if line != "#[test]" {
                        continue;
                    }
                    let function = lines.find_map(|line| line.strip_prefix("fn ")).expect("a function behind its attribute");
                    found.extend(function.split('(').next().map(str::to_owned));
                }
            }
        }
    }
    let mut found = Vec::new();
    ["src", "tests"].iter().for_each(|folder| visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found));
    found
}

#[test]
fn every_sentence_has_its_test() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("SECURITY.md")).expect("the page");
    let tests = tests();
    let sentences: Vec<&str> = page.lines().filter(|line| line.starts_with("- ")).collect();
    assert!(sentences.len() > 20);
    for sentence in sentences {
        let name = sentence.rsplit('`').nth(1).unwrap_or_default();
        assert!(sentence.ends_with(&format!(". `{name}`")), "no test at its end: {sentence}");
        assert!(tests.iter().any(|test| test == name), "there is no test `{name}`: {sentence}");
    }
}
