//! The house as its players see it.

use super::combination::Combination;
use super::dice::Dice;
use super::layout::{Layout, Thing};
use super::world::EXPERT_TURNS;
use super::*;
use crate::env::{Environment, Task, World};

mod expert;
mod play;
mod splits;

/// The configurations that are looked at everywhere: the usual ones, each family alone, and the corners.
fn configs() -> Vec<(String, Config)> {
    let mut all = vec![
        ("default".to_string(), Config::default()),
        ("quickstart".to_string(), Config::quickstart()),
        ("two rooms".to_string(), Config { rooms: 2, receptacles: 12, ..Config::default() }),
        ("whole house".to_string(), Config { rooms: 5, receptacles: 24, objects: 30, ..Config::default() }),
        ("smallest".to_string(), Config { receptacles: 5, objects: 2, ..Config::default() }),
        ("full".to_string(), Config { receptacles: 10, objects: 20, ..Config::default() }),
        ("all closed".to_string(), Config { openable: 1.0, ..Config::default() }),
        ("all open".to_string(), Config { openable: 0.0, ..Config::default() }),
    ];
    for family in Family::ALL {
        all.push((format!("only {family}"), Config { families: vec![*family], ..Config::default() }));
        all.push((
            format!("only {family}, three rooms"),
            Config { rooms: 3, receptacles: 14, families: vec![*family], ..Config::default() },
        ));
    }
    all
}

fn tasks(world: &Household, split: &str, count: usize) -> Vec<Task> {
    world.panel(split, Some(count)).unwrap().tasks.clone()
}

/// Plays random admissible commands until the goal is reached or the turns are over.
fn play_randomly(game: &mut dyn Environment, dice: &mut Dice, turns: usize) -> bool {
    for _ in 0..turns {
        let commands = game.admissible().unwrap();
        let command = &commands[dice.below(commands.len())];
        if game.step(command).unwrap().success {
            return true;
        }
    }
    false
}
