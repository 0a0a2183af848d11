//! `epo-run runs`

use super::{DONE, Settings, answer, complain_with, tell};
use crate::store::{RunState, RunSummary, Store, StoreError};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::fmt::Write;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct RunsArgs {
    #[command(subcommand)]
    pub verb: Option<RunsVerb>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum RunsVerb {
    /// Remove a run, and the tasks that no other run has.
    Rm {
        /// `ppo_epo/7f3a9c41`, the beginning of its digest, or a name that but one run has.
        #[arg(value_name = "RUN")]
        run: String,
    },
}

pub(super) fn run(args: &RunsArgs, settings: &Settings) -> u8 {
    let store = Store::new(&settings.values.runs);
    let done = match &args.verb {
        Some(RunsVerb::Rm { run }) => remove(&store, run),
        None => list(&store, args.json),
    };
    match done {
        Ok(()) => DONE,
        Err(error) => wrong(&error),
    }
}

/// An error of the store, with what to do next.
pub(super) fn wrong(error: &StoreError) -> u8 {
    complain_with(&error.to_string(), error.help().as_deref())
}

fn remove(store: &Store, run: &str) -> Result<(), StoreError> {
    let removed = store.remove_run(&store.find_run(run)?)?;
    answer(&format!("removed {}: {} tasks, {}\n", removed.run, removed.tasks, bytes(removed.bytes)));
    if removed.shared > 0 {
        tell(&format!("{} kept: other runs have them too", tasks(removed.shared)));
    }
    if removed.busy > 0 {
        tell(&format!("{} kept: a process is at work on them", tasks(removed.busy)));
    }
    Ok(())
}

fn list(store: &Store, as_json: bool) -> Result<(), StoreError> {
    let runs = store.runs()?;
    if as_json {
        let all: Vec<Value> = runs.iter().map(|run| json!(run)).collect();
        answer(&format!("{:#}\n", Value::from(all)));
        return Ok(());
    }
    if runs.is_empty() {
        tell(&format!("there are no runs in {}", store.root().display()));
        return Ok(());
    }
    let rows: Vec<[String; 4]> = runs.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut out = String::new();
    for [id, state, tasks, when] in &rows {
        let line = format!("{id:a$}  {state:b$}  {tasks:>c$}  {when}", a = widths[0], b = widths[1], c = widths[2]);
        let _ = writeln!(out, "{}", line.trim_end());
    }
    answer(&out);
    Ok(())
}

fn row(run: &RunSummary) -> [String; 4] {
    let state = match run.state {
        RunState::Running => "running",
        RunState::Finished => "finished",
        RunState::Failed => "failed",
        RunState::Interrupted => "interrupted",
        RunState::Unreadable => "unreadable",
    };
    let when = match (run.first.as_str(), run.last.as_str()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first} .. {last}"),
    };
    [run.id.clone(), state.into(), format!("{}/{} tasks", run.done, run.tasks.len()), when]
}

fn tasks(count: usize) -> String {
    if count == 1 { "1 task".into() } else { format!("{count} tasks") }
}

fn bytes(count: u64) -> String {
    match count {
        0..1024 => format!("{count} B"),
        1024..1_048_576 => format!("{:.1} KiB", count as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", count as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", count as f64 / 1_073_741_824.0),
    }
}
