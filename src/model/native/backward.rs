//! The decoder over one batch, backward: the chain rule by hand, block by block from the top.

use super::attention::{Backward, Scratch, as_columns, as_rows, attend_backward};
use super::batch::Batch;
use super::elementwise::{head_norm_backward, rms_norm, rms_norm_backward, sum_rows, swiglu_backward};
use super::gradients::{LayerSums, MatrixSums, Sums};
use super::matmul::{Left, Write, add_outer};
use super::packed::{Layer, Linear, Packed};
use super::pass::{Block, Kept, Pass, Queries, block_forward, gather, zeros};
use super::real::Real;
use super::simd::LANES;

/// Adds the gradients of all parameters below the head, given the gradient `dhidden` of [`Pass::hidden`].
pub(crate) fn backward<T: Real>(model: &Packed<T>, batch: &Batch, pass: Pass<T>, dhidden: &[T], sums: &mut Sums<T>) {
    let width = model.config.width;
    let mut dx = zeros(batch.outputs() * width);
    rms_norm_backward(&pass.last, width, &model.final_norm, &pass.last_inverse, dhidden, &mut dx, &mut sums.final_norm);
    let mut scratch = Scratch::default();
    let mut last = true;
    for ((layer, block), sums) in model.layers.iter().zip(pass.blocks).zip(&mut sums.layers).rev() {
        let kept = match block {
            Block::Whole(kept) => *kept,
            Block::Input(x) => block_forward(model, layer, batch, last, x, &mut scratch).0,
        };
        dx = block_backward(model, layer, batch, last, kept, dx, sums, &mut scratch);
        last = false;
    }
    for (dx, id) in dx.chunks_exact(width).zip(&batch.ids) {
        let Some(sums) = sums.embedding.get_mut(*id as usize * width..(*id as usize + 1) * width) else { break };
        for (sum, dx) in sums.iter_mut().zip(dx) {
            *sum += *dx;
        }
    }
}

/// Adds dyᵀ · x to the gradient of a matrix, and what follows from it to that of its adapters; frozen matrices have none.
fn add_weight<T: Real>(linear: &Linear<T>, dy: &[T], x: &[T], rows: usize, sums: &mut MatrixSums<T>) {
    let (outer, inner) = (linear.outer, linear.inner);
    if !sums.full.is_empty() {
        add_outer(Left { data: dy, stride: outer }, outer, Left { data: x, stride: inner }, inner, rows, &mut sums.full, inner);
    }
    for low in linear.low.iter() {
        low.add_gradient(dy, outer, x, rows, &mut sums.low);
    }
}

/// Adds to the gradient of a bias, where there is one.
fn add_bias<T: Real>(dy: &[T], sum: &mut [T]) {
    if !sum.is_empty() {
        sum_rows(dy, sum);
    }
}

#[allow(clippy::too_many_arguments)]
fn block_backward<T: Real>(
    model: &Packed<T>,
    layer: &Layer<T>,
    batch: &Batch,
    last: bool,
    kept: Kept<T>,
    mut dout: Vec<T>,
    sums: &mut LayerSums<T>,
    scratch: &mut Scratch<T>,
) -> Vec<T> {
    let config = &model.config;
    let (width, ffn, eps) = (config.width, config.ffn, T::of(config.norm_eps));
    let (query_width, kv_width) = (config.query_width(), config.kv_width());
    let tokens = batch.tokens();
    let queries = batch.queries(last);
    let count = queries.positions.len();
    let Kept { x, x_inverse, q, kv, raw, attended, norms, middle, middle_inverse, mut gate_up } = kept;

    // Feed-forward.
    let (mut product, mut dproduct) = (zeros(count * ffn), zeros(count * ffn));
    layer.down.pull(&dout, count, &mut dproduct, Write::Set);
    swiglu_backward(&mut gate_up, ffn, &dproduct, &mut product);
    add_weight(&layer.down, &dout, &product, count, &mut sums.down);
    add_bias(&dout, &mut sums.down_bias);
    let (mut normed, mut unused) = (zeros(count * width), zeros(count));
    rms_norm(&middle, width, &layer.ffn_norm, eps, &mut normed, &mut unused);
    add_weight(&layer.gate_up, &gate_up, &normed, count, &mut sums.gate_up);
    add_bias(&gate_up, &mut sums.gate_up_bias);
    let mut dnormed = normed;
    layer.gate_up.pull(&gate_up, count, &mut dnormed, Write::Set);
    rms_norm_backward(&middle, width, &layer.ffn_norm, &middle_inverse, &dnormed, &mut dout, &mut sums.ffn_norm);
    let dmiddle = dout;

    // Attention.
    add_weight(&layer.output, &dmiddle, &attended, count, &mut sums.output);
    add_bias(&dmiddle, &mut sums.output_bias);
    let mut dattended = zeros(count * query_width);
    layer.output.pull(&dmiddle, count, &mut dattended, Write::Set);
    let (mut dq, mut dkv) = (zeros(count * query_width), zeros(tokens * 2 * kv_width));
    attention_backward(model, batch, &queries, &q, &kv, &attended, &dattended, &norms, &mut dq, &mut dkv, scratch);
    model.rope.turn(&mut dq, query_width, query_width, queries.positions, true);
    model.rope.turn(&mut dkv, 2 * kv_width, kv_width, &batch.positions, true);
    if let Some(raw) = raw {
        head_norm_backward(&raw.q, query_width, &layer.query_norm, &raw.q_inverse, &mut dq, query_width, &mut sums.query_norm);
        head_norm_backward(&raw.k, kv_width, &layer.key_norm, &raw.k_inverse, &mut dkv, 2 * kv_width, &mut sums.key_norm);
    }
    add_bias(&dq, &mut sums.query_bias);
    add_bias(&dkv, &mut sums.key_value_bias);

    // Projections and the first norm.
    let (mut normed, mut unused) = (zeros(tokens * width), zeros(tokens));
    rms_norm(&x, width, &layer.attention_norm, eps, &mut normed, &mut unused);
    add_weight(&layer.key_value, &dkv, &normed, tokens, &mut sums.key_value);
    let mut dnormed = zeros(tokens * width);
    layer.key_value.pull(&dkv, tokens, &mut dnormed, Write::Set);
    let dx = if last {
        add_weight(&layer.query, &dq, &gather(&normed, width, &batch.places), count, &mut sums.query);
        let mut part = zeros(count * width);
        layer.query.pull(&dq, count, &mut part, Write::Set);
        scatter(&part, width, &batch.places, &mut dnormed);
        let mut dx = zeros(tokens * width);
        scatter(&dmiddle, width, &batch.places, &mut dx);
        dx
    } else {
        add_weight(&layer.query, &dq, &normed, count, &mut sums.query);
        layer.query.pull(&dq, count, &mut dnormed, Write::Add);
        dmiddle
    };
    let mut dx = dx;
    rms_norm_backward(&x, width, &layer.attention_norm, &x_inverse, &dnormed, &mut dx, &mut sums.attention_norm);
    dx
}

/// Adds rows to the rows of `out` at `places`.
fn scatter<T: Real>(rows: &[T], width: usize, places: &[usize], out: &mut [T]) {
    for (row, place) in rows.chunks_exact(width).zip(places) {
        for (out, value) in out[place * width..][..width].iter_mut().zip(row) {
            *out += *value;
        }
    }
}

#[allow(clippy::too_many_arguments)]
fn attention_backward<T: Real>(
    model: &Packed<T>,
    batch: &Batch,
    queries: &Queries,
    q: &[T],
    kv: &[T],
    out: &[T],
    dout: &[T],
    norms: &[T],
    dq: &mut [T],
    dkv: &mut [T],
    scratch: &mut Scratch<T>,
) {
    let config = &model.config;
    let (width, head, kv_width, heads) = (config.query_width(), config.head_width(), config.kv_width(), config.heads);
    let padded = head.next_multiple_of(LANES);
    let group = heads / config.kv_heads;
    let mut memory = Backward { head, ..Backward::default() };
    for row in 0..batch.rows() {
        let (start, end) = (batch.starts[row], batch.starts[row + 1]);
        let (from, to) = (queries.starts[row], queries.starts[row + 1]);
        if from == to {
            continue;
        }
        let length = end - start;
        memory.stride = length.next_multiple_of(LANES);
        let rows = start * 2 * kv_width..end * 2 * kv_width;
        let (kv, dkv) = (&kv[rows.clone()], &mut dkv[rows]);
        for kv_head in 0..config.kv_heads {
            let (key, value) = (kv_head * head, kv_width + kv_head * head);
            as_columns(&kv[key..], 2 * kv_width, length, head, &mut memory.keys);
            as_rows(&kv[key..], 2 * kv_width, length, head, &mut memory.key_rows);
            as_columns(&kv[value..], 2 * kv_width, length, head, &mut memory.values);
            for sums in [&mut memory.dkeys, &mut memory.dvalues] {
                sums.clear();
                sums.resize(length * padded, T::ZERO);
            }
            for h in kv_head * group..(kv_head + 1) * group {
                let at = from * width + h * head;
                let norms = &norms[from * heads + h..];
                let positions = &queries.positions[from..to];
                attend_backward(&q[at..], &out[at..], &dout[at..], &mut dq[at..], width, positions, norms, heads, &mut memory, scratch);
            }
            for t in 0..length {
                let line = &mut dkv[t * 2 * kv_width..][..2 * kv_width];
                line[key..][..head].copy_from_slice(&memory.dkeys[t * padded..][..head]);
                line[value..][..head].copy_from_slice(&memory.dvalues[t * padded..][..head]);
            }
        }
    }
}
