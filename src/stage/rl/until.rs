//! An RL stage in the middle: `train.at(40)`.

use super::super::context::Context;
use super::super::contract::{Figure, Output, Stage};
use super::super::error::RunError;
use super::super::load::Load;
use super::super::outside::Outside;
use super::checkpoint::STATE_OUTPUT;
use super::fields::Rl;
use super::train::train;
use crate::kind::{Artifact, Identity};
use crate::lang::Span;

/// What others go on from.
pub(super) const STATE: Output = Output { name: STATE_OUTPUT, artifact: Artifact::State };

/// The stage, stopped before its end. Equations and schedules are those of the whole, so that the whole, or another that goes on from here, takes over
/// where it stops.
#[derive(Clone, Debug)]
pub(crate) struct Until {
    whole: Rl,
    end: usize,
}

impl Until {
    /// # Errors
    /// If the stage ends before, or there.
    pub(crate) fn new(whole: &Rl, end: u64) -> Result<Self, String> {
        let iterations = whole.iterations.0;
        match usize::try_from(end) {
            Ok(end) if end < iterations => Ok(Self { whole: whole.clone(), end }),
            _ => Err(format!("it has {iterations} iterations, and can be stopped after 1 to {}", iterations.saturating_sub(1))),
        }
    }
}

impl Identity for Until {
    fn identity(&self) -> serde_json::Value {
        let mut identity = self.whole.identity();
        identity["until"] = self.end.into();
        identity
    }
}

impl Stage for Until {
    fn kind(&self) -> &'static str {
        self.whole.kind()
    }

    fn outputs(&self) -> Vec<Output> {
        self.whole.outputs().into_iter().chain([STATE]).collect()
    }

    fn draws(&self) -> bool {
        true
    }

    fn equation(&self) -> Option<Vec<(String, String)>> {
        self.whole.equation()
    }

    fn arithmetic(&self) -> Vec<Figure> {
        let mut figures = self.whole.arithmetic();
        figures.retain(|figure| !matches!(figure.name.as_str(), "iterations" | "evaluations"));
        figures.push(Figure::new("iterations", format!("{} of {}", self.end, self.whole.iterations.0)));
        figures
    }

    fn load(&self) -> Load<'_> {
        self.whole.load()
    }

    fn outside(&self) -> Vec<Outside<'_>> {
        self.whole.outside()
    }

    fn compares(&self) -> Vec<(&'static str, Span)> {
        self.whole.compares()
    }

    fn stops_after(&self) -> Option<u64> {
        Some(self.end as u64)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        train(&self.whole, self.end, context)
    }
}
