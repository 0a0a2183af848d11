//! What an iteration collects beside its own episodes, as a run of the binary has it.

use super::runs::Runs;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

const FILE: &str = "tests/experiment/sources.epo";

fn task(runs: &Runs, stage: &str) -> PathBuf {
    runs.task_of("sources", stage)
}

fn lines(runs: &Runs, file: &str) -> Vec<Value> {
    runs.lines("sources", "train", file)
}

/// What must not depend on threads or on how often the run was stopped.
fn learned(runs: &Runs) -> [Vec<u8>; 3] {
    ["outputs/policy/model.safetensors", "episodes.jsonl", "metrics.jsonl"].map(|file| fs::read(task(runs, "train").join(file)).unwrap())
}

#[test]
fn episodes_from_elsewhere() {
    let runs = Runs::new();
    runs.run(FILE, &["--threads", "1"]).exits(0);
    the_batch_holds_what_the_metrics_say(&runs);

    let two = Runs::new();
    two.run(FILE, &["--threads", "2"]).exits(0);
    assert!(learned(&runs) == learned(&two), "threads changed a byte");

    let stopped = Runs::new();
    // What is replayed is part of the checkpoint.
    stopped.kill_while_it_replays(FILE);
    stopped.run(FILE, &["--threads", "2"]).exits(0);
    assert!(learned(&runs) == learned(&stopped), "being killed changed a byte");
}

fn the_batch_holds_what_the_metrics_say(runs: &Runs) {
    let mut played: BTreeMap<u64, BTreeMap<u64, Vec<Value>>> = BTreeMap::new();
    for line in lines(runs, "episodes.jsonl") {
        let (iteration, group) = (line["iteration"].as_u64().unwrap(), line["episode"]["group"].as_u64().unwrap());
        played.entry(iteration).or_default().entry(group).or_default().push(line["episode"].clone());
    }
    let metrics = lines(runs, "metrics.jsonl");
    assert_eq!(metrics.len(), 5);
    let mut rounds = BTreeSet::new();
    for record in metrics {
        let (iteration, values) = (record["iteration"].as_u64().unwrap(), &record["values"]);
        let value = |name: &str| values[name].as_f64().unwrap_or_else(|| panic!("no `{name}` in {values}"));
        let groups = &played[&iteration];
        // Rounds end where three groups differ, or after the third.
        let differs = |episodes: &Vec<Value>| episodes.iter().any(|episode| episode["score"] != episodes[0]["score"]);
        let differing: Vec<u64> = groups.iter().filter(|(_, episodes)| differs(episodes)).map(|(group, _)| *group).collect();
        assert_eq!(value("differing"), differing.len() as f64);
        assert_eq!(value("collected"), groups.values().map(Vec::len).sum::<usize>() as f64);
        assert_eq!(groups.len() as f64, 3.0 * value("rounds"));
        let before_the_last = groups.iter().take(groups.len() - 3).filter(|(_, episodes)| differs(episodes)).count();
        assert!(before_the_last < 3 && (differing.len() >= 3 || value("rounds") == 3.0), "{differing:?}");
        rounds.insert(groups.len() / 3);
        // Learned from are those that differ, if any does, and what the sources give.
        let own: Vec<&Value> = match differing.is_empty() {
            true => groups.values().rev().take(3).flatten().collect(),
            false => differing.iter().take(3).flat_map(|group| &groups[group]).collect(),
        };
        let (replayed, shown) = (value("source/1"), value("source/2"));
        assert_eq!((replayed > 0.0, shown), (iteration > 0, 3.0), "iteration {iteration}");
        let all = own.len() as f64 + replayed + shown;
        let near = |name: &str, expected: f64| assert!((value(name) - expected).abs() < 1e-9, "{name}: {} and {expected}", value(name));
        near("loss/replayed", replayed / all);
        near("loss/shown", shown / all);
        let turns: usize = own.iter().map(|episode| episode["turns"].as_array().unwrap().len()).sum();
        assert!(value("rows") >= turns as f64 + replayed + shown);
        // In the first update the policy is still the one that was asked about what others did; what it played once itself is recorded.
        assert!(value("loss/unsure") < 1e-6, "{}", value("loss/unsure"));
        assert_eq!(value("loss/alike"), 0.0);
        assert!((0.0..=1.0).contains(&value("loss/greedy")) && (0.0..=1.0).contains(&value("greedy_success")));
    }
    assert!(rounds.len() > 1, "{rounds:?}");
}

#[test]
fn what_does_not_fit_is_said() {
    let runs = Runs::new();
    let refuses = |set: &str, message: &str| runs.run(FILE, &["--set", set]).exits(1).says(message);
    refuses("sources.train.group_size=1", "in a group of one episode nothing differs");
    refuses("sources.train.temperature=0", "this temperature comes to 0");
    refuses("sources.train.also=replay { last = 2 }", "`episodes`");
    refuses("sources.train.also=expert", "a source of episodes");
    // A vocabulary of its own.
    let text = fs::read_to_string(FILE)
        .unwrap()
        .replace("teacher = warm", "teacher = decoder { tokenizer = others, layers = 1, width = 16, heads = 2 }");
    let text = text.replace("    words = ", "    others = tokenizer { on = house.train, vocabulary = 280, episodes = 6 }\n    words = ");
    let place = tempfile::tempdir().unwrap();
    fs::copy("tests/experiment/tiny.epo", place.path().join("tiny.epo")).unwrap();
    let file = place.path().join("sources.epo");
    fs::write(&file, text).unwrap();
    runs.run(file.to_str().unwrap(), &[])
        .exits(1)
        .says("the `teacher` has another vocabulary than the `policy`: that of the stage `others`, not that of the stage `words`");
}

/// Tasks of two environments, by weights that change.
#[test]
fn a_curriculum() {
    let file = "tests/experiment/curriculum.epo";
    let runs = Runs::new();
    runs.run(file, &["--threads", "1"]).exits(0);
    let train = |runs: &Runs, file: &str| {
        let run = fs::read_dir(runs.0.path().join("curriculum")).unwrap().map(|entry| entry.unwrap().path()).next().expect("a run");
        fs::read(run.join("tasks/curriculum.train").join(file)).unwrap()
    };
    let metrics = String::from_utf8(train(&runs, "metrics.jsonl")).unwrap();
    let counts: Vec<(f64, f64)> = metrics
        .lines()
        .map(|line| {
            let values = serde_json::from_str::<Value>(line).unwrap()["values"].clone();
            let of = |name: &str| values[name].as_f64().unwrap_or_else(|| panic!("no `{name}` in {values}"));
            assert_eq!(of("episodes/house.train") + of("episodes/hard.train"), 12.0);
            // Nothing ends a game that is not won, and the two have their own limits of turns.
            let most = 8.0 * of("episodes/house.train") + 5.0 * of("episodes/hard.train");
            assert!(of("rows") <= most && (of("success") > 0.0 || of("rows") == most), "{values}");
            (of("episodes/house.train"), of("episodes/hard.train"))
        })
        .collect();
    assert_eq!((counts[0], counts[3]), ((12.0, 0.0), (0.0, 12.0)), "{counts:?}");
    let two = Runs::new();
    two.run(file, &["--threads", "2"]).exits(0);
    let learned = |runs: &Runs| ["outputs/policy/model.safetensors", "episodes.jsonl"].map(|file| train(runs, file));
    assert!(learned(&runs) == learned(&two), "threads changed a byte");

    let refuses = |set: &str, message: &str| runs.run(file, &["--set", set]).exits(1).says(message);
    refuses("curriculum.train.weights=[1]", "1 weights for 2 splits");
    refuses("curriculum.train.weights=[0, progress]", "all weights come to 0 at once");
    refuses("curriculum.train.also=replay { episodes = 2 }", "tasks of two environments may have one name");
}

/// A split comes in by how much of the other was played.
#[test]
fn weights_by_what_was_played() {
    let file = "tests/experiment/curriculum.epo";
    let easy = "history(mean(where(split == 0, 1, 0)), first = 0.25, window = 2)";
    let weights = format!("curriculum.train.weights=[1 - {easy}, {easy}]");
    let split = "curriculum.loss.minimize=mean(ppo_clip(0.2)) + 0 * mean(split)";
    let set = ["--set", "curriculum.iterations=8", "--set", &weights, "--set", split];
    let more = |threads: &'static str| [&set[..], &["--threads", threads]].concat();
    let train = |runs: &Runs, file: &str| {
        let run = fs::read_dir(runs.0.path().join("curriculum")).unwrap().map(|entry| entry.unwrap().path()).next().expect("a run");
        fs::read(run.join("tasks/curriculum.train").join(file)).unwrap()
    };
    let learned = |runs: &Runs| ["outputs/policy/model.safetensors", "episodes.jsonl", "metrics.jsonl"].map(|file| train(runs, file));
    let runs = Runs::new();
    runs.run(file, &more("1")).exits(0);

    let mut past: Vec<f64> = Vec::new();
    let mut weights = BTreeSet::new();
    for line in String::from_utf8(train(&runs, "metrics.jsonl")).unwrap().lines() {
        let values = serde_json::from_str::<Value>(line).unwrap()["values"].clone();
        let of = |name: &str| values[name].as_f64().unwrap_or_else(|| panic!("no `{name}` in {values}"));
        let last: Vec<f64> = past.iter().rev().take(2).copied().collect();
        let expected = if last.is_empty() { 0.25 } else { last.iter().sum::<f64>() / last.len() as f64 };
        assert!(
            (of("weight/hard.train") - expected).abs() < 1e-12 && (of("weight/house.train") + expected - 1.0).abs() < 1e-12,
            "{values}"
        );
        past.push(of("episodes/house.train") / 12.0);
        weights.insert(of("weight/hard.train").to_bits());
    }
    assert!(past.len() == 8 && weights.len() > 2, "{past:?}");

    let stopped = Runs::new();
    stopped.kill_after(file, &more("2"), |path| path.ends_with("iteration-0003"));
    stopped.run(file, &more("2")).exits(0).says("going on at iteration");
    assert!(learned(&runs) == learned(&stopped), "being killed changed a byte");
}

#[test]
fn only_what_is_of_use_is_replayed() {
    let set = [
        "sources.train.also=[replay { last = 3, episodes = 6, where = turns > 4 }, replay { last = 3, episodes = 6, where = turns < 5 }]",
        "sources.loss.long=mean(only(turns, source == 1))",
        "sources.loss.short=mean(only(turns, source == 2))",
        "sources.loss.minimize=mean(ppo_clip(0.2)) + 0 * long + 0 * short",
    ];
    let more: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    let runs = Runs::new();
    runs.run(FILE, &more).exits(0);
    let (mut long, mut short) = (0, 0);
    for record in lines(&runs, "metrics.jsonl") {
        let value = |name: &str| record["values"][name].as_f64().unwrap_or_else(|| panic!("no `{name}` in {record}"));
        assert!(value("source/1") == 0.0 || value("loss/long") > 4.0, "{record}");
        assert!(value("source/2") == 0.0 || value("loss/short") < 5.0, "{record}");
        long += usize::from(value("source/1") > 0.0);
        short += usize::from(value("source/2") > 0.0);
    }
    assert!(long > 0 && short > 0, "{long} {short}");
}
