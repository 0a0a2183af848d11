//! Measures how fast the games are played, loaded and set up again, and what they take in memory.

use super::{Alfworld, AlfworldError};
use crate::env::{EnvError, World};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::time::Instant;

/// Everything in one thread, by the interface that training uses (texts, admissible commands, goal).
#[derive(Clone, Debug, Serialize)]
pub struct Bench {
    pub games: usize,
    /// Random admissible steps a second, including the list of admissible commands and the texts: over the games the lowest,
    /// the median, the highest.
    pub steps_per_second: [f64; 3],
    /// Games read from the disk and worked out, a second.
    pub loads_per_second: f64,
    /// Milliseconds to begin a game that was played before, on average.
    pub reset_ms: f64,
    /// How much the resident memory of the process grew by having 128 games at once, in MiB, each its own game where the
    /// split has so many; `None` where the system does not tell.
    pub memory_of_128_mib: Option<f64>,
}

/// Plays `games` games of a split, `steps` random steps each (a new episode every 50), and has 128 of them at once.
///
/// # Errors
/// When the games cannot be read or played.
pub fn bench(world: &Alfworld, split: &str, games: usize, steps: usize, seed: u64) -> Result<Bench, EnvError> {
    let task = |error: AlfworldError| EnvError::Task(error.to_string());
    let all = world.select(split, &[], None, 0).map_err(task)?;
    let there = all.tasks.len();
    let before = resident_mib();
    let mut instances = Vec::new();
    let first = Instant::now();
    let distinct = world.select(split, &[], Some(there.min(128)), seed).map_err(task)?;
    for task in distinct.tasks.iter().cycle().take(128) {
        let mut instance = world.instance()?;
        instance.reset(task, seed)?;
        instances.push(instance);
    }
    let loads_per_second = distinct.tasks.len() as f64 / first.elapsed().as_secs_f64();
    let memory_of_128_mib = resident_mib().zip(before).map(|(after, before)| after - before);
    drop(instances);

    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut rates = Vec::new();
    let mut resets = 0.0;
    for task in distinct.tasks.iter().cycle().take(games) {
        let mut instance = world.instance()?;
        instance.reset(task, seed)?;
        let start = Instant::now();
        instance.reset(task, seed)?;
        resets += start.elapsed().as_secs_f64() * 1e3;
        let start = Instant::now();
        for step in 0..steps {
            let commands = instance.admissible()?;
            let command = commands.get(rng.random_range(0..commands.len().max(1))).map_or("", String::as_str);
            if instance.step(command)?.terminated || step % 50 == 49 {
                instance.reset(task, seed)?;
            }
        }
        rates.push(steps as f64 / start.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    let at = |index: usize| rates.get(index).copied().unwrap_or(f64::NAN);
    let steps_per_second = [at(0), at(rates.len() / 2), at(rates.len().saturating_sub(1))];
    Ok(Bench { games, steps_per_second, loads_per_second, reset_ms: resets / games.max(1) as f64, memory_of_128_mib })
}

/// The memory that the process holds.
fn resident_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kib| kib / 1024.0)
}
