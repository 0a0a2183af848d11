//! Log-probabilities and entropies of the policy's tokens, and the gradient of any function of them.

use super::engine::{Answers, Ask, Engine, answers};
use super::forest::{Forest, arrange};
use super::native::batch::Batch;
use super::native::head::all_logits;
use super::native::pass::{Keep, forward};
use super::native::past::Past;
use super::native::team::Team;
use super::pending::Pending;
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

/// More of the same distributions, in the same order; empty where it was not asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Σ π²: how likely two draws are the same token.
    pub collision: Vec<f32>,
    /// max π.
    pub largest: Vec<f32>,
}

/// The gradient of a loss with respect to [`Figures`], in the same order. An empty list means zeros.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FigureGradients {
    /// ∂loss/∂collision.
    pub collision: Vec<f32>,
    /// ∂loss/∂largest.
    pub largest: Vec<f32>,
}

impl Scores {
    pub(super) fn new([logp, entropy, ..]: Answers<f32>) -> Scores {
        Scores { logp, entropy }
    }
}

/// The gradient of a loss with respect to [`Scores`], in the same order. An empty list means zeros.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScoreGradients {
    /// ∂loss/∂logp.
    pub logp: Vec<f32>,
    /// ∂loss/∂entropy.
    pub entropy: Vec<f32>,
}

/// Log-probabilities and entropies, with nothing kept for a backward pass.
pub fn score(weights: &Weights, rows: &[Row], temperature: f64, compute: &Compute) -> Result<Scores, ModelError> {
    Ok(Scores::new(answers(weights, rows, Ask::policy(temperature), compute)?))
}

/// As [`score`], with more of the distributions.
pub fn score_with_figures(weights: &Weights, rows: &[Row], temperature: f64, compute: &Compute) -> Result<(Scores, Figures), ModelError> {
    let what = Ask { figures: true, ..Ask::policy(temperature) };
    let [logp, entropy, _, collision, largest] = answers(weights, rows, what, compute)?;
    Ok((Scores { logp, entropy }, Figures { collision, largest }))
}

/// The logits behind the last of `ids`.
pub fn logits(weights: &Weights, ids: &[u32]) -> Result<Vec<f32>, ModelError> {
    let Some(last) = ids.last() else { return Err(ModelError::input("there is nothing before an empty row's next token")) };
    if ids.len() > weights.config().context {
        return Err(ModelError::input(format!("{} tokens are more than the model's `context` of {}", ids.len(), weights.config().context)));
    }
    // Whatever comes next, these are the logits that it is drawn from.
    let row = Row::after([ids, &[*last]].concat(), ids.len());
    row.check(weights.config(), 0)?;
    if weights.dtype() != DType::F32 || !weights.device().is_cpu() {
        return Err(ModelError::input("logits are given on the CPU in f32 only"));
    }
    let model = weights.packed::<f32>(false, 1)?;
    let forest = Forest::of(&arrange(&[row], false));
    let batch = Batch::of(&forest, 0..forest.tokens());
    Ok(all_logits(&model, &forward(&model, &batch, &mut Past::of(&model.config, forest.tokens()), Keep::Nothing, Team::ALONE).hidden))
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
    let (engine, _) = Engine::new(weights, rows, Ask::policy(temperature), compute, false)?;
    let (found, gradients) = engine.backward([&slopes.logp, &slopes.entropy, &[], &[], &[]])?;
    Ok((Scores::new(found), gradients.model))
}

/// Seconds that each lane of an update takes on one thread, forward and backward: what many threads have to share. For benchmarks, on the CPU in `f32`.
pub fn lane_seconds(
    weights: &Weights,
    rows: &[Row],
    temperature: f64,
    slopes: &ScoreGradients,
    compute: &Compute,
) -> Result<Vec<f64>, ModelError> {
    Pending::<f32>::new(weights, rows, Ask::policy(temperature), compute, false)?.0.seconds([&slopes.logp, &slopes.entropy, &[], &[], &[]])
}

/// A forward pass whose gradient is asked for when the loss has been evaluated on its scores.
///
/// Activations are kept in between if [`Compute::keep`] allows it, otherwise computed again: the result is the same.
pub struct Evaluation<'a> {
    /// What the loss is made from.
    pub scores: Scores,
    /// The same, where it was asked for.
    pub figures: Figures,
    engine: Engine<'a>,
}

/// Scores `rows` for an update.
pub fn evaluate<'a>(weights: &'a Weights, rows: &'a [Row], temperature: f64, compute: &Compute) -> Result<Evaluation<'a>, ModelError> {
    evaluate_asked(weights, rows, Ask::policy(temperature), compute)
}

/// As [`evaluate`], with more of the distributions.
pub fn evaluate_with_figures<'a>(
    weights: &'a Weights,
    rows: &'a [Row],
    temperature: f64,
    compute: &Compute,
) -> Result<Evaluation<'a>, ModelError> {
    evaluate_asked(weights, rows, Ask { figures: true, ..Ask::policy(temperature) }, compute)
}

fn evaluate_asked<'a>(weights: &'a Weights, rows: &'a [Row], what: Ask<'a>, compute: &Compute) -> Result<Evaluation<'a>, ModelError> {
    let (engine, [logp, entropy, _, collision, largest]) = Engine::new(weights, rows, what, compute, true)?;
    Ok(Evaluation { scores: Scores { logp, entropy }, figures: Figures { collision, largest }, engine })
}

impl Evaluation<'_> {
    /// The gradients of Σ g · score with respect to the parameters.
    pub fn backward(self, slopes: &ScoreGradients) -> Result<Gradients, ModelError> {
        self.backward_with_figures(slopes, &FigureGradients::default())
    }

    /// The same with those of Σ g · figure.
    pub fn backward_with_figures(self, slopes: &ScoreGradients, figures: &FigureGradients) -> Result<Gradients, ModelError> {
        Ok(self.engine.backward([&slopes.logp, &slopes.entropy, &[], &figures.collision, &figures.largest])?.1.model)
    }
}
