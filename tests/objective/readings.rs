//! The three readings of EPO (arXiv:2509.22576): which of them has a gradient that smooths.

use super::random::batch;
use crate::repository::REPOSITORY;
use epo::lang::load::Root;
use epo::lang::render::render_all;
use epo::plan::check;
use epo::spec::Request;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const HOUSE: &str = "prompt look = \"{observation}\"
house = household { prompt = windowed { then = look }, train = games { split = \"train\" } }
";

/// What is minimised with each reading's penalty; `smooth` stands on line 10.
fn text(smooth: &str, stages: bool) -> String {
    let stages = if stages {
        "  policy = decoder { tokenizer = words }\n  stages {\n    words = tokenizer { on = house.train }\n    train = rl { on = house.train, group_size = 2 }\n    page = report { of = [train] }\n  }\n"
    } else {
        ""
    };
    format!(
        "import \"std/losses.epo\"\nimport \"std/advantages.epo\"\n{HOUSE}\npipeline epo {{\n  advantage = grpo()\n  loss {{\n    surrogate = mean(ppo_clip(0.2))\n    smooth = {smooth}\n    minimize = surrogate + 0.001 * smooth\n  }}\n{stages}}}\n"
    )
}

const PAPER: &str = "phase() * trajectory_mean(0.1 * corridor(entropy, around = history(mean(entropy)), low = 0.8, high = 1.2))";
const V1: &str = "phase() * trajectory_mean(0.1 * corridor_indicator(entropy, around = history(mean(entropy)), low = 0.8, high = 1.2))";
/// One reference for each turn number, tokens alike, and a gate on what the minibatch holds.
const RELEASED: &str = "where(max(turn_index) >= 1, 1, 0) * mean(0.1 * corridor_indicator(entropy, around = history(entropy, by = turn_index), low = 0.8, high = 1.2))";

fn messages(file: &Path) -> String {
    let (sources, diagnostics) = check(&Request { root: Root::File(file), overrides: &[], library: &REPOSITORY });
    render_all(&sources, &diagnostics, false)
}

fn command(args: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_epo-run")).args(args).current_dir(folder).output().expect("the command")
}

fn largest(matrix: &Value) -> f64 {
    let cells = matrix.as_array().expect("rows").iter().flat_map(|row| row.as_array().expect("cells"));
    cells.map(|x| x.as_f64().expect("a number").abs()).fold(0.0, f64::max)
}

#[test]
fn an_indicator_is_warned_of_at_its_line_and_a_hinge_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, smooth, dead) in [("paper", PAPER, false), ("v1", V1, true), ("released", RELEASED, true)] {
        let file = folder.path().join(format!("{name}.epo"));
        fs::write(&file, text(smooth, true)).expect("a file");
        let found = messages(&file);
        let warned =
            found.starts_with("warning[W0301]: `smooth` reaches no parameter of a model") && found.contains(&format!("{name}.epo:10:5"));
        assert_eq!(warned, dead, "{name}: {found}");
        assert_eq!(found.is_empty(), !dead, "{name}: {found}");
    }
}

#[test]
fn probe_shows_the_gradient_that_is_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("batch.json"), batch(5).to_string()).expect("a batch");
    for (name, smooth, dead) in [("paper", PAPER, false), ("v1", V1, true), ("released", RELEASED, true)] {
        fs::write(folder.path().join("a.epo"), text(smooth, false)).expect("a file");
        let output = command(&["probe", "a.epo", "--batch", "batch.json", "--json"], folder.path());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{name}: {said}");
        assert_eq!(said.contains("W0301"), dead, "{name}: {said}");
        let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert!(answer["terms"]["smooth"].as_f64().expect("a value") > 0.0, "{name}: some tokens lie outside the corridor");
        assert_eq!(largest(&answer["gradient"]["entropy"]) == 0.0, dead, "{name}");
        assert!(largest(&answer["gradient"]["logp"]) > 0.0, "{name}");
    }
}
