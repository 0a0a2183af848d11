//! Many rows on the CPU, forward and backward: lanes on threads, batches within a lane.

use super::engine::{Answers, Ask, Part, Slopes, Top, check, check_slopes, collect, targets};
use super::lanes::{Compute, Lane, split};
use super::memory::fits_activations;
use super::native::backward::backward;
use super::native::batch::Batch;
use super::native::gradients::{Sums, take};
use super::native::pass::{Keep, Pass, forward};
use super::native::past::{self, Past};
use super::native::team::Team;
use super::native::{Packed, Real};
use super::shared::{gathered, states_of_all, total};
use super::threads::parallel;
use super::{Gradients, ModelError, Row, Weights};
use crate::ranks::Ranks;
use candle_core::Device;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

pub(crate) fn native_answers<T: Real>(weights: &Weights, rows: &[Row], what: Ask, compute: &Compute) -> Result<Answers<T>, ModelError> {
    check(what, weights)?;
    let model = weights.packed::<T>(false, compute.threads)?;
    let (lanes, ranks) = own_lanes(split(weights, rows, compute)?, compute);
    let (top, team) = (Top::of(what)?, Team::of(compute.threads, lanes.len()));
    let parts = parallel(lanes.len(), compute.threads, |lane| answered(&model, &lanes[lane], &top, Keep::Nothing, team).1);
    Ok(collect(gathered(&ranks, parts.into_iter().flatten().collect())?, targets(rows), what))
}

/// The final hidden states at all targets, `[targets, width]`, with nothing else kept.
pub(crate) fn native_states<T: Real>(weights: &Weights, rows: &[Row], compute: &Compute) -> Result<Vec<T>, ModelError> {
    let model = weights.packed::<T>(false, compute.threads)?;
    let (lanes, ranks) = own_lanes(split(weights, rows, compute)?, compute);
    let width = model.config.width;
    let team = Team::of(compute.threads, lanes.len());
    let found = parallel(lanes.len(), compute.threads, |lane| {
        let (lane, mut indices, mut found) = (&lanes[lane], Vec::new(), Vec::new());
        run(&model, lane, Keep::Nothing, team, |batch, hidden| {
            for question in lane.questions(batch) {
                indices.push(question.index);
                found.extend_from_slice(&hidden[question.output * width..][..width]);
            }
        });
        (indices, found)
    });
    let mut states = vec![T::ZERO; targets(rows) * width];
    for (indices, found) in states_of_all(&ranks, found)? {
        for (index, state) in indices.into_iter().zip(found.chunks(width.max(1))) {
            states[index * width..][..width].copy_from_slice(state);
        }
    }
    Ok(states)
}

/// Those that are this rank's, and the ranks that have any.
fn own_lanes<'a>(all: Vec<Lane<'a>>, compute: &Compute) -> (Vec<Lane<'a>>, Ranks) {
    let ranks = compute.ranks.among(all.len());
    (ranks.own(all), ranks)
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
    top: Top<'a, T>,
    threads: usize,
    /// What a lane at work keeps, and where that would be more than so many bytes, keeps of a batch at a time.
    keep: Keep,
    most: usize,
    /// This rank's.
    lanes: Vec<Mutex<(Lane<'a>, Option<Kept<T>>)>>,
    ranks: Ranks,
    /// The ranks that have lanes, in the order of these.
    holders: Vec<usize>,
    targets: usize,
}

impl<'a, T: Real> Pending<'a, T> {
    /// With `at_once`, runs forward, gives the answers, and keeps the activations of as many lanes as may be kept.
    pub(crate) fn new(
        weights: &'a Weights,
        rows: &'a [Row],
        what: Ask<'a>,
        compute: &Compute,
        at_once: bool,
    ) -> Result<(Pending<'a, T>, Option<Answers<T>>), ModelError> {
        check(what, weights)?;
        let (model, top) = (weights.packed::<T>(true, compute.threads)?, Top::of(what)?);
        let lanes = split(weights, rows, compute)?;
        let (targets, holders) = (targets(rows), compute.ranks.among(lanes.len()).holders(lanes.len()));
        let (lanes, ranks) = own_lanes(lanes, compute);
        let keep = if compute.checkpointing { Keep::Inputs } else { Keep::All };
        let size = Size::new::<T>(weights, keep);
        let mut room = if at_once { compute.keep / 4 * 3 } else { 0 };
        let waits = |lane: &Lane| room.checked_sub(size.whole(lane)).inspect(|left| room = *left).is_some();
        let waits: Vec<bool> = lanes.iter().map(waits).collect();
        let waiting = lanes.iter().zip(&waits).filter(|(_, waits)| **waits).map(|(lane, _)| size.whole(lane)).sum::<usize>();
        // As many lanes as run together share what else may be kept.
        let most = (compute.keep - waiting) / compute.threads.clamp(1, lanes.len().max(1));
        let mut others: Vec<&Lane> = lanes.iter().zip(&waits).filter(|(_, waits)| !**waits).map(|(lane, _)| lane).collect();
        if !others.is_empty() {
            let needed = |lane: &Lane| if size.whole(lane) <= most { size.whole(lane) } else { size.by_batch(lane) };
            others.sort_by_key(|lane| std::cmp::Reverse(needed(lane)));
            others.truncate(compute.threads.max(1));
            let tokens = others.iter().map(|lane| lane.tokens).sum();
            let bytes = others.iter().map(|lane| needed(lane)).fold(waiting, usize::saturating_add);
            fits_activations(&Device::Cpu, bytes, rows.len(), tokens)?;
        }
        let lanes: Vec<_> = lanes.into_iter().map(|lane| Mutex::new((lane, None))).collect();
        let team = Team::of(compute.threads, lanes.len());
        let answers = at_once.then(|| -> Result<Answers<T>, ModelError> {
            let parts = parallel(lanes.len(), compute.threads, |number| {
                let (lane, kept) = &mut *locked(&lanes[number]);
                let keep = if waits[number] { keep } else { Keep::Nothing };
                let (found, parts) = answered(&model, lane, &top, keep, team);
                *kept = Some(found).filter(|_| waits[number]);
                parts
            });
            Ok(collect(gathered(&ranks, parts.into_iter().flatten().collect())?, targets, what))
        });
        let answers = answers.transpose()?;
        Ok((Pending { weights, model, what, top, threads: compute.threads, keep, most, lanes, ranks, holders, targets }, answers))
    }

    /// Gradients of Σ slope · answer: of the model, and of a value head that is no part of it.
    pub(crate) fn backward(self, slopes: Slopes) -> Result<(Answers<T>, Found), ModelError> {
        check_slopes(slopes, self.targets)?;
        let Pending { weights, model, what, top, threads, keep, most, lanes, ranks, holders, targets } = self;
        let empty = || Sums::zeros(weights, what.value.is_some());
        let sum = Mutex::new(InOrder { next: 0, early: BTreeMap::new(), total: None, spare: Vec::new() });
        // The lanes of a later rank are added to the sum of those before, which comes when these are done.
        let adds = holders.first().is_none_or(|first| *first == ranks.rank());
        let (size, team) = (Size::new::<T>(weights, keep), Team::of(threads, lanes.len()));
        let parts = parallel(lanes.len(), threads, |number| {
            let (lane, kept) = &mut *locked(&lanes[number]);
            let at_once = if size.whole(lane) <= most { keep } else { Keep::Nothing };
            let mut kept = kept.take().unwrap_or_else(|| run(&model, lane, at_once, team, |_, _| {}));
            let spare = locked(&sum).spare.pop();
            let mut sums = spare.map_or_else(empty, Sums::zeroed);
            let parts = pull(&model, lane, &mut kept, &top, keep, slopes, &mut sums, team);
            if adds {
                locked(&sum).add(number, sums);
                return (parts, None);
            }
            (parts, Some(sums))
        });
        let (parts, apart): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let sum = sum.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).total;
        let own: Vec<Sums<T>> = sum.into_iter().chain(apart.into_iter().flatten()).collect();
        let mut named = total(&ranks, &holders, own, empty)?.named();
        let mut own = |weights: &Weights| Ok::<_, ModelError>(Gradients::new(take(&mut named, weights)?).on(threads));
        let found = Found { model: own(weights)?, head: what.apart(weights).map(own).transpose()? };
        Ok((collect(gathered(&ranks, parts.into_iter().flatten().collect())?, targets, what), found))
    }

    /// Seconds that each lane takes alone, forward and backward.
    pub(crate) fn seconds(self, slopes: Slopes) -> Result<Vec<f64>, ModelError> {
        check_slopes(slopes, self.targets)?;
        let seconds = |lane: &Mutex<(Lane, Option<Kept<T>>)>| {
            let (start, lane) = (Instant::now(), &locked(lane).0);
            let mut sums = Sums::zeros(self.weights, self.what.value.is_some());
            let mut kept = run(&self.model, lane, self.keep, Team::ALONE, |_, _| {});
            pull(&self.model, lane, &mut kept, &self.top, self.keep, slopes, &mut sums, Team::ALONE);
            start.elapsed().as_secs_f64()
        };
        Ok(self.lanes.iter().map(seconds).collect())
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
