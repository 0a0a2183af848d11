//! `mpirun`: what several processes write is what one writes. With the feature `mpi`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FILE: &str = "tests/experiment/tiny.epo";

/// So many processes of the program.
fn run(ranks: usize, runs: &Path, file: &str) -> Output {
    run_by("local", ranks, runs, file)
}

fn run_by(engine: &str, ranks: usize, runs: &Path, file: &str) -> Output {
    let mut command = Command::new("mpirun");
    command
        .args(["--oversubscribe", "-np", &ranks.to_string(), env!("CARGO_BIN_EXE_epo-run"), "--threads", "1", "--engine", engine, "--runs"])
        .arg(runs)
        .arg(file);
    command.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1").env("XDG_CONFIG_HOME", "/nowhere");
    command.output().expect("mpirun, which comes with Open MPI")
}

/// Every file of every task, but for locks.
fn tasks(runs: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut open) = (BTreeMap::new(), vec![runs.join("tasks")]);
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().is_some_and(|name| name != ".lock") {
                found.insert(path.strip_prefix(runs).expect("a path below").to_path_buf(), fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

#[test]
#[ignore = "needs mpirun"]
fn two_processes_write_what_one_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let [one, two] = [1, 2].map(|ranks| {
        let runs = folder.path().join(ranks.to_string());
        let output = run(ranks, &runs, FILE);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        // One of them speaks.
        assert_eq!(said.matches("tiny.train (rl)").count(), 1, "{said}");
        assert_eq!(said.lines().any(|line| line == "2 ranks"), ranks == 2, "{said}");
        tasks(&runs)
    });
    assert!(one.keys().any(|name| name.ends_with("outputs/policy/model.safetensors")));
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(two[name] == *bytes, "{} differs", name.display());
    }
}

#[test]
#[ignore = "needs mpirun"]
fn what_cannot_be_planned_is_said_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(2, folder.path(), "none.epo");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert_eq!(said.matches("none.epo").count(), 1, "{said}");
}

#[test]
#[ignore = "needs mpirun"]
fn ranks_hand_no_tasks_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run_by("slurm", 2, folder.path(), FILE);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.matches("started as 2 ranks, and the setting `engine` hands tasks to Slurm").count(), 1, "{said}");
    assert!(said.contains("`jobs.ranks`"), "{said}");
}
