//! `epo-run FILE`: the main job.

use super::args::RunArgs;
use super::compiled::Planned;
use super::{DONE, FAILED, INTERRUPTED, Settings, compiled, complain, complain_with, here, ranks, tell};
use crate::engine::{self, Engine, Handing, Ray, Site, Slurm};
use crate::exec::{Bars, Beside, End, ExecError, Interrupt, Lines, Options, Outcome, Quiet, Watch, dismiss, execute};
use crate::lang::{Diagnostics, SourceMap};
use crate::pack::{shown, stem};
use crate::plan::{Plan, Reason, reasons, refusals, too_large};
use crate::ranks::Ranks;
use crate::store::{RunRecord, Store};
use crate::track::Tracked;
use std::io::IsTerminal;
use std::path::Path;

pub(super) fn run(file: &Path, args: &RunArgs, settings: &Settings) -> u8 {
    let ranks = match ranks::join() {
        Ok(ranks) => ranks,
        Err(message) => return complain(&message),
    };
    if !ranks.is_first() {
        return ranks::beside(&ranks, settings, || compiled::plan(file, &args.selection, settings));
    }
    let code = first(&ranks, file, args, settings);
    dismiss(&ranks);
    code
}

fn first(ranks: &Ranks, file: &Path, args: &RunArgs, settings: &Settings) -> u8 {
    let planned = match compiled::plan(file, &args.selection, settings) {
        Ok(planned) => planned,
        Err(code) => return code,
    };
    let Planned { compiled, plan, .. } = &planned;
    let handed = handed(settings);
    if let Some(engine) = handed.as_ref().filter(|_| ranks.size() > 1) {
        let message = format!("started as {} ranks, and the setting `engine` hands tasks to {}", ranks.size(), engine.name());
        let help = "start one process; `ranks` in a stage's `needs`, or `jobs.ranks`, says by how many each is shared";
        return complain_with(&message, Some(help));
    }
    // Where tasks are handed over, nothing is computed here.
    let device = match handed.as_ref().map_or_else(|| ranks::device(ranks, &settings.values.device), |_| super::device::open("cpu")) {
        Ok(device) => device,
        Err(message) => return complain(&message),
    };
    let store = Store::new(&settings.values.runs);
    let name = plan.run_name(&stem(&compiled.sources));
    let reasons = match reasons(plan, &store, &name) {
        Ok(reasons) => reasons,
        Err(error) => return failed(&ExecError::from(error), &compiled.sources),
    };
    let refusals = if args.fresh { Vec::new() } else { refusals(plan, &reasons) };
    if !refusals.is_empty() {
        compiled::show(&compiled.sources, &Diagnostics(refusals));
        return FAILED;
    }
    if !args.quiet {
        announce(plan, &reasons, args.fresh);
        if ranks.size() > 1 {
            tell(&format!("{} ranks", ranks.size()));
        }
        if handed.is_none()
            && let Ok((takes, free)) = here::takes(plan, &reasons, settings, None)
        {
            compiled::show(&compiled.sources, &Diagnostics(too_large(plan, &takes, free)));
        }
    }
    let interrupt = match if handed.is_some() { Interrupt::to_leave() } else { Interrupt::on_ctrl_c() } {
        Ok(interrupt) => interrupt,
        Err(error) => return complain(&format!("cannot listen for Ctrl-C: {error}")),
    };
    let options = Options {
        fresh: args.fresh,
        threads: settings.threads(),
        device,
        machine: settings.values.machine.clone(),
        looks: settings.values.trackers.looks(),
        store: settings.values.store.clone(),
        interrupt,
        ranks: ranks.clone(),
        ..Options::default()
    };
    let record = record(name, &planned, settings);
    let mut watch: Box<dyn Watch> = match (args.quiet, std::io::stderr().is_terminal()) {
        (true, _) => Box::new(Quiet),
        (false, true) => Box::new(Bars::stderr()),
        (false, false) => Box::new(Lines::stderr()),
    };
    let mut tracked = Beside::new(&mut *watch, Tracked::new(&settings.values.trackers));
    let result = match handed {
        None => execute(plan, &store, record, &options, &mut tracked),
        Some(mut engine) => match site(settings) {
            Ok(site) => {
                let handing = Handing { engine: &mut *engine, options: &settings.values.engines.jobs, site };
                engine::execute(plan, &store, record, &options, handing, &mut tracked)
            }
            Err(message) => return complain(&message),
        },
    };
    match &result {
        Ok(outcome) => tracked.run_ends(End::Finished, &outcome.pages),
        Err(ExecError::Interrupted { .. }) => tracked.run_ends(End::Interrupted, &[]),
        Err(_) => tracked.run_ends(End::Failed, &[]),
    }
    drop(watch);
    match result {
        Ok(outcome) => finish(plan, &outcome),
        Err(error) => failed(&error, &compiled.sources),
    }
}

/// The engine that tasks are handed to; `None`: this process runs them.
fn handed(settings: &Settings) -> Option<Box<dyn Engine>> {
    let engines = &settings.values.engines;
    match engines.engine.as_str() {
        "slurm" => Some(Box::new(Slurm { options: engines.slurm.clone() })),
        "ray" => Some(Box::new(Ray::new(engines.ray.clone()))),
        _ => None,
    }
}

/// Where jobs run; the run is filled in when its folder is open.
fn site(settings: &Settings) -> Result<Site, String> {
    let values = &settings.values;
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let program = match &values.engines.jobs.program {
        Some(program) => whole(program),
        None => {
            std::env::current_exe().map_err(|error| format!("cannot tell where this program lies: {error}; `jobs.program` can say it"))?
        }
    };
    let folder = std::env::current_dir().map_err(|error| format!("cannot tell which folder this is: {error}"))?;
    let mut given = vec!["--runs".to_owned(), whole(&values.runs).display().to_string(), "--device".into(), values.device.clone()];
    if let Some(library) = &values.library {
        given.extend(["--library".to_owned(), whole(library).display().to_string()]);
    }
    let threads = Some(values.threads).filter(|threads| *threads > 0);
    let none = std::path::PathBuf::new;
    Ok(Site { run: none(), id: String::new(), tasks: none(), folder, program, settings: given, threads })
}

/// The plan in a few lines.
fn announce(plan: &Plan, reasons: &[Reason], fresh: bool) {
    let up_to_date = reasons.iter().filter(|r| r.is_up_to_date()).count();
    let total = plan.tasks.len();
    match (fresh, total - up_to_date) {
        (true, _) => tell(&format!("{total} tasks, all made anew")),
        (false, 0) => tell(&format!("everything is up to date: {total} tasks, none to run")),
        (false, n) => tell(&format!("{total} tasks: {n} to run, {up_to_date} taken from earlier runs (`epo-run plan` says why)")),
    }
}

pub(super) fn record(name: String, planned: &Planned, settings: &Settings) -> RunRecord {
    let Planned { compiled, plan, recipe } = planned;
    let used: Vec<&str> = plan.tasks.iter().flat_map(|t| &t.members).map(|m| plan.instances[m.instance].name.as_str()).collect();
    RunRecord {
        name,
        resolved: compiled.resolved.text(&used, true),
        sources: compiled.sources.iter().map(|(_, s)| (shown(s), s.text.clone())).collect(),
        recipe: recipe.recorded(),
        machine: here::machine(settings),
        ..RunRecord::default()
    }
}

fn finish(plan: &Plan, outcome: &Outcome) -> u8 {
    super::report::print_tables(plan, outcome);
    DONE
}

fn failed(error: &ExecError, sources: &SourceMap) -> u8 {
    if error.is_a_stop() {
        tell(&error.to_string());
        return INTERRUPTED;
    }
    compiled::show(sources, &Diagnostics(error.diagnostics()));
    FAILED
}
