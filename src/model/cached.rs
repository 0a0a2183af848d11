//! The decoder with a cache of keys and values in candle's operations: generation on devices and types that have no kernels of their own.

use super::composite::{FORBIDDEN, Graph, Heads, Parameters, block, linear, long, rms_norm, softmax, turns};
use super::native::decode::{Copy, Feed};
use super::weights::{EMBEDDING, FINAL_NORM};
use super::{ModelError, Weights};
use candle_core::{DType, Device, Tensor};

/// Keys and values of all slots.
pub(crate) struct Cached {
    /// Of each layer, `[slots · capacity + 1, kv width]`; the last line takes what padding writes.
    layers: Vec<(Tensor, Tensor)>,
    slots: usize,
    capacity: usize,
    turns: (Tensor, Tensor),
}

/// What all layers of one step share.
struct Step {
    rows: usize,
    length: usize,
    /// Where the new keys and values go, `[rows · length, kv width]`, and which lines are read, `[rows · seen]`.
    written: Tensor,
    read: Tensor,
    seen: usize,
    /// `[rows, 1, length, seen]`
    mask: Tensor,
}

impl Cached {
    pub(crate) fn new(weights: &Weights, slots: usize, capacity: usize) -> Result<Cached, ModelError> {
        let (device, dtype, width) = (weights.device(), weights.dtype(), weights.config().kv_width());
        let lines = || Tensor::zeros((slots * capacity + 1, width), dtype, &device);
        let layers = (0..weights.config().layers).map(|_| Ok((lines()?, lines()?))).collect::<Result<_, ModelError>>()?;
        Ok(Cached { layers, slots, capacity, turns: turns(weights, capacity)? })
    }

    pub(crate) fn copy(&mut self, copy: Copy) -> Result<(), ModelError> {
        for (keys, values) in &self.layers {
            for lines in [keys, values] {
                self.copy_lines(lines, copy)?;
            }
        }
        Ok(())
    }

    fn copy_lines(&self, lines: &Tensor, copy: Copy) -> candle_core::Result<()> {
        if copy.to == copy.from {
            return Ok(());
        }
        let source = lines.narrow(0, copy.source * self.capacity + copy.from, copy.to - copy.from)?.copy()?;
        lines.slice_set(&source, 0, copy.slot * self.capacity + copy.from)
    }

    /// Feeds the tokens, fills the cache, and gives the logits behind the last token of each feed, on the host. Copies are made before anything is read.
    pub(crate) fn step(&mut self, weights: &Weights, feeds: &[Feed], copies: &[Copy]) -> Result<Vec<Vec<f32>>, ModelError> {
        let parameters = Parameters { weights, graph: Graph::Free };
        let config = weights.config();
        let (heads, kv_heads, head, width) = (config.heads, config.kv_heads, config.head_width(), config.kv_width());
        let (step, ids, positions) = self.lay(weights, feeds)?;
        let Step { rows, length, seen, .. } = step;
        let mut x = parameters.get(EMBEDDING)?.index_select(&ids, 0)?.reshape((rows, length, config.width))?;
        let turn = |t: &Tensor| t.index_select(&positions, 0)?.reshape((rows, 1, length, head / 2));
        let (cos, sin) = (turn(&self.turns.0)?, turn(&self.turns.1)?);
        for (layer, (keys, values)) in self.layers.iter().enumerate() {
            x = block(&parameters, layer, &x, (&cos, &sin), |Heads { q, k, v }| {
                for (lines, new) in [(keys, k), (values, v)] {
                    let new = new.transpose(1, 2)?.contiguous()?.reshape((rows * length, width))?;
                    lines.scatter_set(&step.written, &new, 0)?;
                    copies.iter().try_for_each(|copy| self.copy_lines(lines, *copy))?;
                }
                let split = |lines: &Tensor| {
                    lines.index_select(&step.read, 0)?.reshape((rows, seen, kv_heads, head))?.transpose(1, 2)?.contiguous()
                };
                let (k, v) = (split(keys)?, split(values)?);
                // The query heads of one key head lie together: a longer list of queries.
                let q = q.contiguous()?.reshape((rows, kv_heads, heads / kv_heads * length, head))?;
                let scores = (q.matmul(&k.t()?)? / (head as f64).sqrt())?.reshape((rows, heads, length, seen))?;
                let shares = softmax(&scores.broadcast_add(&step.mask)?)?;
                shares.reshape((rows, kv_heads, heads / kv_heads * length, seen))?.matmul(&v)?.reshape((rows, heads, length, head))
            })?;
        }
        let last: Vec<u32> = feeds.iter().enumerate().map(|(i, feed)| (i * length + feed.tokens.len() - 1) as u32).collect();
        let last = Tensor::from_vec(last, rows, x.device())?;
        let x = x.reshape((rows * length, config.width))?.index_select(&last, 0)?;
        let hidden = rms_norm(&x, &parameters.get(FINAL_NORM)?, config.norm_eps)?;
        let logits = long(&linear(&hidden, &parameters.head()?)?)?;
        Ok(logits.to_dtype(DType::F32)?.to_device(&Device::Cpu)?.to_vec2()?)
    }

    /// The tables of one step, with the ids and the positions of its tokens, `[rows · length]` each. Rows are padded behind.
    fn lay(&self, weights: &Weights, feeds: &[Feed]) -> Result<(Step, Tensor, Tensor), ModelError> {
        let device = weights.device();
        let length = feeds.iter().map(|feed| feed.tokens.len()).max().unwrap_or(0);
        let seen = feeds.iter().map(|feed| feed.from + feed.tokens.len()).max().unwrap_or(0);
        let (mut ids, mut positions, mut written, mut read, mut mask) = (vec![], vec![], vec![], vec![], vec![]);
        for feed in feeds {
            let line = |position: usize| (feed.slot * self.capacity + position) as u32;
            for i in 0..length {
                let (token, position) = (feed.tokens.get(i), feed.from + i);
                ids.push(token.copied().unwrap_or(0));
                positions.push(if token.is_some() { position as u32 } else { 0 });
                written.push(if token.is_some() { line(position) } else { (self.slots * self.capacity) as u32 });
                mask.extend((0..seen).map(|at| if at > position { FORBIDDEN as f32 } else { 0.0 }));
            }
            // What lies behind the row is hidden by the mask.
            read.extend((0..seen).map(line));
        }
        let (rows, width) = (feeds.len(), weights.config().kv_width());
        let flat = |numbers: Vec<u32>| {
            let count = numbers.len();
            Tensor::from_vec(numbers, count, &device)
        };
        let written = flat(written)?.unsqueeze(1)?.broadcast_as((rows * length, width))?.contiguous()?;
        let mask = Tensor::from_vec(mask, (rows, 1, length, seen), &Device::Cpu)?.to_dtype(weights.dtype())?.to_device(&device)?;
        Ok((Step { rows, length, written, read: flat(read)?, seen, mask }, flat(ids)?, flat(positions)?))
    }
}
