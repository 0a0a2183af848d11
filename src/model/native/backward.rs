//! The decoder over one batch, backward: the chain rule by hand, block by block from the top.

use super::attention::{Scratch, attend_backward};
use super::batch::Batch;
use super::elementwise::{head_norm_backward, rms_norm, rms_norm_backward, sum_rows, swiglu_backward};
use super::gradients::{LayerSums, MatrixSums, Sums};
use super::matmul::{Left, Write};
use super::packed::{Layer, Linear, Packed};
use super::pass::{Block, EXPONENTIAL, Kept, Pass, Queries, block_forward, gather, spread, zeros};
use super::past::{LayerPast, Past};
use super::path::BackwardPath;
use super::real::Real;
use super::team::{Team, add_outer_on};

/// Rows of a part of the elementwise work.
const PART: usize = 32;

/// Adds the gradients of all parameters below the head, given the gradient `dhidden` of [`Pass::hidden`].
///
/// `dpast` has the gradients of the batch's keys and values by all that follows it, and gets those of what it follows itself. With the first batch of
/// all, nobody needs them any more: they are let go.
#[allow(clippy::too_many_arguments)]
pub(crate) fn backward<T: Real>(
    model: &Packed<T>,
    batch: &Batch,
    pass: Pass<T>,
    past: &mut Past<T>,
    dpast: &mut Past<T>,
    dhidden: &[T],
    sums: &mut Sums<T>,
    team: Team,
) {
    let width = model.config.width;
    let mut dx = zeros(batch.outputs() * width);
    rms_norm_backward(&pass.last, width, &model.final_norm, &pass.last_inverse, dhidden, &mut dx, &mut sums.final_norm);
    let mut last = true;
    let pasts = past.layers.iter_mut().zip(&mut dpast.layers);
    for (index, ((layer, block), (past, dpast))) in model.layers.iter().zip(pass.blocks).zip(pasts).enumerate().rev() {
        let kept = match block {
            Block::Whole(kept) => *kept,
            Block::Input(x) => block_forward(model, layer, batch, last, x, past, team).0,
        };
        dx = block_backward(model, layer, batch, last, kept, past, dpast, dx, sums.layer(index), team);
        if batch.first == 0 {
            past.clear();
            dpast.clear();
        }
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
fn add_weight<T: Real>(linear: &Linear<T>, dy: &[T], x: &[T], rows: usize, sums: &mut MatrixSums<T>, team: Team) {
    let (outer, inner) = (linear.outer, linear.inner);
    if !sums.full.is_empty() {
        add_outer_on(team, Left { data: dy, stride: outer }, Left { data: x, stride: inner }, inner, rows, &mut sums.full);
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
    past: &LayerPast<T>,
    dpast: &mut LayerPast<T>,
    mut dout: Vec<T>,
    sums: &mut LayerSums<T>,
    team: Team,
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
    layer.down.pull(&dout, &mut dproduct, Write::Set, team);
    let parts = gate_up.chunks_mut(PART * 2 * ffn).zip(product.chunks_mut(PART * ffn)).zip(dproduct.chunks(PART * ffn));
    team.each(parts, EXPONENTIAL * count * ffn, |((gate_up, product), dproduct)| swiglu_backward(gate_up, ffn, dproduct, product));
    add_weight(&layer.down, &dout, &product, count, &mut sums.down, team);
    add_bias(&dout, &mut sums.down_bias);
    let (mut normed, mut unused) = (zeros(count * width), zeros(count));
    rms_norm(&middle, width, &layer.ffn_norm, eps, &mut normed, &mut unused);
    add_weight(&layer.gate_up, &gate_up, &normed, count, &mut sums.gate_up, team);
    add_bias(&gate_up, &mut sums.gate_up_bias);
    let mut dnormed = normed;
    layer.gate_up.pull(&gate_up, &mut dnormed, Write::Set, team);
    rms_norm_backward(&middle, width, &layer.ffn_norm, &middle_inverse, &dnormed, &mut dout, &mut sums.ffn_norm);
    let dmiddle = dout;

    // Attention.
    add_weight(&layer.output, &dmiddle, &attended, count, &mut sums.output, team);
    add_bias(&dmiddle, &mut sums.output_bias);
    let mut dattended = zeros(count * query_width);
    layer.output.pull(&dmiddle, &mut dattended, Write::Set, team);
    let mut dq = zeros(count * query_width);
    attention_backward(model, batch, queries, &q, past, &attended, &dattended, &norms, &mut dq, dpast, team);
    let mut dkv = dpast.rows(batch.first, tokens);
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
    add_weight(&layer.key_value, &dkv, &normed, tokens, &mut sums.key_value, team);
    let mut dnormed = zeros(tokens * width);
    layer.key_value.pull(&dkv, &mut dnormed, Write::Set, team);
    let dx = if last {
        add_weight(&layer.query, &dq, &gather(&normed, width, &batch.places), count, &mut sums.query, team);
        let mut part = zeros(count * width);
        layer.query.pull(&dq, &mut part, Write::Set, team);
        scatter(&part, width, &batch.places, &mut dnormed);
        let mut dx = zeros(tokens * width);
        scatter(&dmiddle, width, &batch.places, &mut dx);
        dx
    } else {
        add_weight(&layer.query, &dq, &normed, count, &mut sums.query, team);
        layer.query.pull(&dq, &mut dnormed, Write::Add, team);
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
    past: &LayerPast<T>,
    out: &[T],
    dout: &[T],
    norms: &[T],
    dq: &mut [T],
    dpast: &mut LayerPast<T>,
    team: Team,
) {
    let config = &model.config;
    let (width, head, heads) = (config.query_width(), config.head_width(), config.heads);
    let group = heads / config.kv_heads;
    let count = queries.positions.len();
    let found = team.each(dpast.heads_mut().enumerate(), 2 * count * batch.depth * width, |(index, dnumbers)| {
        let numbers = past.head(index);
        let mut dq = zeros(count * group * head);
        let (mut path, mut scratch) = (BackwardPath::new(batch.depth, head), Scratch::default());
        for place in &batch.before {
            path.push(numbers, *place);
        }
        for (run, asked) in queries.runs() {
            path.back(batch.positions[run.tokens.start] as usize, dnumbers);
            for token in run.tokens.clone() {
                path.push(numbers, batch.first + token);
            }
            if asked.is_empty() {
                continue;
            }
            for h in 0..group {
                let at = asked.start * width + (index * group + h) * head;
                let norms = &norms[asked.start * heads + index * group + h..];
                let (dq, positions) = (&mut dq[(asked.start * group + h) * head..], &queries.positions[asked.clone()]);
                let (q, out, dout) = (&q[at..], &out[at..], &dout[at..]);
                attend_backward(q, out, dout, width, dq, group * head, positions, norms, heads, &mut path, &mut scratch);
            }
        }
        path.back(0, dnumbers);
        dq
    });
    for (index, part) in found.into_iter().enumerate() {
        spread(&part, group * head, dq, width, index * group * head);
    }
}
