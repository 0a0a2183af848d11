//! Forward and backward over many rows: on the CPU by our kernels, elsewhere by candle's operations.

use super::lanes::Compute;
use super::native::gradients::Sums;
use super::native::head::{Question, Slopes as PolicySlopes, ValueHead, ask};
use super::native::team::Team;
use super::native::{Packed, Real};
use super::passes::Composite;
use super::pending::{Found, Pending, native_answers};
use super::{ModelError, Row, Weights};
use candle_core::DType;

/// What is asked of the final hidden states.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    /// Log-probabilities and entropies, at this temperature.
    pub(crate) temperature: Option<f64>,
    /// Also Σπ² and the largest probability of the same distributions.
    pub(crate) figures: bool,
    /// Estimates of the return, by the value head that is in these weights.
    pub(crate) value: Option<&'a Weights>,
}

impl<'a> Ask<'a> {
    pub(crate) fn policy(temperature: f64) -> Ask<'a> {
        Ask { temperature: Some(temperature), figures: false, value: None }
    }

    pub(crate) fn value(head: &'a Weights) -> Ask<'a> {
        Ask { temperature: None, figures: false, value: Some(head) }
    }

    /// A value head that is no part of the model itself.
    pub(crate) fn apart(self, weights: &Weights) -> Option<&'a Weights> {
        self.value.filter(|head| !std::ptr::eq(*head, weights))
    }
}

/// Log-probabilities, entropies, values, Σπ² and largest probabilities; those that were not asked for are empty.
pub(crate) type Answers<T> = [Vec<T>; 5];

/// ∂loss/∂ of each of the answers; an empty list means zeros.
pub(crate) type Slopes<'a> = [&'a [f32]; 5];

/// Answers of some questions, in their order.
pub(super) struct Part<T> {
    pub(super) indices: Vec<usize>,
    pub(super) answers: Answers<T>,
}

impl<T: Real> Part<T> {
    fn of(questions: &[Question], answers: Answers<T>) -> Part<T> {
        Part { indices: questions.iter().map(|question| question.index).collect(), answers }
    }
}

/// Every answer where it belongs.
pub(super) fn collect<T: Real>(parts: impl IntoIterator<Item = Part<T>>, targets: usize, what: Ask) -> Answers<T> {
    let (policy, value) = (what.temperature.map_or(0, |_| targets), what.value.map_or(0, |_| targets));
    let figures = if what.figures { policy } else { 0 };
    let mut all = [policy, policy, value, figures, figures].map(|count| vec![T::ZERO; count]);
    for part in parts {
        for (all, found) in all.iter_mut().zip(part.answers) {
            for (index, found) in part.indices.iter().zip(found) {
                all[*index] = found;
            }
        }
    }
    all
}

/// What makes answers out of hidden states.
pub(super) struct Top<T> {
    temperature: Option<f64>,
    figures: bool,
    value: Option<ValueHead<T>>,
}

impl<T: Real> Top<T> {
    pub(super) fn of(what: Ask) -> Result<Top<T>, ModelError> {
        Ok(Top { temperature: what.temperature, figures: what.figures, value: what.value.map(ValueHead::of).transpose()? })
    }

    /// The answers about one batch and, with slopes, the gradient of the hidden states.
    pub(super) fn ask(
        &self,
        model: &Packed<T>,
        questions: &[Question],
        hidden: &[T],
        mut slopes: Option<(Slopes, &mut Sums<T>)>,
        team: Team,
    ) -> (Part<T>, Vec<T>) {
        let mut answers: Answers<T> = Answers::default();
        let mut dhidden = if slopes.is_some() { vec![T::ZERO; hidden.len()] } else { Vec::new() };
        if let Some(temperature) = self.temperature {
            let slopes = slopes
                .as_mut()
                .map(|([logp, entropy, _, collision, largest], sums)| (PolicySlopes { logp, entropy, collision, largest }, &mut **sums));
            let (found, pulled) = ask(model, hidden, questions, (temperature, self.figures), slopes, team);
            (answers[0], answers[1], answers[3], answers[4]) = (found.logp, found.entropy, found.collision, found.largest);
            dhidden = pulled;
        }
        if let Some(head) = &self.value {
            answers[2] = head.values(hidden, questions);
            if let Some(([_, _, slopes, ..], sums)) = slopes {
                head.backward(hidden, questions, slopes, &mut dhidden, sums);
            }
        }
        (Part::of(questions, answers), dhidden)
    }
}

pub(super) fn check(what: Ask) -> Result<(), ModelError> {
    match what.temperature {
        Some(temperature) if !(temperature.is_finite() && temperature > 0.0) => {
            Err(ModelError::input(format!("`temperature` is {temperature}, to score it has to be positive")))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_slopes(slopes: Slopes, targets: usize) -> Result<(), ModelError> {
    match slopes.iter().find(|s| !s.is_empty() && s.len() != targets) {
        Some(slopes) => Err(ModelError::input(format!("{} gradients for {targets} targets", slopes.len()))),
        None => Ok(()),
    }
}

pub(super) fn targets(rows: &[Row]) -> usize {
    rows.iter().map(|row| row.targets.len()).sum()
}

/// A forward pass by whatever fits the weights' device and type.
pub(crate) enum Engine<'a> {
    Single(Pending<'a, f32>),
    Double(Pending<'a, f64>),
    Composite(Composite<'a>),
}

fn narrow(answers: Answers<f64>) -> Answers<f32> {
    answers.map(|values| values.into_iter().map(|x| x as f32).collect())
}

/// Answers with nothing kept.
pub(crate) fn answers(weights: &Weights, rows: &[Row], what: Ask, compute: &Compute) -> Result<Answers<f32>, ModelError> {
    match (weights.device().is_cpu(), weights.dtype()) {
        (true, DType::F32) => native_answers::<f32>(weights, rows, what, compute),
        (true, DType::F64) => Ok(narrow(native_answers::<f64>(weights, rows, what, compute)?)),
        _ => Composite::new(weights, rows, what, compute)?.answers(),
    }
}

impl<'a> Engine<'a> {
    /// With `at_once`, runs forward and gives the answers; else everything is left to the backward pass.
    pub(crate) fn new(
        weights: &'a Weights,
        rows: &'a [Row],
        what: Ask<'a>,
        compute: &Compute,
        at_once: bool,
    ) -> Result<(Engine<'a>, Answers<f32>), ModelError> {
        Ok(match (weights.device().is_cpu(), weights.dtype()) {
            (true, DType::F32) => {
                let (pending, answers) = Pending::<f32>::new(weights, rows, what, compute, at_once)?;
                (Engine::Single(pending), answers.unwrap_or_default())
            }
            (true, DType::F64) => {
                let (pending, answers) = Pending::<f64>::new(weights, rows, what, compute, at_once)?;
                (Engine::Double(pending), narrow(answers.unwrap_or_default()))
            }
            _ => {
                let composite = Composite::new(weights, rows, what, compute)?;
                let answers = if at_once { composite.answers()? } else { Answers::default() };
                (Engine::Composite(composite), answers)
            }
        })
    }

    pub(crate) fn backward(self, slopes: Slopes) -> Result<(Answers<f32>, Found), ModelError> {
        match self {
            Engine::Single(pending) => pending.backward(slopes),
            Engine::Double(pending) => pending.backward(slopes).map(|(answers, found)| (narrow(answers), found)),
            Engine::Composite(composite) => composite.backward(slopes),
        }
    }
}
