//! The decoder with a cache of keys and values: a few new tokens for each of several slots in one go.

use super::attention::{BLOCK, Memory, Scratch, attend};
use super::elementwise::{head_norm, rms_norm, swiglu};
use super::matmul::{Left, Write};
use super::packed::{Layer, Packed};
use super::pass::{gather, zeros};
use super::real::Real;
use super::simd::LANES;
use super::team::Team;
use crate::model::threads::parallel;
use std::ops::Range;

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

/// Where the tokens of a step stand, one number each.
struct Places {
    slots: Vec<usize>,
    positions: Vec<u32>,
}

/// The least tokens of a part: with fewer a thread would wait for the model's numbers, which each part reads anew.
const PART: usize = 64;

impl Places {
    fn of(feeds: &[Feed]) -> Places {
        let each = || feeds.iter().flat_map(|feed| (0..feed.tokens.len()).map(move |i| (feed.slot, (feed.from + i) as u32)));
        Places { slots: each().map(|(slot, _)| slot).collect(), positions: each().map(|(_, position)| position).collect() }
    }

    /// The last token of each feed.
    fn ends(&self, ends: &[usize]) -> Places {
        Places {
            slots: ends.iter().map(|end| self.slots[*end]).collect(),
            positions: ends.iter().map(|end| self.positions[*end]).collect(),
        }
    }

    /// Runs `work` on parts of the tokens and puts the results in their order. A token's numbers are the same in whatever part it is.
    fn split<T: Real>(&self, threads: usize, work: impl Fn(Range<usize>) -> Vec<T> + Sync) -> Vec<T> {
        let tokens = self.positions.len();
        if threads <= 1 || tokens < 2 * PART {
            return work(0..tokens);
        }
        // Two parts for each thread: later tokens have more to attend to.
        let size = tokens.div_ceil(2 * threads).next_multiple_of(BLOCK).max(PART);
        parallel(tokens.div_ceil(size), threads, |part| work(part * size..tokens.min((part + 1) * size))).concat()
    }
}

/// Feeds the tokens, fills the cache, and gives the final hidden state of the last token of each feed, `[feeds, width]`.
/// `copies` are made, in order, before anything is attended to. No bit depends on the number of threads.
pub(crate) fn step<T: Real>(model: &Packed<T>, cache: &mut Cache<T>, feeds: &[Feed], copies: &[Copy], threads: usize) -> Vec<T> {
    let config = &model.config;
    let (width, line) = (config.width, 2 * config.kv_width());
    let mut places = Places::of(feeds);
    let mut x = Vec::with_capacity(places.positions.len() * width);
    let mut ends = Vec::with_capacity(feeds.len());
    for feed in feeds {
        for id in feed.tokens {
            x.extend_from_slice(&model.embedding[*id as usize * width..][..width]);
        }
        ends.push(x.len() / width - 1);
    }
    for (i, layer) in model.layers.iter().enumerate() {
        let kv = places.split(threads, |part| {
            let x = &x[part.start * width..part.end * width];
            keys_values(model, layer, x, &places.positions[part])
        });
        let mut start = 0;
        for feed in feeds {
            let end = start + feed.tokens.len() * line;
            cache.store(i, feed.slot, feed.from, &kv[start..end]);
            start = end;
        }
        for copy in copies {
            cache.copy_layer(i, *copy);
        }
        if i + 1 == config.layers {
            // Nothing but the last token of each feed is looked at above this point.
            x = gather(&x, width, &ends);
            places = places.ends(&ends);
        }
        x = places.split(threads, |part| {
            let x = x[part.start * width..part.end * width].to_vec();
            block(model, i, cache, &places.slots[part.clone()], &places.positions[part], x)
        });
    }
    normed(model, &model.final_norm, &x)
}

/// `x` behind a norm of this gain.
fn normed<T: Real>(model: &Packed<T>, gain: &[T], x: &[T]) -> Vec<T> {
    let (width, eps) = (model.config.width, T::of(model.config.norm_eps));
    let mut normed = zeros(x.len());
    rms_norm(x, width, gain, eps, &mut normed, &mut zeros(x.len() / width));
    normed
}

/// Turned keys, and values, `[tokens, 2 kv]`.
fn keys_values<T: Real>(model: &Packed<T>, layer: &Layer<T>, x: &[T], positions: &[u32]) -> Vec<T> {
    let (config, tokens) = (&model.config, positions.len());
    let kv_width = config.kv_width();
    let mut kv = zeros(tokens * 2 * kv_width);
    layer.key_value.apply(&normed(model, &layer.attention_norm, x), &mut kv, Write::Set, Team::ALONE);
    if config.variant.head_norms {
        let inverse = &mut zeros(tokens * config.kv_heads);
        head_norm(&mut kv, 2 * kv_width, kv_width, &layer.key_norm, T::of(config.norm_eps), inverse);
    }
    model.rope.turn(&mut kv, 2 * kv_width, kv_width, positions, false);
    kv
}

/// A block's output for tokens whose keys and values are in the cache.
fn block<T: Real>(model: &Packed<T>, i: usize, cache: &Cache<T>, slots: &[usize], positions: &[u32], mut x: Vec<T>) -> Vec<T> {
    let (config, layer, tokens) = (&model.config, &model.layers[i], positions.len());
    let (ffn, query_width, group) = (config.ffn, config.query_width(), config.heads / config.kv_heads);
    let mut q = zeros(tokens * query_width);
    layer.query.apply(&normed(model, &layer.attention_norm, &x), &mut q, Write::Set, Team::ALONE);
    if config.variant.head_norms {
        let inverse = &mut zeros(tokens * config.heads);
        head_norm(&mut q, query_width, query_width, &layer.query_norm, T::of(config.norm_eps), inverse);
    }
    model.rope.turn(&mut q, query_width, query_width, positions, false);
    let mut attended = zeros(tokens * query_width);
    let (mut scratch, mut from) = (Scratch::default(), 0);
    for row in slots.chunk_by(|a, b| a == b) {
        let to = from + row.len();
        for h in 0..config.heads {
            let at = from * query_width + h * config.head_width();
            let memory = cache.memory(i, row[0], h / group);
            let q = Left { data: &q[at..], stride: query_width };
            attend(q, &mut attended[at..], query_width, &positions[from..to], memory, &mut scratch, None);
        }
        from = to;
    }
    layer.output.apply(&attended, &mut x, Write::Add, Team::ALONE);
    let mut gate_up = zeros(tokens * 2 * ffn);
    layer.gate_up.apply(&normed(model, &layer.ffn_norm, &x), &mut gate_up, Write::Set, Team::ALONE);
    let mut product = zeros(tokens * ffn);
    swiglu(&gate_up, ffn, &mut product);
    layer.down.apply(&product, &mut x, Write::Add, Team::ALONE);
    x
}
