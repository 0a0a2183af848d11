//! Forward and backward over many rows: on the CPU by our kernels (lanes on threads, chunks within a lane), elsewhere by candle's operations.

use super::lanes::{Chunk, Compute, split};
use super::memory::fits_activations;
use super::native::backward::backward;
use super::native::batch::Batch;
use super::native::gradients::Sums;
use super::native::head::{Slopes, ask, values, values_backward};
use super::native::pass::{Keep, Pass, forward};
use super::native::{Packed, Real};
use super::passes::Composite;
use super::threads::parallel;
use super::{Gradients, ModelError, Row, Weights};
use candle_core::{DType, Device};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What is asked of the final hidden states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ask {
    Policy { temperature: f64 },
    Value,
}

/// For a policy log-probabilities and entropies, for a critic values and nothing.
pub(crate) type Answers<T> = [Vec<T>; 2];

pub(super) fn concatenate<T>(parts: impl IntoIterator<Item = Answers<T>>) -> Answers<T> {
    let mut all = [Vec::new(), Vec::new()];
    for part in parts {
        for (all, mut part) in all.iter_mut().zip(part) {
            all.append(&mut part);
        }
    }
    all
}

/// The answers of one chunk and, with slopes, the gradient of the hidden states.
fn top<T: Real>(
    model: &Packed<T>,
    chunk: &Chunk,
    hidden: &[T],
    what: Ask,
    slopes: Option<([&[f32]; 2], &mut Sums<T>)>,
) -> (Answers<T>, Vec<T>) {
    let part = |slopes: &'_ [f32]| if slopes.is_empty() { 0..0 } else { chunk.targets.clone() };
    match what {
        Ask::Policy { temperature } => {
            let slopes = slopes.map(|([logp, entropy], sums)| (Slopes { logp: &logp[part(logp)], entropy: &entropy[part(entropy)] }, sums));
            let (answers, dhidden) = ask(model, hidden, &chunk.questions(), temperature, slopes);
            ([answers.logp, answers.entropy], dhidden)
        }
        Ask::Value => {
            let found = values(model, hidden, chunk.outputs.iter().copied());
            let dhidden = match slopes {
                Some(([slopes, _], sums)) => values_backward(model, hidden, chunk.outputs.iter().copied(), &slopes[part(slopes)], sums),
                None => Vec::new(),
            };
            ([found, Vec::new()], dhidden)
        }
    }
}

pub(super) fn check(what: Ask) -> Result<(), ModelError> {
    match what {
        Ask::Policy { temperature } if !(temperature.is_finite() && temperature > 0.0) => {
            Err(ModelError::input(format!("`temperature` is {temperature}, to score it has to be positive")))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_slopes(slopes: [&[f32]; 2], targets: usize) -> Result<(), ModelError> {
    match slopes.iter().find(|s| !s.is_empty() && s.len() != targets) {
        Some(slopes) => Err(ModelError::input(format!("{} gradients for {targets} targets", slopes.len()))),
        None => Ok(()),
    }
}

pub(crate) fn native_answers<T: Real>(weights: &Weights, rows: &[Row], what: Ask, compute: &Compute) -> Result<Answers<T>, ModelError> {
    check(what)?;
    let model = weights.packed::<T>(false)?;
    let lanes = split(weights, rows, compute)?;
    let parts = parallel(lanes.len(), compute.threads, |lane| {
        concatenate(lanes[lane].iter().map(|chunk| top(&model, chunk, &forward(&model, &chunk.batch, Keep::Nothing).hidden, what, None).0))
    });
    Ok(concatenate(parts))
}

type Lane<'a, T> = Vec<(Chunk<'a>, Option<Pass<T>>)>;

/// Forward passes whose gradients may still be asked for.
pub(crate) struct Pending<'a, T> {
    weights: &'a Weights,
    model: Arc<Packed<T>>,
    what: Ask,
    threads: usize,
    /// What is kept for the backward pass.
    keep: Keep,
    lanes: Vec<Mutex<Lane<'a, T>>>,
    targets: usize,
}

impl<'a, T: Real> Pending<'a, T> {
    /// Runs forward at once if the activations may be kept; gives `None` for the answers if `at_once` is false.
    pub(crate) fn new(
        weights: &'a Weights,
        rows: &'a [Row],
        what: Ask,
        compute: &Compute,
        at_once: bool,
    ) -> Result<(Pending<'a, T>, Option<Answers<T>>), ModelError> {
        check(what)?;
        let model = weights.packed::<T>(true)?;
        let lanes = split(weights, rows, compute)?;
        let targets = lanes.iter().flatten().map(|c| c.targets.end).max().unwrap_or(0);
        let keep = if compute.checkpointing { Keep::Inputs } else { Keep::All };
        let (token, output) = Pass::<T>::size(weights.config(), keep);
        let bytes = |c: &Chunk| (c.batch.tokens() * token + c.batch.outputs() * output).saturating_mul(size_of::<T>());
        let size: usize = lanes.iter().flatten().map(bytes).sum();
        let now = if size <= compute.keep { keep } else { Keep::Nothing };
        if now == Keep::Nothing {
            // A chunk at a time of as many lanes as run together.
            let mut largest: Vec<&Chunk> = lanes.iter().filter_map(|lane| lane.iter().max_by_key(|c| bytes(c))).collect();
            largest.sort_by_key(|c| std::cmp::Reverse(bytes(c)));
            largest.truncate(compute.threads.max(1));
            let sum = |count: fn(&Batch) -> usize| largest.iter().map(|c| count(&c.batch)).sum();
            fits_activations(&Device::Cpu, largest.iter().map(|c| bytes(c)).sum(), sum(Batch::rows), sum(Batch::tokens))?;
        }
        let lanes: Vec<Mutex<Lane<T>>> =
            lanes.into_iter().map(|chunks| Mutex::new(chunks.into_iter().map(|c| (c, None)).collect())).collect();
        let answers = at_once.then(|| {
            concatenate(parallel(lanes.len(), compute.threads, |lane| {
                let mut lane = lanes[lane].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                concatenate(lane.iter_mut().map(|(chunk, kept)| {
                    let pass = forward(&model, &chunk.batch, now);
                    let (answers, _) = top(&model, chunk, &pass.hidden, what, None);
                    if now != Keep::Nothing {
                        *kept = Some(pass);
                    }
                    answers
                }))
            }))
        });
        Ok((Pending { weights, model, what, threads: compute.threads, keep, lanes, targets }, answers))
    }

    /// Gradients of Σ slope · answer.
    pub(crate) fn backward(self, slopes: [&[f32]; 2]) -> Result<(Answers<T>, Gradients), ModelError> {
        check_slopes(slopes, self.targets)?;
        let Pending { weights, model, what, threads, keep, lanes, .. } = self;
        let total = Mutex::new(InOrder { next: 0, early: BTreeMap::new(), total: None, spare: Vec::new() });
        let locked = || total.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let found = parallel(lanes.len(), threads, |index| {
            let mut lane = lanes[index].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let mut sums = None;
            if !lane.is_empty() {
                let spare = locked().spare.pop();
                sums = Some(spare.map_or_else(|| Sums::zeros(weights), Sums::zeroed));
            }
            let found = concatenate(std::mem::take(&mut *lane).into_iter().filter_map(|(chunk, kept)| {
                let sums = sums.as_mut()?;
                let pass = kept.unwrap_or_else(|| forward(&model, &chunk.batch, keep));
                let (answers, dhidden) = top(&model, &chunk, &pass.hidden, what, Some((slopes, sums)));
                backward(&model, &chunk.batch, pass, &dhidden, sums);
                Some(answers)
            }));
            locked().add(index, sums);
            found
        });
        let total = total.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).total;
        let total = total.unwrap_or_else(|| Sums::zeros(weights));
        Ok((concatenate(found), Gradients::new(total.named(weights)?).on(threads)))
    }
}

/// Adds up the lanes' gradients in the order of the lanes, each as soon as its turn has come: a sum is as large as the model.
struct InOrder<T> {
    next: usize,
    /// Lanes that were done before their turn; without a sum where there was nothing to do.
    early: BTreeMap<usize, Option<Sums<T>>>,
    /// The first lane's sum, and then those of others added to it.
    total: Option<Sums<T>>,
    /// Added, and of use to a lane that begins.
    spare: Vec<Sums<T>>,
}

impl<T: Real> InOrder<T> {
    fn add(&mut self, lane: usize, sums: Option<Sums<T>>) {
        self.early.insert(lane, sums);
        while let Some(sums) = self.early.remove(&self.next) {
            self.next += 1;
            match (&mut self.total, sums) {
                (Some(total), Some(mut sums)) => {
                    total.add(&mut sums);
                    self.spare.push(sums);
                }
                (total @ None, sums) => *total = sums,
                (Some(_), None) => {}
            }
        }
    }
}

/// A forward pass by whatever fits the weights' device and type.
pub(crate) enum Engine<'a> {
    Single(Pending<'a, f32>),
    Double(Pending<'a, f64>),
    Composite(Composite<'a>),
}

fn narrow([first, second]: Answers<f64>) -> Answers<f32> {
    [first, second].map(|values| values.into_iter().map(|x| x as f32).collect())
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
        what: Ask,
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

    pub(crate) fn backward(self, slopes: [&[f32]; 2]) -> Result<(Answers<f32>, Gradients), ModelError> {
        match self {
            Engine::Single(pending) => pending.backward(slopes),
            Engine::Double(pending) => pending.backward(slopes).map(|(answers, gradients)| (narrow(answers), gradients)),
            Engine::Composite(composite) => composite.backward(slopes),
        }
    }
}
