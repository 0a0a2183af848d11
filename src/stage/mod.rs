//! Stages: the nodes of a pipeline's DAG. This file holds what the plan and the executor know of one; each kind is a file of its own.

pub mod context;

use serde::Serialize;
use std::fmt;

pub use context::{Context, InputFolder, Progress, RunError};

/// The type of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Artifact {
    Tokenizer,
    Episodes,
    Policy,
    Critic,
    Metrics,
    Results,
    Page,
    Folder,
}

impl Artifact {
    /// With its article, for messages: `expected a policy, found metrics`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Tokenizer => "a tokenizer",
            Self::Episodes => "episodes",
            Self::Policy => "a policy",
            Self::Critic => "a critic",
            Self::Metrics => "metrics",
            Self::Results => "results",
            Self::Page => "a page",
            Self::Folder => "a folder",
        }
    }
}

/// One thing that a stage gives: `train.best` is the output `best` of the stage `train`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Output {
    pub name: &'static str,
    pub artifact: Artifact,
}

/// One line of a plan's arithmetic: `minibatches per iteration = 4`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    pub name: String,
    pub value: String,
}

/// A checked stage: everything it needs but the results of other stages and a device.
pub trait Stage: fmt::Debug + Send + Sync {
    /// The word it is written with: `rl`.
    fn kind(&self) -> &'static str;

    /// The first is what the stage's bare name stands for.
    fn outputs(&self) -> Vec<Output>;

    /// All that can change a number in the stage's results, apart from its inputs and its seed. Its serialisation is part of the task's digest:
    /// maps must be ordered, and nothing of where or how fast (devices, folders) may appear.
    fn identity(&self) -> serde_json::Value;

    /// Whether it draws random numbers; if not, one task serves all seeds.
    fn draws(&self) -> bool;

    /// Whether its outputs are wanted for themselves (`report`, `export`), so that nobody need use them.
    fn is_final(&self) -> bool {
        false
    }

    /// Whether its results show the names of the stages it reads (the captions of a report). They then belong to the task's digest; otherwise one task
    /// serves pipelines of any name.
    fn shows_names(&self) -> bool {
        self.is_final()
    }

    /// The batch arithmetic, spelled out for `plan`.
    fn arithmetic(&self) -> Vec<Figure> {
        Vec::new()
    }

    /// Does the work, writing into the task's folder. Must go on from the folder's last checkpoint to the same bytes as if never interrupted.
    fn run(&self, context: &mut dyn Context) -> Result<(), RunError>;
}
