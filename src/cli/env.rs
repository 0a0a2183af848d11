//! `epo-run env`

use super::world::{declared_on, open_for_many};
use super::{DONE, FAILED, Settings, WRONG_INPUT, answer, answer_json, complain};
use crate::env::{EnvError, Panel, World, measure, promises};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, Args)]
pub(super) struct EnvArgs {
    #[command(subcommand)]
    pub verb: EnvVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum EnvVerb {
    /// Get what an environment needs, or say how to get it.
    Install(InstallArgs),
    /// Play games of every split with the expert: do they set up, and can they be won? Play some over and over: do they come out the same? Or replay
    /// recordings: does anything differ?
    Check(CheckArgs),
    /// Measure steps a second (one thread, random admissible actions), new games a second, and memory.
    Bench(BenchArgs),
}

#[derive(Debug, Args)]
pub(super) struct InstallArgs {
    /// A kind of environment, or a line of a file (`pipelines/quickstart.epo:house`).
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The folder of its data, instead of that of the setting `data.NAME`.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// A kind of environment, or a line of a file (`pipelines/quickstart.epo:house`).
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Its data, instead of the folder of the setting `data.NAME`.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Games of each split.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub games: usize,
    /// Recordings of the original environment, a folder or a file: replays them instead, says what differs, and measures.
    #[arg(long, value_name = "PATH")]
    pub transcripts: Option<PathBuf>,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
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

pub(super) fn run(args: &EnvArgs, settings: &Settings) -> u8 {
    match &args.verb {
        EnvVerb::Install(args) => install(args, settings),
        EnvVerb::Check(args) => check(args, settings),
        EnvVerb::Bench(args) => bench(args, settings),
    }
}

fn install(args: &InstallArgs, settings: &Settings) -> u8 {
    let (spec, machine) = match declared_on(&args.name, settings, args.data.as_deref()) {
        Ok(found) => found,
        Err(code) => return code,
    };
    match spec.world.install(&machine) {
        Ok(said) => {
            answer(&format!("{} {said}\n", spec.world.kind));
            DONE
        }
        Err(error) => complain(&error.to_string()),
    }
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
    if let Some(recordings) = &args.transcripts {
        return replay(args, recordings, settings);
    }
    let world = match open_for_many(&args.name, settings, args.data.as_deref()) {
        Ok(world) => world,
        Err(code) => return code,
    };
    let mut checks = Vec::new();
    for split in world.splits().into_iter().filter(|_| world.has_expert()) {
        let panel = world.panel(split, Some(args.games)).or_else(|_| world.panel(split, None));
        match panel.and_then(|panel| check_split(&*world, split, &panel)) {
            Ok(done) => checks.push(done),
            Err(error) => return complain(&error.to_string()),
        }
    }
    let promises = match promises(&*world) {
        Ok(found) => found,
        Err(error) => return complain(&error.to_string()),
    };
    if args.json {
        answer_json(&serde_json::json!({ "splits": checks, "promises": promises }));
    } else {
        let mut out = String::new();
        for c in &checks {
            let _ =
                writeln!(out, "{}: {} of {} games solved by the expert, {:.1} turns on average", c.split, c.solved, c.games, c.mean_turns);
            c.failures.iter().chain(&c.unsolved).take(10).for_each(|line| {
                let _ = writeln!(out, "  {line}");
            });
        }
        answer(&format!("{out}{promises}"));
    }
    // One that says itself that it does not repeat itself is as it should be.
    let kept = promises.hold() || !promises.says_so;
    let sound = kept && checks.iter().all(|c| c.failures.is_empty() && c.unsolved.is_empty());
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
                let listed = game.admissible()?.contains(&action);
                let step = game.step(&action)?;
                // an environment may know more words for an action than it lists
                if !listed && !step.valid {
                    return Err(EnvError::Broken(format!("the expert's `{action}` is not possible")));
                }
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

/// For how long steps are taken beside a replay.
const REPLAY_MEASURES: Duration = Duration::from_secs(2);

fn replay(args: &CheckArgs, recordings: &Path, settings: &Settings) -> u8 {
    let (spec, machine) = match declared_on(&args.name, settings, args.data.as_deref()) {
        Ok(found) => found,
        Err(code) => return code,
    };
    let found = match spec.world.replay(&machine, recordings) {
        Some(Ok(found)) => found,
        Some(Err(error)) => return complain(&error.to_string()),
        None => return complain(&format!("`{}` is compared with no recordings; `--transcripts` is not for it", spec.world.kind)),
    };
    let measured = match spec.world.open(&machine).and_then(|world| measure(&*world, REPLAY_MEASURES)) {
        Ok(measured) => measured,
        Err(error) => return complain(&error.to_string()),
    };
    answer(&match args.json {
        true => format!("{:#}\n", serde_json::json!({ "replay": found, "measured": measured })),
        false => format!("{found}\n{measured}"),
    });
    if found.agrees() { DONE } else { WRONG_INPUT }
}

fn bench(args: &BenchArgs, settings: &Settings) -> u8 {
    if !(args.seconds > 0.0 && args.seconds <= 3600.0) {
        return complain("`--seconds` takes a number above 0, at most 3600");
    }
    let world = match open_for_many(&args.name, settings, args.data.as_deref()) {
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
        answer_json(&serde_json::json!(measured));
    } else {
        answer(&measured.to_string());
    }
    DONE
}
