//! Which promises of the engine hold with an environment: its episodes are played in several ways, and each has to come out the same.

mod play;
#[cfg(test)]
mod tests;

use super::{EnvError, World};
use crate::seed::Seed;
use play::{Play, Times};
use serde::Serialize;
use std::fmt::{self, Display};
use std::time::{Duration, Instant};

/// Episodes at most, and threads that they are dealt to.
const EPISODES: usize = 16;
const THREADS: usize = 4;

/// What [`promises`] found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Promises {
    /// Episodes that were compared, and their turns.
    pub episodes: usize,
    /// Of one playing of all of them.
    pub turns: usize,
    /// The same task, seed and actions gave the same episode, in an instance of its own.
    pub repeats: Verdict,
    /// Also in an instance that has played others before, in both orders.
    pub nothing_left: Verdict,
    /// Also beside the others, turn by turn.
    pub side_by_side: Verdict,
    /// Also on several threads.
    pub threads: Verdict,
    /// Of the episodes, those that begin or go on otherwise with another seed and the same actions.
    pub changed_by_seed: usize,
    /// Openings that differ, of as many tasks as there were episodes.
    pub openings: usize,
    /// Whether the environment itself says that it repeats itself.
    pub says_so: bool,
    /// Of a step with its list of actions: the median, and what 99 of 100 stay below; in seconds.
    pub step_seconds: [f64; 2],
    /// Of setting up a task.
    pub reset_seconds: f64,
    /// Steps a second: on one thread, and on several at once.
    pub steps_per_second: [f64; 2],
}

/// Whether all came out the same; else the first difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All did.
    Holds,
    /// In words.
    Differs(String),
}

impl Promises {
    /// Whether equal texts give equal bytes, wherever a run is stopped and however many threads it has.
    pub fn hold(&self) -> bool {
        self.says_so && [&self.repeats, &self.nothing_left, &self.side_by_side, &self.threads].iter().all(|v| **v == Verdict::Holds)
    }
}

/// Plays up to 16 episodes of the first split over and over.
///
/// # Errors
/// If the environment cannot be set up or breaks down.
pub fn promises(world: &dyn World) -> Result<Promises, EnvError> {
    let split = world.splits().first().copied().unwrap_or("train").to_owned();
    let panel = world.panel(&split, Some(EPISODES)).or_else(|_| world.panel(&split, None))?;
    let tasks = panel.tasks.iter().take(EPISODES.min(world.at_once().max(1)));
    let first = |(number, task)| Play::first(world, task, Seed(0).child("promises", number as u64).0);
    let plays: Vec<Play> = tasks.enumerate().map(first).collect::<Result<_, _>>()?;

    let mut times = Times::default();
    let alone = every(&plays, |play| play.again(&mut *world.instance()?, &mut times))?;
    let (mut instance, mut unused) = (world.instance()?, Times::default());
    let forth = every(&plays, |play| play.again(&mut *instance, &mut unused))?;
    let back = plays.iter().rev().map(|play| play.again(&mut *instance, &mut unused)).collect::<Result<Vec<_>, _>>()?;
    drop(instance);
    let side = side_by_side(world, &plays)?;
    let (many, parallel) = on_threads(world, &plays)?;

    let mut changed = 0;
    for play in &plays {
        changed += usize::from(play.with_another_seed().again(&mut *world.instance()?, &mut unused)?.is_some());
    }
    let mut openings: Vec<String> = plays.iter().map(Play::opening).collect();
    openings.sort_unstable();
    openings.dedup();
    let turns = plays.iter().map(Play::turns).sum();
    let spent: Duration = times.steps.iter().chain(&times.resets).sum();
    Ok(Promises {
        episodes: plays.len(),
        turns,
        repeats: verdict(alone),
        nothing_left: verdict(forth.into_iter().chain(back).collect()),
        side_by_side: verdict(side),
        threads: verdict(many),
        changed_by_seed: changed,
        openings: openings.len(),
        says_so: world.repeats(),
        step_seconds: [0.5, 0.99].map(|share| quantile(&mut times.steps, share)),
        reset_seconds: quantile(&mut times.resets, 0.5),
        steps_per_second: [spent, parallel].map(|time| turns as f64 / time.as_secs_f64().max(1e-9)),
    })
}

fn every(plays: &[Play], mut again: impl FnMut(&Play) -> Result<Option<String>, EnvError>) -> Result<Vec<Option<String>>, EnvError> {
    plays.iter().map(&mut again).collect()
}

fn verdict(differences: Vec<Option<String>>) -> Verdict {
    differences.into_iter().flatten().next().map_or(Verdict::Holds, Verdict::Differs)
}

fn quantile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    let place = (share * times.len().saturating_sub(1) as f64).round() as usize;
    times.get(place).map_or(0.0, Duration::as_secs_f64)
}

impl Display for Promises {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { episodes, turns, changed_by_seed, openings, step_seconds: [median, most], reset_seconds, .. } = self;
        for (what, verdict) in [
            ("the same task, seed and actions are the same episode", &self.repeats),
            ("nothing of an episode is left in the next, in any order", &self.nothing_left),
            ("episodes side by side do not touch each other", &self.side_by_side),
            ("threads change nothing", &self.threads),
        ] {
            match verdict {
                Verdict::Holds => writeln!(f, "yes  {what}")?,
                Verdict::Differs(difference) => writeln!(f, "NO   {what}: {difference}")?,
            }
        }
        writeln!(
            f,
            "{episodes} episodes of {turns} turns, of which another seed changes {changed_by_seed}; {openings} different openings"
        )?;
        let micro = |seconds: &f64| 1e6 * seconds;
        writeln!(
            f,
            "a step takes {:.1} µs, 99 of 100 at most {:.1} µs; a reset {:.1} µs",
            micro(median),
            micro(most),
            micro(reset_seconds)
        )?;
        let [one, several] = self.steps_per_second;
        writeln!(f, "{one:.0} steps a second on one thread, {several:.0} on {THREADS}")?;
        match (self.hold(), self.says_so) {
            (true, _) => {
                writeln!(f, "promised: the same text gives the same bytes, wherever a run is stopped, and for every number of threads")
            }
            (false, true) => {
                writeln!(f, "NOT promised: the same text need not give the same bytes; what runs record stays true of what was played")
            }
            (false, false) => writeln!(
                f,
                "NOT promised: the environment says that it does not repeat itself; what runs record stays true of what was played"
            ),
        }
    }
}

/// All at once on this thread, each a turn after the other.
fn side_by_side(world: &dyn World, plays: &[Play]) -> Result<Vec<Option<String>>, EnvError> {
    let mut games = plays.iter().map(|_| world.instance()).collect::<Result<Vec<_>, _>>()?;
    let mut found = vec![None; plays.len()];
    let longest = plays.iter().map(Play::turns).max().unwrap_or_default();
    for turn in 0..=longest {
        for ((play, game), found) in plays.iter().zip(&mut games).zip(&mut found) {
            if found.is_none() && turn <= play.turns() {
                *found = play.turn_again(turn, &mut **game, &mut Times::default())?;
            }
        }
    }
    Ok(found)
}

/// Dealt to several threads, and the time that they took together.
fn on_threads(world: &dyn World, plays: &[Play]) -> Result<(Vec<Option<String>>, Duration), EnvError> {
    let begin = Instant::now();
    let threads: Vec<_> = std::thread::scope(|scope| {
        let work = |first: usize| {
            move || -> Result<Vec<Option<String>>, EnvError> {
                let mut game = world.instance()?;
                plays.iter().skip(first).step_by(THREADS).map(|play| play.again(&mut *game, &mut Times::default())).collect()
            }
        };
        let all: Vec<_> = (0..THREADS).map(|first| scope.spawn(work(first))).collect();
        all.into_iter().map(|one| one.join().unwrap_or_else(|_| Err(EnvError::Broken("a thread stopped".into())))).collect()
    });
    let found = threads.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok((found.concat(), begin.elapsed()))
}
