//! A run that goes on, fails and is killed, while somebody looks.

use crate::runs::Runs;
use crate::watcher::{News, Watcher, revision};
use crate::{CORRIDOR, TINY};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_mins(2);

/// Hears until the parts of the page say so.
fn until(news: &mut News, parts: &mut BTreeMap<String, String>, what: &str, says: impl Fn(&BTreeMap<String, String>) -> bool) {
    let begun = Instant::now();
    while !says(parts) {
        assert!(begun.elapsed() < PATIENCE, "{what} is not told; there are {:?}", parts.keys());
        let (_, more) = news.next(PATIENCE).expect("news");
        parts.extend(more);
    }
}

#[test]
fn curves_grow_while_one_looks_and_an_end_is_seen() {
    let runs = Runs::new();
    let mut run = runs.start(CORRIDOR, &["--set", "corridor.iterations=4000"]);
    runs.wait_for_checkpoint(&mut run, 1);
    let watcher = Watcher::start(&runs, &[]);
    let page = watcher.page();
    assert!(page.contains("running") && page.contains("No evaluation is finished yet."), "it is running");
    let mut news = watcher.news("");
    let mut parts = BTreeMap::new();
    let points = |parts: &BTreeMap<String, String>| {
        let values = parts.get("curves").and_then(|curves| curves.split_once("Entropy in its corridor")?.1.split("data-values=\"").nth(1));
        values.and_then(|rest| rest.split('"').next()).map_or(0, |values| values.split(';').count())
    };
    until(&mut news, &mut parts, "a curve", |parts| points(parts) >= 2);
    let before = points(&parts);
    until(&mut news, &mut parts, "more of it", |parts| points(parts) > before);
    let latest = |parts: &BTreeMap<String, String>| {
        parts.get("latest").and_then(|latest| latest.split("data-key=\"").nth(1)?.split('"').next()).map(str::to_owned)
    };
    let before = latest(&parts).expect("an episode");
    until(&mut news, &mut parts, "another episode", |parts| latest(parts).is_some_and(|latest| latest != before));
    until(&mut news, &mut parts, "what is left", |parts| parts["stages"].contains("/4000 iterations") && parts["stages"].contains(" left"));
    // The corridor comes with the second iteration, and is drawn as in the report.
    until(&mut news, &mut parts, "a corridor", |parts| parts["curves"].contains("class=\"band c0\""));
    run.kill().unwrap();
    run.wait().unwrap();
    until(&mut news, &mut parts, "the end", |parts| parts["head"].contains("interrupted") && parts["stages"].contains("stopped"));
    // Who was away for a while is told what changed meanwhile.
    let (_, changed) = watcher.news(revision(&page)).next(PATIENCE).expect("news");
    assert!(changed.contains_key("curves") && !changed.contains_key("objectives"), "{:?}", changed.keys());
}

#[test]
fn a_run_that_is_removed_is_said_to_be() {
    let runs = Runs::new();
    runs.run(TINY, &["--set", "tiny.iterations=1"]).exits(0);
    let watcher = Watcher::start(&runs, &["tiny"]);
    let page = watcher.page();
    let mut news = watcher.news(revision(&page));
    std::fs::remove_dir_all(runs.0.path().join("tiny")).unwrap();
    let mut parts = BTreeMap::new();
    until(&mut news, &mut parts, "its end", |parts| parts.get("head").is_some_and(|head| head.contains("its folder is gone")));
    // What was seen last is still there.
    assert!(!parts.contains_key("curves") && watcher.page().contains("class=\"chart\""));
}
