//! Forward and backward over many rows on the CPU: lanes on threads, chunks within a lane.

use super::lanes::{Chunk, Compute, split};
use super::native::backward::backward;
use super::native::gradients::Sums;
use super::native::head::{Slopes, ask, values, values_backward};
use super::native::pass::{Pass, forward};
use super::native::{Packed, Real};
use super::threads::parallel;
use super::{Gradients, ModelError, Row, Weights};
use std::sync::{Arc, Mutex};

/// What is asked of the final hidden states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ask {
    Policy { temperature: f64 },
    Value,
}

/// For a policy log-probabilities and entropies, for a critic values and nothing.
pub(crate) type Answers<T> = [Vec<T>; 2];

fn concatenate<T>(parts: impl IntoIterator<Item = Answers<T>>) -> Answers<T> {
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

fn check(what: Ask) -> Result<(), ModelError> {
    match what {
        Ask::Policy { temperature } if !(temperature.is_finite() && temperature > 0.0) => {
            Err(ModelError::input(format!("`temperature` is {temperature}, to score it has to be positive")))
        }
        _ => Ok(()),
    }
}

pub(crate) fn answers<T: Real>(weights: &Weights, rows: &[Row], what: Ask, compute: &Compute) -> Result<Answers<T>, ModelError> {
    check(what)?;
    let model = weights.packed::<T>(false)?;
    let lanes = split(weights, rows, compute)?;
    let parts = parallel(lanes.len(), compute.threads, |lane| {
        concatenate(lanes[lane].iter().map(|chunk| top(&model, chunk, &forward(&model, &chunk.batch, false).hidden, what, None).0))
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
        let (token, output) = Pass::<T>::size(weights.config());
        let size: usize = lanes.iter().flatten().map(|c| c.batch.tokens() * token + c.batch.outputs() * output).sum();
        let keep = size.saturating_mul(size_of::<T>()) <= compute.keep;
        let lanes: Vec<Mutex<Lane<T>>> =
            lanes.into_iter().map(|chunks| Mutex::new(chunks.into_iter().map(|c| (c, None)).collect())).collect();
        let answers = at_once.then(|| {
            concatenate(parallel(lanes.len(), compute.threads, |lane| {
                let mut lane = lanes[lane].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                concatenate(lane.iter_mut().map(|(chunk, kept)| {
                    let pass = forward(&model, &chunk.batch, keep);
                    let (answers, _) = top(&model, chunk, &pass.hidden, what, None);
                    if keep {
                        *kept = Some(pass);
                    }
                    answers
                }))
            }))
        });
        Ok((Pending { weights, model, what, threads: compute.threads, lanes, targets }, answers))
    }

    /// Gradients of Σ slope · answer.
    pub(crate) fn backward(self, slopes: [&[f32]; 2]) -> Result<(Answers<T>, Gradients), ModelError> {
        if let Some(slopes) = slopes.iter().find(|s| !s.is_empty() && s.len() != self.targets) {
            return Err(ModelError::input(format!("{} gradients for {} targets", slopes.len(), self.targets)));
        }
        let Pending { weights, model, what, threads, lanes, .. } = self;
        let parts = parallel(lanes.len(), threads, |lane| {
            let mut lane = lanes[lane].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let mut sums = (!lane.is_empty()).then(|| Sums::zeros(weights));
            let found = concatenate(std::mem::take(&mut *lane).into_iter().filter_map(|(chunk, kept)| {
                let sums = sums.as_mut()?;
                let pass = kept.unwrap_or_else(|| forward(&model, &chunk.batch, true));
                let (answers, dhidden) = top(&model, &chunk, &pass.hidden, what, Some((slopes, sums)));
                backward(&model, &chunk.batch, pass, &dhidden, sums);
                Some(answers)
            }));
            (found, sums)
        });
        let (mut found, mut total) = (Vec::new(), Sums::zeros(weights));
        for (answers, sums) in parts {
            found.push(answers);
            if let Some(sums) = sums {
                total.add(sums);
            }
        }
        Ok((concatenate(found), Gradients::new(total.named(weights)?)))
    }
}
