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
    /// Those that have begun and whose copies go well.
    tasks: Vec<Task>,
    /// Which is spoken of.
    name: String,
}

struct Task {
    name: String,
    folder: PathBuf,
    file: EventFile,
    /// Records that were copied.
    copied: usize,
}

impl<'w> Tracked<'w> {
    /// Without trackers it only shows.
    pub fn new(shown: &'w mut dyn Watch, trackers: &'w Trackers) -> Self {
        Self { shown, trackers, tasks: Vec::new(), name: String::new() }
    }

    /// What came since the last time.
    fn copy(&mut self) {
        let Some(at) = self.tasks.iter().position(|task| task.name == self.name) else { return };
        if let Some(Err(message)) = self.tasks.get_mut(at).map(Task::copy) {
            self.tasks.remove(at);
            self.give_up(&message);
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
        let mut task = Self { name: name.to_owned(), folder: folder.to_path_buf(), file, copied: 0 };
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
        start.name.clone_into(&mut self.name);
        match Task::begin(start.folder, self.trackers, start.name) {
            Ok(task) => self.tasks.extend(task),
            Err(message) => self.give_up(&message),
        }
    }

    fn turns_to(&mut self, name: &str) {
        name.clone_into(&mut self.name);
        self.shown.turns_to(name);
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
        name.clone_into(&mut self.name);
        self.copy();
        self.tasks.retain(|task| task.name != name);
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
