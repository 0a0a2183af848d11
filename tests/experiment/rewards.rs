//! Rewards of the pipeline's own, as a run of the binary has them: against loops over the episodes that it wrote.

use super::runs::Runs;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

const FILE: &str = "tests/experiment/rewards.epo";

fn task(runs: &Runs, stage: &str) -> PathBuf {
    runs.task_of("rewards", stage)
}

fn lines(runs: &Runs, stage: &str, file: &str) -> Vec<Value> {
    runs.lines("rewards", stage, file)
}

fn learned(runs: &Runs) -> [Vec<u8>; 3] {
    ["outputs/policy/model.safetensors", "episodes.jsonl", "metrics.jsonl"].map(|file| fs::read(task(runs, "train").join(file)).unwrap())
}

#[test]
fn rewards_of_what_was_said() {
    let runs = Runs::new();
    runs.run(FILE, &["--threads", "1"]).exits(0);
    the_metrics_are_those_of_the_episodes(&runs);
    let wanted = lines(&runs, "shown", "episodes.jsonl");
    let goes = |episode: &Value| episode["turns"].as_array().unwrap().iter().any(|turn| turn["action"].as_str().unwrap().contains("go to"));
    assert!(!wanted.is_empty() && wanted.iter().all(goes));

    let two = Runs::new();
    two.run(FILE, &["--threads", "2"]).exits(0);
    assert!(learned(&runs) == learned(&two), "threads changed a byte");

    let stopped = Runs::new();
    // The texts of what is replayed are part of the checkpoint.
    stopped.kill_while_it_replays(FILE);
    stopped.run(FILE, &["--threads", "2"]).exits(0);
    assert!(learned(&runs) == learned(&stopped), "being killed changed a byte");
}

/// What is added up of the turns of an iteration.
#[derive(Default)]
struct Sums {
    turns: f64,
    vowel: f64,
    short: f64,
    again: f64,
    late: f64,
    added: f64,
}

fn the_metrics_are_those_of_the_episodes(runs: &Runs) {
    let mut played: BTreeMap<u64, Sums> = BTreeMap::new();
    for line in lines(runs, "train", "episodes.jsonl") {
        let sums = played.entry(line["iteration"].as_u64().unwrap()).or_default();
        let mut before = BTreeSet::new();
        for (number, turn) in line["episode"]["turns"].as_array().unwrap().iter().enumerate() {
            let action = turn["action"].as_str().unwrap();
            let response = turn["response"].as_str().unwrap_or(action);
            let one = |holds: bool| f64::from(u8::from(holds));
            let (vowel, again) = (one(response.contains('e')), one(!before.insert(action.to_string())));
            sums.turns += 1.0;
            sums.vowel += vowel;
            sums.again += again;
            sums.short += one(response.split_whitespace().count() < 3);
            sums.late += 0.5 * number as f64 * one(!turn["valid"].as_bool().unwrap());
            sums.added += 0.5 * vowel - 0.125 * again;
        }
    }
    let metrics = lines(runs, "train", "metrics.jsonl");
    assert_eq!(metrics.len(), 4);
    let mut replayed = 0;
    for record in metrics {
        let (iteration, values) = (record["iteration"].as_u64().unwrap(), &record["values"]);
        let value = |name: &str| values[name].as_f64().unwrap_or_else(|| panic!("no `{name}` in {values}"));
        let sums = &played[&iteration];
        for (name, sum) in [
            ("reward/vowel", sums.vowel),
            ("reward/short", sums.short),
            ("reward/again", sums.again),
            ("reward/late", sums.late),
            ("shaping", sums.added),
        ] {
            let mean = sum / sums.turns;
            assert!((value(name) - mean).abs() < 1e-12, "{name}: {} and {mean}", value(name));
        }
        assert!(value("loss/old") > 0.0 && value("loss/told") >= 0.0);
        replayed += value("source/1") as usize;
    }
    assert!(replayed > 0);
    let mean = |name: fn(&Sums) -> f64| played.values().map(name).sum::<f64>();
    assert!(mean(|s| s.vowel) > 0.0 && mean(|s| s.again) > 0.0 && mean(|s| s.late) > 0.0, "nothing was said that counts");
    assert!(mean(|s| s.vowel) < mean(|s| s.turns) && mean(|s| s.again) < mean(|s| s.turns));
}

/// What is added goes to the reward of its turn, and as a sum to the outcome of its episode, in what is learned from.
#[test]
fn what_is_added_is_learned_from() {
    let text = fs::read_to_string(FILE).unwrap();
    let (start, end) = (text.find("      also = ").unwrap(), text.find("    page  =").unwrap());
    let text = format!("{}    }}\n{}", &text[..start], &text[end..]);
    let place = tempfile::tempdir().unwrap();
    fs::copy("tests/experiment/tiny.epo", place.path().join("tiny.epo")).unwrap();
    let file = place.path().join("rewards.epo");
    fs::write(&file, text).unwrap();
    let runs = Runs::new();
    runs.run(file.to_str().unwrap(), &["--set", "rewards.iterations=2"]).exits(0);
    let mut found: BTreeMap<u64, (f64, f64, f64)> = BTreeMap::new();
    for line in lines(&runs, "train", "episodes.jsonl") {
        let turns = line["episode"]["turns"].as_array().unwrap();
        let (mut before, mut paid, mut got) = (BTreeSet::new(), 0.0, 0.0);
        let mut sum = line["episode"]["score"].as_f64().unwrap();
        for turn in turns {
            let action = turn["action"].as_str().unwrap();
            let vowel = f64::from(u8::from(turn["response"].as_str().unwrap_or(action).contains('e')));
            let again = f64::from(u8::from(!before.insert(action)));
            let penalty = if turn["valid"].as_bool().unwrap() { 0.0 } else { 0.25 };
            paid += turn["reward"].as_f64().unwrap() - penalty + 0.5 * vowel - 0.125 * again;
            got -= penalty;
            sum += 0.5 * vowel - 0.125 * again;
        }
        let of = found.entry(line["iteration"].as_u64().unwrap()).or_default();
        *of = (of.0 + paid, of.1 + got + sum * turns.len() as f64, of.2 + turns.len() as f64);
    }
    for record in lines(&runs, "train", "metrics.jsonl") {
        let (paid, got, turns) = found[&record["iteration"].as_u64().unwrap()];
        let value = |name: &str| record["values"][name].as_f64().unwrap();
        assert!((value("loss/paid") - paid / turns).abs() < 1e-9, "{} and {}", value("loss/paid"), paid / turns);
        assert!((value("loss/got") - got / turns).abs() < 1e-9, "{} and {}", value("loss/got"), got / turns);
    }
}

#[test]
fn what_is_no_reward_is_said() {
    let runs = Runs::new();
    let refuses = |set: &str, message: &str| runs.run(FILE, &["--set", set]).exits(1).says(message);
    refuses("rewards.rewards.vowel=token_index", "`token_index` is not known here");
    refuses("rewards.rewards.score=turn_index", "a reward cannot be called `score`: that is a quantity");
    refuses("rewards.shaping=reward * 2", "it is what is added to");
    refuses("rewards.rewards.vowel=matches(response, \"a(\")", "this is no regular expression: unclosed group");
    refuses("rewards.rewards=expert", "a block `rewards { name = expression }`");
}
