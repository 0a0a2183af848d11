//! Causal attention of a few query rows of one sequence over its keys and values, one head at a time.
//!
//! Probabilities never exist for more than [`BLOCK`] queries; the backward pass makes them again from the logarithm of
//! the softmax's denominator (Dao et al. 2022).

use super::matmul::{Left, Right, Write, add_outer, multiply};
use super::path::BackwardPath;
use super::real::{Real, dot, largest, sum};
use super::simd::{LANES, simd};

/// Queries at a time.
pub(crate) const BLOCK: usize = 32;

/// Keys and values of one key head of one sequence.
#[derive(Clone, Copy)]
pub(crate) struct Memory<'a, T> {
    /// `[head, stride]`: one column a position; `stride` is a multiple of 16.
    pub(crate) keys: &'a [T],
    pub(crate) stride: usize,
    /// `[position, padded]`, `padded` the head's width rounded up to 16.
    pub(crate) values: &'a [T],
    pub(crate) head: usize,
}

impl<T> Memory<'_, T> {
    pub(crate) fn padded(&self) -> usize {
        self.head.next_multiple_of(LANES)
    }
}

simd! {
    /// Rows of scores become probabilities: row i keeps its first `positions[i] + 1` columns, the others become 0.
    /// `norms` gets the logarithm of each denominator.
    fn softmax_rows<T>(scores: &mut [T], stride: usize, columns: usize, positions: &[u32], scale: T, norms: &mut [T]) {
        for ((row, position), norm) in scores.chunks_mut(stride).zip(positions).zip(norms) {
            let (seen, hidden) = row[..columns].split_at_mut(*position as usize + 1);
            let top = largest(seen) * scale;
            for x in seen.iter_mut() {
                *x = x.fma(scale, -top).expo();
            }
            let total = sum(seen);
            *norm = top + total.log();
            let share = T::ONE / total;
            for x in seen.iter_mut() {
                *x *= share;
            }
            hidden.fill(T::ZERO);
        }
    }
}

simd! {
    /// The probabilities again, from scores and the logarithms of their denominators.
    fn exponential_rows<T>(scores: &mut [T], stride: usize, columns: usize, positions: &[u32], scale: T, norms: &[T], step: usize) {
        for ((row, position), norm) in scores.chunks_mut(stride).zip(positions).zip(norms.iter().step_by(step)) {
            let (seen, hidden) = row[..columns].split_at_mut(*position as usize + 1);
            for x in seen.iter_mut() {
                *x = x.fma(scale, -*norm).expo();
            }
            hidden.fill(T::ZERO);
        }
    }
}

simd! {
    /// `slopes` holds dL/dp and becomes dL/dscore = p (dL/dp - Σ p dL/dp) · scale; the sum is that of output times its gradient.
    fn score_gradients<T>(probabilities: &[T], slopes: &mut [T], stride: usize, columns: usize, sums: &[T], scale: T) {
        for ((p, slope), sum) in probabilities.chunks(stride).zip(slopes.chunks_mut(stride)).zip(sums) {
            for (p, slope) in p[..columns].iter().zip(slope[..columns].iter_mut()) {
                *slope = *p * (*slope - *sum) * scale;
            }
        }
    }
}

simd! {
    fn row_dots<T>(a: &[T], b: &[T], stride: usize, width: usize, out: &mut [T]) {
        for ((a, b), out) in a.chunks(stride).zip(b.chunks(stride)).zip(out) {
            *out = dot(&a[..width], &b[..width]);
        }
    }
}

/// Room for one block of queries; kept by the caller so that it is allocated once.
#[derive(Default)]
pub(crate) struct Scratch<T> {
    scores: Vec<T>,
    slopes: Vec<T>,
    sums: Vec<T>,
    norms: Vec<T>,
}

fn room<T: Real>(buffer: &mut Vec<T>, size: usize) -> &mut [T] {
    if buffer.len() < size {
        buffer.resize(size, T::ZERO);
    }
    &mut buffer[..size]
}

/// One query head: rows of `out` are `stride` apart, query i sees positions 0 to `positions[i]` (ascending).
/// `norms`, if wanted, gets one number a query, `step` apart.
#[allow(clippy::too_many_arguments)]
pub(crate) fn attend<T: Real>(
    q: Left<T>,
    out: &mut [T],
    stride: usize,
    positions: &[u32],
    memory: Memory<T>,
    scratch: &mut Scratch<T>,
    mut norms: Option<(&mut [T], usize)>,
) {
    let head = memory.head;
    let scale = T::of(1.0 / (head as f64).sqrt());
    for (block, positions) in positions.chunks(BLOCK).enumerate() {
        let (first, count) = (block * BLOCK, positions.len());
        let columns = positions.last().map_or(0, |p| *p as usize + 1);
        let row = columns.next_multiple_of(LANES);
        let scores = room(&mut scratch.scores, count * row);
        let q = Left { data: &q.data[first * q.stride..], stride: q.stride };
        let keys = Right { data: memory.keys, row: memory.stride, group: LANES };
        multiply(q, count, head, keys, columns, scores, row, Write::Set);
        let denominators = room(&mut scratch.norms, count);
        softmax_rows(scores, row, columns, positions, scale, denominators);
        if let Some((norms, step)) = &mut norms {
            for (i, value) in denominators.iter().enumerate() {
                norms[(first + i) * *step] = *value;
            }
        }
        let values = Right { data: memory.values, row: memory.padded(), group: LANES };
        multiply(Left { data: scores, stride: row }, count, columns, values, head, &mut out[first * stride..], stride, Write::Set);
    }
}

/// The gradient of one query head's [`attend`], rows `stride` apart: writes `dq`, adds to the gradients of keys and values.
#[allow(clippy::too_many_arguments)]
pub(crate) fn attend_backward<T: Real>(
    q: &[T],
    out: &[T],
    dout: &[T],
    stride: usize,
    dq: &mut [T],
    dq_stride: usize,
    positions: &[u32],
    norms: &[T],
    step: usize,
    memory: &mut BackwardPath<T>,
    scratch: &mut Scratch<T>,
) {
    let (head, padded) = (memory.head, memory.head.next_multiple_of(LANES));
    let scale = T::of(1.0 / (head as f64).sqrt());
    for (block, positions) in positions.chunks(BLOCK).enumerate() {
        let (first, count) = (block * BLOCK, positions.len());
        let columns = positions.last().map_or(0, |p| *p as usize + 1);
        let row = columns.next_multiple_of(LANES);
        let at = first * stride;
        let scores = room(&mut scratch.scores, count * row);
        let slopes = room(&mut scratch.slopes, count * row);
        let sums = room(&mut scratch.sums, count);
        let left = |data| Left { data, stride };
        let right = |data| Right { data, row: memory.stride, group: LANES };
        multiply(left(&q[at..]), count, head, right(&memory.keys), columns, scores, row, Write::Set);
        exponential_rows(scores, row, columns, positions, scale, &norms[first * step..], step);
        multiply(left(&dout[at..]), count, head, right(&memory.values), columns, slopes, row, Write::Set);
        row_dots(&out[at..], &dout[at..], stride, head, sums);
        let probabilities = Left { data: &*scores, stride: row };
        add_outer(probabilities, columns, left(&dout[at..]), head, count, &mut memory.dvalues, padded);
        score_gradients(scores, slopes, row, columns, sums, scale);
        let slopes = Left { data: &*slopes, stride: row };
        let keys = Right { data: &memory.key_rows, row: padded, group: LANES };
        multiply(slopes, count, columns, keys, head, &mut dq[first * dq_stride..], dq_stride, Write::Set);
        add_outer(slopes, columns, left(&q[at..]), head, count, &mut memory.dkeys, padded);
    }
}
