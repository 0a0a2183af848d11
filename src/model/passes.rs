//! Forward and backward passes in candle's operations, micro-batch by micro-batch.

use super::composite::{Graph, Padded, host};
use super::engine::{Answers, Ask, Part, Slopes, check, check_slopes, collect, targets};
use super::figure::Asked;
use super::forest::{Placed, arrange};
use super::lanes::Compute;
use super::pending::Found;
use super::{Gradients, ModelError, Row, Weights};
use candle_core::{Device, Tensor, Var};
use std::ops::Range;

/// Rows of one composite pass, if the caller does not say.
const COMPOSITE_ROWS: usize = 8;

/// Logits that exist at the same time: each target has one for every token that there is.
const LOGITS: usize = 1 << 24;

/// Forward passes in candle's operations; the backward pass runs them again, micro-batch by micro-batch.
pub(crate) struct Composite<'a> {
    weights: &'a Weights,
    /// Neighbours begin alike.
    rows: Vec<Placed<'a>>,
    /// Targets of all rows.
    count: usize,
    what: Ask<'a>,
    micro_batch: usize,
    checkpointing: bool,
    /// As many are answered at a time.
    pub(crate) targets: usize,
}

impl<'a> Composite<'a> {
    pub(crate) fn new(weights: &'a Weights, rows: &'a [Row], what: Ask<'a>, compute: &Compute) -> Result<Composite<'a>, ModelError> {
        check(what, weights)?;
        for (i, row) in rows.iter().enumerate() {
            row.check(weights.config(), i)?;
        }
        let (count, rows) = (targets(rows), arrange(rows, compute.share));
        let micro_batch = compute.micro_batch.unwrap_or(COMPOSITE_ROWS).max(1);
        let targets = (LOGITS / weights.config().vocab.max(1)).max(1);
        Ok(Composite { weights, rows, count, what, micro_batch, checkpointing: compute.checkpointing, targets })
    }

    pub(crate) fn answers(&self) -> Result<Answers<f32>, ModelError> {
        let mut parts = Vec::new();
        for rows in self.rows.chunks(self.micro_batch) {
            let padded = Padded::new(self.weights, rows)?;
            let states = padded.states(Graph::Free)?;
            let mut found = Vec::new();
            for part in self.parts(&states)? {
                let states = states.narrow(0, part.start, part.len())?;
                found.push(on_host(&padded.answers(&states, part, self.what, Graph::Free)?)?);
            }
            parts.push(Part { indices: indices(rows), answers: concatenate(found) });
        }
        Ok(collect(parts, self.count, self.what))
    }

    pub(crate) fn backward(self, slopes: Slopes) -> Result<(Answers<f32>, Found), ModelError> {
        check_slopes(slopes, self.count)?;
        let head = self.what.apart(self.weights).map(Gradients::zeros).transpose()?;
        let mut total = Found { model: Gradients::zeros(self.weights)?, head };
        let mut parts = Vec::new();
        for rows in self.rows.chunks(self.micro_batch) {
            let padded = Padded::new(self.weights, rows)?;
            padded.fits(self.checkpointing)?;
            let indices = indices(rows);
            let of = |slopes: &[f32]| indices.iter().filter_map(|index| slopes.get(*index).copied()).collect::<Vec<f32>>();
            let [logp, entropy, value] = [slopes.logp, slopes.entropy, slopes.value].map(of);
            let figures: Vec<Vec<f32>> = slopes.figures.iter().map(|slopes| of(slopes)).collect();
            let slopes = Slopes { logp: &logp, entropy: &entropy, value: &value, figures: &figures };
            let answers = match self.checkpointing {
                true => self.by_layer(&padded, slopes, &mut total)?,
                false => self.at_once(&padded, slopes, &mut total)?,
            };
            parts.push(Part { indices, answers });
        }
        Ok((collect(parts, self.count, self.what), total))
    }

    fn at_once(&self, padded: &Padded, slopes: Slopes, total: &mut Found) -> Result<Answers<f32>, ModelError> {
        let states = padded.states(Graph::Recorded)?;
        let (found, slope) = self.top(padded, &states, slopes, total)?;
        if let Some(slope) = slope {
            total.model.take(self.weights, &mut (states * slope)?.sum_all()?.backward()?)?;
        }
        Ok(found)
    }

    /// The targets whose states these are, a few at a time.
    fn parts(&self, states: &Tensor) -> Result<impl Iterator<Item = Range<usize>>, ModelError> {
        let (count, targets) = (states.dim(0)?, self.targets);
        Ok((0..count).step_by(targets).map(move |first| first..count.min(first + targets)))
    }

    /// Answers, and the gradient of the targets' states.
    fn top(
        &self,
        padded: &Padded,
        states: &Tensor,
        slopes: Slopes,
        total: &mut Found,
    ) -> Result<(Answers<f32>, Option<Tensor>), ModelError> {
        let (mut found, mut pulled) = (Vec::new(), Vec::new());
        for part in self.parts(states)? {
            let input = Var::from_tensor(&states.detach().narrow(0, part.start, part.len())?.contiguous()?)?;
            let answers = padded.answers(input.as_tensor(), part.clone(), self.what, Graph::Recorded)?;
            if let Some(loss) = weighted(&answers, slopes, &part)? {
                pulled.push(self.pull(&loss, &input, total)?);
            }
            found.push(on_host(&answers)?);
        }
        let slope = if pulled.is_empty() { None } else { Some(Tensor::cat(&pulled, 0)?) };
        Ok((concatenate(found), slope))
    }

    /// Of the forward pass only the input of every layer is kept; a layer is computed again when its gradient is taken.
    fn by_layer(&self, padded: &Padded, slopes: Slopes, total: &mut Found) -> Result<Answers<f32>, ModelError> {
        let mut x = padded.embed(Graph::Free)?;
        let mut inputs = Vec::new();
        for layer in 0..self.weights.config().layers {
            inputs.push(x.clone());
            x = padded.block(layer, &x, Graph::Free)?;
        }
        let input = Var::from_tensor(&x)?;
        let states = padded.target_states(input.as_tensor(), Graph::Recorded)?;
        let (found, slope) = self.top(padded, &states, slopes, total)?;
        let Some(slope) = slope else { return Ok(found) };
        let mut slope = self.pull(&(states * slope)?.sum_all()?, &input, total)?;
        for (layer, x) in inputs.into_iter().enumerate().rev() {
            let input = Var::from_tensor(&x)?;
            let output = padded.block(layer, input.as_tensor(), Graph::Recorded)?;
            slope = self.pull(&(output * slope)?.sum_all()?, &input, total)?;
        }
        if self.weights.adapter().is_none() {
            let loss = (padded.embed(Graph::Recorded)? * slope)?.sum_all()?;
            total.model.take(self.weights, &mut loss.backward()?)?;
        }
        Ok(found)
    }

    /// Takes the gradients of a part of the graph; gives that of its input.
    fn pull(&self, loss: &Tensor, input: &Var, total: &mut Found) -> Result<Tensor, ModelError> {
        let mut store = loss.backward()?;
        let slope = store.remove(input.as_tensor()).map_or_else(|| input.zeros_like(), Ok)?;
        total.model.take(self.weights, &mut store)?;
        if let (Some(head), Some(gradients)) = (self.what.apart(self.weights), &mut total.head) {
            gradients.take(head, &mut store)?;
        }
        Ok(slope.detach())
    }
}

/// Where the answers of these rows belong.
fn indices(rows: &[Placed]) -> Vec<usize> {
    rows.iter().flat_map(Placed::targets).collect()
}

/// Σ slope · answer over a part of the targets, if any slope is given.
fn weighted(found: &[Option<Tensor>], slopes: Slopes, part: &Range<usize>) -> Result<Option<Tensor>, ModelError> {
    let mut loss: Option<Tensor> = None;
    for (found, slopes) in found.iter().zip(slopes.columns()) {
        let (Some(found), Some(slopes)) = (found, slopes.get(part.clone()).filter(|slopes| !slopes.is_empty())) else { continue };
        let slopes = Tensor::from_slice(slopes, slopes.len(), &Device::Cpu)?;
        let term = (found * slopes.to_dtype(found.dtype())?.to_device(found.device())?)?.sum_all()?;
        loss = Some(match loss {
            Some(loss) => (loss + term)?,
            None => term,
        });
    }
    Ok(loss)
}

fn on_host(found: &[Option<Tensor>]) -> Result<Answers<f32>, ModelError> {
    let mut columns = found.iter().map(|found| Ok(found.as_ref().map(host).transpose()?.unwrap_or_default()));
    let mut next = || columns.next().unwrap_or_else(|| Ok(Vec::new()));
    let (logp, entropy, value) = (next()?, next()?, next()?);
    Ok(Answers { logp, entropy, value, figures: columns.collect::<Result<_, ModelError>>()? })
}

fn concatenate(parts: impl IntoIterator<Item = Answers<f32>>) -> Answers<f32> {
    let mut parts = parts.into_iter();
    let mut all = parts.next().unwrap_or_default();
    for part in parts {
        for (all, mut part) in all.columns_mut().zip(part.columns()) {
            all.append(&mut part);
        }
    }
    all
}

/// The final hidden states at all targets, `[targets, width]`.
pub(crate) fn states_on_device(weights: &Weights, rows: &[Row], compute: &Compute) -> Result<Tensor, ModelError> {
    let composite = Composite::new(weights, rows, Ask { temperature: None, more: Asked::default(), value: None }, compute)?;
    let (mut states, mut places) = (Vec::new(), vec![0u32; composite.count]);
    let mut count = 0;
    for rows in composite.rows.chunks(composite.micro_batch) {
        states.push(Padded::new(weights, rows)?.states(Graph::Free)?.detach());
        for index in indices(rows) {
            places[index] = count;
            count += 1;
        }
    }
    if states.is_empty() {
        return Ok(Tensor::zeros((0, weights.config().width), weights.dtype(), &weights.device())?);
    }
    let places = Tensor::from_vec(places, composite.count, &weights.device())?;
    Ok(Tensor::cat(&states, 0)?.index_select(&places, 0)?)
}
