//! The methods that remember, hand on and compare in ways of their own, each on a house so small that it takes a second.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

const METHODS: [&str; 17] = [
    "gdpo",
    "hgpo",
    "otb",
    "gtpo",
    "spo",
    "lp_reg",
    "adaptive_entropy",
    "adaptive_kl",
    "m2po",
    "bapo",
    "remax",
    "dapo",
    "luffy",
    "replay",
    "spear",
    "spa",
    "distillation",
];

/// What is made smaller in `lib/household.epo`.
const SMALLER: [(&str, &str); 10] = [
    ("count = 2000", "count = 12"),
    ("count = 300", "count = 2"),
    ("vocabulary = 600, episodes = 60", "vocabulary = 300, episodes = 6"),
    ("episodes = 300", "episodes = 6"),
    ("epochs = 3", "epochs = 1"),
    ("layers = 2, width = 64, heads = 4", "layers = 1, width = 16, heads = 2"),
    ("iterations = 30", "iterations = 2"),
    ("groups = 128, group_size = 1", "groups = 8, group_size = 1"),
    ("max_turns = 15", "max_turns = 6"),
    ("train.groups     = 16\n  train.group_size = 8", "train.groups     = 2\n  train.group_size = 4"),
];

fn copied(folder: &Path) {
    fs::create_dir(folder.join("lib")).expect("a folder");
    for file in fs::read_dir("pipelines/household").expect("recipes").filter_map(Result::ok) {
        let text = fs::read_to_string(file.path()).expect("a recipe").replace("episodes = 1000", "episodes = 6");
        fs::write(folder.join(file.file_name()), text).expect("a file");
    }
    let mut text = fs::read_to_string("pipelines/lib/household.epo").expect("the library");
    for (from, to) in SMALLER {
        assert!(text.contains(from), "no `{from}` in lib/household.epo");
        text = text.replace(from, to);
    }
    fs::write(folder.join("lib/household.epo"), text).expect("a file");
}

#[test]
fn each_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    copied(folder.path());
    let runs = folder.path().join("runs");
    for method in METHODS {
        let file = folder.path().join(format!("{method}.epo"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
        command.arg(&file).args(["--runs"]).arg(&runs).env("XDG_CONFIG_HOME", "/nowhere").env_remove("EPO_RUNS");
        let said = command.output().expect("the binary");
        assert!(said.status.success(), "{method}: {}", String::from_utf8_lossy(&said.stderr));
    }
    let mut carried = 0;
    let mut trained = 0;
    for task in fs::read_dir(runs.join("tasks")).expect("tasks").filter_map(Result::ok) {
        let Ok(text) = fs::read_to_string(task.path().join("metrics.jsonl")) else { continue };
        let records = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["values"].clone());
        let records: Vec<Value> = records.filter(|values| values["loss/minimize"].is_number() && values["rows"].is_number()).collect();
        trained += usize::from(records.len() == 2);
        carried += records.iter().filter(|values| values["carry/beta"].is_number() || values["carry/coefficient"].is_number()).count();
    }
    // One pipeline in each file, and two in those of the adaptive divergence, of DAPO and of distillation.
    assert_eq!(trained, METHODS.len() + 3);
    assert_eq!(carried, 2 * 3, "three of them hand a number on");
}

/// Every question of the study at the smallest scale: each page has its table, what it cost, and with two seeds a comparison.
#[test]
fn the_study_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let pages = folder.path().join("pages");
    let mut command = Command::new("scripts/study.sh");
    command
        .arg("--tiny")
        .arg(&pages)
        .env("BINARY", env!("CARGO_BIN_EXE_epo-run"))
        .env("XDG_CONFIG_HOME", "/nowhere")
        .env_remove("EPO_RUNS");
    let said = command.output().expect("the script");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    for (question, row, change) in [
        ("rates", "after GRPO + EPO · rate=1e-3 |", "+ EPO | PPO · rate=1e-3"),
        ("floor", "after PPO + EPO · low=0.8 |", "entropy → EPO · low=0.8 | PPO"),
        ("middle", "after PPO + entropy, smoothed from iteration 20 on |", "+ smoothed from iteration 20 on | PPO + entropy"),
        ("knobs", "after PPO + EPO · past=5 |", "+ past=5 | PPO + EPO"),
        ("collapse", "after GRPO + EPO, wins alone · lambda=0.02, low=0.8 |", "low 0 → 0.8 | GRPO + EPO, wins alone · lambda=0.02"),
        ("readings", "after GRPO + EPO, released code |", "+ released code | GRPO + EPO"),
        ("cascade", "after GRPO + ceiling · weight=0.03 |", "+ ceiling · weight=0.03 | GRPO"),
        ("means", "after GRPO + entropy, less in later turns |", "+ less in later turns | GRPO + entropy"),
    ] {
        let page = fs::read_to_string(pages.join(format!("{question}.md"))).expect("a page");
        let cost = page.contains("minutes at work.");
        assert!(cost && page.contains(row) && page.contains("2 from") && page.contains(&format!("| {change} |")), "{question}: {page}");
    }
}
