//! The kind in a pipeline, through the command.

use crate::place::Place;
use crate::support::{here, python, twin_command};
use serde_json::Value;
use std::path::Path;

const RECIPE: &str = r#"
prompt scene = "{task} {observation} {far}\n>"

twins = process {
  name = "twin", version = "3", placeholders = ["far"]
  prompt = windowed { then = scene, history = 0 }, max_turns = 15, success_reward = 1
  few = games { split = "train", count = 20 }
}

pipeline ways {
  stages {
    chance = evaluate { actor = random, on = twins.few, repeats = REPEATS, keep = all }
    oracle = evaluate { actor = expert, on = twins.few }
    page   = report { of = [chance, oracle] }
  }
}
"#;

fn recipe(repeats: usize) -> String {
    RECIPE.replace("REPEATS", &repeats.to_string())
}

fn settings(way: &str, folder: &Path) -> String {
    // Only who hangs is waited for.
    let time_out = if way == "hang" { 2 } else { 60 };
    format!("[env.twin]\ncommand = {}\ntime_out = {time_out}\n", serde_json::json!(twin_command(way, folder)))
}

/// What a run of the recipe said, and the files of its stage `chance`.
fn run(way: &str, repeats: usize) -> (Place, String) {
    let place = Place::new(&[("ways.epo", &recipe(repeats))]);
    place.write("epo.toml", &settings(way, &place.path("")));
    let said = place.epo(&["ways.epo"]);
    assert_eq!(said.code, 0, "{}", said.err);
    (place, said.err)
}

fn file(place: &Place, stage: &str, name: &str) -> String {
    let run = std::fs::read_dir(place.path("runs/ways")).expect("a run").flatten().next().expect("a run").path();
    let folder = run.join("tasks").join(format!("ways.{stage}"));
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

#[test]
fn a_recipe_starts_no_program_that_settings_do_not_name() {
    let place = Place::new(&[("ways.epo", &recipe(1))]);
    let words = "no setting says which program plays `twin`";
    let said = place.epo(&["check", "ways.epo"]);
    assert_eq!(said.code, 0, "{said:?}");
    let said = place.epo(&["plan", "ways.epo"]);
    assert!(said.code == 0 && said.out.contains(&format!("the games of `twins.few` (process): MISSING: {words}")), "{said:?}");
    let said = place.epo(&["ways.epo"]);
    assert!(
        said.code == 2 && said.err.contains(&format!("error[E0505]: the games of `twins.few` (process) cannot be used: {words}")),
        "{said:?}"
    );
    assert!(said.err.contains("[env.twin]") && said.err.contains("command = [\"python3\", \"./twin.py\"]"), "{said:?}");
    assert!(!place.path("runs").join("ways").exists());
    // Nor one of another name.
    let marks = place.path("marks");
    place.write("epo.toml", &format!("[env.other]\ncommand = [\"/bin/sh\", \"-c\", \"echo x > '{}'\"]\n", marks.display()));
    let said = place.epo(&["ways.epo"]);
    assert!(said.code == 2 && said.err.contains(words) && !marks.exists(), "{said:?}");
}

#[test]
fn settings_of_programs() {
    let place = Place::new(&[("epo.toml", "[env.guess]\ncommand = [\"python3\", \"./guess.py\"]\ntime_out = 5\n")]);
    let origin = place.path("epo.toml").canonicalize().unwrap().display().to_string();
    let line = |out: &str, name: &str| {
        out.lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let said = place.epo(&["settings"]);
    assert_eq!(line(&said.out, "env.guess.command"), format!("env.guess.command [\"python3\",\"./guess.py\"] {origin}"));
    assert_eq!(line(&said.out, "env.guess.pass"), "env.guess.pass [\"HOME\",\"PATH\"] default");
    let variables = [("EPO_ENV__GUESS__TIME_OUT", "2.5"), ("EPO_ENV__GUESS__PASS", "HOME  LANG"), ("EPO_ENV__B__COMMAND", "b ./c")];
    let said = place.epo_with(&["settings"], "", &variables);
    assert_eq!(line(&said.out, "env.guess.time_out"), "env.guess.time_out 2.5 EPO_ENV__GUESS__TIME_OUT");
    assert_eq!(line(&said.out, "env.guess.pass"), "env.guess.pass [\"HOME\",\"LANG\"] EPO_ENV__GUESS__PASS");
    assert_eq!(line(&said.out, "env.b.command"), "env.b.command [\"b\",\"./c\"] EPO_ENV__B__COMMAND");
    place.epo_with(&["settings"], "", &[("EPO_ENV__GUESS__TIME_OUT", "-1")]).refuses(
        "error: the setting `env.guess.time_out` (from EPO_ENV__GUESS__TIME_OUT) is `-1`; it takes seconds, from 0.001 to 86400\n",
    );
    place.write("epo.toml", "[env.guess]\ntime_out = 0\n");
    place
        .epo(&["settings"])
        .refuses(&format!("error: the setting `env.guess.time_out` in {origin} is wrong: it takes seconds, from 0.001 to 86400\n"));
}

#[test]
#[ignore = "needs Python: scripts/test.sh"]
fn a_process_that_dies_twenty_times_leaves_the_same_results() {
    let (whole, calm) = run("", 10);
    let (shaken, shocks) = run("deaths", 10);
    let marks = std::fs::read_dir(shaken.path("")).expect("the folder").flatten();
    let deaths = marks.filter(|entry| entry.file_name().to_string_lossy().starts_with("dead-")).count();
    assert!(deaths >= 20, "{deaths}");
    assert!(!calm.contains("broke down") && !shocks.contains("broke down"), "{calm}{shocks}");
    for name in ["outputs/results/results.json", "episodes.jsonl"] {
        assert_eq!(file(&shaken, "chance", name), file(&whole, "chance", name), "{name}");
    }
}

#[test]
#[ignore = "needs Python: scripts/test.sh"]
fn a_run_goes_on_and_says_how_many_episodes_broke_down() {
    for (way, reason) in [
        ("nonsense", "too: the program wrote `\\u{1b}[31mSegmentation fault`, which is no answer"),
        ("hang", "the program did not answer within 2 s"),
        ("error", "the program says: ValueError: no third step here (twin.py:"),
    ] {
        let (place, said) = run(way, 1);
        let line = said.lines().find(|line| line.contains("episodes broke down")).unwrap_or_else(|| panic!("{said}"));
        assert!(line.contains(" of 20 episodes broke down; the first, `train/") && line.contains(reason), "{line}");
        let results: Value = serde_json::from_str(&file(&place, "chance", "outputs/results/results.json")).expect("JSON");
        let failed = results["splits"][0]["summary"]["failed"]
            .as_u64()
            .or(results["splits"][0]["failed"].as_u64())
            .unwrap_or_else(|| panic!("{results:#}"));
        assert!(line.contains(&format!("{failed} of 20")) && failed > 0, "{line}");
    }
}

/// The commands of the page, up to the training.
#[test]
#[ignore = "needs Python: scripts/test.sh"]
fn the_commands_of_the_page() {
    let place = Place::new(&[]);
    let recipe = here("pipelines/process/guess.epo");
    let command = format!("{} {} {}:Guess", python(), here("python/epo_env.py"), here("pipelines/process/guess.py"));
    let env = [("EPO_ENV__GUESS__COMMAND", command.as_str())];
    let numbers = format!("{recipe}:numbers");
    let said = place.epo_with(&["env", "check", &numbers], "", &env);
    assert_eq!(said.code, 0, "{said:?}");
    let said = place.epo_with(&["play", &numbers], &"expert\n".repeat(5), &env);
    assert!(said.code == 0 && said.out.contains("the goal is reached: "), "{said:?}");
    let said = place.epo_with(&["plan", &recipe], "", &env);
    assert!(said.code == 0 && said.out.contains("the games of `numbers.train` (process): 2000 games"), "{said:?}");
    let small = ["--set", "guess.iterations=2", "--set", "guess.train.groups=2"];
    let said = place.epo_with(&[&["--quiet", recipe.as_str()][..], &small].concat(), "", &env);
    assert!(said.code == 0 && said.out.contains("Guess a number"), "{said:?}");
}
