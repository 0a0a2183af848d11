//! An equation on a batch from a file, without a model: how a user debugs an equation, and how the mathematics is tested.

mod past;
mod read;

pub use read::{ProbeBatch, ProbeError};

use super::{Advantage, Detail, Gradient, Objective, ObjectiveError};
use indexmap::IndexMap;
use serde::Serialize;
use std::collections::BTreeMap;

/// The batch on which the examples of the reference have their values: five episodes in two groups, one to three tokens a turn.
pub const EXAMPLE: &str = include_str!("example.json");

/// What `probe --json` prints. Matrices have the shape of the file's mask, with 0 where it is 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProbeAnswer {
    /// All named terms, also those that `minimize` does not reach (as far as the batch has what they mention).
    pub terms: IndexMap<String, f64>,
    /// `None` without a loss.
    pub minimize: Option<f64>,
    /// Of `minimize`.
    pub gradient: ProbeGradient,
    /// Of the pipeline's own `advantage` line; `None` without one. A token that is left out has `null`.
    pub advantage: Option<Vec<Vec<Option<f64>>>>,
    /// What each `carry` hands on to the next iteration, as far as the batch has what it mentions: by its named term, else by the equation, `loss` or
    /// `advantage`.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub carried: IndexMap<String, f64>,
}

/// Of `minimize`; 0 where the equation reaches nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProbeGradient {
    /// ∂minimize/∂logp.
    pub logp: Vec<Vec<f64>>,
    /// ∂minimize/∂entropy.
    pub entropy: Vec<Vec<f64>>,
    /// ∂minimize/∂value.
    pub value: Vec<Vec<f64>>,
    /// Of what else of the distributions the equation reaches, by name: `collision`, `top_share(3)`, …
    #[serde(flatten)]
    pub figures: BTreeMap<&'static str, Vec<Vec<f64>>>,
}

/// Evaluates a pipeline's advantage and loss on a batch. The pipeline's advantage replaces the batch's, and with it `returns`.
pub fn probe(loss: Option<&Objective>, advantage: Option<&Advantage>, batch: &ProbeBatch) -> Result<ProbeAnswer, ObjectiveError> {
    let mut flat = batch.batch().clone();
    let history = batch.history(loss, advantage)?;
    let estimate = advantage.map(|advantage| advantage.evaluate_given(&flat, history.as_ref())).transpose()?;
    if let Some(estimate) = &estimate {
        // As many as there are tokens, so they fit.
        let _ = flat.set_partly("advantage", &estimate.advantage);
        if let Some(returns) = &estimate.returns {
            let _ = flat.set_partly("returns", returns);
        }
    }
    let detail = Detail { all_terms: true, term_gradients: false };
    let evaluation = loss.map(|loss| loss.evaluate_given(&flat, history.as_ref(), detail)).transpose()?;
    let gradient = evaluation.as_ref().map_or_else(Gradient::default, |evaluation| evaluation.gradient.clone());
    let carries = loss.map(Objective::carries).into_iter().chain(advantage.map(Advantage::carries));
    let past = history.clone().unwrap_or_default();
    let carried = carries.map(|carries| carries.next(&flat, &past)).collect::<Result<Vec<_>, _>>()?.concat();
    let padded = |values: Option<Vec<f64>>| batch.pad(values.as_deref().unwrap_or(&[]), 0.0);
    Ok(ProbeAnswer {
        minimize: evaluation.as_ref().map(|evaluation| evaluation.minimize),
        terms: evaluation.map(|evaluation| evaluation.terms).unwrap_or_default(),
        gradient: ProbeGradient {
            figures: gradient.figures.into_iter().map(|(name, values)| (name, padded(Some(values)))).collect(),
            logp: padded(gradient.logp),
            entropy: padded(gradient.entropy),
            value: padded(gradient.value),
        },
        advantage: estimate.map(|estimate| batch.pad(&estimate.advantage, Some(0.0))),
        carried: carried.into_iter().collect(),
    })
}
