//! `epo-run env`

use super::world::{kinds, open};
use super::{DONE, FAILED, Settings, WRONG_INPUT, answer, complain};
use crate::env::{EnvError, Panel, World};
use crate::seed::Seed;
use clap::{Args, Subcommand};
use rand::Rng;
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(Debug, Args)]
pub struct EnvArgs {
    #[command(subcommand)]
    pub verb: EnvVerb,
}

#[derive(Debug, Subcommand)]
pub enum EnvVerb {
    /// Get what an environment needs.
    Install {
        /// A kind of environment.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Play games of every split with the expert: do they set up, and can they be won?
    Check(CheckArgs),
    /// Measure steps a second (one thread, random admissible actions) and memory.
    Bench(BenchArgs),
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A kind of environment, or a line of a file (`pipelines/quickstart.epo:house`).
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Its data, instead of the folder of the setting `data.NAME`.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Games of each split.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub games: usize,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct BenchArgs {
    /// A kind of environment, or a line of a file (`pipelines/quickstart.epo:house`).
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Its data, instead of the folder of the setting `data.NAME`.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// For how long.
    #[arg(long, value_name = "S", default_value_t = 2.0)]
    pub seconds: f64,
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &EnvArgs, settings: &Settings) -> u8 {
    match &args.verb {
        EnvVerb::Install { name } => install(name),
        EnvVerb::Check(args) => check(args, settings),
        EnvVerb::Bench(args) => bench(args, settings),
    }
}

fn install(name: &str) -> u8 {
    if !kinds().contains(&name) {
        return complain(&format!("there is no environment `{name}`; there are `{}`", kinds().join("`, `")));
    }
    answer(&format!("{name} needs nothing: it is compiled in\n"));
    DONE
}

/// What the expert did on one split.
#[derive(Debug, Serialize)]
struct SplitCheck {
    split: String,
    games: usize,
    solved: usize,
    /// Games without an expert's word, or with one that led nowhere.
    unsolved: Vec<String>,
    /// Games that could not be set up or broke down, with the reason.
    failures: Vec<String>,
    mean_turns: f64,
    panel: String,
}

/// Turns after which the expert is given up.
const MOST_TURNS: usize = 500;

fn check(args: &CheckArgs, settings: &Settings) -> u8 {
    let world = match open(&args.name, settings, args.data.as_deref()) {
        Ok(world) => world,
        Err(code) => return code,
    };
    let mut checks = Vec::new();
    for split in world.splits() {
        match world.panel(split, Some(args.games)).and_then(|panel| check_split(&*world, split, &panel)) {
            Ok(done) => checks.push(done),
            Err(error) => return complain(&error.to_string()),
        }
    }
    if args.json {
        answer(&format!("{:#}\n", serde_json::json!(checks)));
    } else {
        let mut out = String::new();
        for c in &checks {
            let _ =
                writeln!(out, "{}: {} of {} games solved by the expert, {:.1} turns on average", c.split, c.solved, c.games, c.mean_turns);
            c.failures.iter().chain(&c.unsolved).take(10).for_each(|line| {
                let _ = writeln!(out, "  {line}");
            });
        }
        answer(&out);
    }
    let sound = checks.iter().all(|c| c.failures.is_empty() && c.unsolved.is_empty());
    if sound { DONE } else { WRONG_INPUT }
}

fn check_split(world: &dyn World, split: &str, panel: &Panel) -> Result<SplitCheck, EnvError> {
    let mut check = SplitCheck {
        split: split.into(),
        games: panel.tasks.len(),
        solved: 0,
        unsolved: Vec::new(),
        failures: Vec::new(),
        mean_turns: 0.0,
        panel: panel.hash.clone(),
    };
    let mut game = world.instance()?;
    let mut turns = 0;
    for task in &panel.tasks {
        let played = (|| {
            game.reset(task, 0)?;
            for turn in 1..=MOST_TURNS {
                let Some(action) = game.expert()? else { return Ok(None) };
                if !game.admissible()?.contains(&action) {
                    return Err(EnvError::Broken(format!("the expert's `{action}` is not admissible")));
                }
                let step = game.step(&action)?;
                if step.success {
                    return Ok(Some(turn));
                }
                if step.terminated || step.truncated {
                    return Ok(None);
                }
            }
            Ok::<_, EnvError>(None)
        })();
        match played {
            Ok(Some(n)) => {
                check.solved += 1;
                turns += n;
            }
            Ok(None) => check.unsolved.push(format!("{}: the expert does not reach the goal", task.id)),
            Err(error) => check.failures.push(format!("{}: {error}", task.id)),
        }
    }
    check.mean_turns = turns as f64 / check.solved.max(1) as f64;
    Ok(check)
}

#[derive(Debug, Serialize)]
struct Measured {
    /// Steps a second, with their texts and lists of admissible actions.
    steps_per_second: f64,
    resets_per_second: f64,
    /// Of one running game; none where the system does not tell.
    bytes_per_environment: Option<u64>,
    steps: u64,
    resets: u64,
}

/// Turns of an episode.
const TURNS: usize = 50;
/// Games that run at once while memory is looked at.
const AT_ONCE: usize = 1000;

fn bench(args: &BenchArgs, settings: &Settings) -> u8 {
    if !(args.seconds > 0.0 && args.seconds <= 3600.0) {
        return complain("`--seconds` takes a number above 0, at most 3600");
    }
    let world = match open(&args.name, settings, args.data.as_deref()) {
        Ok(world) => world,
        Err(code) => return code,
    };
    let measured = match measure(&*world, Duration::from_secs_f64(args.seconds)) {
        Ok(measured) => measured,
        Err(error) => {
            complain(&error.to_string());
            return FAILED;
        }
    };
    if args.json {
        answer(&format!("{:#}\n", serde_json::json!(measured)));
    } else {
        let memory = measured.bytes_per_environment.map_or_else(|| "unknown".into(), |b| format!("{:.1} KiB", b as f64 / 1024.0));
        answer(&format!(
            "{:.0} steps a second, one thread, random admissible actions ({} steps)\n{:.0} new episodes a second ({})\n{memory} for each environment\n",
            measured.steps_per_second, measured.steps, measured.resets_per_second, measured.resets
        ));
    }
    DONE
}

/// Time spent on steps and on resets is counted apart; the choice of actions is in neither.
fn measure(world: &dyn World, time: Duration) -> Result<Measured, EnvError> {
    let split = world.splits().first().copied().unwrap_or("train");
    let panel = world.panel(split, Some(200))?;
    let mut game = world.instance()?;
    let mut dice = Seed(0).child("bench", 0).rng();
    let (mut steps, mut resets) = (0u64, 0u64);
    let (mut stepping, mut resetting) = (Duration::ZERO, Duration::ZERO);
    let begin = Instant::now();
    for task in panel.tasks.iter().cycle().take_while(|_| begin.elapsed() < time) {
        let start = Instant::now();
        game.reset(task, 0)?;
        let mut actions = game.admissible()?;
        resetting += start.elapsed();
        resets += 1;
        for _ in 0..TURNS {
            if actions.is_empty() {
                break;
            }
            let action = actions.swap_remove(dice.random_range(0..actions.len()));
            let start = Instant::now();
            let step = game.step(&action)?;
            actions = game.admissible()?;
            stepping += start.elapsed();
            steps += 1;
            if step.terminated || step.truncated {
                break;
            }
        }
    }
    Ok(Measured {
        steps_per_second: steps as f64 / stepping.as_secs_f64().max(1e-9),
        resets_per_second: resets as f64 / resetting.as_secs_f64().max(1e-9),
        bytes_per_environment: memory(world, split)?,
        steps,
        resets,
    })
}

/// By how much the process grows with many games at once, divided among them.
fn memory(world: &dyn World, split: &str) -> Result<Option<u64>, EnvError> {
    let panel = world.panel(split, Some(AT_ONCE))?;
    let before = resident();
    let mut games = Vec::with_capacity(AT_ONCE);
    for task in panel.tasks.iter().cycle().take(AT_ONCE) {
        let mut game = world.instance()?;
        game.reset(task, 0)?;
        game.admissible()?;
        games.push(game);
    }
    Ok(before.zip(resident()).map(|(before, after)| after.saturating_sub(before) / games.len().max(1) as u64))
}

fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(1024 * kibibytes)
}
