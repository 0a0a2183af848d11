//! How fast the house plays.

use super::dice::Dice;
use super::world::Household;
use crate::env::{EnvError, World};
use serde::Serialize;
use std::time::{Duration, Instant};

/// One thread, random admissible actions, texts and lists of commands included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BenchReport {
    pub steps_per_second: f64,
    pub resets_per_second: f64,
    /// Memory of one running game; `None` where the system does not tell (anywhere but on Linux).
    pub bytes_per_environment: Option<u64>,
    pub steps: u64,
    pub resets: u64,
}

/// Turns of a random episode; like the engine's usual limit.
const TURNS: usize = 50;
const TASKS: usize = 200;
/// Games that run at once while memory is looked at.
const GAMES: usize = 1000;

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
        bytes_per_environment: memory(world)?,
        steps,
        resets,
    })
}

/// By how much the resident memory grows with a thousand games on a thousand tasks.
fn memory(world: &Household) -> Result<Option<u64>, EnvError> {
    let panel = world.panel("train", Some(GAMES))?;
    let before = resident();
    let mut games = Vec::with_capacity(GAMES);
    for task in &panel.tasks {
        let mut game = world.instance()?;
        game.reset(task, 0)?;
        game.admissible()?;
        games.push(game);
    }
    let grown = before.zip(resident()).map(|(before, after)| after.saturating_sub(before) / GAMES as u64);
    Ok(grown)
}

fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(1024 * kilobytes)
}
