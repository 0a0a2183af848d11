//! Critics: one number for each token, on a backbone of their own or on the policy's trunk.

use super::engine::{Answers, Ask, Engine, Slopes, answers};
use super::figure::Asked;
use super::weights::Head;
use super::{Compute, DecoderConfig, Gradients, ModelError, Row, ScoreGradients, Scores, Weights};
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
        Ok(answers(&self.weights, rows, Ask::value(&self.weights), compute)?.value)
    }

    /// Values whose gradient is asked for when the loss has been evaluated.
    pub fn evaluate<'a>(&'a self, rows: &'a [Row], compute: &Compute) -> Result<ValueEvaluation<'a>, ModelError> {
        let (engine, answers) = Engine::new(&self.weights, rows, Ask::value(&self.weights), compute, true)?;
        Ok(ValueEvaluation { values: answers.value, engine })
    }

    /// Values and the gradients of Σ g · value, where g is known beforehand.
    pub fn accumulate_gradients(&self, rows: &[Row], slopes: &[f32], compute: &Compute) -> Result<(Vec<f32>, Gradients), ModelError> {
        let (engine, _) = Engine::new(&self.weights, rows, Ask::value(&self.weights), compute, false)?;
        let (answers, found) = engine.backward(Slopes { value: slopes, ..Slopes::default() })?;
        Ok((answers.value, found.model))
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
        Ok(self.engine.backward(Slopes { value: slopes, ..Slopes::default() })?.1.model)
    }
}

/// A value head on a policy's trunk: what the policy makes of a text is read by both.
#[derive(Debug)]
pub struct ValueHead {
    weights: Arc<Weights>,
}

impl ValueHead {
    /// A head that is zero, for a policy of this shape: its first estimates are 0.
    pub fn on(policy: &Weights) -> Result<ValueHead, ModelError> {
        let head = Weights::value_head(policy.config(), &policy.device(), policy.dtype())?;
        Ok(ValueHead { weights: Arc::new(head) })
    }

    /// The head alone, for the optimiser and for saving.
    pub fn weights(&self) -> &Arc<Weights> {
        &self.weights
    }

    /// One estimate for every target of the policy's rows.
    pub fn values(&self, policy: &Weights, rows: &[Row], compute: &Compute) -> Result<Vec<f32>, ModelError> {
        Ok(answers(policy, rows, Ask::value(&self.weights), compute)?.value)
    }

    /// Scores and values by one forward pass, whose gradient is asked for when the loss has been evaluated.
    pub fn evaluate<'a>(
        &'a self,
        policy: &'a Weights,
        rows: &'a [Row],
        temperature: f64,
        compute: &Compute,
    ) -> Result<JointEvaluation<'a>, ModelError> {
        self.evaluate_asked(policy, rows, Ask::policy(temperature), compute)
    }

    /// As [`ValueHead::evaluate`], with more of the distributions.
    pub fn evaluate_with_figures<'a>(
        &'a self,
        policy: &'a Weights,
        rows: &'a [Row],
        temperature: f64,
        more: Asked<'a>,
        compute: &Compute,
    ) -> Result<JointEvaluation<'a>, ModelError> {
        self.evaluate_asked(policy, rows, Ask { more, ..Ask::policy(temperature) }, compute)
    }

    fn evaluate_asked<'a>(
        &'a self,
        policy: &'a Weights,
        rows: &'a [Row],
        what: Ask<'a>,
        compute: &Compute,
    ) -> Result<JointEvaluation<'a>, ModelError> {
        let what = Ask { value: Some(&self.weights), ..what };
        let (engine, Answers { logp, entropy, value, figures }) = Engine::new(policy, rows, what, compute, true)?;
        Ok(JointEvaluation { scores: Scores { logp, entropy }, figures, values: value, engine })
    }
}

/// What [`ValueHead::evaluate`] gives.
pub struct JointEvaluation<'a> {
    /// Of the policy.
    pub scores: Scores,
    /// Of the same distributions, one list for each figure that was asked for.
    pub figures: Vec<Vec<f32>>,
    /// One for every target.
    pub values: Vec<f32>,
    engine: Engine<'a>,
}

impl JointEvaluation<'_> {
    /// The gradients of Σ g · score + Σ h · value: of the policy's parameters, and of the head's.
    pub fn backward(self, slopes: &ScoreGradients, values: &[f32]) -> Result<(Gradients, Gradients), ModelError> {
        self.backward_with_figures(slopes, &[], values)
    }

    /// The same with those of Σ g · figure: one list for each that was asked for, or fewer; an empty one means zeros.
    pub fn backward_with_figures(
        self,
        slopes: &ScoreGradients,
        figures: &[Vec<f32>],
        values: &[f32],
    ) -> Result<(Gradients, Gradients), ModelError> {
        let (_, found) = self.engine.backward(Slopes { value: values, ..slopes.slopes(figures) })?;
        let head = found.head.ok_or_else(|| ModelError::input("a value head has no gradient"))?;
        Ok((found.model, head))
    }
}
