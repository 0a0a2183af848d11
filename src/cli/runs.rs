//! `epo-run runs`

use super::{DONE, FAILED, Settings, answer, answer_json, complain_with, tell};
use crate::lang::pad;
use crate::shared::Shared;
use crate::store::{RunState, RunSummary, Store, StoreError, Verified};
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
    /// Read all files of a run, or of all runs, and compare them with the hashes that they were written with.
    Verify {
        /// As for `rm`; all where it is left out.
        #[arg(value_name = "RUN")]
        run: Option<String>,
        /// Not the folder of runs, but the shared store of the setting `store`, all of it.
        #[arg(long, conflicts_with = "run")]
        store: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(args: &RunsArgs, settings: &Settings) -> u8 {
    let store = Store::new(&settings.values.runs);
    let done = match &args.verb {
        Some(RunsVerb::Rm { run }) => remove(&store, run).map(|()| DONE),
        Some(RunsVerb::Verify { store: true, json, .. }) => return verify_shared(settings, *json),
        Some(RunsVerb::Verify { run, json, .. }) => verify(&store, run.as_deref(), *json),
        None => list(&store, args.json).map(|()| DONE),
    };
    match done {
        Ok(code) => code,
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

fn verify(store: &Store, run: Option<&str>, as_json: bool) -> Result<u8, StoreError> {
    let run = run.map(|run| store.find_run(run)).transpose()?;
    let found = store.verify(run.as_ref())?;
    if as_json {
        answer_json(&json!(found));
    } else {
        found.faults.iter().for_each(|fault| answer(&format!("{}: {}\n", fault.path.display(), fault.problem)));
        answer(&verdict(&found));
        if found.busy > 0 {
            tell(&format!("{} left out: a process is at work on them", tasks(found.busy)));
        }
        if !found.faults.is_empty() {
            tell(
                "  = help: the command that made a run makes again what is damaged in it; what is of no use can be removed with `epo-run runs rm`",
            );
        }
    }
    Ok(if found.faults.is_empty() { DONE } else { FAILED })
}

fn verify_shared(settings: &Settings, as_json: bool) -> u8 {
    let Some(address) = &settings.values.store else {
        return complain_with("there is no shared store", Some("the setting `store` says where it is: `EPO_STORE=s3://BUCKET/PREFIX`"));
    };
    let found = match Shared::open(address).and_then(|shared| shared.verify()) {
        Ok(found) => found,
        Err(error) => return complain_with(&error.to_string(), None),
    };
    if as_json {
        answer_json(&json!(found));
    } else {
        found.faults.iter().for_each(|fault| answer(&format!("{fault}\n")));
        let verdict = match found.faults.len() {
            0 => "all as they were put there".to_owned(),
            1 => "1 fault".into(),
            n => format!("{n} faults"),
        };
        answer(&format!("{address}: {}, {} files: {verdict}\n", tasks(found.tasks), found.files));
        let files = match found.of_no_task {
            0 => None,
            1 => Some("1 file belongs".to_owned()),
            n => Some(format!("{n} files belong")),
        };
        if let Some(files) = files {
            tell(&format!("{files} to no task: of a push that was not completed, or goes on just now"));
        }
        if !found.faults.is_empty() {
            tell("  = help: none of it is taken; the next run that needs such a task computes it, and puts it there again");
        }
    }
    if found.faults.is_empty() { DONE } else { FAILED }
}

fn verdict(found: &Verified) -> String {
    let runs = if found.runs == 1 { "1 run".into() } else { format!("{} runs", found.runs) };
    match found.faults.len() {
        0 => format!("{runs}, {}: all as they were written\n", tasks(found.tasks)),
        1 => format!("{runs}, {}: 1 fault\n", tasks(found.tasks)),
        n => format!("{runs}, {}: {n} faults\n", tasks(found.tasks)),
    }
}

fn list(store: &Store, as_json: bool) -> Result<(), StoreError> {
    let runs = store.runs()?;
    if as_json {
        let all: Vec<Value> = runs.iter().map(|run| json!(run)).collect();
        answer_json(&Value::from(all));
        return Ok(());
    }
    if runs.is_empty() {
        tell(&format!("there are no runs in {}", store.root().display()));
        return Ok(());
    }
    let rows: Vec<[String; 4]> = runs.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
    let (ids, states, tasks_width) = (width(0), width(1), width(2));
    let mut out = String::new();
    for [id, state, tasks, when] in &rows {
        let line = format!("{}  {}  {tasks:>tasks_width$}  {when}", pad(id, ids), pad(state, states));
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
