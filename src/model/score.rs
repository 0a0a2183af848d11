//! Log-probabilities and entropies of the policy's tokens, and the gradient of any function of them.

use super::engine::{Answers, Ask, Pending, answers};
use super::native::Real;
use super::{Compute, Gradients, ModelError, Row, Weights};
use candle_core::DType;

/// One number for every target, rows in order, targets in order within their row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// log softmax(logits / temperature) of the target, over its allowed tokens.
    pub logp: Vec<f32>,
    /// Entropy of that distribution, in nats.
    pub entropy: Vec<f32>,
}

impl Scores {
    fn from<T: Real>([logp, entropy]: Answers<T>) -> Scores {
        Scores { logp: singles(logp), entropy: singles(entropy) }
    }
}

pub(crate) fn singles<T: Real>(values: Vec<T>) -> Vec<f32> {
    values.into_iter().map(|x| x.wide() as f32).collect()
}

/// The gradient of a loss with respect to [`Scores`], in the same order. An empty list means zeros.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScoreGradients {
    pub logp: Vec<f32>,
    pub entropy: Vec<f32>,
}

/// Log-probabilities and entropies, with nothing kept for a backward pass.
pub fn score(weights: &Weights, rows: &[Row], temperature: f64, compute: &Compute) -> Result<Scores, ModelError> {
    let what = Ask::Policy { temperature };
    Ok(match weights.dtype() {
        DType::F64 => Scores::from(answers::<f64>(weights, rows, what, compute)?),
        _ => Scores::from(answers::<f32>(weights, rows, what, compute)?),
    })
}

/// Scores and the gradients of Σ g · score with respect to the parameters, where g is known beforehand.
///
/// Micro-batches only bound the memory, their gradients are added up; the bytes do not depend on the number of threads.
pub fn accumulate_gradients(
    weights: &Weights,
    rows: &[Row],
    temperature: f64,
    slopes: &ScoreGradients,
    compute: &Compute,
) -> Result<(Scores, Gradients), ModelError> {
    let what = Ask::Policy { temperature };
    let slopes = [slopes.logp.as_slice(), slopes.entropy.as_slice()];
    Ok(match weights.dtype() {
        DType::F64 => {
            let (found, gradients) = Pending::<f64>::new(weights, rows, what, compute, false)?.0.backward(slopes)?;
            (Scores::from(found), gradients)
        }
        _ => {
            let (found, gradients) = Pending::<f32>::new(weights, rows, what, compute, false)?.0.backward(slopes)?;
            (Scores::from(found), gradients)
        }
    })
}

/// A forward pass whose gradient is asked for when the loss has been evaluated on its scores.
///
/// Activations are kept in between if [`Compute::keep`] allows it, otherwise computed again: the result is the same.
pub struct Evaluation<'a> {
    pub scores: Scores,
    pending: Width<'a>,
}

enum Width<'a> {
    Single(Pending<'a, f32>),
    Double(Pending<'a, f64>),
}

/// Scores `rows` for an update.
pub fn evaluate<'a>(weights: &'a Weights, rows: &'a [Row], temperature: f64, compute: &Compute) -> Result<Evaluation<'a>, ModelError> {
    let what = Ask::Policy { temperature };
    Ok(match weights.dtype() {
        DType::F64 => {
            let (pending, found) = Pending::new(weights, rows, what, compute, true)?;
            Evaluation { scores: Scores::from(found.unwrap_or_default()), pending: Width::Double(pending) }
        }
        _ => {
            let (pending, found) = Pending::new(weights, rows, what, compute, true)?;
            Evaluation { scores: Scores::from::<f32>(found.unwrap_or_default()), pending: Width::Single(pending) }
        }
    })
}

impl Evaluation<'_> {
    /// The gradients of Σ g · score with respect to the parameters.
    pub fn backward(self, slopes: &ScoreGradients) -> Result<Gradients, ModelError> {
        let slopes = [slopes.logp.as_slice(), slopes.entropy.as_slice()];
        Ok(match self.pending {
            Width::Single(pending) => pending.backward(slopes)?.1,
            Width::Double(pending) => pending.backward(slopes)?.1,
        })
    }
}
