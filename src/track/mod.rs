//! Copies of a run's metrics for the programs that people watch runs with. Nothing of a run depends on them, and one that fails is a warning.

mod mlflow;
mod tensorboard;

use crate::exec::{End, Histogram, Listen, Looks, Start, Watch};
use crate::store::{Growing, METRICS, MetricRecord};
use mlflow::Mlflow;
use std::path::{Path, PathBuf};
use tensorboard::EventFile;

/// Where copies go; what is not said is not written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trackers {
    /// A folder for TensorBoard: one folder below it for each task.
    pub tensorboard: Option<PathBuf>,
    /// Whether TensorBoard is told of gradients too.
    pub gradients: bool,
    /// The address of a server of MLflow.
    pub mlflow: Option<String>,
}

impl Trackers {
    /// What they want to look at beyond what is recorded.
    pub fn looks(&self) -> Looks {
        let there = self.tensorboard.is_some();
        Looks { entropies: there, gradients: there && self.gradients }
    }
}

/// Copies what is measured while an execution goes on.
pub struct Tracked<'t> {
    trackers: &'t Trackers,
    /// Of the task that began last, while its copy goes well.
    tensorboard: Option<Task>,
    mlflow: Option<Mlflow>,
}

/// A task's copy for TensorBoard.
struct Task {
    metrics: Growing,
    file: EventFile,
}

impl<'t> Tracked<'t> {
    /// Without trackers it does nothing.
    pub fn new(trackers: &'t Trackers) -> Self {
        Self { trackers, tensorboard: None, mlflow: None }
    }

    /// What came since the last time.
    fn copy(&mut self, shown: &mut dyn Watch) {
        if let Some(mlflow) = &self.mlflow {
            mlflow.warnings().for_each(|warning| shown.warn(&warning));
        }
        let Some(mut task) = self.tensorboard.take() else { return };
        match task.copy() {
            Ok(()) => self.tensorboard = Some(task),
            Err(message) => give_up(&message, shown),
        }
    }
}

fn give_up(message: &str, shown: &mut dyn Watch) {
    shown.warn(&format!("TensorBoard is told no more of this task: {message}"));
}

impl Task {
    fn begin(folder: &Path, place: &Path, name: &str) -> Result<Self, String> {
        let file = EventFile::create(&place.join(file_name(name)))?;
        let mut task = Self { metrics: Growing::new(folder.join(METRICS)), file };
        // Of one that goes on, what it had measured before.
        task.copy()?;
        Ok(task)
    }

    fn histogram(&mut self, step: u64, name: &str, histogram: &Histogram) -> Result<(), String> {
        if let Some(tensor) = name.strip_prefix("gradient/") {
            let norm = (format!("gradient_norm/{tensor}"), histogram.squares.sqrt());
            self.file.scalars(step, &[norm].into())?;
        }
        self.file.histogram(step, name, histogram)
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
    fn run_begins(&mut self, folder: &Path, shown: &mut dyn Watch) {
        let Some(url) = &self.trackers.mlflow else { return };
        match Mlflow::start(url, folder) {
            Ok(mlflow) => self.mlflow = Some(mlflow),
            Err(message) => shown.warn(&format!("MLflow is told nothing: {message}")),
        }
    }

    fn task_begins(&mut self, start: &Start, shown: &mut dyn Watch) {
        if let Some(mlflow) = &self.mlflow {
            mlflow.begins(start.name, start.folder);
        }
        if let Some(place) = &self.trackers.tensorboard {
            match Task::begin(start.folder, place, start.name) {
                Ok(task) => self.tensorboard = Some(task),
                Err(message) => give_up(&message, shown),
            }
        }
    }

    fn histogram(&mut self, step: u64, name: &str, histogram: &Histogram, shown: &mut dyn Watch) {
        let Some(mut task) = self.tensorboard.take() else { return };
        match task.histogram(step, name, histogram) {
            Ok(()) => self.tensorboard = Some(task),
            Err(message) => give_up(&message, shown),
        }
    }

    fn progress(&mut self, shown: &mut dyn Watch) {
        if let Some(mlflow) = &self.mlflow {
            mlflow.progress();
        }
        self.copy(shown);
    }

    fn task_ends(&mut self, _name: &str, end: End, shown: &mut dyn Watch) {
        if let Some(mlflow) = &self.mlflow {
            mlflow.ends(end);
        }
        self.copy(shown);
        self.tensorboard = None;
    }

    fn run_ends(&mut self, end: End, pages: &[PathBuf], shown: &mut dyn Watch) {
        let warnings = self.mlflow.take().map(|mlflow| mlflow.over(end, pages.to_vec())).unwrap_or_default();
        warnings.iter().for_each(|warning| shown.warn(warning));
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
