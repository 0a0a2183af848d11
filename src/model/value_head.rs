//! The critic: a backbone of its own and one number for each token.

use super::engine::{Ask, Engine, answers};
use super::weights::Head;
use super::{Compute, DecoderConfig, Gradients, ModelError, Row, Weights};
use candle_core::{DType, Device};
use std::sync::Arc;

/// Estimates the return at the positions that predict a response's tokens.
///
/// Rows are those of the policy; of a target only its position matters.
#[derive(Debug)]
pub struct Critic {
    weights: Arc<Weights>,
}

impl Critic {
    /// A critic with a random backbone; its head is zero, so its first estimates are 0.
    pub fn init(config: &DecoderConfig, seed: u64, device: &Device, dtype: DType) -> Result<Critic, ModelError> {
        Ok(Critic { weights: Arc::new(Weights::init_with(config, Head::Value, seed, device, dtype)?) })
    }

    /// A critic whose backbone starts as a copy of a policy's.
    pub fn from_backbone(policy: &Weights) -> Result<Critic, ModelError> {
        let critic = Critic::init(policy.config(), 0, &policy.device(), policy.dtype())?;
        critic.weights.copy_from(policy)?;
        Ok(critic)
    }

    /// For the optimiser, for saving and hashing.
    pub fn weights(&self) -> &Arc<Weights> {
        &self.weights
    }

    /// One estimate for every target, in the order of [`Scores`](super::Scores).
    pub fn values(&self, rows: &[Row], compute: &Compute) -> Result<Vec<f32>, ModelError> {
        let [values, _] = answers(&self.weights, rows, Ask::Value, compute)?;
        Ok(values)
    }

    /// Values whose gradient is asked for when the loss has been evaluated.
    pub fn evaluate<'a>(&'a self, rows: &'a [Row], compute: &Compute) -> Result<ValueEvaluation<'a>, ModelError> {
        let (engine, [values, _]) = Engine::new(&self.weights, rows, Ask::Value, compute, true)?;
        Ok(ValueEvaluation { values, engine })
    }

    /// Values and the gradients of Σ g · value, where g is known beforehand.
    pub fn accumulate_gradients(&self, rows: &[Row], slopes: &[f32], compute: &Compute) -> Result<(Vec<f32>, Gradients), ModelError> {
        let (engine, _) = Engine::new(&self.weights, rows, Ask::Value, compute, false)?;
        let ([values, _], gradients) = engine.backward([slopes, &[]])?;
        Ok((values, gradients))
    }
}

/// What [`Critic::evaluate`] gives.
pub struct ValueEvaluation<'a> {
    /// One for every target, in the order of [`Scores`](super::Scores).
    pub values: Vec<f32>,
    engine: Engine<'a>,
}

impl ValueEvaluation<'_> {
    /// The gradients of Σ g · value with respect to the critic's parameters.
    pub fn backward(self, slopes: &[f32]) -> Result<Gradients, ModelError> {
        Ok(self.engine.backward([slopes, &[]])?.1)
    }
}
