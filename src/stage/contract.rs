//! What the plan and the executor know of a stage.

use super::context::Context;
use super::error::RunError;
use super::length::Length;
use super::load::Load;
use super::outside::Outside;
use crate::kind::{Artifact, Identity};
use crate::lang::Span;
use serde::Serialize;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

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

impl Figure {
    pub(crate) fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// A checked stage: everything it needs but the results of other stages and a device. Its identity is all that can change a number in its
/// results, apart from its inputs and its seed.
pub trait Stage: Identity + fmt::Debug + Send + Sync {
    /// The word it is written with: `rl`.
    fn kind(&self) -> &'static str;

    /// The first is what the stage's bare name stands for.
    fn outputs(&self) -> Vec<Output>;

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

    /// Whether it brings seeds together: what it names of a pipeline with seeds, also of its own, it is given of all of them. Of a run of some seeds alone
    /// it is given those.
    fn pools_seeds(&self) -> bool {
        false
    }

    /// The splits that it plays each task of, with how many tasks they have where that is known before the run.
    fn panels(&self) -> Vec<(String, Option<usize>)> {
        Vec::new()
    }

    /// The batch arithmetic, spelled out for `plan`.
    fn arithmetic(&self) -> Vec<Figure> {
        Vec::new()
    }

    /// The models that it holds while it runs, and what is done with them.
    fn load(&self) -> Load<'_> {
        Load::default()
    }

    /// The most tokens of the tokenizer that it gives.
    fn vocabulary(&self) -> Option<usize> {
        None
    }

    /// What it reads that lies outside of the store.
    fn outside(&self) -> Vec<Outside<'_>> {
        Vec::new()
    }

    /// The lines of its loss, for people; `minimize` last.
    fn equation(&self) -> Option<Vec<(String, String)>> {
        None
    }

    /// Fields that take a policy which is asked about the tokens of the stage's `policy`, and where they were written.
    fn compares(&self) -> Vec<(&'static str, Span)> {
        Vec::new()
    }

    /// How often it repeats what it does, where a longer run may go on from a shorter one.
    fn length(&self) -> Option<Length> {
        None
    }

    /// Whether a shorter run of the same stage, which left this task folder, is at this checkpoint what a run of this length would be; the outputs that
    /// belong to the checkpoint.
    ///
    /// # Errors
    /// Why not, in words.
    fn continues(&self, _shorter: &Path, _checkpoint: u64) -> Result<Vec<&'static str>, String> {
        Ok(Vec::new())
    }

    /// The stage as it is after so many of its steps, with all that it then depends on as an output of its own (`state`).
    ///
    /// # Errors
    /// Why it cannot be stopped there, in words.
    fn until(&self, _steps: u64) -> Result<Arc<dyn Stage>, String> {
        Err(format!("a `{}` stage is not stopped in the middle; an `rl` stage can be", self.kind()))
    }

    /// Of such a stage, after how many steps it stops.
    fn stops_after(&self) -> Option<u64> {
        None
    }

    /// Whether several ranks run it together: each calls `run`, and comes to the same.
    fn is_shared(&self) -> bool {
        false
    }

    /// Does the work, writing into the task's folder. Must go on from the folder's last checkpoint to the same bytes as if never interrupted.
    fn run(&self, context: &mut dyn Context) -> Result<(), RunError>;
}
