//! Episodes behind a server are those of the same game without one.

use crate::server::{Server, Way};
use crate::support::{LONG, config, here, on_threads, open, task};
use epo::env::World;
use epo::env::openenv::{OpenEnv, Shape, Success};
use std::sync::atomic::Ordering;
use std::time::Duration;

#[test]
fn many_episodes_at_once_each_in_a_session_of_its_own() {
    let server = Server::start(Way::Well, 64);
    let world = open(&server, 64, LONG);
    world.room().unwrap();
    let before = server.inner.sessions.load(Ordering::SeqCst);
    assert_eq!(on_threads(&world, 64, 2), here(128));
    assert_eq!((world.opened(), server.inner.sessions.load(Ordering::SeqCst) - before), (128, 128));
    let peak = server.inner.peak.load(Ordering::SeqCst);
    assert!((2..=64).contains(&peak), "{peak}");
    assert_eq!(server.inner.now.load(Ordering::SeqCst), 0);
}

#[test]
fn there_are_never_more_sessions_than_the_recipe_has() {
    let server = Server::start(Way::Slow, 3);
    let world = open(&server, 3, LONG);
    assert_eq!(world.at_once(), 3);
    assert_eq!(on_threads(&world, 12, 3), here(36));
    assert_eq!((server.inner.peak.load(Ordering::SeqCst), world.opened()), (3, 36));
}

#[test]
fn an_action_of_the_wrong_form_ends_no_episode() {
    let server = Server::start(Way::Well, 4);
    let world = open(&server, 4, LONG);
    let mut game = world.instance().unwrap();
    game.reset(&task(3), 0).unwrap();
    let step = game.step("walk to the right, please").unwrap();
    assert_eq!(step.observation, "This action has the wrong form: words: String should have fewer letters");
    assert!(!step.valid && !step.terminated && !step.success && step.reward == 0.0);
    assert_eq!(game.admissible().unwrap(), ["left", "right", "stay"]);
    assert!(game.step("right").unwrap().valid);
}

/// Whole actions in JSON, whole observations as text, a task that is no seed, success by the sum of rewards.
#[test]
fn objects_are_told_and_read_as_the_recipe_says() {
    let server = Server::start(Way::Well, 4);
    let mut config = config(4);
    let object = |text: &str| serde_json::from_str(text).unwrap();
    config.shape = Shape {
        task: "level".into(),
        reset_with: object(r#"{"hard":true}"#),
        action_with: object(r#"{"tool":"say"}"#),
        ..Shape::default()
    };
    config.success = Success::InSum(0.0);
    let world = OpenEnv::open(config, &server.url(), LONG).unwrap();
    let mut game = world.instance().unwrap();
    let begin = game.reset(&world.panel("test", None).unwrap().tasks[7], 12 << 11).unwrap();
    assert!(begin.text.starts_with(r#"{"said":"Du stehst auf 2. Wind: "#) && begin.task.is_empty(), "{begin:?}");
    assert_eq!(game.step("left").unwrap().observation, "This action has the wrong form: it is no JSON object");
    let step = game.step(r#"{"words":"left"}"#).unwrap();
    assert!(step.valid && step.success && step.observation.contains("Du stehst auf 1."), "{step:?}");
    let heard: Vec<String> = server.inner.heard.lock().unwrap().iter().filter(|text| !text.contains("state")).cloned().collect();
    let asked = [
        r#"{"type":"close"}"#,
        r#"{"type":"reset","data":{"hard":true,"seed":12,"level":1007}}"#,
        r#"{"type":"step","data":{"tool":"say","words":"left"}}"#,
    ];
    assert_eq!(heard, asked);
}

/// A server that gets no answer to its pings takes one who plays slowly for gone.
#[test]
fn pings_are_answered_while_a_player_thinks() {
    let server = Server::start(Way::Pings, 4);
    let world = open(&server, 4, LONG);
    let mut game = world.instance().unwrap();
    game.reset(&task(1), 0).unwrap();
    game.step("stay").unwrap();
    game.step("stay").unwrap();
    std::thread::sleep(Duration::from_secs(3));
    game.step("stay").unwrap();
    // In the session that it began in.
    assert_eq!(world.opened(), 1);
}

#[test]
fn panels_are_what_the_recipe_says() {
    let server = Server::start(Way::Well, 4);
    let world = open(&server, 4, LONG);
    let panel = world.panel("test", Some(3)).unwrap();
    assert_eq!((panel.name.as_str(), panel.tasks[2].id.as_str(), panel.tasks[2].family.as_str()), ("test 3", "test/2", "walk"));
    assert_ne!(panel.hash, world.panel("test", Some(4)).unwrap().hash);
    let said = |split: &str, count| world.panel(split, count).unwrap_err().to_string();
    assert_eq!(said("tset", None), "`walk` has no split `tset`");
    assert_eq!(said("test", Some(21)), "the split `test` of `walk` has 20 games, not 21");
    let mut other = config(4);
    other.splits[1].first = 2000;
    let other = OpenEnv::open(other, &server.url(), LONG).unwrap();
    assert_ne!(panel.hash, other.panel("test", Some(3)).unwrap().hash);
    let error = world.instance().unwrap().reset(&epo::env::Task { id: "test/20".into(), family: String::new() }, 0).unwrap_err();
    assert_eq!(error.to_string(), "`walk` has no task `test/20`");
}
