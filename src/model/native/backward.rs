//! The decoder over one batch, backward: the chain rule by hand, block by block from the top.

use super::attention::{Scratch, attend_backward};
use super::batch::Batch;
use super::elementwise::{head_norm_backward, rms_norm, rms_norm_backward, sum_rows, swiglu_backward};
use super::gradients::{LayerSums, MatrixSums, Sums};
use super::matmul::{Left, Write, add_outer};
use super::packed::{Layer, Linear, Packed};
use super::pass::{Block, Kept, Pass, Queries, block_forward, gather, zeros};
use super::past::Past;
use super::path::{BackwardPath, KeyHead};
use super::real::Real;

/// Adds the gradients of all parameters below the head, given the gradient `dhidden` of [`Pass::hidden`].
///
/// `dpast` has the gradients of the batch's keys and values by all that follows it, and gets those of what it follows itself.
pub(crate) fn backward<T: Real>(
    model: &Packed<T>,
    batch: &Batch,
    pass: Pass<T>,
    past: &mut Past<T>,
    dpast: &mut Past<T>,
    dhidden: &[T],
    sums: &mut Sums<T>,
) {
    let width = model.config.width;
    let mut dx = zeros(batch.outputs() * width);
    rms_norm_backward(&pass.last, width, &model.final_norm, &pass.last_inverse, dhidden, &mut dx, &mut sums.final_norm);
    let mut scratch = Scratch::default();
    let mut last = true;
    let pasts = past.layers.iter_mut().zip(&mut dpast.layers);
    for (((layer, block), sums), (past, dpast)) in model.layers.iter().zip(pass.blocks).zip(&mut sums.layers).zip(pasts).rev() {
        let kept = match block {
            Block::Whole(kept) => *kept,
            Block::Input(x) => block_forward(model, layer, batch, last, x, past, &mut scratch).0,
        };
        dx = block_backward(model, layer, batch, last, kept, past, dpast, dx, sums, &mut scratch);
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
    past: &[T],
    dpast: &mut [T],
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
    let Kept { x, x_inverse, q, raw, attended, norms, middle, middle_inverse, mut gate_up } = kept;

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
    let mut dq = zeros(count * query_width);
    attention_backward(model, batch, queries, &q, past, &attended, &dattended, &norms, &mut dq, dpast, scratch);
    let dkv = &mut dpast[batch.first * 2 * kv_width..][..tokens * 2 * kv_width];
    model.rope.turn(&mut dq, query_width, query_width, queries.positions, true);
    model.rope.turn(dkv, 2 * kv_width, kv_width, &batch.positions, true);
    if let Some(raw) = raw {
        head_norm_backward(&raw.q, query_width, &layer.query_norm, &raw.q_inverse, &mut dq, query_width, &mut sums.query_norm);
        head_norm_backward(&raw.k, kv_width, &layer.key_norm, &raw.k_inverse, dkv, 2 * kv_width, &mut sums.key_norm);
    }
    add_bias(&dq, &mut sums.query_bias);
    add_bias(dkv, &mut sums.key_value_bias);

    // Projections and the first norm.
    let (mut normed, mut unused) = (zeros(tokens * width), zeros(tokens));
    rms_norm(&x, width, &layer.attention_norm, eps, &mut normed, &mut unused);
    add_weight(&layer.key_value, dkv, &normed, tokens, &mut sums.key_value);
    let mut dnormed = zeros(tokens * width);
    layer.key_value.pull(dkv, tokens, &mut dnormed, Write::Set);
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
    queries: Queries,
    q: &[T],
    past: &[T],
    out: &[T],
    dout: &[T],
    norms: &[T],
    dq: &mut [T],
    dpast: &mut [T],
    scratch: &mut Scratch<T>,
) {
    let config = &model.config;
    let (width, head, heads) = (config.query_width(), config.head_width(), config.heads);
    let group = heads / config.kv_heads;
    let mut path = BackwardPath::default();
    for index in 0..config.kv_heads {
        let of = KeyHead { width: config.kv_width(), head, index };
        path.start(batch.depth, of);
        for place in &batch.before {
            path.push(past, of, *place);
        }
        for (run, asked) in queries.runs() {
            path.back(batch.positions[run.tokens.start] as usize, dpast, of);
            for token in run.tokens.clone() {
                path.push(past, of, batch.first + token);
            }
            if asked.is_empty() {
                continue;
            }
            for h in index * group..(index + 1) * group {
                let at = asked.start * width + h * head;
                let norms = &norms[asked.start * heads + h..];
                let positions = &queries.positions[asked.clone()];
                attend_backward(&q[at..], &out[at..], &dout[at..], &mut dq[at..], width, positions, norms, heads, &mut path, scratch);
            }
        }
        path.back(0, dpast, of);
    }
}
