//! Copies of a run's metrics for the programs that people watch runs with. Nothing of a run depends on them, and one that fails is given up with a warning.

mod tensorboard;

use crate::exec::{End, Progress, Start, Watch};
use crate::store::{MetricRecord, read_metrics};
use std::path::{Path, PathBuf};
use tensorboard::EventFile;

/// Where copies go; what is not said is not written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trackers {
    /// A folder for TensorBoard: one folder below it for each task.
    pub tensorboard: Option<PathBuf>,
}

/// Shows an execution as `shown` does, and copies what is measured.
pub struct Tracked<'w> {
    shown: &'w mut dyn Watch,
    trackers: &'w Trackers,
    task: Option<Task>,
}

/// The task that began last, while its copy goes well.
struct Task {
    folder: PathBuf,
    file: EventFile,
    /// Records that were copied.
    copied: usize,
}

impl<'w> Tracked<'w> {
    /// Without trackers it only shows.
    pub fn new(shown: &'w mut dyn Watch, trackers: &'w Trackers) -> Self {
        Self { shown, trackers, task: None }
    }

    /// What came since the last time.
    fn copy(&mut self) {
        let Some(mut task) = self.task.take() else { return };
        match task.copy() {
            Ok(()) => self.task = Some(task),
            Err(message) => self.give_up(&message),
        }
    }

    fn give_up(&mut self, message: &str) {
        self.shown.warn(&format!("TensorBoard is told no more of this task: {message}"));
    }
}

impl Task {
    fn begin(folder: &Path, trackers: &Trackers, name: &str) -> Result<Option<Self>, String> {
        let Some(place) = &trackers.tensorboard else { return Ok(None) };
        let file = EventFile::create(&place.join(file_name(name)))?;
        let mut task = Self { folder: folder.to_path_buf(), file, copied: 0 };
        // Of one that goes on, what it had measured before.
        task.copy()?;
        Ok(Some(task))
    }

    fn copy(&mut self) -> Result<(), String> {
        let records: Vec<MetricRecord> = read_metrics(&self.folder).map_err(|error| error.to_string())?;
        for record in records.iter().skip(self.copied) {
            self.file.scalars(record.iteration, &record.values)?;
        }
        self.copied = self.copied.max(records.len());
        self.file.flush()
    }
}

/// A task's name as the name of a folder: `ppo[seed=1].train`, without what some systems do not have in names.
fn file_name(task: &str) -> String {
    task.chars().map(|c| if c.is_alphanumeric() || "._-+=[](),".contains(c) { c } else { '_' }).collect()
}

impl Watch for Tracked<'_> {
    fn run_begins(&mut self, folder: &Path, tasks: usize) {
        self.shown.run_begins(folder, tasks);
    }

    fn task_taken(&mut self, name: &str, by: &str) {
        self.shown.task_taken(name, by);
    }

    fn task_begins(&mut self, start: &Start) {
        self.shown.task_begins(start);
        match Task::begin(start.folder, self.trackers, start.name) {
            Ok(task) => self.task = task,
            Err(message) => self.give_up(&message),
        }
    }

    fn progress(&mut self, progress: &Progress) {
        self.shown.progress(progress);
        self.copy();
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
        self.copy();
        self.task = None;
        self.shown.task_ends(name, end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders() {
        assert_eq!(file_name("ppo[seed=1, lr=0.001].train"), "ppo[seed=1,_lr=0.001].train");
        assert_eq!(file_name("../a/b\\c:d"), ".._a_b_c_d");
    }
}
