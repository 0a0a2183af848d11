use super::watch::{End, Start, Watch};
use crate::stage::{Histogram, Progress};
use std::path::{Path, PathBuf};

/// Hears of an execution that somebody else shows. Every method may do nothing; `shown` is that somebody, who has heard of it already.
pub trait Listen {
    /// As [`Watch::run_begins`].
    fn run_begins(&mut self, _folder: &Path, _shown: &mut dyn Watch) {}
    /// The execution is over, with these pages; whoever executes says so.
    fn run_ends(&mut self, _end: End, _pages: &[PathBuf], _shown: &mut dyn Watch) {}
    /// As [`Watch::task_taken`].
    fn task_taken(&mut self, _name: &str, _shown: &mut dyn Watch) {}
    /// As [`Watch::task_begins`].
    fn task_begins(&mut self, _start: &Start, _shown: &mut dyn Watch) {}
    /// As [`Watch::progress`].
    fn progress(&mut self, _shown: &mut dyn Watch) {}
    /// As [`Watch::histogram`].
    fn histogram(&mut self, _step: u64, _name: &str, _histogram: &Histogram, _shown: &mut dyn Watch) {}
    /// As [`Watch::task_ends`].
    fn task_ends(&mut self, _name: &str, _end: End, _shown: &mut dyn Watch) {}
}

/// Shows an execution as `shown` does, while `listens` hears of it.
pub struct Beside<'w, L> {
    shown: &'w mut dyn Watch,
    /// Who hears of it.
    pub listens: L,
}

impl<'w, L: Listen> Beside<'w, L> {
    /// Both of them.
    pub fn new(shown: &'w mut dyn Watch, listens: L) -> Self {
        Self { shown, listens }
    }

    /// Tells that the execution is over.
    pub fn run_ends(&mut self, end: End, pages: &[PathBuf]) {
        self.listens.run_ends(end, pages, self.shown);
    }
}

impl<L: Listen> Watch for Beside<'_, L> {
    fn run_begins(&mut self, folder: &Path, tasks: usize) {
        self.shown.run_begins(folder, tasks);
        self.listens.run_begins(folder, self.shown);
    }

    fn task_taken(&mut self, name: &str, by: &str) {
        self.shown.task_taken(name, by);
        self.listens.task_taken(name, self.shown);
    }

    fn task_begins(&mut self, start: &Start) {
        self.shown.task_begins(start);
        self.listens.task_begins(start, self.shown);
    }

    fn progress(&mut self, progress: &Progress) {
        self.shown.progress(progress);
        self.listens.progress(self.shown);
    }

    fn histogram(&mut self, step: u64, name: &str, histogram: &Histogram) {
        self.shown.histogram(step, name, histogram);
        self.listens.histogram(step, name, histogram, self.shown);
    }

    fn say(&mut self, line: &str) {
        self.shown.say(line);
    }

    fn warn(&mut self, line: &str) {
        self.shown.warn(line);
    }

    fn waits(&mut self, line: &str) {
        self.shown.waits(line);
    }

    fn task_ends(&mut self, name: &str, end: End) {
        self.shown.task_ends(name, end);
        self.listens.task_ends(name, end, self.shown);
    }
}
