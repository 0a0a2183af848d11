//! The critic: a backbone of its own and one number for each token.

use super::engine::{Answers, Ask, Pending, answers};
use super::score::singles;
use super::weights::Head;
use super::{Compute, DecoderConfig, Gradients, ModelError, Row, Weights};
use candle_core::{DType, Device};
use std::path::Path;

/// Estimates the return at the positions that predict a response's tokens.
///
/// Rows are those of the policy; of a target only its position matters.
#[derive(Debug)]
pub struct Critic {
    weights: Weights,
}

impl Critic {
    /// A critic with a random backbone; its head is zero, so its first estimates are 0.
    pub fn init(config: &DecoderConfig, seed: u64, device: &Device, dtype: DType) -> Result<Critic, ModelError> {
        Ok(Critic { weights: Weights::init_with(config, Head::Value, seed, device, dtype)? })
    }

    /// A critic whose backbone starts as a copy of a policy's.
    pub fn from_backbone(policy: &Weights) -> Result<Critic, ModelError> {
        let critic = Critic::init(policy.config(), 0, &policy.device(), policy.dtype())?;
        critic.weights.copy_from(policy)?;
        Ok(critic)
    }

    pub fn load(path: &Path, config: &DecoderConfig, device: &Device) -> Result<Critic, ModelError> {
        Ok(Critic { weights: Weights::load_with(path, config, Head::Value, device)? })
    }

    /// For the optimiser, for saving and hashing.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// One estimate for every target, in the order of [`Scores`](super::Scores).
    pub fn values(&self, rows: &[Row], compute: &Compute) -> Result<Vec<f32>, ModelError> {
        Ok(match self.weights.dtype() {
            DType::F64 => first(answers::<f64>(&self.weights, rows, Ask::Value, compute)?),
            _ => first(answers::<f32>(&self.weights, rows, Ask::Value, compute)?),
        })
    }

    /// Values whose gradient is asked for when the loss has been evaluated.
    pub fn evaluate<'a>(&'a self, rows: &'a [Row], compute: &Compute) -> Result<ValueEvaluation<'a>, ModelError> {
        let weights = &self.weights;
        Ok(match weights.dtype() {
            DType::F64 => {
                let (pending, found) = Pending::<f64>::new(weights, rows, Ask::Value, compute, true)?;
                ValueEvaluation { values: first(found.unwrap_or_default()), pending: Width::Double(pending) }
            }
            _ => {
                let (pending, found) = Pending::<f32>::new(weights, rows, Ask::Value, compute, true)?;
                ValueEvaluation { values: first(found.unwrap_or_default()), pending: Width::Single(pending) }
            }
        })
    }

    /// Values and the gradients of Σ g · value, where g is known beforehand.
    pub fn accumulate_gradients(&self, rows: &[Row], slopes: &[f32], compute: &Compute) -> Result<(Vec<f32>, Gradients), ModelError> {
        let weights = &self.weights;
        Ok(match weights.dtype() {
            DType::F64 => {
                let (found, gradients) = Pending::<f64>::new(weights, rows, Ask::Value, compute, false)?.0.backward([slopes, &[]])?;
                (first(found), gradients)
            }
            _ => {
                let (found, gradients) = Pending::<f32>::new(weights, rows, Ask::Value, compute, false)?.0.backward([slopes, &[]])?;
                (first(found), gradients)
            }
        })
    }
}

fn first<T: super::native::Real>([values, _]: Answers<T>) -> Vec<f32> {
    singles(values)
}

/// What [`Critic::evaluate`] gives.
pub struct ValueEvaluation<'a> {
    pub values: Vec<f32>,
    pending: Width<'a>,
}

enum Width<'a> {
    Single(Pending<'a, f32>),
    Double(Pending<'a, f64>),
}

impl ValueEvaluation<'_> {
    /// The gradients of Σ g · value with respect to the critic's parameters.
    pub fn backward(self, slopes: &[f32]) -> Result<Gradients, ModelError> {
        Ok(match self.pending {
            Width::Single(pending) => pending.backward([slopes, &[]])?.1,
            Width::Double(pending) => pending.backward([slopes, &[]])?.1,
        })
    }
}
