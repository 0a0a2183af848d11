//! How fast the house plays.

use super::dice::Dice;
use super::world::Household;
use crate::env::{EnvError, Environment, Panel, World};
use serde::Serialize;
use std::time::{Duration, Instant};

/// One thread, random admissible actions, texts and lists of commands included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BenchReport {
    pub steps_per_second: f64,
    pub resets_per_second: f64,
    /// What one running game keeps, the tables worked out for its house included (the mean over tasks).
    pub bytes_per_environment: u64,
    pub steps: u64,
    pub resets: u64,
}

/// Turns of a random episode; like the engine's usual limit.
const TURNS: usize = 50;
const TASKS: usize = 200;

/// Plays random games for about `time`. Time spent on resets and on steps is counted apart; the choice of actions is in neither.
///
/// # Errors
/// When the world cannot make its games.
pub fn bench(world: &Household, time: Duration) -> Result<BenchReport, EnvError> {
    let panel = world.panel("train", Some(TASKS))?;
    let mut game = world.instance()?;
    let mut dice = Dice::new("bench", &[]);
    let (mut steps, mut resets) = (0u64, 0u64);
    let (mut stepping, mut resetting) = (Duration::ZERO, Duration::ZERO);
    let begin = Instant::now();
    for task in panel.tasks.iter().cycle() {
        if begin.elapsed() >= time {
            break;
        }
        let start = Instant::now();
        game.reset(task, 0)?;
        let mut commands = game.admissible()?;
        resetting += start.elapsed();
        resets += 1;
        for _ in 0..TURNS {
            let Some(command) = commands.get(dice.below(commands.len())).cloned() else { break };
            let start = Instant::now();
            let step = game.step(&command)?;
            commands = game.admissible()?;
            stepping += start.elapsed();
            steps += 1;
            if step.terminated {
                break;
            }
        }
    }
    Ok(BenchReport {
        steps_per_second: steps as f64 / stepping.as_secs_f64().max(1e-9),
        resets_per_second: resets as f64 / resetting.as_secs_f64().max(1e-9),
        bytes_per_environment: memory(world, &panel)?,
        steps,
        resets,
    })
}

/// The mean over the tasks, right after a reset.
fn memory(world: &Household, panel: &Panel) -> Result<u64, EnvError> {
    let mut game = world.play();
    let mut bytes = 0;
    for task in &panel.tasks {
        game.reset(task, 0)?;
        bytes += game.bytes();
    }
    Ok((bytes / panel.tasks.len().max(1)) as u64)
}
