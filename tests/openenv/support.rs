//! What is played at a server, and what it should be.

use crate::server::Server;
use crate::walk::Walk;
use epo::env::openenv::{Config, OpenEnv, Shape, Split, Success};
use epo::env::{EnvError, Environment, Step, Task, World};
use serde_json::Value;
use std::fmt::Write;
use std::time::Duration;

pub(crate) const LONG: Duration = Duration::from_mins(1);

pub(crate) fn config(sessions: usize) -> Config {
    let key = |key: &str| Some(key.to_owned());
    Config {
        name: "walk".into(),
        version: "3".into(),
        splits: vec![Split { name: "train".into(), first: 0, count: 400 }, Split { name: "test".into(), first: 1000, count: 20 }],
        shape: Shape {
            text: key("said"),
            goal: key("goal"),
            admissible: key("moves"),
            placeholders: vec!["map.far".into()],
            action: key("words"),
            task: "seed".into(),
            ..Shape::default()
        },
        success: Success::AtTheEnd(1.0),
        sessions,
        deterministic: true,
    }
}

pub(crate) fn open(server: &Server, sessions: usize, time_out: Duration) -> OpenEnv {
    OpenEnv::open(config(sessions), &server.url(), time_out).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn task(number: u64) -> Task {
    Task { id: format!("train/{number}"), family: String::new() }
}

/// In a fixed way, some of it nonsense.
fn action(number: u64, turn: u64) -> &'static str {
    match (number / 7 + turn * turn + turn * 3) % 6 {
        0 => "left",
        1 => "fly \u{1b}[31m \"up\"\n",
        2 | 3 => "stay",
        _ => "right",
    }
}

/// All that an episode says.
pub(crate) fn play(game: &mut dyn Environment, number: u64) -> Result<String, EnvError> {
    let mut said = String::new();
    let begin = game.reset(&task(number), number)?;
    let _ = writeln!(said, "{} {}", begin.text, begin.task);
    for turn in 0.. {
        let _ = writeln!(said, "{:?} {}", game.admissible()?, game.placeholder("map.far")?);
        let action = action(number, turn);
        let Step { observation, reward, terminated, success, .. } = game.step(action)?;
        let _ = writeln!(said, "{action:?} {observation} {reward} {terminated} {success}");
        if terminated {
            break;
        }
    }
    Ok(said)
}

/// What it should say.
pub(crate) fn played_here(number: u64) -> String {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (mut said, mut walk) = (String::new(), Walk::new(number));
    let mut data = walk.begin();
    let _ = writeln!(said, "{} {}", text(&data["observation"]["said"]), text(&data["observation"]["goal"]));
    for turn in 0.. {
        let _ = writeln!(said, "{:?} {}", ["left", "right", "stay"], data["observation"]["map"]["far"]);
        let action = action(number, turn);
        data = walk.step(action);
        let (reward, done) = (data["reward"].as_f64().expect("a reward"), data["done"] == true);
        let _ = writeln!(said, "{action:?} {} {reward} {done} {}", text(&data["observation"]["said"]), done && reward >= 1.0);
        if done {
            break;
        }
    }
    said
}

/// On every thread so many episodes, one after another; all in the order of their numbers.
pub(crate) fn on_threads(world: &dyn World, threads: u64, episodes: u64) -> Vec<Result<String, String>> {
    let thread = |first: u64| -> Vec<(u64, Result<String, String>)> {
        let mut game = world.instance().expect("an instance");
        let numbers = (0..episodes).map(|episode| first + episode * threads);
        numbers.map(|number| (number, play(&mut *game, number).map_err(|error| error.to_string()))).collect()
    };
    let mut all: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|first| scope.spawn(move || thread(first))).collect();
        running.into_iter().flat_map(|one| one.join().expect("no panic")).collect()
    });
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, said)| said).collect()
}

/// The same without a server.
pub(crate) fn here(episodes: u64) -> Vec<Result<String, String>> {
    (0..episodes).map(|number| Ok(played_here(number))).collect()
}
