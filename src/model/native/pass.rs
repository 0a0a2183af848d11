//! The decoder over one batch, forward.
//!
//! The last block computes queries, attention and feed-forward only where its output is wanted; keys and values it needs everywhere.

use super::attention::{Scratch, attend};
use super::batch::{Batch, Run};
use super::elementwise::{head_norm, rms_norm, swiglu};
use super::matmul::{Left, Write};
use super::packed::{Layer, Packed};
use super::past::{LayerPast, Past};
use super::path::Path;
use super::real::Real;
use super::team::Team;
use std::ops::Range;

/// What the backward pass needs of one block. N tokens, S of them computed to the end (S = N but for the last block).
pub(crate) struct Kept<T> {
    /// Input, [N, width], and the inverse norms of its rows.
    pub(crate) x: Vec<T>,
    pub(crate) x_inverse: Vec<T>,
    /// Turned queries [S, queries]. Turned keys and values are in the [`Past`].
    pub(crate) q: Vec<T>,
    /// Before their norms, where heads have some: queries and keys as they came out of their matrices, and the heads' inverse norms.
    pub(crate) raw: Option<RawHeads<T>>,
    /// Attention's output [S, queries] and the logarithms of its denominators [S, heads].
    pub(crate) attended: Vec<T>,
    pub(crate) norms: Vec<T>,
    /// After attention [S, width], and the inverse norms of its rows.
    pub(crate) middle: Vec<T>,
    pub(crate) middle_inverse: Vec<T>,
    /// [S, 2 ffn].
    pub(crate) gate_up: Vec<T>,
}

pub(crate) struct RawHeads<T> {
    /// [S, queries], [S, heads]
    pub(crate) q: Vec<T>,
    pub(crate) q_inverse: Vec<T>,
    /// [N, kv], [N, kv heads]
    pub(crate) k: Vec<T>,
    pub(crate) k_inverse: Vec<T>,
}

/// How much a forward pass keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Nothing,
    /// The input of every block; the rest is computed again, one block at a time (Chen et al., arXiv:1604.06174).
    Inputs,
    All,
}

/// What was kept of a block.
pub(crate) enum Block<T> {
    Input(Vec<T>),
    Whole(Box<Kept<T>>),
}

pub(crate) struct Pass<T> {
    pub(crate) blocks: Vec<Block<T>>,
    /// Output of the last block at the wanted places, [S, width], and the inverse norms of its rows.
    pub(crate) last: Vec<T>,
    pub(crate) last_inverse: Vec<T>,
    /// After the final norm, [S, width].
    pub(crate) hidden: Vec<T>,
}

impl<T> Pass<T> {
    /// Scalars kept for one token and for one wanted output.
    pub(crate) fn size(config: &crate::model::DecoderConfig, keep: Keep) -> (usize, usize) {
        match keep {
            Keep::Nothing => return (0, 0),
            Keep::Inputs => return (config.layers * config.width, 2 * config.width),
            Keep::All => {}
        }
        let (query, kv) = (config.query_width(), config.kv_width());
        let raw = if config.variant.head_norms { query + kv + config.heads + config.kv_heads } else { 0 };
        let full = 2 * config.width + 2 * query + config.heads + 2 + 2 * config.ffn + raw;
        (config.layers * full, 2 * config.width)
    }
}

/// As many multiplications an exponential takes as much time as.
pub(super) const EXPONENTIAL: usize = 16;

pub(crate) fn zeros<T: Real>(count: usize) -> Vec<T> {
    vec![T::ZERO; count]
}

/// Rows of `x` at `places`.
pub(crate) fn gather<T: Real>(x: &[T], width: usize, places: &[usize]) -> Vec<T> {
    let mut out = Vec::with_capacity(places.len() * width);
    for place in places {
        out.extend_from_slice(&x[place * width..][..width]);
    }
    out
}

/// The first `width` of each row of `2 width`.
fn first_half<T: Real>(x: &[T], width: usize) -> Vec<T> {
    x.chunks_exact(2 * width).flat_map(|row| &row[..width]).copied().collect()
}

/// Where a batch has its queries: at all tokens, or at the wanted ones.
#[derive(Clone, Copy)]
pub(crate) struct Queries<'a> {
    batch: &'a Batch,
    last: bool,
    pub(crate) positions: &'a [u32],
}

impl Batch {
    pub(crate) fn queries(&self, last: bool) -> Queries<'_> {
        Queries { batch: self, last, positions: if last { &self.wanted } else { &self.positions } }
    }
}

impl<'a> Queries<'a> {
    /// Each run, and which of the queries are in it.
    pub(crate) fn runs(self) -> impl Iterator<Item = (&'a Run, Range<usize>)> {
        self.batch.runs.iter().map(move |run| (run, if self.last { run.wanted.clone() } else { run.tokens.clone() }))
    }
}

/// Runs the batch through the model and keeps what the backward pass needs. `past` has the keys and values of what the batch follows, and gets its own.
pub(crate) fn forward<T: Real>(model: &Packed<T>, batch: &Batch, past: &mut Past<T>, keep: Keep, team: Team) -> Pass<T> {
    let config = &model.config;
    let width = config.width;
    let mut x = zeros(batch.tokens() * width);
    for (row, id) in x.chunks_exact_mut(width).zip(&batch.ids) {
        row.copy_from_slice(&model.embedding[*id as usize * width..][..width]);
    }
    let mut blocks = Vec::with_capacity(config.layers);
    for (i, (layer, past)) in model.layers.iter().zip(&mut past.layers).enumerate() {
        let (kept, out) = block_forward(model, layer, batch, i + 1 == config.layers, x, past, team);
        x = out;
        match keep {
            Keep::Nothing => {}
            Keep::Inputs => blocks.push(Block::Input(kept.x)),
            Keep::All => blocks.push(Block::Whole(Box::new(kept))),
        }
    }
    let outputs = batch.outputs();
    let (mut hidden, mut last_inverse) = (zeros(outputs * width), zeros(outputs));
    rms_norm(&x, width, &model.final_norm, T::of(config.norm_eps), &mut hidden, &mut last_inverse);
    Pass { blocks, last: x, last_inverse, hidden }
}

pub(super) fn block_forward<T: Real>(
    model: &Packed<T>,
    layer: &Layer<T>,
    batch: &Batch,
    last: bool,
    x: Vec<T>,
    past: &mut LayerPast<T>,
    team: Team,
) -> (Kept<T>, Vec<T>) {
    let config = &model.config;
    let (width, ffn, eps) = (config.width, config.ffn, T::of(config.norm_eps));
    let (query_width, kv_width) = (config.query_width(), config.kv_width());
    let tokens = batch.tokens();
    let (mut normed, mut x_inverse) = (zeros(tokens * width), zeros(tokens));
    rms_norm(&x, width, &layer.attention_norm, eps, &mut normed, &mut x_inverse);
    let mut kv = zeros(tokens * 2 * kv_width);
    layer.key_value.apply(&normed, &mut kv, Write::Set, team);
    let mut raw = None;
    if config.variant.head_norms {
        let (k, mut k_inverse) = (first_half(&kv, kv_width), zeros(tokens * config.kv_heads));
        head_norm(&mut kv, 2 * kv_width, kv_width, &layer.key_norm, eps, &mut k_inverse);
        raw = Some(RawHeads { q: Vec::new(), q_inverse: Vec::new(), k, k_inverse });
    }
    model.rope.turn(&mut kv, 2 * kv_width, kv_width, &batch.positions, false);
    past.put(&kv, batch.first);

    let queries = batch.queries(last);
    let count = queries.positions.len();
    let mut middle = if last { gather(&x, width, &batch.places) } else { x.clone() };
    let normed = if last { gather(&normed, width, &batch.places) } else { normed };
    let mut q = zeros(count * query_width);
    layer.query.apply(&normed, &mut q, Write::Set, team);
    if let Some(raw) = &mut raw {
        (raw.q, raw.q_inverse) = (q.clone(), zeros(count * config.heads));
        head_norm(&mut q, query_width, query_width, &layer.query_norm, eps, &mut raw.q_inverse);
    }
    model.rope.turn(&mut q, query_width, query_width, queries.positions, false);

    let (mut attended, mut norms) = (zeros(count * query_width), zeros(count * config.heads));
    attention_forward(model, batch, queries, &q, past, &mut attended, &mut norms, team);
    layer.output.apply(&attended, &mut middle, Write::Add, team);

    let (mut normed, mut middle_inverse) = (normed, zeros(count));
    rms_norm(&middle, width, &layer.ffn_norm, eps, &mut normed, &mut middle_inverse);
    let mut gate_up = zeros(count * 2 * ffn);
    layer.gate_up.apply(&normed, &mut gate_up, Write::Set, team);
    let mut product = zeros(count * ffn);
    team.rows(&mut product, ffn, EXPONENTIAL * ffn, |first, product| swiglu(&gate_up[first * 2 * ffn..], ffn, product));
    let mut out = middle.clone();
    layer.down.apply(&product, &mut out, Write::Add, team);
    (Kept { x, x_inverse, q, raw, attended, norms, middle, middle_inverse, gate_up }, out)
}

/// Puts lines of a part of the columns where they belong: `into` has lines of `width`, of which `line` from `first` on are those of `from`.
pub(super) fn spread<T: Real>(from: &[T], line: usize, into: &mut [T], width: usize, first: usize) {
    for (from, into) in from.chunks_exact(line).zip(into.chunks_exact_mut(width)) {
        into[first..first + line].copy_from_slice(from);
    }
}

#[allow(clippy::too_many_arguments)]
fn attention_forward<T: Real>(
    model: &Packed<T>,
    batch: &Batch,
    queries: Queries,
    q: &[T],
    past: &LayerPast<T>,
    out: &mut [T],
    norms: &mut [T],
    team: Team,
) {
    let config = &model.config;
    let (width, head, heads) = (config.query_width(), config.head_width(), config.heads);
    let group = heads / config.kv_heads;
    let count = queries.positions.len();
    let found = team.each(0..config.kv_heads, count * batch.depth * width, |index| {
        let numbers = past.head(index);
        let (mut out, mut norms) = (zeros(count * group * head), zeros(count * group));
        let (mut path, mut scratch) = (Path::new(batch.depth, head), Scratch::default());
        for (position, place) in batch.before.iter().enumerate() {
            path.put(numbers, *place, position);
        }
        for (run, asked) in queries.runs() {
            for token in run.tokens.clone() {
                path.put(numbers, batch.first + token, batch.positions[token] as usize);
            }
            if asked.is_empty() {
                continue;
            }
            for h in 0..group {
                let q = Left { data: &q[asked.start * width + (index * group + h) * head..], stride: width };
                let out = &mut out[(asked.start * group + h) * head..];
                let norms = Some((&mut norms[asked.start * group + h..], group));
                attend(q, out, group * head, &queries.positions[asked.clone()], path.memory(), &mut scratch, norms);
            }
        }
        (out, norms)
    });
    for (index, (part, part_norms)) in found.into_iter().enumerate() {
        spread(&part, group * head, out, width, index * group * head);
        spread(&part_norms, group, norms, heads, index * group);
    }
}
