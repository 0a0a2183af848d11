//! The folder of runs, with anything in it.

#[path = "../../fuzz/cases/run_folder.rs"]
mod run_folder;

use proptest::prelude::*;
use std::path::Path;

/// A whole store with a part of it changed: bytes, words that mean something, sections.
fn changed(changes: &[(prop::sample::Index, u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = run_folder::seed();
    for (at, how, with) in changes {
        let at = at.index(bytes.len());
        let end = (at + with.len()).min(bytes.len());
        match how % 5 {
            0 => drop(bytes.splice(at..end, with.iter().copied())),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.truncate(at),
            3 => drop(bytes.splice(at..at, with.iter().copied())),
            _ => {
                let names = [
                    "tasks",
                    "tasks/T0",
                    "small",
                    "small/R",
                    "small/R/tasks",
                    "tasks/T0/outputs",
                    "tasks/T1/.lock",
                    "tasks/T0/metrics.jsonl",
                ];
                let link = format!("\n=== {}\n-> {}", names[at % names.len()], if at % 3 == 0 { "folder" } else { "file" });
                bytes =
                    if at % 2 == 0 { [bytes, link.into_bytes()].concat() } else { [link.trim_start().as_bytes(), b"\n", &bytes].concat() };
            }
        }
    }
    bytes
}

fn change() -> impl Strategy<Value = (prop::sample::Index, u8, Vec<u8>)> {
    let words: Vec<Vec<u8>> =
        ["true", "null", "{}", "1", "9999999999999999999", "-1", "\"\"", "finished", "../", "=== tasks/T0/status.json\n"]
            .iter()
            .map(|word| word.as_bytes().to_vec())
            .collect();
    (any::<prop::sample::Index>(), any::<u8>(), prop_oneof![prop::sample::select(words), prop::collection::vec(any::<u8>(), 1..12)])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_folder_of_any_bytes(changes in prop::collection::vec(change(), 1..4)) {
        run_folder::try_out(&changed(&changes));
    }
}

/// The fuzz target begins with a store as it is written today.
#[test]
fn the_seed_is_a_store_of_today() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/run_folder/whole");
    let seed = run_folder::seed();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &seed).expect("written");
    }
    let found = String::from_utf8(std::fs::read(&path).expect("the seed")).expect("a text");
    assert!(found.contains("=== tasks/T1/outputs/page/report.json\n"), "{found}");
    assert!(found.as_bytes() == seed, "{} is stale; run `UPDATE=1 cargo test --test safety seed`", path.display());
}
