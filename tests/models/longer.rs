//! More iterations of a stage that is done go on from its last checkpoint, to the bytes of a run that was as long from the start.

use crate::place::Place;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn pipeline(iterations: usize, rate: &str, more: &str) -> String {
    format!(
        r#"
pipeline a {{
  iterations = {iterations}
  policy     = causal_lm {{ weights = "model", context = 380, decode = choose {{}} }}
  optimizer  = adamw {{ lr = {rate} }}
  advantage  = grpo(score + mean(uniform, by = episode))
  loss {{ drift = history(mean(entropy)), minimize = mean(ppo_clip(0.2)) + 0.01 * (mean(entropy) - drift) }}
  stages {{ train = rl {{ on = house.train, groups = 1, group_size = 2{more} }}, page = report {{ of = [train] }} }}
}}
"#
    )
}

fn supervised(epochs: usize) -> String {
    format!(
        r#"
pipeline a {{
  policy = causal_lm {{ weights = "model", context = 380, decode = choose {{}} }}
  stages {{
    shown = collect {{ on = house.train, actor = expert, only_successes = false }}
    warm  = sft {{ episodes = shown, epochs = {epochs}, minibatch = 2, optimizer = adamw {{ lr = 1e-3 * 0.9 ^ iteration }} }}
    page  = report {{ of = [warm] }}
  }}
}}
"#
    )
}

/// The task folder of a stage in the run that began last.
fn task(place: &Place, name: &str) -> PathBuf {
    let runs = std::fs::read_dir(place.path("runs/a")).expect("runs").flatten();
    let newest = runs.max_by_key(|run| std::fs::metadata(run.path().join("plan.json")).and_then(|m| m.modified()).ok());
    newest.expect("a run").path().join("tasks").join(name)
}

/// Every file of a task by its path, but for locks and who asked for it.
fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let folder = folder.canonicalize().expect("a folder");
    let (mut found, mut open) = (BTreeMap::new(), vec![folder.clone()]);
    while let Some(path) = open.pop() {
        for path in std::fs::read_dir(&path).expect("a folder").flatten().map(|e| e.path()) {
            let name = path.strip_prefix(&folder).expect("inside").display().to_string();
            match path.is_dir() {
                true => open.push(path),
                false if name.starts_with('.') => {}
                false => drop(found.insert(name, std::fs::read(&path).expect("a file"))),
            }
        }
    }
    found
}

/// Runs `short`, then `long` in the same place and in another one; gives what was said of the longer run.
fn gone_on(short: &str, long: &str, stage: &str) -> String {
    let (place, fresh) = (Place::new(), Place::new());
    place.write(short);
    place.run();
    place.write(long);
    let plan = place.epo(&["plan", "a.epo"]).out;
    let said = place.run().err;
    fresh.write(long);
    fresh.run();
    let (one, other) = (bytes(&task(&place, stage)), bytes(&task(&fresh, stage)));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(*bytes == other[name], "`{name}` differs from that of a run that was as long from the start");
    }
    plan + &said
}

#[test]
fn more_iterations_go_on_with_the_optimiser() {
    let said = gone_on(&pipeline(3, "1e-3", ""), &pipeline(5, "1e-3", ""), "a.train");
    assert!(said.contains("train  rl      changed: iterations; goes on at 2 of the run with iterations = 3"), "{said}");
    assert!(said.contains("[1/2] a.train (rl), going on at iteration 2\n"), "{said}");
    assert!(said.contains("goes on from the run with iterations = 3, at 2\n"), "{said}");
}

#[test]
fn more_iterations_keep_the_best() {
    let more = ", select_on = house.seen, evaluate_every = 2";
    let said = gone_on(&pipeline(5, "1e-3", more), &pipeline(7, "1e-3", more), "a.train");
    assert!(said.contains("goes on at 4 of the run with iterations = 5") || said.contains("its `best` is of iteration 5"), "{said}");
}

#[test]
fn a_schedule_over_the_whole_run_begins_anew_and_says_why() {
    let rate = "1e-3 * (1 - progress)";
    let said = gone_on(&pipeline(3, rate, ""), &pipeline(4, rate, ""), "a.train");
    let why = "the run with iterations = 3: its `optimizer` depends on `progress`, which is another from the first step on";
    assert_eq!(said.matches(why).count(), 2, "{said}");
    assert!(!said.contains("going on"), "{said}");
}

#[test]
fn more_epochs_go_on_where_the_curve_has_the_same_points() {
    let said = gone_on(&supervised(1), &supervised(2), "a.warm");
    assert!(said.contains("changed: epochs; goes on at ") && said.contains("goes on from the run with epochs = 1, at "), "{said}");
    let place = Place::new();
    place.write(&supervised(1));
    place.run();
    place.write(&supervised(30));
    let plan = place.epo(&["plan", "a.epo"]).out;
    let why = "does not go on from the run with epochs = 1: its curve has a point every 1 updates, that of the longer run every ";
    assert!(plan.contains(why), "{plan}");
}

/// `--fresh` means anew.
#[test]
fn anew_is_anew() {
    let place = Place::new();
    place.write(&pipeline(2, "1e-3", ""));
    place.run();
    place.write(&pipeline(3, "1e-3", ""));
    let said = place.epo(&["a.epo", "--fresh"]);
    assert!(said.code == Some(0) && !said.err.contains("going on"), "{}", said.err);
}
