//! The records of runs that lie beside the pages about them.

use std::fs;
use std::process::Command;

fn pages(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).expect(folder).map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.extension().is_some_and(|e| e == "md")).map(|path| fs::read_to_string(path).expect("a page")).collect()
}

/// What `compare` makes of each pack stands in a page, word for word.
#[test]
fn every_pack_has_its_page() {
    let pages = [pages("docs/results"), pages("docs/results/study")].concat();
    let mut count = 0;
    for pack in fs::read_dir("docs/results/packs").expect("packs").map(|entry| entry.expect("an entry").path()) {
        let said = Command::new(env!("CARGO_BIN_EXE_epo-run")).arg("compare").arg(&pack).output().expect("the binary");
        let table = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.status.success(), "{}: {}", pack.display(), String::from_utf8_lossy(&said.stderr));
        assert!(pages.iter().any(|page| page.contains(table.trim_end())), "no page has what {} comes to:\n{table}", pack.display());
        count += 1;
    }
    assert!(count > 0);
}
