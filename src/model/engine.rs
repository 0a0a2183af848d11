//! Forward and backward over many rows: on the CPU by our kernels, elsewhere by candle's operations.

use super::figure::{Asked, Figure, Other};
use super::lanes::Compute;
use super::native::gradients::Sums;
use super::native::head::{Question, Slopes as PolicySlopes, Wanted, ask};
use super::native::team::Team;
use super::native::value::ValueHead;
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
    /// Also figures of the same distributions.
    pub(crate) more: Asked<'a>,
    /// Estimates of the return, by the value head that is in these weights.
    pub(crate) value: Option<&'a Weights>,
}

impl<'a> Ask<'a> {
    pub(crate) fn policy(temperature: f64) -> Ask<'a> {
        Ask { temperature: Some(temperature), more: Asked::default(), value: None }
    }

    pub(crate) fn value(head: &'a Weights) -> Ask<'a> {
        Ask { temperature: None, more: Asked::default(), value: Some(head) }
    }

    /// A value head that is no part of the model itself.
    pub(crate) fn apart(self, weights: &Weights) -> Option<&'a Weights> {
        self.value.filter(|head| !std::ptr::eq(*head, weights))
    }
}

/// One number for each target; what was not asked for is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answers<T> {
    pub(crate) logp: Vec<T>,
    pub(crate) entropy: Vec<T>,
    pub(crate) value: Vec<T>,
    /// In the order of [`Asked::figures`].
    pub(crate) figures: Vec<Vec<T>>,
}

impl<T> Answers<T> {
    pub(super) fn columns(self) -> impl Iterator<Item = Vec<T>> {
        [self.logp, self.entropy, self.value].into_iter().chain(self.figures)
    }

    pub(super) fn columns_mut(&mut self) -> impl Iterator<Item = &mut Vec<T>> {
        [&mut self.logp, &mut self.entropy, &mut self.value].into_iter().chain(&mut self.figures)
    }
}

/// ∂loss/∂ of each of the answers; an empty list means zeros.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slopes<'a> {
    pub(crate) logp: &'a [f32],
    pub(crate) entropy: &'a [f32],
    pub(crate) value: &'a [f32],
    pub(crate) figures: &'a [Vec<f32>],
}

impl<'a> Slopes<'a> {
    pub(super) fn columns(self) -> impl Iterator<Item = &'a [f32]> {
        [self.logp, self.entropy, self.value].into_iter().chain(self.figures.iter().map(Vec::as_slice))
    }
}

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
    let zeros = |asked: bool| vec![T::ZERO; if asked { targets } else { 0 }];
    let (policy, value) = (what.temperature.is_some(), what.value.is_some());
    let figures = what.more.figures.iter().map(|_| zeros(policy)).collect();
    let mut all = Answers { logp: zeros(policy), entropy: zeros(policy), value: zeros(value), figures };
    for part in parts {
        for (all, found) in all.columns_mut().zip(part.answers.columns()) {
            for (index, found) in part.indices.iter().zip(found) {
                all[*index] = found;
            }
        }
    }
    all
}

/// What makes answers out of hidden states.
pub(super) struct Top<'a, T> {
    temperature: Option<f64>,
    figures: &'a [Figure],
    others: Vec<(&'a Packed<T>, &'a [T])>,
    value: Option<ValueHead<T>>,
}

impl<'a, T: Real> Top<'a, T> {
    pub(super) fn of(what: Ask<'a>) -> Result<Top<'a, T>, ModelError> {
        let others = what.more.others.iter().map(Other::native).collect::<Result<_, _>>()?;
        let value = what.value.map(ValueHead::of).transpose()?;
        Ok(Top { temperature: what.temperature, figures: what.more.figures, others, value })
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
            let slopes = slopes.as_mut().map(|(slopes, sums)| {
                let Slopes { logp, entropy, figures, .. } = *slopes;
                (PolicySlopes { logp, entropy, figures }, &mut **sums)
            });
            let wanted = Wanted { temperature, figures: self.figures, others: &self.others };
            let (found, pulled) = ask(model, hidden, questions, &wanted, slopes, team);
            (answers.logp, answers.entropy, answers.figures) = (found.logp, found.entropy, found.figures);
            dhidden = pulled;
        }
        if let Some(head) = &self.value {
            answers.value = head.values(hidden, questions);
            if let Some((slopes, sums)) = slopes {
                head.backward(hidden, questions, slopes.value, &mut dhidden, sums);
            }
        }
        (Part::of(questions, answers), dhidden)
    }
}

pub(super) fn check(what: Ask, weights: &Weights) -> Result<(), ModelError> {
    what.more.check(weights.config().vocab)?;
    match what.temperature {
        Some(temperature) if !(temperature.is_finite() && temperature > 0.0) => {
            Err(ModelError::input(format!("`temperature` is {temperature}, to score it has to be positive")))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_slopes(slopes: Slopes, targets: usize) -> Result<(), ModelError> {
    match slopes.columns().find(|s| !s.is_empty() && s.len() != targets) {
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
    let narrow = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect();
    let Answers { logp, entropy, value, figures } = answers;
    let [logp, entropy, value] = [logp, entropy, value].map(narrow);
    Answers { logp, entropy, value, figures: figures.into_iter().map(narrow).collect() }
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
