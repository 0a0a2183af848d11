//! Several seeds: one report of all of them, and `compare`.

use super::TINY;
use super::runs::{Runs, Said, command};
use serde_json::Value;
use std::fs;

const SEEDS: [&str; 4] = ["--set", "tiny.seeds=[0, 1, 2]", "--set", "tiny.iterations=1"];

fn plan(runs: &Runs, more: &[&str]) -> Value {
    let said = Said::of(command(&[&["plan"][..], &runs.args(TINY, more), &["--json"]].concat()).output().expect("the binary")).exits(0);
    serde_json::from_str(&said.out).expect("JSON")
}

fn names(plan: &Value) -> Vec<String> {
    plan["tasks"].as_array().expect("tasks").iter().map(|task| task["name"].as_str().expect("a name").to_string()).collect()
}

fn compare(runs: &Runs, args: &[&str]) -> Said {
    Said::of(command(&[&["compare", "--runs", runs.path()][..], args].concat()).output().expect("the binary"))
}

#[test]
fn seeds_are_brought_together_in_one_report() {
    let runs = Runs::new();
    let all = plan(&runs, &SEEDS);
    assert_eq!(names(&all).iter().filter(|name| name.ends_with(".page")).count(), 1, "{all:#}");
    // One seed alone needs no other, and one method alone is compared with nothing.
    let one = plan(&runs, &[&SEEDS[..], &["--only", "tiny[seed=1]"]].concat());
    assert!(names(&one).iter().all(|name| name.starts_with("tiny[seed=1].")), "{one:#}");
    runs.run(TINY, &SEEDS).exits(0);
    let run = fs::read_dir(runs.0.path().join("tiny")).expect("a run").next().expect("a run").expect("an entry").path();
    let pages: Vec<String> = fs::read_dir(&run)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".html"))
        .collect();
    assert_eq!(pages, ["report.html"]);
    let report: Value = serde_json::from_str(&fs::read_to_string(run.join("report.json")).expect("the report")).expect("JSON");
    let labels: Vec<&str> =
        report["results"].as_array().expect("results").iter().map(|row| row["label"].as_str().expect("a label")).collect();
    assert_eq!(labels, ["seed=0", "seed=1", "seed=2"]);
    assert_eq!(report["results"][0]["tasks"]["success"].as_array().expect("tasks").len(), 4);
    assert!(report["table"]["rows"][0]["cells"][0]["over_seeds"]["mean"].is_number(), "{}", report["table"]);

    // The run, its file, and its report say the same.
    let said = compare(&runs, &["tiny"]).exits(0);
    for words in ["seen: success in %, 4 tasks", "after Tiny", "3 from "] {
        assert!(said.out.contains(words), "{words}\n{}", said.out);
    }
    let json = compare(&runs, &["tiny", "--json"]).exits(0).out;
    let page = run.join("report.json");
    assert_eq!(compare(&runs, &[page.to_str().expect("a path"), "--json"]).exits(0).out, json);
    let pack = runs.0.path().join("tiny.zip");
    let pack = pack.to_str().expect("a path");
    Said::of(command(&["pack", "tiny", "--runs", runs.path(), "--output", pack]).output().expect("the binary")).exits(0);
    assert_eq!(compare(&runs, &[pack, "--json"]).exits(0).out, json);
    compare(&runs, &[&format!("{pack}:ppo")]).exits(1).says("there is no evaluation of a pipeline `ppo` in ");
    let found: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(found[0]["methods"][0]["seeds"].as_array().expect("seeds").len(), 3, "{found:#}");
    // A file as it is now has other tasks, which were never made.
    compare(&runs, &[TINY]).exits(1).says("not finished, and left out: tiny.end").says("no evaluation of these is finished");
    compare(&runs, &["tiny", "--against", "ppo"]).exits(1).says("no method is called `ppo`; there are `after Tiny`");
    compare(&runs, &["tiny:ppo"]).exits(1).says("there is no evaluation of a pipeline `ppo` in tiny");
    compare(&runs, &["nothing"]).exits(1).says("no run is called `nothing`");
}

#[test]
fn a_plan_says_what_its_table_can_tell() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("two.epo");
    let text = fs::read_to_string(TINY)
        .expect("the text")
        .replace("count = 4", "count = 100")
        .replace("iterations = 3", "seeds = [0, 1, 2, 3, 4]\n  iterations = 3");
    let more = "pipeline two from tiny { weight = 0.1 }\npipeline table { stages { page = report { of = [tiny.end, two.end] } } }\n";
    fs::write(&file, format!("{text}\n{more}")).expect("written");
    let file = file.to_str().expect("a path");
    let said = Said::of(command(&["plan", file, "--only", "table"]).output().expect("the binary")).exits(0);
    // (2.7764 + 0.9410)·√(2·0.0025/5), and with 0.0025 more in the bracket.
    assert!(said.out.contains("tells on house.seen 11.8 points, 16.6 where seeds differ by 5: 5 seeds × 100 tasks"), "{}", said.out);
}
