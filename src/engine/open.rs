//! A task that an engine has, as its watcher sees it.

use super::JobState;
use crate::exec::{End, Progress, Start, Watch};
use crate::plan::Plan;
use crate::store::{Digest, Event, Store, Tail};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A task that is not done.
pub(super) struct Open {
    /// In the plan.
    pub index: usize,
    pub name: String,
    pub task: Digest,
    /// What its engine calls its job.
    pub job: String,
    pub tail: Tail,
    /// Its job has begun, and is shown.
    pub shown: bool,
    /// What its job said last of how it ended.
    pub ended: Option<Ended>,
    /// Since when the job is known to be over, while the task is not seen to be.
    pub over: Option<(Instant, JobState)>,
    /// Why it waits, as was said last.
    pub reason: Option<String>,
}

/// How a job ended, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Finished,
    /// Somebody else had finished it.
    Taken(String),
    Failed(String),
}

impl Open {
    pub(super) fn new(index: usize, name: String, task: Digest, job: String, tail: Tail) -> Self {
        Self { index, name, task, job, tail, shown: false, ended: None, over: None, reason: None }
    }

    /// Shows what its job wrote down.
    pub(super) fn show(&mut self, event: &Event, plan: &Plan, store: &Store, watch: &mut dyn Watch) {
        match event {
            Event::TaskStarted { .. } => self.begin(None, plan, store, watch),
            Event::TaskResumed { iteration, .. } => self.begin(Some(*iteration), plan, store, watch),
            Event::Progress { done, total, unit, notes, .. } if self.shown => {
                watch.turns_to(&self.name);
                let notes = notes.iter().map(|(name, value)| (lasting(name), value.clone())).collect();
                watch.progress(&Progress { done: *done, total: *total, unit: lasting(unit), notes });
            }
            Event::Said { line, .. } if self.shown => {
                watch.turns_to(&self.name);
                watch.say(line);
            }
            Event::Warning { line, .. } => watch.warn(&format!("{}: {line}", self.name)),
            Event::TaskInterrupted { .. } => self.hide(End::Interrupted, watch),
            Event::TaskFinished { .. } => self.ended = Some(Ended::Finished),
            Event::TaskTaken { made_by, .. } => self.ended = Some(Ended::Taken(made_by.clone())),
            Event::TaskFailed { message, .. } => self.ended = Some(Ended::Failed(message.clone())),
            _ => {}
        }
    }

    fn begin(&mut self, resumed: Option<u64>, plan: &Plan, store: &Store, watch: &mut dyn Watch) {
        // Its machine died, and another goes on.
        self.hide(End::Interrupted, watch);
        (self.ended, self.over, self.reason) = (None, None, None);
        let (number, total) = (self.index + 1, plan.tasks.len());
        let kind = plan.tasks.get(self.index).map_or("", |task| task.stage.kind());
        let folder = store.task_path(&self.task);
        watch.task_begins(&Start { name: &self.name, kind, number, total, resumed, folder: &folder });
        self.shown = true;
    }

    /// Ends what is shown of it.
    pub(super) fn hide(&mut self, end: End, watch: &mut dyn Watch) {
        if std::mem::take(&mut self.shown) {
            watch.task_ends(&self.name, end);
        }
    }
}

/// How many words of progress are kept.
const WORDS: usize = 256;

/// The few words that stages count in, as long as the program lives: those of a job come out of a file.
fn lasting(word: &str) -> &'static str {
    static KEPT: Mutex<BTreeMap<String, &'static str>> = Mutex::new(BTreeMap::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(word) {
        return known;
    }
    if kept.len() >= WORDS || word.len() > 64 {
        return "…";
    }
    let new: &'static str = Box::leak(word.to_owned().into_boxed_str());
    kept.insert(word.to_owned(), new);
    new
}
