//! `epo-run verify`

use super::args::Selection;
use super::compiled::{self, Planned};
use super::{DONE, FAILED, INTERRUPTED, Settings, answer, answer_json, complain, tell};
use crate::exec::{Bars, Beside, End, ExecError, Interrupt, Lines, Listen, Options, Quiet, Watch, execute};
use crate::lang::Diagnostics;
use crate::pack::{Agreement, Fault, Pack, PackedTask, agreement};
use crate::plan::{Place, Plan, needed, outside_text};
use crate::store::Store;
use clap::Args;
use serde_json::json;
use std::io::IsTerminal;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// An archive that `epo-run pack` wrote, or a folder into which one was unpacked.
    #[arg(value_name = "PACK")]
    pub pack: PathBuf,
    /// Make the results again, what costs least first, and compare them.
    #[arg(long)]
    pub rerun: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(args: &VerifyArgs, settings: &Settings) -> u8 {
    verify(args, settings).unwrap_or_else(|code| code)
}

fn verify(args: &VerifyArgs, settings: &Settings) -> Result<u8, u8> {
    let wrong = |message: String| complain(&message);
    let mut pack = Pack::open(&args.pack).map_err(wrong)?;
    let faults = pack.faults();
    if !faults.is_empty() {
        tell_faults(args, &faults);
        return Err(FAILED);
    }
    let recipe = pack.recipe().map_err(wrong)?;
    let planned = compiled::plan_of(&recipe, &Selection::default(), settings)?;
    let differences = pack.differences(&planned.compiled, &planned.plan).map_err(wrong)?;
    if !differences.is_empty() {
        tell_faults(args, &differences);
        return Err(FAILED);
    }
    let description = pack.description();
    if !args.json {
        let (files, plan, tasks) = (description.files.len(), description.plan.short(), planned.plan.tasks.len());
        let results = if description.tasks.is_empty() { "; it holds no results" } else { "" };
        answer(&format!("{files} files as they were packed; the texts come to the plan {plan} of {tasks} tasks{results}\n"));
    }
    if !args.rerun {
        let mut place = Place { machine: &settings.values.machine, fetch: false, say: &mut |_| () };
        let outside = needed(&planned.plan, |_| true, &mut place);
        if args.json {
            let outside: Vec<_> = outside.iter().map(crate::plan::Needed::json).collect();
            answer_json(&json!({ "digest": description.digest, "plan": description.plan, "faults": [], "outside": outside }));
        } else {
            answer(&outside_text(&outside));
        }
        return Ok(DONE);
    }
    if description.tasks.is_empty() {
        return Err(complain("the pack holds a recipe alone: there is nothing to compare with; `epo-run PACK` runs it"));
    }
    let (tasks, digest) = (description.tasks.clone(), description.digest.short().to_owned());
    rerun(args, settings, &planned, &tasks, &digest)
}

fn tell_faults(args: &VerifyArgs, faults: &[Fault]) {
    if args.json {
        answer_json(&json!({ "faults": faults }));
    } else {
        faults.iter().for_each(|fault| answer(&format!("{}: {}\n", fault.file, fault.problem)));
        let count = if faults.len() == 1 { "1 fault".to_owned() } else { format!("{} faults", faults.len()) };
        answer(&format!("{count}: do not rely on this pack\n"));
    }
}

fn rerun(args: &VerifyArgs, settings: &Settings, planned: &Planned, tasks: &[PackedTask], digest: &str) -> Result<u8, u8> {
    let device = super::device::open(&settings.values.device).map_err(|message| complain(&message))?;
    let interrupt = Interrupt::on_ctrl_c().map_err(|error| complain(&format!("cannot listen for Ctrl-C: {error}")))?;
    // A place of its own: nothing that lies in the folder of runs is taken for a result, and the same command goes on.
    let place = settings.values.runs.join(format!(".rerun-{digest}"));
    let store = Store::new(&place);
    let cost = |task: &crate::plan::Task| tasks.iter().find(|packed| packed.digest == task.digest).map_or(u64::MAX, |packed| packed.bytes);
    let plan = planned.plan.cheapest_first(cost);
    let machine = settings.values.machine.clone();
    let options = Options { threads: settings.threads(), device, machine, interrupt, ..Options::default() };
    let mut inner: Box<dyn Watch> = match (args.json, std::io::stderr().is_terminal()) {
        (true, _) => Box::new(Quiet),
        (false, true) => Box::new(Bars::stderr()),
        (false, false) => Box::new(Lines::stderr()),
    };
    let comparing = Comparing { store: &store, plan: &plan, tasks, say: !args.json, found: Vec::new() };
    let mut watch = Beside::new(&mut *inner, comparing);
    let record = super::run::record("rerun".into(), planned, settings);
    let done = execute(&plan, &store, record, &options, &mut watch);
    let Comparing { found, .. } = watch.listens;
    drop(inner);
    match done {
        Ok(_) => {}
        Err(ExecError::Interrupted { .. }) => {
            tell("interrupted; the same command goes on");
            return Err(INTERRUPTED);
        }
        Err(error) => {
            compiled::show(&planned.compiled.sources, &Diagnostics(error.diagnostics()));
            return Err(FAILED);
        }
    }
    let agrees = verdict(args, &found);
    if agrees {
        let _ = std::fs::remove_dir_all(&place);
        return Ok(DONE);
    }
    tell(&format!("what was made again lies in {}", place.display()));
    Err(FAILED)
}

/// Says whether the whole agrees: nothing counted differs, and where bytes do, something was counted.
fn verdict(args: &VerifyArgs, found: &[(String, Result<Agreement, String>)]) -> bool {
    let count = |is: fn(&Agreement) -> bool| found.iter().filter(|(_, found)| found.as_ref().is_ok_and(is)).count();
    let same = count(|found| *found == Agreement::Same);
    let within = count(|found| matches!(found, Agreement::Within(_)));
    let unlike = count(|found| matches!(found, Agreement::Unlike(_)));
    let differs = found.len() - same - within - unlike;
    let agrees = differs == 0 && (unlike == 0 || within > 0);
    if args.json {
        let task = |(name, found): &(String, Result<Agreement, String>)| match found {
            Ok(found) => json!({ "task": name, "found": found }),
            Err(problem) => json!({ "task": name, "problem": problem }),
        };
        answer_json(&json!({ "faults": [], "agrees": agrees, "tasks": found.iter().map(task).collect::<Vec<_>>() }));
    } else {
        let word = if agrees { "agrees" } else { "DOES NOT AGREE" };
        answer(&format!(
            "{word}: {same} tasks to the byte, {within} within their intervals, {unlike} of other bytes, {differs} otherwise\n"
        ));
    }
    agrees
}

/// Compares each task as soon as it is made.
struct Comparing<'a> {
    store: &'a Store,
    plan: &'a Plan,
    tasks: &'a [PackedTask],
    say: bool,
    found: Vec<(String, Result<Agreement, String>)>,
}

impl Comparing<'_> {
    fn compare(&mut self, name: &str) {
        let found = self.compared(name);
        if self.say {
            let words = found.as_ref().map_or_else(|problem| format!("cannot be compared: {problem}"), Agreement::words);
            answer(&format!("{name}: {words}\n"));
        }
        self.found.push((name.to_owned(), found));
    }

    fn compared(&self, name: &str) -> Result<Agreement, String> {
        let task = self.plan.tasks.iter().find(|task| self.plan.name(task) == name).ok_or("it is no task of the plan")?;
        let packed = self.tasks.iter().find(|packed| packed.digest == task.digest).ok_or("it is not in the pack")?;
        let status = self.store.status(&task.digest).map_err(|error| error.to_string())?.ok_or("it is not finished")?;
        agreement(packed, &status, &self.store.task_path(&task.digest))
    }
}

impl Listen for Comparing<'_> {
    fn task_taken(&mut self, name: &str, _shown: &mut dyn Watch) {
        self.compare(name);
    }

    fn task_ends(&mut self, name: &str, end: End, _shown: &mut dyn Watch) {
        if end == End::Finished {
            self.compare(name);
        }
    }
}
