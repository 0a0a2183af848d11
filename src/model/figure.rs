//! More of a next-token distribution than the log-probability of one token.

use super::native::{Packed, Real};
use super::passes::states_on_device;
use super::pending::native_states;
use super::{Compute, ModelError, Row, Weights};
use candle_core::{DType, Tensor};
use std::sync::Arc;

/// One number of each distribution π.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Σ π²: how likely two draws are the same token.
    Collision,
    /// max π.
    Largest,
    /// The sum of so many of the largest probabilities; 1 where there are not as many tokens.
    TopShare(usize),
    /// Σ π ln(π / π'), in nats; π' of the other model at this place of [`Asked::others`].
    To(usize),
    /// Σ π' ln(π' / π), likewise.
    From(usize),
}

/// What is asked for besides log-probabilities and entropies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// One list of numbers each, in this order.
    pub figures: &'a [Figure],
    /// What [`Figure::To`] and [`Figure::From`] compare with.
    pub others: &'a [Other<'a>],
}

/// What another model makes of some rows: its final hidden states at their targets. A distribution is made of one when it is asked for, since it is as long as
/// the vocabulary.
#[derive(Debug)]
pub struct Other<'a> {
    pub(super) weights: &'a Weights,
    pub(super) states: States,
}

/// `[targets, width]`, in the numbers that the model computes in.
#[derive(Debug)]
pub(crate) enum States {
    Single(Arc<Packed<f32>>, Vec<f32>),
    Double(Arc<Packed<f64>>, Vec<f64>),
    OnDevice(Tensor),
}

impl<'a> Other<'a> {
    /// Runs the model over `rows`, with nothing kept for a backward pass.
    ///
    /// # Errors
    /// As `score`.
    pub fn of(weights: &'a Weights, rows: &[Row], compute: &Compute) -> Result<Other<'a>, ModelError> {
        let states = match (weights.device().is_cpu(), weights.dtype()) {
            (true, DType::F32) => States::Single(weights.packed(false, compute.threads)?, native_states(weights, rows, compute)?),
            (true, DType::F64) => States::Double(weights.packed(false, compute.threads)?, native_states(weights, rows, compute)?),
            _ => States::OnDevice(states_on_device(weights, rows, compute)?),
        };
        Ok(Other { weights, states })
    }

    /// Its head and its states, if it computes in these numbers.
    pub(super) fn native<T: Real>(&self) -> Result<(&Packed<T>, &[T]), ModelError> {
        T::states(&self.states).ok_or_else(|| ModelError::input("two models that are compared have to compute in the same numbers"))
    }

    pub(super) fn on_device(&self) -> Result<&Tensor, ModelError> {
        match &self.states {
            States::OnDevice(states) => Ok(states),
            States::Single(..) | States::Double(..) => Err(ModelError::input("two models that are compared have to be on the same device")),
        }
    }
}

impl Asked<'_> {
    /// Whether what is asked for is there, for a model of a vocabulary.
    pub(super) fn check(self, vocab: usize) -> Result<(), ModelError> {
        for figure in self.figures {
            let (Figure::To(other) | Figure::From(other)) = figure else { continue };
            let Some(other) = self.others.get(*other) else { return Err(ModelError::input("a distribution is compared with none")) };
            let theirs = other.weights.config().vocab;
            if theirs != vocab {
                return Err(ModelError::input(format!("distributions over {vocab} and {theirs} tokens cannot be compared")));
            }
        }
        Ok(())
    }
}
