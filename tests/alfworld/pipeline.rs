//! The games from the command line: played, checked, part of an experiment.

use crate::data::{games, transcripts};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Exit code, stdout, stderr.
    fn epo(&self, args: &[&str], env: &[(&str, &Path)]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
        command.args(args).current_dir(self.0.path()).env_clear().env("HOME", self.0.path()).env("NO_COLOR", "1");
        let Output { status, stdout, stderr } = command.envs(env.iter().copied()).stdin(Stdio::null()).output().unwrap();
        (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }
}

const RECORDING: &str = "valid_seen/look_at_obj_in_light-AlarmClock-None-DeskLamp-323/trial_T20190909_044715_250790.jsonl";

const EXPERIMENT: &str = r#"
import "lib/alfworld.epo"

look = alfworld {
  types  = [look_at_obj_in_light]
  prompt = windowed { first = alfworld_opening, then = alfworld_later }
  unseen = games { split = "valid_unseen", count = 4, seed = 3 }
}

pipeline oracle {
  stages {
    seen = evaluate { actor = expert, on = look.unseen }
    page = report { of = [seen] }
  }
}
"#;

#[test]
fn absent_games_are_asked_for() {
    let place = Place::new();
    let home = place.0.path().display();
    let looked = format!("looked in `{home}/.cache/alfworld/json_2.1.1`, `{home}/.cache/alfworld`");
    let absent = format!(
        "error: the ALFWorld games are not there; {looked}; `epo-run env install alfworld` says how to get them; their folder is the \
         setting `data.alfworld`, else `$ALFWORLD_DATA`\n"
    );
    for args in [&["play", "alfworld"][..], &["env", "check", "alfworld"], &["env", "bench", "alfworld"]] {
        assert_eq!(place.epo(args, &[]), (1, String::new(), absent.clone()));
    }
    let (code, out, err) = place.epo(&["env", "install", "alfworld"], &[]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.starts_with(absent.trim_end()) && err.contains("json_2.1.3_tw-pddl.zip"), "{err}");
    let (_, _, err) = place.epo(&["play", "alfworld"], &[("ALFWORLD_DATA", Path::new("/nowhere"))]);
    assert!(err.contains("looked in `/nowhere/json_2.1.1`, `/nowhere`, `/"), "{err}");
    let (_, _, err) = place.epo(&["play", "alfworld", "--data", "/elsewhere"], &[]);
    assert!(err.contains("looked in `/elsewhere/json_2.1.1`, `/elsewhere`;"), "{err}");
    // a plan names the games without having them
    place.write("oracle.epo", EXPERIMENT);
    let (code, out, err) = place.epo(&["plan", "oracle.epo"], &[]);
    assert_eq!(code, 0, "{out}{err}");
    let (code, _, err) = place.epo(&["oracle.epo"], &[]);
    assert!(code != 0 && err.contains("the ALFWorld games are not there; looked in"), "{err}");
}

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn recordings_are_replayed_from_the_command_line() {
    let (games, transcripts) = (games(), transcripts());
    let place = Place::new();
    let recording = std::fs::read_to_string(transcripts.join("transcripts").join(RECORDING)).unwrap();
    place.write("good/one.jsonl", &recording);
    let check = |folder: &str, more: &[&str]| {
        let args = ["env", "check", "alfworld", "--data", games.to_str().unwrap(), "--transcripts", folder];
        place.epo(&[&args[..], more].concat(), &[])
    };
    let (code, out, err) = check("good", &[]);
    let moments = recording.lines().count() - 1;
    assert!(code == 0 && out.starts_with("1 recordings, "), "{out}{err}");
    assert!(out.contains(&format!(", {moments} moments: 0 differences, 0 failures\n")) && out.contains(" steps a second, "), "{out}");
    place.write("bad/one.jsonl", &recording.replacen("You arrive at desk 1.", "You come to desk 1.", 1));
    let (code, out, _) = check("bad", &["--json"]);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, told["replay"]["differences"].as_u64()), (1, Some(1)));
    let example = &told["replay"]["examples"][0];
    assert_eq!(example["place"], "bad/one.jsonl:3, step 1 of `walkthrough`");
    assert!(example["recorded"].as_str().unwrap().starts_with("You come to desk 1."));
    assert!(told["measured"]["steps_per_second"].as_f64().unwrap() > 0.0 && told["measured"]["loads"].as_u64() == Some(128));
    let (code, _, err) = check("nothing", &[]);
    assert!(code == 1 && err.starts_with("error: cannot read `nothing`: "), "{err}");
    let (code, _, err) = place.epo(&["env", "check", "household", "--transcripts", "good"], &[]);
    assert_eq!((code, err.as_str()), (1, "error: `household` is compared with no recordings; `--transcripts` is not for it\n"));
}

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn an_experiment_plays_the_games() {
    let games = games();
    let above = games.parent().unwrap();
    for data in [("EPO_DATA__ALFWORLD", games), ("ALFWORLD_DATA", above)] {
        let place = Place::new();
        place.write("oracle.epo", EXPERIMENT);
        let (code, out, err) = place.epo(&["oracle.epo"], &[data]);
        assert_eq!(code, 0, "{out}{err}");
        assert!(out.contains("(4/4)"), "{out}");
    }
    let place = Place::new();
    let (code, out, err) = place.epo(&["env", "install", "alfworld", "--data", above.to_str().unwrap()], &[]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.ends_with("games: train 3553, valid_seen 140, valid_unseen 134, valid_train 200\n"), "{out}");
}

/// One game of a split is not the split.
#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn other_games_than_the_release_are_played_under_another_name_only() {
    let games = games();
    let place = Place::new();
    let game = Path::new(RECORDING).with_extension("");
    for name in ["game.tw-pddl", "traj_data.json"] {
        let text = std::fs::read_to_string(games.join(&game).join(name)).unwrap();
        place.write(&format!("data/json_2.1.1/{}/{name}", game.display()), &text);
    }
    place.write("mine.epo", "prompt p = \"{observation}\"\nmine = alfworld { release = \"mine\", prompt = windowed { then = p } }\n");
    let (code, _, err) = place.epo(&["play", "alfworld", "--split", "valid_seen", "--data", "data"], &[]);
    let refused = "error: `data/json_2.1.1/valid_seen` is not that of release 2.1.3: it has 1 games, not 140; ";
    assert!(code == 1 && err.starts_with(refused), "{err}");
    let (code, out, err) = place.epo(&["play", "mine.epo:mine", "--split", "valid_seen", "--data", "data"], &[]);
    assert!(code == 0 && out.contains("-= Welcome to TextWorld, ALFRED! =-"), "{out}{err}");
}

#[test]
fn what_a_pipeline_declares_is_checked() {
    let place = Place::new();
    let declare = |fields: &str, split: &str| {
        let text = format!(
            "prompt p = \"{{observation}}\"\nmine = alfworld {{\n  {fields}\n  prompt = windowed {{ then = p }}\n  test = {split}\n}}\n\
             pipeline a {{ stages {{ t = evaluate {{ actor = random, on = mine.test }}, r = report {{ of = [t] }} }} }}\n"
        );
        place.write("a.epo", &text);
        place.epo(&["check", "a.epo"], &[]).2
    };
    let train = "games { split = \"train\" }";
    let said = declare("types = [pick_and_place_simpel]", train);
    assert!(said.contains("did you mean `pick_and_place_simple`?") && said.contains("a.epo:3:12"), "{said}");
    assert!(declare("types = []", train).contains("error[E0202]: without a type there is no game"), "{}", declare("types = []", train));
    let said = declare("goals = varied", train);
    assert!(said.contains("error[E0202]: a walkthrough leads to the game's own goal") && said.contains("a.epo:3:11"), "{said}");
    for expert in ["searching", "noting"] {
        assert!(!declare(&format!("goals = varied, expert = {expert}"), train).contains("error"));
    }
    let said = declare("", "games { split = \"valid_sen\" }");
    assert!(said.contains("there is no split \"valid_sen\" here") && said.contains("did you mean `valid_seen`?"), "{said}");
    let said = declare("", "games { split = \"train\", seed = 1 }");
    assert!(said.contains("error[E0202]: a seed draws a `count` of games"), "{said}");
    assert!(!declare("", "games { split = \"train\", count = 9, seed = 1 }").contains("error"));
}

/// `pipelines/alfworld/dagger.epo` at the smallest scale.
const SMALLEST: &str = r#"
import "dagger.epo"

few = rooms {
  max_turns = 8
  games = games { split = "train", count = 3, seed = 5 }
}

pipeline small from dagger {
  policy = decoder {
    tokenizer = words, layers = 1, width = 16, heads = 2, context = 384, decode = choose { from = admissible }
  }
  words.on       = few.games
  words.episodes = 3
  shown.on       = few.games
  warm.epochs    = 1
  own.on         = few.games
  again.on       = few.games
  start.on       = few.games
  end.on         = few.games
}
"#;

/// The labels are the searching expert's: one who hears the same says the same.
#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn imitation_of_the_searching_expert() {
    use epo::env::World;
    use epo::env::alfworld::{Alfworld, AlfworldConfig, Expert};
    let games = games();
    let place = Place::new();
    place.write("dagger.epo", &std::fs::read_to_string("pipelines/alfworld/dagger.epo").unwrap());
    place.write("small.epo", SMALLEST);
    let (code, out, err) = place.epo(&["small.epo", "--runs", "runs"], &[("EPO_DATA__ALFWORLD", games)]);
    assert_eq!(code, 0, "{out}{err}");
    let run = std::fs::read_dir(place.path("runs/small")).unwrap().next().unwrap().unwrap().path();
    let config = AlfworldConfig { data: Some(games.into()), expert: Expert::Searching, ..AlfworldConfig::default() };
    let world = Alfworld::new(config).unwrap();
    let mut labels = 0;
    for stage in ["own", "again"] {
        let text = std::fs::read_to_string(run.join(format!("tasks/small.{stage}/episodes.jsonl"))).unwrap();
        assert_eq!(text.lines().count(), 3, "failures are kept");
        for line in text.lines() {
            let episode: serde_json::Value = serde_json::from_str(line).unwrap();
            let mut game = world.instance().unwrap();
            game.reset(&serde_json::from_value(episode["task"].clone()).unwrap(), 0).unwrap();
            for turn in episode["turns"].as_array().unwrap() {
                assert_eq!(turn["label"]["action"].as_str(), game.expert().unwrap().as_deref());
                game.step(turn["action"].as_str().unwrap()).unwrap();
                labels += 1;
            }
        }
    }
    assert!(labels > 20, "{labels}");
}

/// The policy of the repository, on some of the games that it was not taught on.
#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn a_trained_policy_plays() {
    let place = Place::new();
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/alfworld");
    for name in ["dagger.epo", "short.epo", "played.epo"] {
        let text = std::fs::read_to_string(recipes.join(name)).unwrap();
        let some = text.replace(r#"{ split = "valid_unseen" }"#, r#"{ split = "valid_unseen", count = 20 }"#);
        let some = some.replace("[brief.seen, brief.unseen], keep", "brief.unseen, keep");
        place.write(name, &some.replace("pipelines/alfworld/played", recipes.join("played").to_str().unwrap()));
    }
    let (code, out, err) = place.epo(&["played.epo"], &[("EPO_DATA__ALFWORLD", games())]);
    assert_eq!(code, 0, "{out}{err}");
    let won: usize = out.split_once("/20)").and_then(|(before, _)| before.rsplit_once('(')?.1.parse().ok()).unwrap();
    assert!((15..=20).contains(&won) && out.contains("played as loaded"), "{out}");
}
