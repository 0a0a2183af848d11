//! What a running stage may ask of the executor.

use super::histogram::{Histogram, Looks};
use crate::env::Machine;
use crate::lang::Span;
use crate::model::pretrained::Content;
use crate::ranks::Ranks;
use crate::seed::Seed;
use crate::store::{TaskFolder, output_path};
use std::path::{Path, PathBuf};

/// The folder of a finished task that an input comes from.
#[derive(Clone, Debug)]
pub struct InputFolder {
    /// The field it was given to: `policy`, `of`.
    pub field: String,
    /// Where it was named there: several tasks of a sweep have one name.
    pub span: Span,
    pub pipeline: String,
    /// `seed=1, lambda=0.003`; empty where nothing was unfolded.
    pub label: String,
    pub stage: String,
    /// The kind of the stage: `rl`.
    pub kind: String,
    /// Which of its outputs: `best`.
    pub output: String,
    pub digest: String,
    /// Of the pipeline, for people: its title, its equation, its text.
    pub title: String,
    pub equation: Vec<(String, String)>,
    pub resolved: String,
    pub folder: PathBuf,
    /// What the task is, but for its inputs and its seed.
    pub identity: serde_json::Value,
    /// Of a stage in the middle, after how many steps it stops.
    pub stops_after: Option<u64>,
}

impl InputFolder {
    /// Of a kind of stage, without a place.
    pub(crate) fn of(kind: &str, digest: &str) -> Self {
        let none = String::new;
        Self {
            field: none(),
            span: Span::NONE,
            pipeline: none(),
            label: none(),
            stage: none(),
            kind: kind.to_owned(),
            output: none(),
            digest: digest.to_owned(),
            title: none(),
            equation: Vec::new(),
            resolved: none(),
            folder: PathBuf::new(),
            identity: serde_json::Value::Null,
            stops_after: None,
        }
    }

    /// The folder of the output itself, for outputs that are files: `<folder>/outputs/<output>`.
    pub(crate) fn path(&self) -> PathBuf {
        output_path(&self.folder, &self.output)
    }

    /// `ppo_epo[seed=1].train`: as plans and messages call the task.
    pub(crate) fn task_name(&self) -> String {
        match self.label.as_str() {
            "" => format!("{}.{}", self.pipeline, self.stage),
            label => format!("{}[{label}].{}", self.pipeline, self.stage),
        }
    }
}

/// How far a task is, for the live display. Never part of results.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// From 0.
    pub done: u64,
    /// 0: not known.
    pub total: u64,
    /// What is counted: `iterations`, `episodes`, `updates`.
    pub unit: &'static str,
    /// `success 41 %`, `entropy 0.93`: short, already formatted, in a fixed order.
    pub notes: Vec<(&'static str, String)>,
}

impl Progress {
    const LOADING: &'static str = "tensors read";

    /// A model is being read: shown on a terminal, and told nowhere else.
    pub(crate) fn loading(done: usize, total: usize) -> Self {
        Self { done: done as u64, total: total as u64, unit: Self::LOADING, notes: Vec::new() }
    }

    pub(crate) fn is_loading(&self) -> bool {
        self.unit == Self::LOADING
    }
}

pub trait Context {
    /// The root of the task's seed tree; 0 for a stage that draws nothing.
    fn seed(&self) -> u64;

    /// [`Self::seed`] as the root of a seed tree.
    fn seeds(&self) -> Seed {
        Seed(self.seed())
    }

    /// Worker threads to use. Must not change any result.
    fn threads(&self) -> usize;

    /// Those that run this stage together. Must not change any result.
    fn ranks(&self) -> &Ranks;

    fn device(&self) -> &candle_core::Device;

    /// What settings say of the machine.
    fn machine(&self) -> &Machine;

    /// A named data folder of the settings (`data.alfworld`).
    fn data(&self, name: &str) -> Option<PathBuf> {
        self.machine().folder(name).map(Path::to_path_buf)
    }

    /// What a folder or file outside of the store held when the plan was made, if that is part of what the task is.
    fn content(&self, path: &Path) -> Option<Content>;

    /// The inputs given to a field, in the order written.
    fn inputs(&self, field: &str) -> Vec<InputFolder>;

    /// The task's own folder.
    fn folder(&mut self) -> &mut TaskFolder;

    fn progress(&mut self, progress: Progress);

    /// What somebody wants to look at beyond what is recorded.
    fn looks(&self) -> Looks;

    /// How some values of a step are spread, for who wanted to look.
    fn histogram(&mut self, step: u64, name: &str, histogram: Histogram);

    /// A line for people (`skipped 3 episodes: …`); goes to the events and the terminal.
    fn say(&mut self, line: &str);

    /// As [`Self::say`], of what is probably not meant.
    fn warn(&mut self, line: &str);

    /// Asked between iterations; `true` after Ctrl-C. Of several ranks only the first is asked by the user.
    fn interrupted(&self) -> bool;
}
