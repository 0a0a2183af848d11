//! The house as its players see it.

use super::*;
use crate::env::{Task, World};

#[test]
fn show() {
    for config in [Config::default(), Config::quickstart(), Config { rooms: 3, receptacles: 15, objects: 20, ..Config::default() }] {
        let world = Household::new(config).unwrap();
        let panel = world.panel("train", Some(12)).unwrap();
        let mut game = world.instance().unwrap();
        for task in &panel.tasks[..6] {
            let first = game.reset(task, 0).unwrap();
            println!("== {} {} | {}\n{}", task.id, task.family, first.task, first.text);
            println!("   {:?}", game.admissible().unwrap());
            while let Some(command) = game.expert().unwrap() {
                let step = game.step(&command).unwrap();
                println!("> {command}\n{}  [{}]", step.observation, game.admissible().unwrap().len());
            }
        }
    }
}
