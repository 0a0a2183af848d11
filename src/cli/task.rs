//! `epo-run task`: what an engine starts on a node.

use super::args::Selection;
use super::compiled::{self, Planned};
use super::{DONE, FAILED, INTERRUPTED, Settings, complain_with, ranks, tell};
use crate::exec::{ExecError, Interrupt, Lines, Options, dismiss, execute_task};
use crate::lang::Diagnostics;
use crate::pack::Recipe;
use crate::plan::Plan;
use crate::ranks::Ranks;
use crate::store::{Digest, JobLog, RunSummary, Store, StoreError};
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct TaskArgs {
    /// The run that it belongs to: `ppo_epo/7f3a9c41`.
    #[arg(value_name = "RUN")]
    pub run: String,
    /// The task's digest.
    #[arg(value_name = "DIGEST")]
    pub digest: String,
    /// The version of epo-run that handed it over; another one refuses it.
    #[arg(long, value_name = "VERSION")]
    pub submitted_by: Option<String>,
}

pub(super) fn run(args: &TaskArgs, settings: &Settings) -> u8 {
    let ranks = match ranks::join() {
        Ok(ranks) => ranks,
        Err(message) => return wrong(&message, None),
    };
    if !ranks.is_first() {
        return ranks::beside(&ranks, settings, || planned(args, settings).map(|(planned, _)| planned));
    }
    let code = match task(args, settings, &ranks) {
        Ok(()) => DONE,
        Err(code) => code,
    };
    dismiss(&ranks);
    code
}

fn wrong(message: &str, help: Option<&str>) -> u8 {
    complain_with(message, help);
    FAILED
}

/// The plan that the task is of, and the run.
fn planned(args: &TaskArgs, settings: &Settings) -> Result<(Planned, RunSummary), u8> {
    let own = env!("CARGO_PKG_VERSION");
    if let Some(other) = args.submitted_by.as_deref().filter(|other| *other != own) {
        let message = format!("the task was handed over by epo-run {other}, and this is epo-run {own}");
        return Err(wrong(&message, Some("install one version on all machines, or say with `jobs.program` where that one lies")));
    }
    let run = Store::new(&settings.values.runs).run_of(&args.run).map_err(failed)?;
    let planned = compiled::plan_of(&recipe(&run)?, &Selection::default(), settings).map_err(|_| FAILED)?;
    Ok((planned, run))
}

fn task(args: &TaskArgs, settings: &Settings, ranks: &Ranks) -> Result<(), u8> {
    let digest = Digest::try_from(args.digest.clone()).map_err(|message| wrong(&message, None))?;
    let (Planned { compiled, plan, .. }, run) = planned(args, settings)?;
    let store = Store::new(&settings.values.runs);
    let Some(index) = plan.tasks.iter().position(|task| task.digest == digest) else { return Err(another(&plan, &run, &digest)) };
    let device = ranks::device(ranks, &settings.values.device).map_err(|message| wrong(&message, None))?;
    let interrupt = Interrupt::on_ctrl_c().map_err(|error| wrong(&format!("cannot listen for signals: {error}"), None))?;
    let options = Options {
        threads: settings.threads(),
        device,
        machine: settings.values.machine.clone(),
        store: settings.values.store.clone(),
        interrupt,
        ranks: ranks.clone(),
        ..Options::default()
    };
    let mut journal = JobLog::new(&run.path, &run.id, &digest).map_err(failed)?;
    match execute_task(&plan, index, &store, &mut journal, &options, &mut Lines::stderr()) {
        Ok(()) => Ok(()),
        Err(error @ ExecError::Interrupted { .. }) => {
            tell(&error.to_string());
            Err(INTERRUPTED)
        }
        Err(error) => {
            compiled::show(&compiled.sources, &Diagnostics(error.diagnostics()));
            Err(FAILED)
        }
    }
}

fn failed(error: StoreError) -> u8 {
    wrong(&error.to_string(), error.help().as_deref())
}

fn recipe(run: &RunSummary) -> Result<Recipe, u8> {
    let recorded = run.recipe().map_err(failed)?;
    let recorded = recorded.ok_or_else(|| wrong(&format!("the run {} does not say which of its texts is the first", run.id), None))?;
    Recipe::found(recorded, run.sources().map_err(failed)?).map_err(|message| wrong(&message, None))
}

/// The texts are those that were handed over, so something outside of them differs.
fn another(plan: &Plan, run: &RunSummary, digest: &Digest) -> u8 {
    let message = format!("on this machine the texts of {} come to another plan, without the task {}", run.id, digest.short());
    let contents: Vec<String> = plan.contents.keys().map(|path| format!("`{}`", path.display())).collect();
    let help = match contents.as_slice() {
        [] => "another build of epo-run handed it over: install one on all machines".to_owned(),
        some => format!("is {} the same here? If so, another build of epo-run handed it over", some.join(", ")),
    };
    wrong(&message, Some(&help))
}
