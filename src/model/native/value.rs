//! From hidden states to estimates of the return, and back.

use super::gradients::Sums;
use super::head::{Question, add_line, logits_of, slope_at};
use super::packed::variable;
use super::real::Real;
use crate::model::weights::{VALUE_BIAS, VALUE_WEIGHT};
use crate::model::{ModelError, Weights};

/// What makes an estimate of the return out of a final hidden state.
pub(crate) struct ValueHead<T> {
    weight: Vec<T>,
    bias: T,
}

impl<T: Real> ValueHead<T> {
    /// That of a critic, or one that stands on a policy.
    pub(crate) fn of(weights: &Weights) -> Result<ValueHead<T>, ModelError> {
        let bias = variable::<T>(weights.variables(), VALUE_BIAS)?.first().copied().unwrap_or_default();
        Ok(ValueHead { weight: variable(weights.variables(), VALUE_WEIGHT)?, bias })
    }

    /// The estimate at the output of each question.
    pub(crate) fn values(&self, hidden: &[T], questions: &[Question]) -> Vec<T> {
        let width = self.weight.len();
        questions
            .iter()
            .map(|question| {
                let mut value = [T::ZERO];
                logits_of(&hidden[question.output * width..][..width], &self.weight, &[0], &mut value);
                value[0] + self.bias
            })
            .collect()
    }

    /// The gradients of [`ValueHead::values`]: adds that of `hidden`.
    pub(crate) fn backward(&self, hidden: &[T], questions: &[Question], slopes: &[f32], dhidden: &mut [T], sums: &mut Sums<T>) {
        let width = self.weight.len();
        for question in questions {
            let slope = slope_at(slopes, question);
            let at = question.output * width..(question.output + 1) * width;
            add_line(&mut dhidden[at.clone()], slope, &self.weight);
            add_line(&mut sums.value, slope, &hidden[at]);
            for bias in &mut sums.bias {
                *bias += slope;
            }
        }
    }
}
