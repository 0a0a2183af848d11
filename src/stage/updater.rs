//! Training a set of weights: the optimiser as it was declared, and what it keeps from update to update.

use super::context::Context;
use super::error::RunError;
use super::histogram::Histogram;
use crate::equation::Now;
use crate::kind::Part;
use crate::lang::{Diagnostic, Span};
use crate::model::{Compute, Gradients, ModelError, OptimizerState, Weights};
use crate::policy::OptimizerKind;
use candle_core::DType;
use std::path::Path;
use std::sync::Arc;

/// The files of an updater in a checkpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Files {
    weights: &'static str,
    optimizer: &'static str,
}

impl Files {
    /// Whether a folder has them.
    pub(crate) fn are_in(self, folder: &Path) -> bool {
        folder.join(self.weights).is_file()
    }
}

pub(crate) const POLICY: Files = Files { weights: "policy.safetensors", optimizer: "optimizer.safetensors" };
pub(crate) const CRITIC: Files = Files { weights: "critic.safetensors", optimizer: "critic_optimizer.safetensors" };

/// What of an update is not finite.
#[derive(Debug)]
pub(crate) enum Spoilt {
    Gradient,
    /// After the step.
    Weights {
        /// The first of them.
        name: String,
        /// The learning rate.
        rate: f64,
    },
}

pub(crate) struct Updater {
    weights: Arc<Weights>,
    state: OptimizerState,
    settings: Part<dyn OptimizerKind>,
    /// Whether the next gradients are to be looked at, and what was seen.
    look: bool,
    seen: Vec<(String, Histogram)>,
}

impl Updater {
    /// # Errors
    /// If the device has no room for what the optimiser keeps.
    pub(crate) fn new(weights: Arc<Weights>, settings: &Part<dyn OptimizerKind>) -> Result<Self, ModelError> {
        let state = settings.start(&weights)?;
        Ok(Self { weights, state, settings: settings.clone(), look: false, seen: Vec::new() })
    }

    /// The learning rate.
    pub(crate) fn rate(&self, now: Now) -> f64 {
        self.settings.rate(now)
    }

    /// The next gradients are looked at, before they are clipped.
    pub(crate) fn look(&mut self) {
        self.look = true;
    }

    /// How the gradients that were looked at are spread, by tensor.
    pub(crate) fn seen(&mut self) -> Vec<(String, Histogram)> {
        std::mem::take(&mut self.seen)
    }

    /// Clips, refuses a gradient that is not finite, makes the step, and refuses weights that are not finite; gives the gradient's norm before
    /// clipping.
    ///
    /// # Errors
    /// `refusal` of what is not finite, or what the device says.
    pub(crate) fn step(&mut self, mut gradients: Gradients, now: Now, refusal: impl FnOnce(Spoilt) -> RunError) -> Result<f64, RunError> {
        let threads = gradients.threads();
        if std::mem::take(&mut self.look) {
            self.seen = spread(&gradients)?;
        }
        let norm = match self.settings.clip_norm() {
            Some(most) => gradients.clip(most)?,
            None => gradients.norm()?,
        };
        if !norm.is_finite() {
            return Err(refusal(Spoilt::Gradient));
        }
        self.settings.step(&mut self.state, &self.weights, &gradients, now)?;
        match self.weights.trained_not_finite(threads)? {
            Some(name) => Err(refusal(Spoilt::Weights { name, rate: self.rate(now) })),
            None => Ok(norm),
        }
    }

    /// Writes what is trained, and the optimiser's state.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn save(&self, folder: &Path, files: Files) -> Result<(), ModelError> {
        self.weights.save_trained(&folder.join(files.weights))?;
        self.state.save(&folder.join(files.optimizer))
    }

    /// Goes back to what [`Updater::save`] wrote.
    ///
    /// # Errors
    /// If a file cannot be read or is of other weights.
    pub(crate) fn restore(&mut self, folder: &Path, files: Files) -> Result<(), ModelError> {
        self.weights.restore_trained(&folder.join(files.weights))?;
        self.state.restore(&folder.join(files.optimizer))
    }
}

fn spread(gradients: &Gradients) -> Result<Vec<(String, Histogram)>, ModelError> {
    let mut found = Vec::new();
    for (name, tensor) in gradients.tensors() {
        let values = tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
        found.extend(Histogram::of(&values).map(|histogram| (name.clone(), histogram)));
    }
    Ok(found)
}

/// What is said of a loss or a gradient that is not finite.
pub(crate) fn not_finite(place: Span, message: String) -> RunError {
    RunError::At(Box::new(Diagnostic::error("E0504", place, message).help("lower the learning rate or set `clip_norm`")))
}

pub(crate) fn compute(context: &dyn Context, micro_batch: usize, checkpointing: bool) -> Compute {
    Compute {
        threads: context.threads(),
        micro_batch: Some(micro_batch),
        checkpointing,
        ranks: context.ranks().clone(),
        ..Compute::default()
    }
}
