//! Watching jobs until none is left: what they write, and what their engine says of them.

use super::execute::{Earlier, key};
use super::open::{Ended, Open};
use super::{Engine, JobState, Site, log};
use crate::exec::{End, ExecError, Options, Watch, finished};
use crate::plan::Plan;
use crate::store::{Event, Journal, RunFolder, Store, Tail};
use std::time::{Duration, Instant};

/// Between two looks at what jobs have written.
const PAUSE: Duration = Duration::from_millis(300);
/// Between two questions to the engine, which has others to answer.
const ASK: Duration = Duration::from_secs(5);
/// What one machine has written, another may see later.
const PATIENCE: Duration = Duration::from_secs(12);
/// The same, of a job that its engine saw fail.
const LESS: Duration = Duration::from_secs(4);

pub(super) struct Listener<'a> {
    pub plan: &'a Plan,
    pub store: &'a Store,
    pub options: &'a Options,
    pub watch: &'a mut dyn Watch,
    pub made: Vec<String>,
    pub taken: Vec<String>,
    open: Vec<Open>,
    failed: Vec<(usize, ExecError)>,
    /// The engine does not answer, as was said.
    silent: bool,
}

impl<'a> Listener<'a> {
    pub(super) fn new(plan: &'a Plan, store: &'a Store, options: &'a Options, watch: &'a mut dyn Watch) -> Self {
        let (made, taken) = (Vec::new(), Vec::new());
        Self { plan, store, options, watch, made, taken, open: Vec::new(), failed: Vec::new(), silent: false }
    }

    fn name(&self, index: usize) -> String {
        self.plan.tasks.get(index).map(|task| self.plan.name(task)).unwrap_or_default()
    }

    /// A task was finished by the run `by`.
    pub(super) fn take(&mut self, index: usize, by: &str, run: &mut RunFolder) -> Result<(), ExecError> {
        let Some(task) = self.plan.tasks.get(index) else { return Ok(()) };
        let name = self.plan.name(task);
        run.event(Event::TaskTaken { task: name.clone(), digest: task.digest.hex().into(), made_by: by.to_owned() })?;
        self.watch.task_taken(&name, by);
        self.taken.push(name);
        Ok(())
    }

    /// A task that a job does.
    pub(super) fn open(&mut self, index: usize, job: String, tail: Tail) {
        let Some(task) = self.plan.tasks.get(index) else { return };
        self.open.push(Open::new(index, self.plan.name(task), task.digest.clone(), job, tail));
    }

    /// What the job opened last has written so far. What the run's events have already is shown only as far as it still holds.
    pub(super) fn catch_up(&mut self, earlier: &Earlier, run: &mut RunFolder) -> Result<(), ExecError> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        let (mut start, mut progress) = (None, None);
        for record in open.tail.next()? {
            if !earlier.contains(&key(&record)) {
                for event in [start.take(), progress.take()].into_iter().flatten() {
                    open.show(&event, self.plan, self.store, self.watch);
                }
                run.copy_event(&record)?;
                open.show(&record.event, self.plan, self.store, self.watch);
                continue;
            }
            match record.event {
                Event::TaskStarted { .. } | Event::TaskResumed { .. } => (start, progress) = (Some(record.event), None),
                Event::Progress { .. } => progress = Some(record.event),
                Event::TaskFinished { .. } | Event::TaskFailed { .. } | Event::TaskInterrupted { .. } => (start, progress) = (None, None),
                _ => {}
            }
        }
        for event in [start, progress].into_iter().flatten() {
            open.show(&event, self.plan, self.store, self.watch);
        }
        Ok(())
    }

    /// Until every task is finished, failed, or left out because of one that failed.
    pub(super) fn listen(&mut self, engine: &mut dyn Engine, site: &Site, cancel: bool, run: &mut RunFolder) -> Result<(), ExecError> {
        let mut asked = Instant::now();
        while !self.open.is_empty() {
            if self.options.interrupt.requested() {
                return Err(self.leave(engine, site, cancel));
            }
            self.hear(run)?;
            let ended = self.settle(engine, site, run)?;
            if self.open.is_empty() {
                break;
            }
            if asked.elapsed() >= ASK || ended {
                self.ask(engine, site);
                asked = Instant::now();
            }
            std::thread::sleep(PAUSE);
        }
        self.failed.sort_by_key(|(index, _)| *index);
        let mut failed: Vec<ExecError> = self.failed.drain(..).map(|(_, error)| error).collect();
        match failed.len() {
            0 => Ok(()),
            1 => Err(failed.remove(0)),
            _ => Err(ExecError::Several(failed)),
        }
    }

    fn leave(&mut self, engine: &mut dyn Engine, site: &Site, cancel: bool) -> ExecError {
        for open in &mut self.open {
            open.hide(End::Interrupted, self.watch);
        }
        let names: Vec<String> = self.open.iter().map(|open| open.job.clone()).collect();
        match if cancel { engine.cancel(site, &names) } else { Ok(()) } {
            Ok(()) => ExecError::Left { engine: engine.name(), going: names.len(), cancelled: cancel },
            Err(error) => error,
        }
    }

    fn hear(&mut self, run: &mut RunFolder) -> Result<(), ExecError> {
        for open in &mut self.open {
            for record in open.tail.next()? {
                run.copy_event(&record)?;
                open.show(&record.event, self.plan, self.store, self.watch);
            }
        }
        Ok(())
    }

    /// Closes the tasks that are over; says whether there was one.
    fn settle(&mut self, engine: &mut dyn Engine, site: &Site, run: &mut RunFolder) -> Result<bool, ExecError> {
        let mut any = false;
        let mut at = 0;
        while let Some(open) = self.open.get_mut(at) {
            // A job that failed is believed; that one finished is seen in the store.
            if open.ended.is_some() && open.over.is_none() {
                open.over = Some((Instant::now(), JobState::Done));
            }
            let Some((since, state)) = open.over.clone() else {
                at += 1;
                continue;
            };
            let Some(task) = self.plan.tasks.get(open.index) else { return Ok(any) };
            let status = match open.ended {
                Some(Ended::Failed(_)) => None,
                _ => finished(self.store, task)?,
            };
            let patience = if matches!(state, JobState::Failed(_) | JobState::Cancelled) { LESS } else { PATIENCE };
            let patient = since.elapsed() < patience && !matches!(open.ended, Some(Ended::Failed(_)));
            if status.is_none() && patient {
                at += 1;
                continue;
            }
            any = true;
            let mut open = self.open.remove(at);
            match status {
                Some(status) => self.finish(&mut open, &status.by, run)?,
                None => self.fail(&mut open, &state, engine, site, run)?,
            }
        }
        Ok(any)
    }

    fn finish(&mut self, open: &mut Open, by: &str, run: &mut RunFolder) -> Result<(), ExecError> {
        if by != run.id() {
            open.hide(End::Interrupted, self.watch);
            if matches!(open.ended, Some(Ended::Taken(_))) {
                self.watch.task_taken(&open.name, by);
                self.taken.push(open.name.clone());
                return Ok(());
            }
            return self.take(open.index, by, run);
        }
        if open.ended.is_none() {
            // Its job was killed between its last two words.
            run.event(Event::TaskFinished { task: open.name.clone() })?;
        }
        open.hide(End::Finished, self.watch);
        self.made.push(open.name.clone());
        Ok(())
    }

    fn fail(
        &mut self,
        open: &mut Open,
        state: &JobState,
        engine: &mut dyn Engine,
        site: &Site,
        run: &mut RunFolder,
    ) -> Result<(), ExecError> {
        open.hide(End::Failed, self.watch);
        let path = site.log(&open.task);
        let whole = format!("what its job said: {}", path.display());
        let (message, help) = match &open.ended {
            Some(Ended::Failed(message)) => (message.clone(), whole),
            _ => {
                let how = match state {
                    JobState::Failed(how) => how.clone(),
                    JobState::Cancelled => "it was cancelled".to_owned(),
                    _ => format!("{} knows nothing of it any more, and it is not finished", engine.name()),
                };
                let message = format!("its job {} of {} ended early: {how}", open.job, engine.name());
                run.event(Event::TaskFailed { task: open.name.clone(), message: message.clone() })?;
                let said = log::end(&path).map_or_else(
                    || {
                        format!(
                            "its job said nothing; are the run folder and the program where they are here, on every machine?\n{}",
                            path.display()
                        )
                    },
                    |end| format!("{whole}, which ends:\n{end}"),
                );
                (message, said)
            }
        };
        let span = self.plan.tasks.get(open.index).and_then(|task| task.members.first()).map(|member| member.span);
        self.failed.push((open.index, ExecError::Job { task: open.name.clone(), span, message, help: Some(help) }));
        self.leave_out(open.index, engine, site, run)
    }

    /// What comes after a task that failed cannot be run.
    fn leave_out(&mut self, failed: usize, engine: &mut dyn Engine, site: &Site, run: &mut RunFolder) -> Result<(), ExecError> {
        let mut out = vec![failed];
        let mut jobs = Vec::new();
        let because = self.name(failed);
        // A task stands behind all that it comes after.
        self.open.sort_by_key(|open| open.index);
        let mut at = 0;
        while let Some(open) = self.open.get(at) {
            let before = self.plan.tasks.get(open.index).map_or(&[][..], |task| &task.before);
            if !before.iter().any(|index| out.contains(index)) {
                at += 1;
                continue;
            }
            let mut open = self.open.remove(at);
            open.hide(End::Interrupted, self.watch);
            out.push(open.index);
            let line = format!("not run: `{because}` failed");
            self.watch.warn(&format!("{}: {line}", open.name));
            run.event(Event::Warning { task: open.name, line })?;
            jobs.push(open.job);
        }
        if !jobs.is_empty() {
            // An engine takes them back by itself; where it does so late, or not at all, they wait for nothing.
            let _ = engine.cancel(site, &jobs);
        }
        Ok(())
    }

    /// What the engine says of the jobs that are open.
    fn ask(&mut self, engine: &mut dyn Engine, site: &Site) {
        let names: Vec<String> = self.open.iter().map(|open| open.job.clone()).collect();
        let states = match engine.states(site, &names) {
            Ok(states) => states,
            Err(error) => {
                // Jobs go on without it.
                if !std::mem::replace(&mut self.silent, true) {
                    self.watch.warn(&format!("{error}; it is asked again"));
                }
                return;
            }
        };
        if std::mem::take(&mut self.silent) {
            self.watch.waits(&format!("{} answers again", engine.name()));
        }
        for open in &mut self.open {
            match states.get(&open.job) {
                Some(JobState::Running) => open.over = None,
                Some(JobState::Waiting(reason)) => {
                    open.over = None;
                    if let Some(reason) = reason.as_ref().filter(|reason| open.reason.as_ref() != Some(*reason)) {
                        self.watch.waits(&format!("{} waits: {} says {reason}", open.name, engine.name()));
                    }
                    open.reason.clone_from(reason);
                }
                state => {
                    let state = state.cloned().unwrap_or(JobState::Done);
                    let since = open.over.as_ref().map_or_else(Instant::now, |(since, _)| *since);
                    open.over = Some((since, state));
                }
            }
        }
    }
}
