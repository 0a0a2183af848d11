//! Going on from the middle of another training.

use super::runs::{Runs, Said, command};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// `tiny.epo` with a child that goes on from its training after two iterations, with the same equation, and one with another.
const CHILDREN: &str = r"
pipeline same from tiny { train.from = tiny.train.at(2) }

pipeline other from tiny {
  train.from    = tiny.train.at(2)
  loss.minimize = surrogate + 0.5 * fit - 0.5 * explore
}
";

/// A file with these children, in a folder of its own.
fn file(children: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("middle.epo");
    let text = fs::read_to_string(super::TINY).expect("the text").replace("iterations = 3", "iterations = 5");
    fs::write(&path, format!("{text}{children}")).expect("written");
    let path = path.to_str().expect("a path").to_string();
    (folder, path)
}

/// The folder of a stage of the only run of the file.
fn task(runs: &Runs, stage: &str) -> PathBuf {
    let run = fs::read_dir(runs.0.path().join("middle")).expect("a run").next().expect("a run").expect("an entry").path();
    fs::canonicalize(run.join("tasks").join(stage)).unwrap_or_else(|error| panic!("{stage}: {error}"))
}

fn bytes(folder: &Path, file: &str) -> Vec<u8> {
    fs::read(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

const WEIGHTS: &str = "outputs/policy/model.safetensors";

/// Whatever the last checkpoint has too: moments, the critic, what is remembered.
const LAST: [&str; 5] = ["policy.safetensors", "optimizer.safetensors", "critic.safetensors", "critic_optimizer.safetensors", "state.json"];

#[test]
fn with_the_same_equation_it_is_the_run_that_went_through() {
    let (_folder, file) = file(CHILDREN);
    let runs = Runs::new();
    let said = runs.run(&file, &[]).exits(0);
    said.says("tiny.train@2 (rl)").says("goes on from its own beginning, at 2").says("goes on from tiny.train@2, after 2 iterations");
    let [through, same, other] = ["tiny.train", "same.train", "other.train"].map(|stage| task(&runs, stage));
    assert_ne!(through, same);
    for name in [WEIGHTS, "outputs/critic/model.safetensors", "outputs/best/model.safetensors", "metrics.jsonl", "episodes.jsonl"] {
        assert!(bytes(&through, name) == bytes(&same, name), "{name} differs");
    }
    for name in LAST.map(|name| format!("checkpoints/iteration-0004/{name}")) {
        assert!(bytes(&through, &name) == bytes(&same, &name), "{name} differs");
    }
    // Under another equation it has the same beginning, and then it goes its own way.
    let lines =
        |task: &Path| String::from_utf8(bytes(task, "metrics.jsonl")).expect("text").lines().map(str::to_string).collect::<Vec<_>>();
    let (before, after) = (lines(&through), lines(&other));
    assert_eq!((before[..2] == after[..2], before[2] == after[2], after.len()), (true, false, 5));
    assert!(bytes(&through, WEIGHTS) != bytes(&other, WEIGHTS));
    // And a run that was never stopped in the middle comes to the same.
    let whole = Runs::new();
    whole.run(&file, &["--only", "tiny"]).exits(0);
    let alone = fs::canonicalize(whole.task("train")).expect("a task");
    assert!(bytes(&alone, WEIGHTS) == bytes(&through, WEIGHTS) && bytes(&alone, "metrics.jsonl") == bytes(&through, "metrics.jsonl"));
    runs.run(&file, &[]).exits(0).says("everything is up to date");
}

#[test]
fn killed_on_the_way_it_comes_to_the_same() {
    let (_folder, file) = file(CHILDREN);
    let whole = Runs::new();
    whole.run(&file, &["--only", "other"]).exits(0);
    let expected = task(&whole, "other.train");
    let runs = Runs::new();
    // One while the beginning is made, one while it is gone on from.
    for checkpoints in [1, 2] {
        let mut child = runs.start(&file, &["--only", "other", "--threads", "1"]);
        let began = Instant::now();
        while runs.checkpoints().len() < checkpoints && child.try_wait().expect("a child").is_none() {
            assert!(began.elapsed() < Duration::from_mins(2), "no checkpoint");
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = child.kill();
        child.wait().expect("a child");
    }
    runs.run(&file, &["--only", "other"]).exits(0);
    let found = task(&runs, "other.train");
    for name in [WEIGHTS, "metrics.jsonl", "episodes.jsonl"] {
        assert!(bytes(&expected, name) == bytes(&found, name), "{name} differs");
    }
}

/// A changed equation of the other is another beginning; what comes after the middle of the other is none of this one's.
#[test]
fn the_digest_is_that_of_the_other_and_of_the_iteration() {
    let (_folder, file) = file(CHILDREN);
    let runs = Runs::new();
    let digests = |more: &[&str]| {
        let said =
            Said::of(command(&[&["plan"][..], &runs.args(&file, more), &["--json"]].concat()).output().expect("the binary")).exits(0);
        let plan: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        let tasks = plan["tasks"].as_array().expect("tasks").clone();
        move |name: &str| tasks.iter().find(|task| task["name"] == name).unwrap_or_else(|| panic!("no {name}"))["digest"].clone()
    };
    let (plain, rate, later) =
        (digests(&[]), digests(&["--set", "tiny.weight=0.5"]), digests(&["--set", "other.train.from=tiny.train.at(3)"]));
    assert_ne!(plain("other.train"), rate("other.train"));
    assert_ne!(plain("other.train"), later("other.train"));
    assert_eq!(plain("same.train"), later("same.train"));
    assert_ne!(plain("same.train"), plain("tiny.train"));
}

#[test]
fn what_cannot_be_taken_over_is_said_before_the_run() {
    let said = |child: &str| {
        let (_folder, file) = file(&format!("pipeline child from tiny {{ {child} }}"));
        Said::of(command(&["check", &file]).output().expect("the binary")).exits(1)
    };
    for (child, code, words) in [
        ("train.from = tiny.train.at(2), iterations = 2", "E0404", "it has 2 iterations, and 2 are done there"),
        (
            "train.from = tiny.train.at(2), policy = decoder { tokenizer = words, width = 32 }, train.policy = policy",
            "E0404",
            "its `policy` is another",
        ),
        ("train.from = tiny.train.at(2), optimizer = muon { }", "E0404", "its `optimizer` is of another kind"),
        ("train.from = tiny.train.at(9)", "E0202", "it has 5 iterations, and can be stopped after 1 to 4"),
        ("train.from = tiny.warm.at(2)", "E0202", "a `sft` stage is not stopped in the middle; an `rl` stage can be"),
        ("train.from = tiny.train", "E0205", "write after which iteration: `train.at(40)`"),
        ("train.from = tiny.train.at(0.5)", "E0117", "after how many of its iterations"),
        ("train.from = train.at(2)", "E0103", "uses itself"),
    ] {
        let said = said(child);
        assert!(said.err.contains(code) && said.err.contains(words), "{child}:\n{}", said.err);
    }
}
