//! Every `tests/diagnostics/NAME.epo` gets exactly the words of `NAME.txt`. `UPDATE=1 cargo test --test diagnostics` rewrites them;
//! read what it wrote before committing it.

use epo::lang::load::{Library, Root, load};
use epo::lang::{SourceMap, render};
use std::fs;
use std::path::Path;

/// Stands for the compiled-in files, so that a suggestion among them does not change when one is added.
const LIBRARY: Library = Library { files: &[("std/losses.epo", "fn double(x) = 2 * x\n")] };

/// What the user sees for a file, named from the crate's folder.
fn messages(file: &Path) -> String {
    let mut sources = SourceMap::default();
    let (_, diagnostics) = load(Root::File(file), &LIBRARY, &mut sources);
    render::render_all(&sources, &diagnostics, false)
}

#[test]
fn messages_are_as_written() {
    // Tests run in the crate's folder.
    let folder = Path::new("tests/diagnostics");
    let update = std::env::var_os("UPDATE").is_some();
    let mut files: Vec<_> = fs::read_dir(folder).expect("the corpus").filter_map(|e| e.ok()).map(|e| e.path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "epo"));
    files.sort();
    let mut wrong = String::new();
    for file in &files {
        let golden = file.with_extension("txt");
        let found = messages(file);
        if update {
            fs::write(&golden, &found).expect("a writable corpus");
            continue;
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if found != expected || found.is_empty() {
            wrong += &format!("==== {}\n---- expected\n{expected}---- found\n{found}\n", file.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(files.len() >= 45, "the corpus shrank to {} files", files.len());
}
