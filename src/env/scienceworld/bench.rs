//! How fast the simulators are, and how much memory they take.

use super::check::Recording;
use super::config::Config;
use super::episode::{Mode, Spec};
use super::jvm::Limits;
use super::{ScienceWorld, SetupError};
use crate::env::EnvError;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What was measured on one arrangement.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// Games that ran at once.
    pub environments: usize,
    /// What was listed after each step.
    pub mode: Mode,
    /// Actions taken in all of them.
    pub steps: usize,
    /// Wall time in which they were taken, resets not counted for their number but for their time.
    pub seconds: f64,
    /// Of the Java processes, at the end.
    pub resident: Option<u64>,
}

impl Measure {
    /// Of all games together.
    pub fn steps_per_second(&self) -> f64 {
        self.steps as f64 / self.seconds
    }
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The simulator cannot be set up.
    #[error("{0}")]
    Setup(#[from] SetupError),
    /// A recording cannot be played.
    #[error("{0}")]
    Env(#[from] EnvError),
}

/// Plays the recordings' actions over and over in each of `environments` games at once, for `warm_up` and then, measured, for `span`.
/// Every environment starts at another recording.
///
/// # Errors
/// [`BenchError`]
pub fn measure(
    data: &Path,
    recordings: &[Recording],
    environments: usize,
    mode: Mode,
    limits: Limits,
    warm_up: Duration,
    span: Duration,
) -> Result<Measure, BenchError> {
    let world = ScienceWorld::new(data, Config { mode, limits, ..Config::default() })?;
    let games = (0..environments).map(|_| world.game()).collect::<Result<Vec<_>, _>>()?;
    let (steps, stop, ready) = (AtomicUsize::new(0), AtomicBool::new(false), Barrier::new(environments + 1));
    let (seconds, resident, played) = std::thread::scope(|scope| {
        let players: Vec<_> = games
            .into_iter()
            .enumerate()
            .map(|(first, mut game)| {
                let (steps, stop, ready) = (&steps, &stop, &ready);
                scope.spawn(move || -> Result<(), EnvError> {
                    let prepared = Spec::new("boil/0", "easy").and_then(|spec| game.begin(spec).map(|_| ()));
                    ready.wait();
                    prepared?;
                    for recording in recordings.iter().cycle().skip(first) {
                        game.begin(Spec::new(&format!("{}/{}", recording.task, recording.variation), &recording.simplification)?)?;
                        for action in recording.steps.iter().filter_map(|step| step.action.as_ref()) {
                            if stop.load(Ordering::Relaxed) {
                                return Ok(());
                            }
                            game.act(action)?;
                            steps.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        ready.wait();
        std::thread::sleep(warm_up);
        let (before, start) = (steps.load(Ordering::Relaxed), Instant::now());
        std::thread::sleep(span);
        let (taken, seconds) = (steps.load(Ordering::Relaxed) - before, start.elapsed().as_secs_f64());
        let resident = world.resident();
        stop.store(true, Ordering::Relaxed);
        let outcome: Result<Vec<()>, EnvError> = players.into_iter().filter_map(|player| player.join().ok()).collect();
        (seconds, resident, outcome.map(|_| taken))
    });
    Ok(Measure { environments, mode, steps: played?, seconds, resident })
}
