//! Splits as fixed panels.

use crate::data::games;
use epo::env::World;
use epo::env::alfworld::{Alfworld, AlfworldConfig, RELEASE, TASK_TYPES};
use std::path::Path;

fn at(root: &Path) -> AlfworldConfig {
    AlfworldConfig { data: Some(root.to_path_buf()), ..AlfworldConfig::default() }
}

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn splits_have_the_official_games() {
    let root = games();
    let world = Alfworld::new(at(root)).unwrap();
    let counts = |split: &str| {
        let panel = world.panel(split, None).unwrap();
        assert!(panel.tasks.is_sorted_by(|a, b| a.id < b.id));
        TASK_TYPES.iter().map(|name| panel.tasks.iter().filter(|task| task.family == *name).count()).collect::<Vec<_>>()
    };
    assert_eq!(counts("train"), [790, 308, 650, 459, 533, 813]);
    assert_eq!(counts("valid_seen"), [35, 13, 27, 16, 25, 24]);
    assert_eq!(counts("valid_unseen"), [24, 18, 31, 23, 21, 17]);
    assert_eq!(counts("valid_train"), [46, 19, 37, 25, 28, 45]);
}

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn a_panel_is_the_same_everywhere() {
    let root = games();
    let cache = tempfile::tempdir().unwrap();
    let cached = AlfworldConfig { cache: Some(cache.path().join("index.json")), ..at(root) };
    let panels: Vec<_> = [at(root), cached.clone(), cached, at(root.parent().unwrap())]
        .into_iter()
        .map(|config| Alfworld::new(config).unwrap().panel("valid_seen", None).unwrap())
        .collect();
    assert!(cache.path().join("index.json").is_file());
    assert!(panels.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn the_release_is_known_by_its_hashes() {
    let root = games();
    let world = Alfworld::new(at(root)).unwrap();
    for (split, count, hash) in RELEASE {
        let panel = world.panel(split, None).unwrap();
        assert_eq!((panel.tasks.len(), panel.hash.as_str()), (*count, *hash), "{split}");
    }
}

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn another_release_is_refused_where_it_is_verified() {
    let root = games();
    let verified = AlfworldConfig { verified: true, ..at(root) };
    assert_eq!(Alfworld::new(verified.clone()).unwrap().panel("valid_unseen", None).unwrap().tasks.len(), 134);
    let folder = tempfile::tempdir().unwrap();
    let split = folder.path().join("valid_unseen");
    for task in std::fs::read_dir(root.join("valid_unseen")).unwrap() {
        for trial in std::fs::read_dir(task.unwrap().path()).unwrap() {
            let trial = trial.unwrap().path();
            let copy = split.join(trial.strip_prefix(root.join("valid_unseen")).unwrap());
            std::fs::create_dir_all(&copy).unwrap();
            for name in ["game.tw-pddl", "traj_data.json"] {
                std::fs::copy(trial.join(name), copy.join(name)).unwrap();
            }
        }
    }
    let changed = AlfworldConfig { data: Some(folder.path().to_path_buf()), ..verified };
    assert!(Alfworld::new(changed.clone()).unwrap().panel("valid_unseen", None).is_ok());
    let victim = std::fs::read_dir(&split).unwrap().next().unwrap().unwrap().path();
    let victim = std::fs::read_dir(victim).unwrap().next().unwrap().unwrap().path().join("game.tw-pddl");
    let text = std::fs::read_to_string(&victim).unwrap();
    std::fs::write(&victim, text.replacen("You arrive at", "You come to", 1)).unwrap();
    let error = Alfworld::new(changed).unwrap().panel("valid_unseen", None).unwrap_err().to_string();
    assert!(error.contains("valid_unseen` is not that of release 2.1.3: some of its games differ; "), "{error}");
}

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn smaller_panels_are_parts_of_larger_ones() {
    let root = games();
    let world = Alfworld::new(at(root)).unwrap();
    let ids = |count, seed| world.select("valid_seen", &[], Some(count), seed).unwrap().tasks.into_iter().map(|t| t.id).collect::<Vec<_>>();
    let (small, large) = (ids(10, 1), ids(40, 1));
    assert!(large.starts_with(&small));
    assert_ne!(small, ids(10, 2));
    let types = ["pick_two_obj_and_place".to_string()];
    let panel = world.select("valid_unseen", &types, None, 0).unwrap();
    assert_eq!((panel.name.as_str(), panel.tasks.len()), ("valid_unseen pick_two_obj_and_place", 17));
    assert!(panel.tasks.iter().all(|task| task.family == types[0]));
    let configured = Alfworld::new(AlfworldConfig { task_types: types.to_vec(), seed: 7, ..at(root) }).unwrap();
    assert_eq!(configured.panel("valid_unseen", Some(5)).unwrap().name, "valid_unseen pick_two_obj_and_place 5 of seed 7");
}

#[test]
fn what_is_not_there_is_named() {
    let message = |result: Result<Alfworld, _>| result.err().map(|error: epo::env::alfworld::AlfworldError| error.to_string()).unwrap();
    assert_eq!(
        message(Alfworld::new(at(Path::new("/nowhere")))),
        "the ALFWorld games are not there; looked in `/nowhere/json_2.1.1`, `/nowhere`; `epo-run env install alfworld` says how to \
         get them; their folder is the setting `data.alfworld`, else `$ALFWORLD_DATA`"
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("train/task/trial")).unwrap();
    let config = AlfworldConfig { task_types: vec!["pick".into()], ..at(folder.path()) };
    assert!(message(Alfworld::new(config)).starts_with("there is no task type `pick`; the types are `pick_and_place_simple`, `look_at"));
    let world = Alfworld::new(at(folder.path())).unwrap();
    let message = |split: &str, count| world.panel(split, count).unwrap_err().to_string();
    assert_eq!(message("unseen", None), "there is no split `unseen`; the splits are `train`, `valid_seen`, `valid_unseen`, `valid_train`");
    let split = format!(
        "there is no split `valid_seen` in `{}`; `epo-run env install alfworld` says how to get all of them",
        folder.path().display()
    );
    assert_eq!(message("valid_seen", None), split);
    assert_eq!(message("train", Some(3)), "`train` has 0 games, not 3");
}

/// Folders as the official loader would find them, but for the texts.
#[test]
fn the_official_exclusions_hold() {
    let folder = tempfile::tempdir().unwrap();
    let make = |task: &str, kind: &str, game: Option<&str>| {
        let trial = folder.path().join("train").join(task).join("trial");
        std::fs::create_dir_all(&trial).unwrap();
        std::fs::write(trial.join("traj_data.json"), format!("{{\"task_type\": \"{kind}\"}}")).unwrap();
        if let Some(game) = game {
            std::fs::write(trial.join("game.tw-pddl"), game).unwrap();
        }
    };
    let good = r#"{"pddl_domain": "", "grammar": "", "pddl_problem": "", "solvable": true}"#;
    make("a", TASK_TYPES[0], Some(good));
    make("b-movable-x", TASK_TYPES[0], Some(good));
    make("c-Sliced", TASK_TYPES[0], Some(good));
    make("d", "pick_and_place_with_movable_recep", Some(good));
    make("e", TASK_TYPES[0], None);
    make("f", TASK_TYPES[0], Some(&good.replace("true", "false")));
    make("g", TASK_TYPES[0], Some("{}"));
    let world = Alfworld::new(at(folder.path())).unwrap();
    let tasks = &world.panel("train", None).unwrap().tasks;
    assert_eq!(tasks.iter().map(|task| task.id.as_str()).collect::<Vec<_>>(), ["train/a/trial"]);
    make("h", TASK_TYPES[0], Some("{"));
    let error = Alfworld::new(at(folder.path())).unwrap().panel("train", None).unwrap_err().to_string();
    assert!(error.contains("train/h/trial/game.tw-pddl` is damaged: EOF"), "{error}");
}
