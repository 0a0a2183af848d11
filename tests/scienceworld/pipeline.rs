//! The kind in a pipeline, through the command.

use crate::common::{alone, data};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const FILE: &str = r#"
import "lib/scienceworld.epo"

prompt scene = "{task}\n{history}{observation}\n{templates} {objects} {look} {inventory} {score} {moves}\n>"

short = lab {
  tasks = ["lifespan-longest-lived", "find-non-living-thing"], balanced = true, reward = score, success_reward = 1
  prompt = windowed { then = scene, history = 1 }, action = last(100), max_turns = 30
  few    = games { split = "l0_test", count = 2 }
}

pipeline school {
  stages {
    gold   = collect { on = short.few, actor = expert, only_successes = false }
    oracle = evaluate { actor = expert, on = short.few }
    page   = report { of = [gold, oracle] }
  }
}
"#;

fn run(folder: &Path, data: &Path) -> String {
    std::fs::write(folder.join("school.epo"), FILE).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
    command.args(["school.epo"]).current_dir(folder).env("XDG_CONFIG_HOME", "/nowhere");
    let output = command.env("EPO_DATA__SCIENCEWORLD", data).output().expect("the binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The outputs of the stages of the only run.
fn task(folder: &Path, stage: &str, file: &str) -> String {
    let run = std::fs::read_dir(folder.join("runs/school")).expect("a run").flatten().next().expect("a run").path();
    std::fs::read_to_string(run.join("tasks").join(format!("school.{stage}")).join(file)).expect("a file of the task")
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn experts_episodes_and_both_measures_of_success() {
    let data = data();
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let table = run(folder.path(), data);
    assert!(table.contains("100.0 %") && table.contains("success_strict") && table.contains("success_paper"), "{table}");

    let results: Value = serde_json::from_str(&task(folder.path(), "oracle", "outputs/results/results.json")).expect("JSON");
    let split = &results["splits"][0];
    assert_eq!((split["episodes"].as_u64(), split["successes"].as_u64()), (Some(2), Some(2)), "{split:#}");
    assert_eq!(split["figures"]["score"].as_f64(), Some(100.0), "{split:#}");
    assert_eq!(split["families"].as_object().map(|families| families.len()), Some(2), "balanced");
    // What looking around has scored at the reset is no step's.
    assert!(split["mean_score"].as_f64().is_some_and(|score| score > 0.5 && score <= 1.0), "{split:#}");

    let episodes = task(folder.path(), "gold", "episodes.jsonl");
    let episodes: Vec<Value> = episodes.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(episodes.len(), 2);
    for turn in episodes.iter().flat_map(|episode| episode["turns"].as_array().expect("turns")) {
        let prompt = turn["prompt"].as_str().expect("kept");
        for part in ["['activate OBJ', 'close OBJ', ", "['agent', 'air', ", "In your inventory, you see:", "You also see:"] {
            assert!(prompt.contains(part), "no {part:?} in {prompt}");
        }
        assert!(prompt.contains("Your task is to find ") && !prompt.contains('{'), "{prompt}");
    }
}
