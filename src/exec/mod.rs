//! Doing what a plan says: each task in order, taken where it is finished, gone on with where it is half done.

mod bars;
mod beside;
mod context;
mod error;
mod interrupt;
mod lines;
mod live;
mod pace;
mod ranks;
mod recorded;
mod sharing;
mod task;
#[cfg(test)]
mod tests;
mod wait;
mod watch;

use crate::lang::{Diagnostic, Span};
use crate::plan::{Beginning, Middle, Needed, Plan, STATE, Task, beginning, middle, needed};
use crate::ranks::Ranks;
use crate::spec::PipelineSpec;
use crate::stage::{Artifact, InputFolder, Place};
use crate::store::{Claim, Event, FORMAT, Journal, RunFolder, RunRecord, State, Status, Store, StoreError, TaskInfo, output_path};
use std::path::PathBuf;

pub use bars::Bars;
pub use beside::{Beside, Listen};
pub use error::ExecError;
pub use interrupt::Interrupt;
pub use lines::Lines;
pub use live::{Watched, Watching};
pub use ranks::{dismiss, follow, refuse};
pub use recorded::{Recorded, of_plan, of_results, of_run};
pub use watch::{End, Quiet, Start, Watch};

pub(crate) use task::execute_task;
pub(crate) use wait::until_free;

pub use crate::shared::Address;
pub use crate::stage::{Histogram, Looks, Machine, Progress, RunError};

use context::{Heard, TaskContext};
use sharing::{Fetched, Sharing};

/// Settings of an execution. None may change a result.
#[derive(Clone, Debug)]
pub struct Options {
    /// Make every task of the plan anew.
    pub fresh: bool,
    /// For rollouts and kernels; 0 counts as 1.
    pub threads: usize,
    /// For the models; environments and objectives stay on the CPU.
    pub device: candle_core::Device,
    /// What settings say of it.
    pub machine: Machine,
    /// What somebody wants to look at beyond what is recorded.
    pub looks: Looks,
    /// A store that is shared with others: what is there is not computed, and what is finished is put there.
    pub store: Option<Address>,
    /// Checkpoints to keep of each task.
    pub keep: usize,
    /// A clone of it may be kept, to stop from another thread.
    pub interrupt: Interrupt,
    /// Those that share stages which can be shared; the others are the first one's, which executes the plan. See [`follow`].
    pub ranks: Ranks,
}

impl Default for Options {
    fn default() -> Self {
        let (machine, interrupt) = (Machine::default(), Interrupt::default());
        let looks = Looks::default();
        Self {
            fresh: false,
            threads: 1,
            device: candle_core::Device::Cpu,
            machine,
            looks,
            store: None,
            keep: 3,
            interrupt,
            ranks: Ranks::ALONE,
        }
    }
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `ppo_epo/7f3a9c41`.
    pub run: String,
    /// Of the run, with links to its tasks.
    pub folder: PathBuf,
    /// Names of the tasks that were run.
    pub made: Vec<String>,
    /// Names of the tasks that were found finished.
    pub taken: Vec<String>,
    /// Files copied into the run folder: `report.html`, `report.json`.
    pub pages: Vec<PathBuf>,
}

/// Executes a plan. `record` describes the run to those who come later; its `plan` and `tasks` are filled in here.
///
/// Stops at the first task that fails; what is finished stays, and the same command goes on from there. Also on Ctrl-C, after the iteration and its
/// checkpoint. The results do not depend on where or how often it was stopped.
pub fn execute(plan: &Plan, store: &Store, record: RunRecord, options: &Options, watch: &mut dyn Watch) -> Result<Outcome, ExecError> {
    let mut sharing = Sharing::open(options, watch);
    // A store that cannot be read is said where it is opened.
    let finished = |task: &Task| matches!(store.status(&task.digest), Ok(Some(status)) if status.state == State::Finished);
    let runs: Vec<bool> = plan.tasks.iter().map(|task| options.fresh || !(finished(task) || sharing.has(task))).collect();
    look_outside(plan, |index| runs.get(index) == Some(&true), options, watch)?;
    let record = RunRecord { plan: plan.record(), tasks: plan.links(), ..record };
    let mut run = match wait::until_free(watch, options, || store.open_run(&plan.digest, &record)) {
        Err(ExecError::Store(error)) if error.cannot_write() && !options.fresh => return look(plan, store, watch, error),
        other => other?,
    };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    run.event(Event::RunStarted { format: FORMAT, version, pid: std::process::id() })?;
    watch.run_begins(run.path(), plan.tasks.len());
    let mut execution = Execution { plan, store, options, watch: &mut *watch, sharing: &mut sharing, made: Vec::new(), taken: Vec::new() };
    let result = execution.all(&mut run);
    let Execution { made, taken, .. } = execution;
    let pages = end(plan, store, &mut run, result)?;
    sharing.end(watch);
    Ok(Outcome { run: run.id().to_owned(), folder: run.path().to_path_buf(), made, taken, pages })
}

/// Copies the pages of what went well, and writes down how it ended.
pub(crate) fn end(plan: &Plan, store: &Store, run: &mut RunFolder, result: Result<(), ExecError>) -> Result<Vec<PathBuf>, ExecError> {
    let result = result.and_then(|()| Ok(copy_pages(plan, store, run)?));
    let end = match &result {
        Ok(_) => Event::RunFinished,
        Err(error) if error.is_a_stop() => Event::RunInterrupted,
        Err(_) => Event::RunFailed,
    };
    let recorded = run.event(end).and_then(|()| run.sync());
    let pages = result?;
    recorded?;
    Ok(pages)
}

/// Looks at everything outside of the store that the tasks `runs` holds for need, before the first of them runs.
pub(crate) fn look_outside(plan: &Plan, runs: impl Fn(usize) -> bool, options: &Options, watch: &mut dyn Watch) -> Result<(), ExecError> {
    let mut place = Place { machine: &options.machine, fetch: true, say: &mut |line| watch.say(line) };
    let missing: Vec<Diagnostic> = needed(plan, runs, &mut place).iter().filter_map(Needed::diagnostic).collect();
    if missing.is_empty() { Ok(()) } else { Err(ExecError::Outside(missing)) }
}

/// The output of a stage in the middle that belongs to its state: what was selected so far. The others are made at the end.
const SELECTED: &str = "best";

struct Execution<'a> {
    plan: &'a Plan,
    store: &'a Store,
    options: &'a Options,
    watch: &'a mut dyn Watch,
    sharing: &'a mut Sharing,
    made: Vec<String>,
    taken: Vec<String>,
}

impl Execution<'_> {
    fn all(&mut self, run: &mut RunFolder) -> Result<(), ExecError> {
        if self.options.fresh {
            clear(self.plan, self.store, self.options, self.watch)?;
        }
        for index in 0..self.plan.tasks.len() {
            self.stop_if_asked()?;
            self.one(index, run)?;
        }
        Ok(())
    }

    fn stop_if_asked(&self) -> Result<(), ExecError> {
        match self.options.interrupt.requested() {
            true => Err(self.interrupted(None)),
            false => Ok(()),
        }
    }

    fn interrupted(&self, task: Option<String>) -> ExecError {
        // With `--fresh` the same command would begin at the beginning.
        ExecError::Interrupted { task, fresh: self.options.fresh }
    }

    fn one(&mut self, index: usize, run: &mut dyn Journal) -> Result<(), ExecError> {
        let Some(task) = self.plan.tasks.get(index) else { return Ok(()) };
        match finished(self.store, task)? {
            Some(status) => self.take(task, &status, run),
            None => self.make(index, task, run),
        }
    }

    fn take(&mut self, task: &Task, status: &Status, run: &mut dyn Journal) -> Result<(), ExecError> {
        let name = self.plan.name(task);
        run.event(Event::TaskTaken { task: name.clone(), digest: task.digest.hex().into(), made_by: status.by.clone() })?;
        self.watch.task_taken(&name, &status.by);
        self.push(task, &name, false, run)?;
        self.taken.push(name);
        Ok(())
    }

    fn make(&mut self, index: usize, task: &Task, run: &mut dyn Journal) -> Result<(), ExecError> {
        let name = self.plan.name(task);
        let mut claim = wait::until_free(&mut *self.watch, self.options, || self.store.claim(&task.digest))?;
        // Another process may have finished it while we looked, or waited.
        if let Some(status) = finished(self.store, task)? {
            drop(claim);
            return self.take(task, &status, run);
        }
        if !self.options.fresh
            && self.fetch(index, task, &mut claim, run)?
            && let Some(status) = finished(self.store, task)?
        {
            drop(claim);
            return self.take(task, &status, run);
        }
        let note = if claim.status().is_none() && !self.options.fresh { self.begin_longer(task, &mut claim)? } else { None };
        let folder = claim.begin(TaskInfo { name: name.clone(), by: run.id().into(), key: task.key.clone() }, self.options.keep)?;
        let digest = task.digest.hex().to_owned();
        let resumed = folder.checkpoint().map(|c| c.iteration);
        run.event(match resumed {
            Some(iteration) => Event::TaskResumed { task: name.clone(), digest, iteration },
            None => Event::TaskStarted { task: name.clone(), digest },
        })?;
        let (number, total) = (index + 1, self.plan.tasks.len());
        self.watch.task_begins(&Start { name: &name, kind: task.stage.kind(), number, total, resumed, folder: folder.path() });
        if let Some(line) = note {
            self.watch.say(&line);
            run.event(Event::Said { task: name.clone(), line })?;
        }
        for line in folder.warnings() {
            run.event(Event::Warning { task: name.clone(), line: line.clone() })?;
            self.watch.warn(line);
        }

        let ranks = if task.stage.is_shared() { &self.options.ranks } else { &Ranks::ALONE };
        let order = ranks::Order::of(index, task, resumed);
        let mut trouble = None;
        let watch = &mut *self.watch;
        let mut hear = |heard: Heard| {
            let event = context::hear(&name, heard, watch);
            if let Some(Err(error)) = event.map(|event| run.event(event)) {
                trouble.get_or_insert(error);
            }
        };
        let inputs = inputs(self.plan, self.store, task);
        let mut context = TaskContext::new(task.seed, self.options, inputs, folder, &mut hear).knowing(&self.plan.contents).among(ranks);
        let result = match ranks.announce(&order) {
            Ok(()) => ranks::together(ranks, task, &mut context),
            Err(error) => Err(error.into()),
        };
        let folder = context.into_folder();
        if folder.is_lost() {
            drop(folder);
            return self.lost(index, name, run);
        }
        let result = result.and_then(|()| check_outputs(task, folder.path()));

        match result {
            Ok(()) => {
                folder.finish()?;
                if let Some(error) = trouble {
                    return Err(error.into());
                }
                run.event(Event::TaskFinished { task: name.clone() })?;
                self.watch.task_ends(&name, End::Finished);
                self.push(task, &name, self.options.fresh, run)?;
                self.made.push(name);
                Ok(())
            }
            Err(RunError::Interrupted) => {
                drop(folder);
                run.event(Event::TaskInterrupted { task: name.clone() })?;
                self.watch.task_ends(&name, End::Interrupted);
                Err(self.interrupted(Some(name)))
            }
            Err(error) => {
                // The disk may be full: what cannot be written down is still said.
                let message = error.to_string();
                let _ = folder.fail(&message);
                let _ = run.event(Event::TaskFailed { task: name.clone(), message });
                self.watch.task_ends(&name, End::Failed);
                let span = task.members.first().map(|m| m.span);
                Err(ExecError::Failed { task: name, span, error })
            }
        }
    }

    /// Whether the task was in the shared store, and now is here.
    fn fetch(&mut self, index: usize, task: &Task, claim: &mut Claim, run: &mut dyn Journal) -> Result<bool, ExecError> {
        let (name, was_there) = (self.plan.name(task), self.sharing.has(task));
        match self.sharing.fetch(task, claim, self.options)? {
            Fetched::Task => {
                let line = format!("fetched from {}", self.sharing.address());
                self.watch.say(&format!("{name}: {line}"));
                run.event(Event::Said { task: name, line })?;
                return Ok(true);
            }
            Fetched::Warning(line) => self.warn(name, line, run)?,
            Fetched::Nothing => {}
        }
        if was_there {
            look_outside(self.plan, |needs| needs == index, self.options, &mut *self.watch)?;
        }
        Ok(false)
    }

    fn push(&mut self, task: &Task, name: &str, again: bool, run: &mut dyn Journal) -> Result<(), StoreError> {
        match self.sharing.push(self.store, task, again) {
            Some(line) => self.warn(name.to_owned(), line, run),
            None => Ok(()),
        }
    }

    fn warn(&mut self, task: String, line: String, run: &mut dyn Journal) -> Result<(), StoreError> {
        self.watch.warn(&format!("{task}: {line}"));
        run.event(Event::Warning { task, line })
    }

    /// Another machine took this process for dead and is at work on the task: its result will serve as well.
    fn lost(&mut self, index: usize, name: String, run: &mut dyn Journal) -> Result<(), ExecError> {
        let line = "this process showed no sign of life for too long, and another machine has taken the task over".to_owned();
        self.warn(name.clone(), line, run)?;
        run.event(Event::TaskInterrupted { task: name.clone() })?;
        self.watch.task_ends(&name, End::Interrupted);
        self.stop_if_asked()?;
        self.one(index, run)
    }

    /// A run of more iterations begins with what a shorter one left, if that is its beginning; gives what is to be said of it.
    fn begin_longer(&self, task: &Task, claim: &mut Claim) -> Result<Option<String>, StoreError> {
        if let Some(Middle { digest, steps, outputs }) = middle(task, self.store)? {
            let kept: Vec<&str> = outputs.iter().map(String::as_str).filter(|name| *name == SELECTED).collect();
            claim.take_state(&self.store.task_path(&digest), steps, STATE, &kept)?;
            return Ok(Some(format!("goes on from its own beginning, at {steps}")));
        }
        let Some(Beginning { digest, field, count, start }) = beginning(task, self.store)? else { return Ok(None) };
        let whose = format!("the run with {field} = {count}");
        Ok(match start {
            Ok((checkpoint, outputs)) => {
                let taken = claim.take_over(&self.store.task_path(&digest), checkpoint, &outputs)?;
                taken.then(|| format!("goes on from {whose}, at {checkpoint}"))
            }
            Err(why) => Some(format!("does not go on from {whose}: {why}")),
        })
    }
}

/// Empties the folders of all tasks. All are locked before the first is emptied: nothing is lost where another process is at work on one of them.
pub(crate) fn clear(plan: &Plan, store: &Store, options: &Options, watch: &mut dyn Watch) -> Result<(), ExecError> {
    let claim_all = || plan.tasks.iter().map(|t| store.claim(&t.digest)).collect::<Result<Vec<_>, _>>();
    let mut claims = wait::until_free(watch, options, claim_all)?;
    Ok(claims.iter_mut().try_for_each(|claim| claim.clear())?)
}

/// The status of a task whose outputs are those that it was finished with, to the last byte: others will read, show or copy them.
pub(crate) fn finished(store: &Store, task: &Task) -> Result<Option<Status>, StoreError> {
    let status = match store.status(&task.digest) {
        Err(StoreError::Damaged { .. }) => None,
        other => other?,
    };
    let path = store.task_path(&task.digest);
    Ok(status.filter(|status| status.state == State::Finished && task.problem(status, &path).is_none()))
}

/// A store that cannot be written, but holds all that is asked for.
pub(crate) fn look(plan: &Plan, store: &Store, watch: &mut dyn Watch, error: StoreError) -> Result<Outcome, ExecError> {
    let mut taken = Vec::new();
    for task in &plan.tasks {
        match finished(store, task) {
            Ok(Some(status)) => {
                watch.task_taken(&plan.name(task), &status.by);
                taken.push(plan.name(task));
            }
            _ => return Err(error.into()),
        }
    }
    let pages = pages(plan, store).into_iter().map(|(file, _)| file).collect();
    Ok(Outcome { run: String::new(), folder: store.root().to_path_buf(), made: Vec::new(), taken, pages })
}

fn inputs(plan: &Plan, store: &Store, task: &Task) -> Vec<InputFolder> {
    let input = |input: &crate::plan::TaskInput| {
        let (producer, instance) = (plan.tasks.get(input.task)?, plan.instances.get(input.instance)?);
        Some(InputFolder {
            field: input.field.clone(),
            span: input.span,
            pipeline: instance.name.clone(),
            label: PipelineSpec::label_text(instance),
            stage: input.stage.clone(),
            kind: producer.stage.kind().to_owned(),
            output: input.output.clone(),
            digest: producer.digest.hex().to_owned(),
            title: instance.title.clone(),
            equation: instance.equation.clone(),
            resolved: instance.resolved.clone(),
            folder: store.task_path(&producer.digest),
            identity: producer.key["identity"].clone(),
            stops_after: producer.stage.stops_after(),
        })
    };
    task.inputs.iter().filter_map(input).collect()
}

/// A stage must leave what it promised. Metrics and episodes are the task's logs; everything else has a folder.
fn check_outputs(task: &Task, folder: &std::path::Path) -> Result<(), RunError> {
    let in_logs = |artifact| matches!(artifact, Artifact::Metrics | Artifact::Episodes);
    match task.stage.outputs().into_iter().find(|o| !in_logs(o.artifact) && !output_path(folder, o.name).is_dir()) {
        Some(output) => Err(RunError::Failed(format!("a `{}` stage ended without its output `{}`", task.stage.kind(), output.name))),
        None => Ok(()),
    }
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> RunError {
    // A test's crash is no failure of the stage.
    #[cfg(test)]
    let panic = match panic.downcast::<crate::store::fault::Crash>() {
        Ok(crash) => std::panic::resume_unwind(crash),
        Err(panic) => panic,
    };
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    RunError::Failed(format!("a mistake in epo-run itself: {}", text.unwrap_or("a panic without words")))
}

/// Reports are looked for in the run's folder.
fn copy_pages(plan: &Plan, store: &Store, run: &RunFolder) -> Result<Vec<PathBuf>, StoreError> {
    pages(plan, store).into_iter().map(|(from, name)| run.copy(&from, &name)).collect()
}

/// The files of the plan's reports, and what a run calls them: one is called as it is, several by their stage.
fn pages(plan: &Plan, store: &Store) -> Vec<(PathBuf, String)> {
    let outputs = |task: &Task| task.stage.outputs().into_iter().filter(|o| o.artifact == Artifact::Page).collect::<Vec<_>>();
    let tasks: Vec<&Task> = plan.tasks.iter().filter(|task| !outputs(task).is_empty()).collect();
    let mut pages = Vec::new();
    for task in &tasks {
        let stage = task.members.first().and_then(|m| plan.link_name(m)).filter(|_| tasks.len() > 1);
        for output in outputs(task) {
            for file in ["report.html", "report.json"] {
                let from = output_path(&store.task_path(&task.digest), output.name).join(file);
                let name = stage.as_ref().map_or_else(|| file.to_owned(), |stage| file.replace("report", &format!("report.{stage}")));
                if from.is_file() {
                    pages.push((from, name));
                }
            }
        }
    }
    pages
}

/// For messages about a task: its place, if it has one.
fn at(span: Option<Span>, code: &'static str, message: String) -> Diagnostic {
    match span {
        Some(span) => Diagnostic::error(code, span, message),
        None => Diagnostic::bare(code, message),
    }
}
