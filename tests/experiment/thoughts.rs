//! Thoughts before choices, as a run of the binary has them.

use super::runs::Runs;
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};

const FILE: &str = "tests/experiment/thoughts.epo";

fn lines(runs: &Runs, stage: &str, file: &str) -> Vec<Value> {
    let text = fs::read_to_string(runs.task_of("thoughts", stage).join(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn turns(runs: &Runs, stage: &str) -> Vec<Value> {
    lines(runs, stage, "episodes.jsonl").iter().flat_map(|episode| episode["turns"].as_array().unwrap().clone()).collect()
}

/// What must not depend on threads or on how often the run was stopped.
fn learned(runs: &Runs) -> Vec<Vec<u8>> {
    let of = |stage: &str, file: &str| fs::read(runs.task_of("thoughts", stage).join(file)).unwrap();
    vec![of("own", "episodes.jsonl"), of("then", "outputs/policy/model.safetensors"), of("train", "outputs/policy/model.safetensors")]
}

#[test]
fn thoughts_are_shown_learned_and_written() {
    let runs = Runs::new();
    runs.run(FILE, &["--threads", "1"]).exits(0);

    let shown = turns(&runs, "shown");
    for turn in &shown {
        let (thought, action) = turn["response"].as_str().unwrap().split_once('\n').unwrap();
        assert!(thought.starts_with("want ") && turn["action"] == action, "{turn}");
    }
    assert!(shown.iter().any(|turn| turn["response"].as_str().unwrap().contains(": none\n")));

    let own = turns(&runs, "own");
    for turn in &own {
        let action = turn["response"].as_str().unwrap().rsplit_once('\n').unwrap().1;
        assert!(turn["action"] == action && turn["admissible"].as_array().unwrap().contains(&turn["action"]), "{turn}");
        assert!(turn["label"]["response"].as_str().unwrap().starts_with("want "), "{turn}");
    }
    let stood_in = own.iter().filter(|turn| turn["label"]["response"] == turn["response"]).count();
    assert!(stood_in > 0 && stood_in < own.len(), "{stood_in} of {}", own.len());
    for iteration in lines(&runs, "train", "metrics.jsonl") {
        assert_eq!(iteration["values"]["rollout_gap"], 0.0, "what was drawn is scored as it was drawn");
    }

    let stopped = Runs::new();
    let mut child = stopped.start(FILE, &["--threads", "2"]);
    let began = Instant::now();
    let late = |path: &std::path::PathBuf| path.ends_with("iteration-0002");
    while !stopped.checkpoints().iter().any(late) && child.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_mins(2), "no checkpoint");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().ok();
    child.wait().unwrap();
    stopped.run(FILE, &["--threads", "2"]).exits(0);
    assert!(learned(&runs) == learned(&stopped), "threads, or being killed, changed a byte");
}
