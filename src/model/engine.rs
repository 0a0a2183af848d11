//! Forward and backward over many rows: on the CPU by our kernels (lanes on threads, batches within a lane), elsewhere by candle's operations.

use super::lanes::{Compute, Lane, split};
use super::memory::fits_activations;
use super::native::backward::backward;
use super::native::batch::Batch;
use super::native::gradients::{Sums, take};
use super::native::head::{Question, Slopes as PolicySlopes, ValueHead, ask};
use super::native::pass::{Keep, Pass, forward};
use super::native::past::{self, Past};
use super::native::team::Team;
use super::native::{Packed, Real};
use super::passes::Composite;
use super::threads::parallel;
use super::{Gradients, ModelError, Row, Weights};
use candle_core::{DType, Device};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

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
struct Top<T> {
    temperature: Option<f64>,
    figures: bool,
    value: Option<ValueHead<T>>,
}

impl<T: Real> Top<T> {
    fn of(what: Ask) -> Result<Top<T>, ModelError> {
        Ok(Top { temperature: what.temperature, figures: what.figures, value: what.value.map(ValueHead::of).transpose()? })
    }

    /// The answers about one batch and, with slopes, the gradient of the hidden states.
    fn ask(
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

pub(crate) fn native_answers<T: Real>(weights: &Weights, rows: &[Row], what: Ask, compute: &Compute) -> Result<Answers<T>, ModelError> {
    check(what)?;
    let model = weights.packed::<T>(false)?;
    let lanes = split(weights, rows, compute)?;
    let (top, team) = (Top::of(what)?, Team::of(compute.threads, lanes.len()));
    let parts = parallel(lanes.len(), compute.threads, |lane| answered(&model, &lanes[lane], &top, Keep::Nothing, team).1);
    Ok(collect(parts.into_iter().flatten(), targets(rows), what))
}

/// What is kept of a lane between its forward and its backward pass.
struct Kept<T> {
    past: Past<T>,
    /// Of each batch; nothing where it is computed again.
    passes: Vec<Option<Pass<T>>>,
}

/// A lane, forward; `see` gets the number and the final hidden states of each batch.
fn run<T: Real>(model: &Packed<T>, lane: &Lane, keep: Keep, team: Team, mut see: impl FnMut(usize, &[T])) -> Kept<T> {
    let mut past = Past::of(&model.config, lane.tokens);
    let mut passes = Vec::new();
    for (number, batch) in lane.batches.iter().enumerate() {
        let pass = forward(model, batch, &mut past, keep, team);
        see(number, &pass.hidden);
        passes.push(Some(pass).filter(|_| keep != Keep::Nothing));
    }
    Kept { past, passes }
}

/// A lane, forward, and its answers.
fn answered<T: Real>(model: &Packed<T>, lane: &Lane, top: &Top<T>, keep: Keep, team: Team) -> (Kept<T>, Vec<Part<T>>) {
    let mut parts = Vec::new();
    let kept = run(model, lane, keep, team, |number, hidden| parts.push(top.ask(model, lane.questions(number), hidden, None, team).0));
    (kept, parts)
}

/// What a backward pass gives.
pub(crate) struct Found {
    pub(crate) model: Gradients,
    /// Of a value head that is no part of the model.
    pub(crate) head: Option<Gradients>,
}

/// Forward passes whose gradients may still be asked for.
pub(crate) struct Pending<'a, T> {
    weights: &'a Weights,
    model: Arc<Packed<T>>,
    what: Ask<'a>,
    top: Top<T>,
    threads: usize,
    /// What is kept for the backward pass, and where a lane would keep more than so many bytes, is kept of a batch at a time.
    keep: Keep,
    most: usize,
    lanes: Vec<Mutex<(Lane<'a>, Option<Kept<T>>)>>,
    targets: usize,
}

impl<'a, T: Real> Pending<'a, T> {
    /// Runs forward at once if the activations may be kept; gives `None` for the answers if `at_once` is false.
    pub(crate) fn new(
        weights: &'a Weights,
        rows: &'a [Row],
        what: Ask<'a>,
        compute: &Compute,
        at_once: bool,
    ) -> Result<(Pending<'a, T>, Option<Answers<T>>), ModelError> {
        check(what)?;
        let (model, top) = (weights.packed::<T>(true)?, Top::of(what)?);
        let lanes = split(weights, rows, compute)?;
        let targets = targets(rows);
        let keep = if compute.checkpointing { Keep::Inputs } else { Keep::All };
        let size = Size::new::<T>(weights, keep);
        let now = if lanes.iter().map(|lane| size.whole(lane)).sum::<usize>() <= compute.keep { keep } else { Keep::Nothing };
        // As many lanes as run together share what may be kept.
        let most = compute.keep / compute.threads.clamp(1, lanes.len().max(1));
        if now == Keep::Nothing {
            let needed = |lane: &Lane| if size.whole(lane) <= most { size.whole(lane) } else { size.by_batch(lane) };
            let mut largest: Vec<&Lane> = lanes.iter().collect();
            largest.sort_by_key(|lane| std::cmp::Reverse(needed(lane)));
            largest.truncate(compute.threads.max(1));
            let tokens = largest.iter().map(|lane| lane.tokens).sum();
            fits_activations(&Device::Cpu, largest.iter().map(|lane| needed(lane)).sum(), rows.len(), tokens)?;
        }
        let lanes: Vec<_> = lanes.into_iter().map(|lane| Mutex::new((lane, None))).collect();
        let team = Team::of(compute.threads, lanes.len());
        let answers = at_once.then(|| {
            let parts = parallel(lanes.len(), compute.threads, |number| {
                let (lane, kept) = &mut *locked(&lanes[number]);
                let (now_kept, parts) = answered(&model, lane, &top, now, team);
                *kept = Some(now_kept).filter(|_| now != Keep::Nothing);
                parts
            });
            collect(parts.into_iter().flatten(), targets, what)
        });
        Ok((Pending { weights, model, what, top, threads: compute.threads, keep, most, lanes, targets }, answers))
    }

    /// Gradients of Σ slope · answer: of the model, and of a value head that is no part of it.
    pub(crate) fn backward(self, slopes: Slopes) -> Result<(Answers<T>, Found), ModelError> {
        check_slopes(slopes, self.targets)?;
        let Pending { weights, model, what, top, threads, keep, most, lanes, targets } = self;
        let empty = || Sums::zeros(weights, what.value.is_some());
        let total = Mutex::new(InOrder { next: 0, early: BTreeMap::new(), total: None, spare: Vec::new() });
        let (size, team) = (Size::new::<T>(weights, keep), Team::of(threads, lanes.len()));
        let parts = parallel(lanes.len(), threads, |number| {
            let (lane, kept) = &mut *locked(&lanes[number]);
            let at_once = if size.whole(lane) <= most { keep } else { Keep::Nothing };
            let mut kept = kept.take().unwrap_or_else(|| run(&model, lane, at_once, team, |_, _| {}));
            let spare = locked(&total).spare.pop();
            let mut sums = spare.map_or_else(empty, Sums::zeroed);
            let parts = pull(&model, lane, &mut kept, &top, keep, slopes, &mut sums, team);
            locked(&total).add(number, sums);
            parts
        });
        let total = total.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).total;
        let mut named = total.unwrap_or_else(empty).named();
        let mut own = |weights: &Weights| Ok::<_, ModelError>(Gradients::new(take(&mut named, weights)?).on(threads));
        let found = Found { model: own(weights)?, head: what.apart(weights).map(own).transpose()? };
        Ok((collect(parts.into_iter().flatten(), targets, what), found))
    }
}

/// A lane, backward: from its last batch to its first, each of which then has the gradients of its keys and values by all that follow it.
#[allow(clippy::too_many_arguments)]
fn pull<T: Real>(
    model: &Packed<T>,
    lane: &Lane,
    kept: &mut Kept<T>,
    top: &Top<T>,
    keep: Keep,
    slopes: Slopes,
    sums: &mut Sums<T>,
    team: Team,
) -> Vec<Part<T>> {
    let mut dpast = Past::of(&model.config, lane.tokens);
    let mut parts = Vec::new();
    for (number, batch) in lane.batches.iter().enumerate().rev() {
        let pass = kept.passes.get_mut(number).and_then(Option::take);
        let pass = pass.unwrap_or_else(|| forward(model, batch, &mut kept.past, keep, team));
        let (part, dhidden) = top.ask(model, lane.questions(number), &pass.hidden, Some((slopes, sums)), team);
        backward(model, batch, pass, &mut kept.past, &mut dpast, &dhidden, sums, team);
        parts.push(part);
    }
    parts
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Bytes of what is kept.
#[derive(Clone, Copy)]
struct Size {
    token: usize,
    output: usize,
    /// Keys, values and their gradients.
    past: usize,
}

impl Size {
    fn new<T: Real>(weights: &Weights, keep: Keep) -> Size {
        let (token, output) = Pass::<T>::size(weights.config(), keep);
        let past = 2 * past::width(weights.config());
        Size { token: token * size_of::<T>(), output: output * size_of::<T>(), past: past * size_of::<T>() }
    }

    fn batch(self, batch: &Batch) -> usize {
        (batch.tokens() * self.token).saturating_add(batch.outputs() * self.output)
    }

    /// All of a lane.
    fn whole(self, lane: &Lane) -> usize {
        lane.batches.iter().map(|batch| self.batch(batch)).sum::<usize>().saturating_add(lane.tokens * self.past)
    }

    /// Of its batches only one at a time.
    fn by_batch(self, lane: &Lane) -> usize {
        lane.batches.iter().map(|batch| self.batch(batch)).max().unwrap_or(0).saturating_add(lane.tokens * self.past)
    }
}

/// Adds up the lanes' gradients in the order of the lanes, each as soon as its turn has come: a sum is as large as the model.
struct InOrder<T> {
    next: usize,
    /// Lanes that were done before their turn.
    early: BTreeMap<usize, Sums<T>>,
    /// The first lane's sum, and then those of others added to it.
    total: Option<Sums<T>>,
    /// Added, and of use to a lane that begins.
    spare: Vec<Sums<T>>,
}

impl<T: Real> InOrder<T> {
    fn add(&mut self, lane: usize, sums: Sums<T>) {
        self.early.insert(lane, sums);
        while let Some(mut sums) = self.early.remove(&self.next) {
            self.next += 1;
            match &mut self.total {
                Some(total) => {
                    total.add(&mut sums);
                    self.spare.push(sums);
                }
                None => self.total = Some(sums),
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
