//! How fast an environment is, and what it takes of memory.

use super::{EnvError, World};
use crate::seed::Seed;
use rand::Rng;
use serde::Serialize;
use std::fmt::{self, Display};
use std::time::{Duration, Instant};

/// What [`measure`] found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Steps a second, with their texts and lists of admissible actions.
    pub steps_per_second: f64,
    /// The same of each game that was played by itself: the lowest, the median, the highest.
    pub by_game: [f64; 3],
    /// Games set up for the first time, a second.
    pub loads_per_second: f64,
    /// New episodes of a game that was set up before, a second.
    pub resets_per_second: f64,
    /// Of one running game among many, each its own; none where the system does not tell.
    pub bytes_per_environment: Option<u64>,
    /// Steps that were timed.
    pub steps: u64,
    /// First set-ups that were timed.
    pub loads: u64,
    /// Later set-ups that were timed.
    pub resets: u64,
}

impl Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steps_per_second, by_game: [least, median, most], loads_per_second, resets_per_second, steps, loads, resets, .. } = self;
        writeln!(f, "{steps_per_second:.0} steps a second, one thread, random admissible actions ({steps} steps)")?;
        writeln!(f, "by game: {median:.0} in the median, {least:.0} to {most:.0}")?;
        writeln!(
            f,
            "{loads_per_second:.0} games set up a second ({loads}); {resets_per_second:.0} new episodes of a known game ({resets})"
        )?;
        match self.bytes_per_environment {
            Some(bytes) => writeln!(f, "{:.1} KiB for each environment", bytes as f64 / 1024.0),
            None => writeln!(f, "memory for each environment unknown"),
        }
    }
}

/// Turns of an episode.
const TURNS: usize = 50;

/// Sets up many games at once, then plays them with random admissible actions, or the expert's where none are listed. Steps and set-ups are
/// each timed apart; the choice of actions is in none of them.
pub fn measure(world: &dyn World, time: Duration) -> Result<Measured, EnvError> {
    let at_once = world.at_once().max(1);
    let split = world.splits().first().copied().unwrap_or("train");
    // A split may have fewer games.
    let panel = world.panel(split, Some(at_once)).or_else(|_| world.panel(split, None))?;
    let before = world.resident();
    let mut games = Vec::with_capacity(at_once);
    let start = Instant::now();
    for task in panel.tasks.iter().cycle().take(at_once) {
        let mut game = world.instance()?;
        game.reset(task, 0)?;
        games.push(game);
    }
    let (loads, loading) = (panel.tasks.len().min(at_once) as u64, start.elapsed());
    for game in &mut games {
        game.admissible()?;
    }
    let bytes = before.zip(world.resident()).map(|(before, after)| after.saturating_sub(before) / at_once as u64);
    drop(games);

    let mut game = world.instance()?;
    let mut dice = Seed(0).child("bench", 0).rng();
    let (mut steps, mut resets) = (0u64, 0u64);
    let (mut stepping, mut resetting) = (Duration::ZERO, Duration::ZERO);
    let mut by_game = vec![(0u64, Duration::ZERO); panel.tasks.len()];
    let begin = Instant::now();
    for (number, task) in panel.tasks.iter().enumerate().cycle().take_while(|_| begin.elapsed() < time) {
        let start = Instant::now();
        game.reset(task, 0)?;
        let mut actions = game.admissible()?;
        resetting += start.elapsed();
        resets += 1;
        for _ in 0..TURNS {
            let action = match actions.len() {
                0 => game.expert()?,
                many => Some(actions.swap_remove(dice.random_range(0..many))),
            };
            let Some(action) = action else { break };
            let start = Instant::now();
            let step = game.step(&action)?;
            actions = game.admissible()?;
            let taken = start.elapsed();
            stepping += taken;
            steps += 1;
            if let Some((steps, stepping)) = by_game.get_mut(number) {
                *steps += 1;
                *stepping += taken;
            }
            if step.terminated || step.truncated {
                break;
            }
        }
    }
    let a_second = |count: u64, time: Duration| count as f64 / time.as_secs_f64().max(1e-9);
    let mut rates: Vec<f64> = by_game.into_iter().filter(|(steps, _)| *steps > 0).map(|(steps, time)| a_second(steps, time)).collect();
    rates.sort_by(f64::total_cmp);
    let at = |index: usize| rates.get(index).copied().unwrap_or_default();
    Ok(Measured {
        steps_per_second: a_second(steps, stepping),
        by_game: [at(0), at(rates.len() / 2), at(rates.len().saturating_sub(1))],
        loads_per_second: a_second(loads, loading),
        resets_per_second: a_second(resets, resetting),
        bytes_per_environment: bytes,
        steps,
        loads,
        resets,
    })
}
