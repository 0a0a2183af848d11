//! Copies of a run's metrics for the programs that people watch runs with. Nothing of a run depends on them, and one that fails is given up with a warning.

mod tensorboard;

use crate::exec::{End, Listen, Start, Watch};
use crate::store::{Growing, METRICS, MetricRecord};
use std::path::{Path, PathBuf};
use tensorboard::EventFile;

/// Where copies go; what is not said is not written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trackers {
    /// A folder for TensorBoard: one folder below it for each task.
    pub tensorboard: Option<PathBuf>,
}

/// Copies what is measured while an execution goes on.
pub struct Tracked<'t> {
    trackers: &'t Trackers,
    task: Option<Task>,
}

/// The task that began last, while its copy goes well.
struct Task {
    metrics: Growing,
    file: EventFile,
}

impl<'t> Tracked<'t> {
    /// Without trackers it does nothing.
    pub fn new(trackers: &'t Trackers) -> Self {
        Self { trackers, task: None }
    }

    /// What came since the last time.
    fn copy(&mut self, shown: &mut dyn Watch) {
        let Some(mut task) = self.task.take() else { return };
        match task.copy() {
            Ok(()) => self.task = Some(task),
            Err(message) => give_up(&message, shown),
        }
    }
}

fn give_up(message: &str, shown: &mut dyn Watch) {
    shown.warn(&format!("TensorBoard is told no more of this task: {message}"));
}

impl Task {
    fn begin(folder: &Path, trackers: &Trackers, name: &str) -> Result<Option<Self>, String> {
        let Some(place) = &trackers.tensorboard else { return Ok(None) };
        let file = EventFile::create(&place.join(file_name(name)))?;
        let mut task = Self { metrics: Growing::new(folder.join(METRICS)), file };
        // Of one that goes on, what it had measured before.
        task.copy()?;
        Ok(Some(task))
    }

    fn copy(&mut self) -> Result<(), String> {
        let records: Vec<MetricRecord> = self.metrics.more().map_err(|error| error.to_string())?;
        records.iter().try_for_each(|record| self.file.scalars(record.iteration, &record.values))?;
        self.file.flush()
    }
}

/// A task's name as the name of a folder: `ppo[seed=1].train`, without what some systems do not have in names.
fn file_name(task: &str) -> String {
    task.chars().map(|c| if c.is_alphanumeric() || "._-+=[](),".contains(c) { c } else { '_' }).collect()
}

impl Listen for Tracked<'_> {
    fn task_begins(&mut self, start: &Start, shown: &mut dyn Watch) {
        match Task::begin(start.folder, self.trackers, start.name) {
            Ok(task) => self.task = task,
            Err(message) => give_up(&message, shown),
        }
    }

    fn progress(&mut self, shown: &mut dyn Watch) {
        self.copy(shown);
    }

    fn task_ends(&mut self, _name: &str, _end: End, shown: &mut dyn Watch) {
        self.copy(shown);
        self.task = None;
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
