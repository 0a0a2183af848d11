//! Labels, conditions and weights, as a run of the binary has them.

use super::runs::Runs;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

const FILE: &str = "tests/experiment/imitation.epo";

fn task(runs: &Runs, stage: &str) -> PathBuf {
    runs.task_of("imitation", stage)
}

fn lines(runs: &Runs, stage: &str, file: &str) -> Vec<Value> {
    runs.lines("imitation", stage, file)
}

/// What must not depend on threads or on how often the run was stopped.
fn learned(runs: &Runs) -> Vec<Vec<u8>> {
    let weights = |stage: &str| fs::read(task(runs, stage).join("outputs/policy/model.safetensors")).unwrap();
    let episodes = |stage: &str| fs::read(task(runs, stage).join("episodes.jsonl")).unwrap();
    vec![episodes("own"), weights("taught"), episodes("some"), weights("weighed")]
}

#[test]
fn labels_conditions_and_weights() {
    let runs = Runs::new();
    runs.run(FILE, &["--threads", "1"]).exits(0);
    turns_are_labelled(&runs);
    episodes_are_selected(&runs);
    rows_are_weighed(&runs);
    prompts_are_foretold(&runs);

    let two = Runs::new();
    two.run(FILE, &["--threads", "2"]).exits(0);
    assert!(learned(&runs) == learned(&two), "threads changed a byte");

    let stopped = Runs::new();
    // `warm` has but a few updates
    stopped.kill_after(FILE, &["--threads", "1"], |path| !path.to_string_lossy().contains("iteration-000"));
    stopped.run(FILE, &["--threads", "2"]).exits(0);
    assert!(learned(&runs) == learned(&stopped), "being killed changed a byte");
}

/// The expert of the house has an answer everywhere; in some turns it is played.
fn turns_are_labelled(runs: &Runs) {
    let own = lines(runs, "own", "episodes.jsonl");
    assert_eq!(own.len(), 6, "failures are kept");
    assert!(lines(runs, "shown", "episodes.jsonl").iter().all(|episode| episode.get("labelled").is_none()));
    let turns: Vec<&Value> = own.iter().flat_map(|episode| episode["turns"].as_array().unwrap()).collect();
    for turn in &turns {
        assert!(turn["admissible"].as_array().unwrap().contains(&turn["label"]["action"]), "{turn}");
    }
    let alike = turns.iter().filter(|turn| turn["label"]["action"] == turn["action"]).count();
    assert!(own.iter().all(|episode| episode["labelled"] == true) && alike > 0 && alike < turns.len(), "{alike} of {}", turns.len());
    let summary: Value = serde_json::from_slice(&fs::read(task(runs, "own").join("outputs/episodes/episodes.json")).unwrap()).unwrap();
    assert_eq!(summary["labels"], turns.len());
}

fn episodes_are_selected(runs: &Runs) {
    let of = |stage: &str| lines(runs, stage, "episodes.jsonl");
    let holds = |episode: &&Value| episode["turns"].as_array().unwrap().len() < 8 || episode["score"].as_f64().unwrap() > 0.5;
    let (all, some) = (of("all"), of("some"));
    assert_eq!(all.len(), 20);
    let expected: Vec<&Value> = all.iter().filter(holds).collect();
    assert!(!expected.is_empty() && expected.len() < 20 && some.iter().eq(expected));
}

/// From the losses on each source alone and on both follows what a third with weights must be.
fn rows_are_weighed(runs: &Runs) {
    let loss = |stage: &str| {
        let metrics = lines(runs, stage, "metrics.jsonl");
        assert_eq!(metrics.len(), 1, "one update");
        metrics[0]["values"]["loss/nll"].as_f64().expect("a loss")
    };
    let [shown, own, both, weighed] = ["of_shown", "of_own", "of_both", "weighed"].map(loss);
    // the share of the tokens that are of `shown`
    let share = (both - own) / (shown - own);
    assert!((0.1..0.9).contains(&share), "{share}");
    let expected = (share * shown + 3.0 * (1.0 - share) * own) / (share + 3.0 * (1.0 - share));
    assert!((weighed - expected).abs() < 1e-6 && (weighed - both).abs() > 1e-3, "{weighed} {expected} {both}");
    let weights = |stage: &str| fs::read(task(runs, stage).join("outputs/policy/model.safetensors")).unwrap();
    assert!(weights("alike") == weights("of_both") && weights("weighed") != weights("of_both"));
}

/// The loss of the actions is what it was, and what the prompts add to the step is in proportion to what they count.
fn prompts_are_foretold(runs: &Runs) {
    let values = |stage: &str| lines(runs, stage, "metrics.jsonl").remove(0)["values"].take();
    let [deaf, half, full] = ["deaf", "half", "full"].map(values);
    assert_eq!((&deaf["loss/nll"], &half["loss/nll"]), (&half["loss/nll"], &full["loss/nll"]));
    // words were never learned before: about as likely as any of 300
    assert!(half["loss/prompts"] == full["loss/prompts"] && (4.0..8.0).contains(&full["loss/prompts"].as_f64().unwrap()), "{full}");
    assert!(deaf.get("loss/prompts").is_none());
    let weights = |stage: &str| {
        candle_core::safetensors::load(task(runs, stage).join("outputs/policy/model.safetensors"), &candle_core::Device::Cpu).unwrap()
    };
    let [deaf, half, full] = ["deaf", "half", "full"].map(weights);
    let (mut far, mut wide) = (0f32, 0f32);
    for (name, start) in &deaf {
        let step = |of: &std::collections::HashMap<String, candle_core::Tensor>| {
            (&of[name] - start).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        for (half, full) in step(&half).into_iter().zip(step(&full)) {
            (far, wide) = (far.max((full - 2.0 * half).abs()), wide.max(full.abs()));
        }
    }
    assert!(wide > 1e-3 && far < 1e-5 * wide.max(0.1), "{far} {wide}");
}

/// Recipes that say what is learned from are run, and learn from what they say.
#[test]
fn the_recipes_at_the_smallest_scale() {
    let (runs, place) = (Runs::new(), tempfile::tempdir().unwrap());
    for file in ["pipelines/household/dagger.epo", "pipelines/household/expert_iteration.epo", "tests/experiment/methods.epo"] {
        let name = std::path::Path::new(file).file_name().unwrap();
        fs::copy(file, place.path().join(name)).unwrap();
    }
    let file = place.path().join("methods.epo");
    runs.run(file.to_str().unwrap(), &[]).exits(0);
    let run = fs::read_dir(runs.0.path().join("methods")).unwrap().map(|entry| entry.unwrap().path()).next().expect("a run");
    let file = |task: &str, file: &str| fs::read(run.join("tasks").join(task).join(file)).unwrap();
    let text = |task: &str, name: &str| String::from_utf8(file(task, name)).unwrap();
    let turns = |task: &str| -> usize {
        let episodes = text(task, "episodes.jsonl");
        episodes.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["turns"].as_array().unwrap().len()).sum()
    };
    for task in ["small_dagger.own", "small_dagger.again"] {
        let labels = text(task, "episodes.jsonl").matches("\"label\":{\"action\":").count();
        assert!(labels > 0 && labels == turns(task), "{labels}");
    }
    assert_eq!((turns("small_iteration.won"), turns("small_iteration.again")), (18, 18));
    // every turn has a choice here, so a pass over all rows has as many updates as they fill
    let updates = |task: &str| {
        let last: Value = serde_json::from_str(text(task, "metrics.jsonl").lines().last().unwrap()).unwrap();
        last["iteration"].as_u64().unwrap() as usize
    };
    let rows = |stages: &[&str]| -> usize { stages.iter().map(|stage| turns(&format!("small_dagger.{stage}"))).sum() };
    assert_eq!(updates("small_dagger.once"), rows(&["shown", "own"]).div_ceil(32));
    assert_eq!(updates("small_dagger.twice"), rows(&["shown", "own", "again"]).div_ceil(32));
    assert_eq!(updates("small_iteration.twice"), 1);
    assert!(
        file("small_dagger.twice", "outputs/policy/model.safetensors") != file("small_dagger.once", "outputs/policy/model.safetensors")
    );
}
