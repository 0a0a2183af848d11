//! Thoughts before choices, as a run of the binary has them.

use super::runs::Runs;
use serde_json::Value;
use std::fs;

const FILE: &str = "tests/experiment/thoughts.epo";

fn lines(runs: &Runs, stage: &str, file: &str) -> Vec<Value> {
    runs.lines("thoughts", stage, file)
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

    for episode in lines(&runs, "own", "episodes.jsonl") {
        let turns = episode["turns"].as_array().unwrap();
        let said: Vec<&str> = turns.iter().map(|turn| turn["response"].as_str().unwrap()).collect();
        for (number, turn) in turns.iter().enumerate() {
            let window: String = said[number.saturating_sub(2)..number].iter().map(|said| format!("({said}) ")).collect();
            let last = number.checked_sub(1).map_or("", |last| said[last]);
            let (task, seen) = (episode["goal"].as_str().unwrap(), turn["observation"].as_str().unwrap());
            assert_eq!(turn["prompt"], format!("{task}\n{window}\n{last}\n{seen}\n>"));
        }
    }

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
    stopped.kill_after(FILE, &["--threads", "2"], |path| path.ends_with("iteration-0002"));
    stopped.run(FILE, &["--threads", "2"]).exits(0);
    assert!(learned(&runs) == learned(&stopped), "threads, or being killed, changed a byte");
}
