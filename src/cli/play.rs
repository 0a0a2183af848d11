//! `epo-run play`: a person in the place of the policy.

use super::world::open;
use super::{DONE, FAILED, Settings, answer, complain, complain_with, tell};
use crate::env::{EnvError, Environment, Task};
use crate::lang::diagnostic::closest;
use clap::Args;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct PlayArgs {
    /// A kind of environment, or a line of a file (`pipelines/quickstart.epo:house`).
    #[arg(value_name = "ENV")]
    pub env: String,
    /// A split of the environment; by default its first.
    #[arg(long, value_name = "NAME")]
    pub split: Option<String>,
    /// Which task of the split: its number from 0, or its id.
    #[arg(long, value_name = "TASK", default_value = "0")]
    pub task: String,
    /// Its data, instead of the folder of the setting `data.NAME`.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The seed of the game.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

const HELP: &str = "type an action or its number; `expert` takes the expert's action, `quit` ends";

pub(super) fn run(args: &PlayArgs, settings: &Settings) -> u8 {
    let world = match open(&args.env, settings, args.data.as_deref()) {
        Ok(world) => world,
        Err(code) => return code,
    };
    let splits = world.splits();
    let split = args.split.as_deref().or_else(|| splits.first().copied()).unwrap_or("train");
    if !splits.contains(&split) {
        let help = closest(split, splits.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let help = help.unwrap_or_else(|| format!("there are `{}`", splits.join("`, `")));
        return complain_with(&format!("there is no split `{split}`"), Some(&help));
    }
    let number = args.task.parse::<usize>().ok();
    let panel = match world.panel(split, number.map(|n| n.saturating_add(1))) {
        Ok(panel) => panel,
        Err(error) => return complain(&error.to_string()),
    };
    let found = match number {
        Some(n) => panel.tasks.get(n),
        None => panel.tasks.iter().find(|t| t.id == args.task),
    };
    let Some(task) = found else {
        return complain(&format!("there is no task `{}` in the split `{split}`", args.task));
    };
    match world.instance().and_then(|game| play(game, task, args.seed)) {
        Ok(()) => DONE,
        Err(error) => {
            complain(&error.to_string());
            FAILED
        }
    }
}

fn play(mut game: Box<dyn Environment>, task: &Task, seed: u64) -> Result<(), EnvError> {
    let begin = game.reset(task, seed)?;
    tell(&format!("{} ({}): {HELP}", task.id, task.family));
    answer(&format!("{}\n\n{}\n", begin.task.trim(), begin.text.trim()));
    let terminal = std::io::stdin().is_terminal();
    let mut lines = std::io::stdin().lock().lines();
    let (mut turns, mut reward) = (0, 0.0);
    loop {
        let actions = game.admissible()?;
        let list: Vec<String> = actions.iter().enumerate().map(|(i, action)| format!("{i:4}  {action}\n")).collect();
        answer(&format!("\n{}", list.concat()));
        if terminal {
            let _ = write!(std::io::stderr(), "> ").and_then(|()| std::io::stderr().flush());
        }
        let Some(Ok(line)) = lines.next() else { break };
        let typed = line.trim();
        let action = match (typed, typed.parse::<usize>()) {
            ("", _) => continue,
            ("quit", _) => break,
            ("help", _) => {
                tell(HELP);
                continue;
            }
            ("expert", _) => match game.expert()? {
                Some(action) => action,
                None => {
                    tell("there is no expert here, or it is at a loss");
                    continue;
                }
            },
            (_, Ok(n)) if n < actions.len() => actions.get(n).cloned().unwrap_or_default(),
            _ => typed.to_string(),
        };
        let step = game.step(&action)?;
        (turns, reward) = (turns + 1, reward + step.reward);
        answer(&format!("\n> {action}\n{}\n", step.observation.trim()));
        if !step.valid {
            tell("this was not possible");
        }
        if step.terminated || step.truncated {
            let end = if step.success { "the goal is reached" } else { "the game is over" };
            answer(&format!("\n{end}: {turns} turns, reward {reward}\n"));
            return Ok(());
        }
    }
    answer(&format!("\nleft after {turns} turns, reward {reward}\n"));
    Ok(())
}
