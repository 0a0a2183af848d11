//! The decoder with a cache of keys and values: a few new tokens for each of several slots in one go.

use super::attention::{Memory, Scratch, attend};
use super::elementwise::{head_norm, rms_norm, swiglu};
use super::matmul::Write;
use super::packed::Packed;
use super::pass::{gather, zeros};
use super::real::Real;
use super::simd::LANES;

/// Keys and values of all slots; each slot has room for `capacity` positions.
pub(crate) struct Cache<T> {
    layers: Vec<LayerCache<T>>,
    capacity: usize,
    heads: usize,
    head: usize,
    padded: usize,
}

struct LayerCache<T> {
    /// `[slot, kv head, head, capacity]`.
    keys: Vec<T>,
    /// `[slot, kv head, capacity, padded]`.
    values: Vec<T>,
}

/// New tokens of one slot, standing at positions `from`, `from + 1`, … behind what the cache holds.
pub(crate) struct Feed<'a> {
    pub(crate) slot: usize,
    pub(crate) from: usize,
    pub(crate) tokens: &'a [u32],
}

/// Positions `from..to` of one slot are those of another, which computes them in the same step or before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Copy {
    pub(crate) source: usize,
    pub(crate) slot: usize,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

impl<T: Real> Cache<T> {
    pub(crate) fn new(model: &Packed<T>, slots: usize, capacity: usize) -> Cache<T> {
        let (heads, head) = (model.config.kv_heads, model.config.head_width());
        let (capacity, padded) = (capacity.next_multiple_of(LANES), head.next_multiple_of(LANES));
        let layer = || LayerCache { keys: zeros(slots * heads * head * capacity), values: zeros(slots * heads * capacity * padded) };
        Cache { layers: (0..model.config.layers).map(|_| layer()).collect(), capacity, heads, head, padded }
    }

    pub(crate) fn copy(&mut self, copy: Copy) {
        for layer in 0..self.layers.len() {
            self.copy_layer(layer, copy);
        }
    }

    fn copy_layer(&mut self, layer: usize, copy: Copy) {
        let (heads, head, capacity, padded) = (self.heads, self.head, self.capacity, self.padded);
        let LayerCache { keys, values } = &mut self.layers[layer];
        for line in 0..heads * head {
            let at = |slot: usize| (slot * heads * head + line) * capacity;
            keys.copy_within(at(copy.source) + copy.from..at(copy.source) + copy.to, at(copy.slot) + copy.from);
        }
        for line in 0..heads {
            let at = |slot: usize, position: usize| ((slot * heads + line) * capacity + position) * padded;
            values.copy_within(at(copy.source, copy.from)..at(copy.source, copy.to), at(copy.slot, copy.from));
        }
    }

    /// Stores rows of `[keys, values]` for one slot.
    fn store(&mut self, layer: usize, slot: usize, from: usize, kv: &[T]) {
        let (heads, head, capacity, padded) = (self.heads, self.head, self.capacity, self.padded);
        let LayerCache { keys, values } = &mut self.layers[layer];
        for (t, row) in kv.chunks_exact(2 * heads * head).enumerate() {
            let (key, value) = row.split_at(heads * head);
            for (line, key) in key.iter().enumerate() {
                keys[(slot * heads * head + line) * capacity + from + t] = *key;
            }
            for (line, value) in value.chunks_exact(head).enumerate() {
                values[((slot * heads + line) * capacity + from + t) * padded..][..head].copy_from_slice(value);
            }
        }
    }

    fn memory(&self, layer: usize, slot: usize, kv_head: usize) -> Memory<'_, T> {
        let LayerCache { keys, values } = &self.layers[layer];
        let at = slot * self.heads + kv_head;
        Memory {
            keys: &keys[at * self.head * self.capacity..][..self.head * self.capacity],
            stride: self.capacity,
            values: &values[at * self.capacity * self.padded..][..self.capacity * self.padded],
            head: self.head,
        }
    }
}

/// Feeds the tokens, fills the cache, and gives the final hidden state of the last token of each feed, `[feeds, width]`.
/// `copies` are made, in order, before anything is attended to.
pub(crate) fn step<T: Real>(model: &Packed<T>, cache: &mut Cache<T>, feeds: &[Feed], copies: &[Copy], scratch: &mut Scratch<T>) -> Vec<T> {
    let config = &model.config;
    let (width, ffn, eps) = (config.width, config.ffn, T::of(config.norm_eps));
    let (query_width, kv_width) = (config.query_width(), config.kv_width());
    let group = config.heads / config.kv_heads;
    let tokens: usize = feeds.iter().map(|f| f.tokens.len()).sum();
    let mut positions: Vec<u32> = Vec::with_capacity(tokens);
    let mut x = Vec::with_capacity(tokens * width);
    let (mut starts, mut ends) = (vec![0], Vec::new());
    for feed in feeds {
        for (i, id) in feed.tokens.iter().enumerate() {
            positions.push((feed.from + i) as u32);
            x.extend_from_slice(&model.embedding[*id as usize * width..][..width]);
        }
        starts.push(positions.len());
        ends.push(positions.len() - 1);
    }
    let mut inverse = zeros(tokens);
    let mut normed = zeros(tokens * width);
    let mut kv = zeros(tokens * 2 * kv_width);
    for (i, layer) in model.layers.iter().enumerate() {
        rms_norm(&x, width, &layer.attention_norm, eps, &mut normed, &mut inverse);
        layer.key_value.apply(&normed, tokens, &mut kv, Write::Set);
        if config.variant.head_norms {
            head_norm(&mut kv, 2 * kv_width, kv_width, &layer.key_norm, eps, &mut zeros(tokens * config.kv_heads));
        }
        model.rope.turn(&mut kv, 2 * kv_width, kv_width, &positions, false);
        for (feed, start) in feeds.iter().zip(&starts) {
            cache.store(i, feed.slot, feed.from, &kv[start * 2 * kv_width..(start + feed.tokens.len()) * 2 * kv_width]);
        }
        for copy in copies {
            cache.copy_layer(i, *copy);
        }
        if i + 1 == config.layers {
            // Nothing but the last token of each feed is looked at above this point.
            x = gather(&x, width, &ends);
            normed = gather(&normed, width, &ends);
            positions = ends.iter().map(|end| positions[*end]).collect();
            starts = (0..=feeds.len()).collect();
        }
        let count = positions.len();
        let mut q = zeros(count * query_width);
        layer.query.apply(&normed, count, &mut q, Write::Set);
        if config.variant.head_norms {
            head_norm(&mut q, query_width, query_width, &layer.query_norm, eps, &mut zeros(count * config.heads));
        }
        model.rope.turn(&mut q, query_width, query_width, &positions, false);
        let mut attended = zeros(count * query_width);
        for (feed, range) in feeds.iter().zip(starts.windows(2)) {
            let (from, to) = (range[0], range[1]);
            for h in 0..config.heads {
                let at = from * query_width + h * config.head_width();
                let memory = cache.memory(i, feed.slot, h / group);
                attend(&q[at..], &mut attended[at..], query_width, &positions[from..to], memory, scratch, None);
            }
        }
        layer.output.apply(&attended, count, &mut x, Write::Add);
        rms_norm(&x, width, &layer.ffn_norm, eps, &mut normed, &mut inverse);
        let mut gate_up = zeros(count * 2 * ffn);
        layer.gate_up.apply(&normed, count, &mut gate_up, Write::Set);
        let mut product = zeros(count * ffn);
        swiglu(&gate_up, ffn, &mut product);
        layer.down.apply(&product, count, &mut x, Write::Add);
    }
    let mut hidden = zeros(x.len());
    rms_norm(&x, width, &model.final_norm, eps, &mut hidden, &mut inverse);
    hidden
}
