//! Every `tests/diagnostics/NAME.epo` gets exactly the words of `NAME.txt`. `UPDATE=1 cargo test --test diagnostics` rewrites them;
//! read what it wrote before committing it.

use epo::lang::{SourceMap, parser, render};
use std::fs;
use std::path::Path;

/// What the user sees for a file.
fn messages(file: &Path) -> String {
    let name = format!("tests/diagnostics/{}", file.file_name().unwrap_or_default().to_string_lossy());
    let text = fs::read_to_string(file).expect("a readable file");
    let mut sources = SourceMap::default();
    let id = sources.add(name, Some(file), text);
    let (_, diagnostics) = parser::parse(&sources, id);
    render::render_all(&sources, &diagnostics, false)
}

#[test]
fn messages_are_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let update = std::env::var_os("UPDATE").is_some();
    let mut files: Vec<_> = fs::read_dir(&folder).expect("the corpus").filter_map(|e| e.ok()).map(|e| e.path()).collect();
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
}
