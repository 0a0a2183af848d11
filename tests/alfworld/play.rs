//! Recordings and walkthroughs.

use crate::data::{games, transcripts};
use epo::env::World;
use epo::env::alfworld::{Alfworld, AlfworldConfig, REFUSAL, SPLITS, check};
use rayon::prelude::*;

fn world() -> Alfworld {
    let config = AlfworldConfig { data: Some(games().to_path_buf()), ..AlfworldConfig::default() };
    Alfworld::new(config).expect("the games are there")
}

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn all_recordings_are_reproduced() {
    let (games, transcripts) = (games(), transcripts());
    let report = check(games, transcripts).unwrap();
    assert!(report.is_clean(), "{report:#?}");
    assert_eq!((report.transcripts, report.moments, report.refused), (260, 20_958, 1_942));
}

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn a_difference_is_found_and_told() {
    let (games, transcripts) = (games(), transcripts());
    let folder = tempfile::tempdir().unwrap();
    let name = "valid_seen/look_at_obj_in_light-AlarmClock-None-DeskLamp-323/trial_T20190909_044715_250790.jsonl";
    let recording = std::fs::read_to_string(transcripts.join("transcripts").join(name)).unwrap();
    let changed = recording.replacen("You arrive at desk 1.", "You come to desk 1.", 1).replacen("\"won\": true", "\"won\": false", 1);
    std::fs::write(folder.path().join("changed.jsonl"), changed).unwrap();
    std::fs::write(folder.path().join("damaged.jsonl"), "{\"game\": 3}\n").unwrap();
    let report = check(games, folder.path()).unwrap();
    assert_eq!(report.differences, 2);
    assert_eq!(report.by_kind.iter().map(|(kind, count)| (*kind, *count)).collect::<Vec<_>>(), [("observation", 1), ("won", 1)]);
    let first = &report.examples[0];
    assert_eq!((first.line, first.episode.as_str(), first.step), (3, "walkthrough", 1));
    assert!(first.recorded.starts_with("You come to desk 1.") && first.found.starts_with("You arrive at desk 1."));
    assert_eq!(report.failures.len(), 1);
    assert!(report.failures[0].contains("damaged.jsonl` is damaged: line 1:"), "{:?}", report.failures);
}

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn every_walkthrough_wins_with_its_last_command_and_not_before() {
    let world = world();
    let mut count = 0;
    for split in SPLITS {
        let panel = world.panel(split, None).unwrap();
        count += panel.tasks.len();
        panel.tasks.par_iter().for_each(|task| {
            let playable = world.playable(&task.id).unwrap();
            let game = &playable.game;
            let mut state = game.initial();
            for (index, command) in playable.walkthrough.iter().enumerate() {
                assert!(!game.won(&state), "{} is won before command {index}", task.id);
                assert!(game.admissible_texts(&state).contains(&command.as_str()), "{}: `{command}`", task.id);
                assert!(game.act(&mut state, command).unwrap().is_some(), "{}: `{command}`", task.id);
            }
            assert!(game.won(&state), "{}", task.id);
        });
    }
    assert_eq!(count, 4027);
}

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn the_environment_plays_by_the_interface() {
    let world = world();
    let panel = world.panel("valid_seen", Some(12)).unwrap();
    for task in &panel.tasks {
        let mut game = world.instance().unwrap();
        assert!(game.step("look").is_err(), "a game must be set up first");
        let opening = game.reset(task, 0).unwrap();
        assert!(opening.text.ends_with(&opening.task) && opening.task.ends_with('.') && !opening.task.contains(':'), "{opening:?}");
        let before = game.admissible().unwrap();
        assert!(before.is_sorted() && before.contains(&"look".to_string()));
        let refused = game.step("sing").unwrap();
        assert_eq!((refused.observation.as_str(), refused.valid, refused.reward), (REFUSAL, false, 0.0));
        assert_eq!(game.admissible().unwrap(), before);
        // A detour does not put the expert off.
        game.step("inventory").unwrap();
        game.step(before.iter().find(|command| command.starts_with("go to")).unwrap()).unwrap();
        let mut last = None;
        while let Some(command) = game.expert().unwrap() {
            let step = game.step(&format!("  {command}\n")).unwrap();
            assert!(step.valid && step.terminated == step.success && step.reward == f64::from(u8::from(step.success)));
            last = Some(step);
            if last.as_ref().is_some_and(|step| step.terminated) {
                break;
            }
        }
        let last = last.expect("the expert knows a way");
        assert!(last.success);
        assert_eq!(game.step("look").unwrap(), last, "an ended game stands still");
    }
}

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn the_expert_is_at_a_loss_when_its_way_is_blocked() {
    let world = world();
    let task = &world.panel("valid_seen", None).unwrap().tasks[0];
    let playable = world.playable(&task.id).unwrap();
    let taken = playable.walkthrough.iter().find(|command| command.starts_with("take ")).unwrap();
    let mut game = world.instance().unwrap();
    game.reset(task, 0).unwrap();
    // Carry something else: the hand is not free for what the walkthrough takes.
    for command in &playable.walkthrough {
        let other = game.admissible().unwrap().into_iter().find(|other| other.starts_with("take ") && other != taken);
        if let Some(other) = other {
            game.step(&other).unwrap();
            assert_eq!(game.expert().unwrap(), None);
            return;
        }
        game.step(command).unwrap();
    }
    panic!("nothing else to take in {}", task.id);
}
