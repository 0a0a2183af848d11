//! The executor on real folders, with stages that count.

#[cfg(unix)]
mod claims;
mod crash;
#[cfg(target_os = "linux")]
mod power;
mod process;
mod ranks;
mod shared;
mod sharing;
mod trouble;

use super::*;
use crate::spec::PipelineSpec;
use std::collections::BTreeMap;
use std::path::Path;

fn plan(instances: &[PipelineSpec]) -> Plan {
    Plan::new(instances).unwrap_or_else(|d| panic!("{d:?}"))
}

fn record(name: &str) -> RunRecord {
    let sources = vec![("../x/a.epo".into(), "# a\n".into()), ("<command line>".into(), "a.b = 1\n".into())];
    RunRecord { name: name.into(), sources, machine: serde_json::json!({ "format": 1, "threads": 1 }), ..RunRecord::default() }
}

fn run(instances: &[PipelineSpec], store: &Store) -> Result<Outcome, ExecError> {
    run_with(instances, store, &Options::default())
}

fn run_with(instances: &[PipelineSpec], store: &Store, options: &Options) -> Result<Outcome, ExecError> {
    let plan = plan(instances);
    execute(&plan, store, record(&plan.run_name("file")), options, &mut Silent)
}

/// In memory where there is such a place: these tests sync thousands of files.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Keeps the tests' output clean.
struct Silent;

impl Watch for Silent {}

/// Every file below a folder with its content, apart from locks.
fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(&path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if !path.file_name().unwrap().to_string_lossy().starts_with(".lock") {
                found.insert(path.strip_prefix(folder).unwrap().display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn tasks(store: &Store) -> BTreeMap<String, Vec<u8>> {
    bytes(&store.root().join("tasks"))
}

/// Says where two stores differ, not with all their bytes.
#[track_caller]
fn assert_same(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>, context: &str) {
    let text = |bytes: Option<&Vec<u8>>| bytes.map(|b| String::from_utf8_lossy(b).into_owned());
    for name in a.keys().chain(b.keys()) {
        assert_eq!(text(a.get(name)), text(b.get(name)), "{context}: {name}");
    }
}

fn events(store: &Store) -> Vec<Event> {
    let runs = store.runs().unwrap();
    crate::store::read_events(&runs[0].path).unwrap().into_iter().map(|e| e.event).collect()
}
