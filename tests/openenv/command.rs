//! The kind in a pipeline, through the command.

use crate::place::Place;
use crate::server::{Server, Way};
use serde_json::Value;
use std::sync::atomic::Ordering;

const RECIPE: &str = r#"
prompt scene = "{task} {observation}\n>"

walks = openenv {
  name = "walk", version = "3"
  splits = ["train", "test"], tasks = [40, 20]
  observation_key = "said", goal_key = "goal", admissible_key = "moves", action_key = "words"
  sessions = 8
  prompt = windowed { then = scene, history = 0 }, max_turns = 15, success_reward = 1
  few = games { split = "train", count = 20 }
}

pipeline ways {
  stages {
    chance = evaluate { actor = random, on = walks.few, repeats = REPEATS, keep = all }
    page   = report { of = chance }
  }
}
"#;

fn recipe(repeats: usize) -> String {
    RECIPE.replace("REPEATS", &repeats.to_string())
}

fn settings(server: &Server, way: Way) -> String {
    // Only who hangs is waited for.
    let time_out = if way == Way::Hang { 1 } else { 60 };
    format!("[env.walk]\nurl = \"{}\"\ntime_out = {time_out}\n", server.url())
}

/// What a run of the recipe said.
fn run(way: Way, repeats: usize) -> (Place, String, Server) {
    let server = Server::start(way, 8);
    let place = Place::new(&[("ways.epo", &recipe(repeats)), ("epo.toml", &settings(&server, way))]);
    let said = place.epo(&["ways.epo"]);
    assert_eq!(said.code, 0, "{}", said.err);
    (place, said.err, server)
}

fn file(place: &Place, name: &str) -> String {
    let run = std::fs::read_dir(place.path("runs/ways")).expect("a run").flatten().next().expect("a run").path();
    let folder = run.join("tasks").join("ways.chance");
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

#[test]
fn a_recipe_reaches_no_address_that_settings_do_not_name() {
    let server = Server::start(Way::Well, 8);
    let place = Place::new(&[("ways.epo", &recipe(1))]);
    let words = "no setting says where the server of `walk` is";
    let said = place.epo(&["check", "ways.epo"]);
    assert_eq!(said.code, 0, "{said:?}");
    let said = place.epo(&["plan", "ways.epo"]);
    assert!(said.code == 0 && said.out.contains(&format!("the games of `walks.few` (openenv): MISSING: {words}")), "{said:?}");
    // Nor is it another one's.
    place.write("epo.toml", &format!("[env.other]\nurl = \"{}\"\n", server.url()));
    let said = place.epo(&["ways.epo"]);
    let refusal = format!("error[E0505]: the games of `walks.few` (openenv) cannot be used: {words}");
    assert!(said.code == 2 && said.err.contains(&refusal), "{said:?}");
    assert!(said.err.contains("[env.walk]") && said.err.contains("url = \"http://127.0.0.1:8000\""), "{said:?}");
    assert!(!place.path("runs").join("ways").exists());
    assert_eq!(server.inner.sessions.load(Ordering::SeqCst), 0);
    // A recipe has no field for one.
    place.write("ways.epo", &recipe(1).replace("sessions = 8", &format!("url = \"{}\"", server.url())));
    let said = place.epo(&["check", "ways.epo"]);
    assert!(said.code != 0 && said.err.contains("unknown field `url`"), "{said:?}");
}

#[test]
fn settings_of_servers() {
    let place = Place::new(&[("epo.toml", "[env.walk]\nurl = \"http://127.0.0.1:1\"\ntime_out = 5\n")]);
    let said = place.epo_with(&["settings"], "", &[("EPO_ENV__WALK__URL", "https://games.example/walk")]);
    let lines: Vec<Vec<&str>> =
        said.out.lines().filter(|line| line.starts_with("env.")).map(|line| line.split_whitespace().take(2).collect()).collect();
    assert_eq!(lines, [["env.walk.url", "https://games.example/walk"], ["env.walk.time_out", "5.0"]], "{said:?}");
}

#[test]
fn a_plan_looks_at_the_server() {
    let server = Server::start(Way::Well, 8);
    let place = Place::new(&[("ways.epo", &recipe(1)), ("epo.toml", &settings(&server, Way::Well))]);
    let said = place.epo(&["plan", "ways.epo"]);
    assert!(said.code == 0 && said.out.contains("the games of `walks.few` (openenv): 20 games"), "{said:?}");
    assert!(server.inner.peak.load(Ordering::SeqCst) == 8, "as many sessions as the recipe has");
    let small = Server::start(Way::Well, 2);
    place.write("epo.toml", &settings(&small, Way::Well));
    let said = place.epo(&["ways.epo"]);
    assert!(said.code == 2 && said.err.contains("the server allows 2 sessions at once, and the recipe has 8 at once"), "{said:?}");
    assert!(said.err.contains("lower `sessions` in the recipe"), "{said:?}");
    let said = place.epo(&["env", "check", "ways.epo:walks"]);
    assert!(said.code != 0 && said.err.contains("the server allows 2 sessions at once"), "{said:?}");
}

#[test]
fn a_server_that_dies_leaves_the_same_results() {
    let (whole, calm, _) = run(Way::Well, 10);
    let (shaken, shocks, server) = run(Way::Deaths, 10);
    let deaths = server.inner.deaths.load(Ordering::SeqCst);
    assert!(deaths >= 20, "{deaths}");
    assert!(!calm.contains("broke down") && !shocks.contains("broke down"), "{calm}{shocks}");
    for name in ["outputs/results/results.json", "episodes.jsonl"] {
        assert_eq!(file(&shaken, name), file(&whole, name), "{name}");
    }
}

#[test]
fn a_run_goes_on_and_says_how_many_episodes_broke_down_behind_a_server() {
    for (way, reason) in [
        (Way::Nonsense, "the server answered `\\u{1b}[31mSegmentation fault`, which is no answer"),
        (Way::Hang, "the server did not answer within 1 s"),
        (Way::Error, "the server says: no third step here (EXECUTION_ERROR)"),
    ] {
        let (place, said, _) = run(way, 1);
        let line = said.lines().find(|line| line.contains("episodes broke down")).unwrap_or_else(|| panic!("{said}"));
        assert!(line.contains(" of 20 episodes broke down; the first, `train/") && line.contains(reason), "{line}");
        let results: Value = serde_json::from_str(&file(&place, "outputs/results/results.json")).expect("JSON");
        let failed = results["splits"][0]["summary"]["failed"].as_u64().or(results["splits"][0]["failed"].as_u64()).expect("a count");
        assert!(line.contains(&format!("{failed} of 20")) && failed > 0, "{line}");
    }
}

#[test]
fn promises_are_checked_behind_a_server() {
    for (way, code, verdict) in [(Way::Well, 0, "\npromised: "), (Way::Chance, 1, "\nNOT promised: ")] {
        let server = Server::start(way, 8);
        let place = Place::new(&[("ways.epo", &recipe(1)), ("epo.toml", &settings(&server, way))]);
        let said = place.epo(&["env", "check", "ways.epo:walks"]);
        assert!(said.code == code && said.out.contains(verdict), "{said:?}");
        assert!(said.out.contains("8 episodes of "), "{said:?}");
    }
}

#[test]
fn what_a_recipe_cannot_say() {
    let place = Place::new(&[]);
    for (from, to, message) in [
        ("name = \"walk\"", "name = \"a.b\"", "\"a.b\" cannot be the name of what plays an environment"),
        ("tasks = [40, 20]", "tasks = 40", "expected a number of tasks for each of 2 splits, found 1"),
        ("tasks = [40, 20]", "tasks = [2, 2], first_tasks = [5, 6]", "the splits \"train\" and \"test\" have tasks in common"),
        ("[\"train\", \"test\"]", "[\"train\", \"train\"]", "there are two splits \"train\""),
        ("count = 20", "count = 41", "the split \"train\" has 40 games here, not 41"),
        ("split = \"train\"", "split = \"trian\"", "there is no split \"trian\" here"),
        ("sessions = 8", "reset_with = \"[1]\"", "this is no object of JSON: "),
        ("sessions = 8", "placeholders = [\"turn\"]", "every environment has the placeholder `{turn}`"),
    ] {
        place.write("ways.epo", &recipe(1).replace(from, to));
        let said = place.epo(&["check", "ways.epo"]);
        assert!(said.code != 0 && said.err.contains(message), "{message}: {said:?}");
    }
}
