//! The two matrices of an adapter in the kernels' layout, and their gradients: nothing of the size of the adapted matrix.

use super::matmul::{Left, Right, Write, add_outer, group_columns, group_rows, multiply};
use super::real::Real;
use super::simd::LANES;

/// What is added to a matrix W: `scale` · B A, with A `[rank, inner]` and B `[outer, rank]`.
#[derive(Debug)]
pub(crate) struct LowRank<T> {
    part: &'static str,
    /// Its first row within a matrix stacked of several.
    from: usize,
    outer: usize,
    inner: usize,
    rank: usize,
    /// `scale` · A and `scale` · B, for x Aᵀ and dy B.
    down: Vec<T>,
    up: Vec<T>,
}

/// Gradients of A and B.
pub(crate) struct LowRankSums<T> {
    pub(crate) part: &'static str,
    pub(crate) a: Vec<T>,
    pub(crate) b: Vec<T>,
}

impl<T: Real> LowRankSums<T> {
    pub(crate) fn zeros(part: &'static str, outer: usize, inner: usize, rank: usize) -> LowRankSums<T> {
        LowRankSums { part, a: vec![T::ZERO; rank * inner], b: vec![T::ZERO; outer * rank] }
    }
}

fn scaled<T: Real>(matrix: &[T], scale: f64) -> Vec<T> {
    let scale = T::of(scale);
    matrix.iter().map(|x| *x * scale).collect()
}

/// `matrix += scale · B A`.
pub(crate) fn merge<T: Real>(matrix: &mut [T], a: &[T], b: &[T], scale: f64, outer: usize, inner: usize, rank: usize) {
    let b = scaled(b, scale);
    let mut across = vec![T::ZERO; rank * outer];
    for (row, b) in b.chunks_exact(rank).enumerate() {
        for (column, b) in b.iter().enumerate() {
            across[column * outer + row] = *b;
        }
    }
    add_outer(Left { data: &across, stride: outer }, outer, Left { data: a, stride: inner }, inner, rank, matrix, inner);
}

impl<T: Real> LowRank<T> {
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn new(
        part: &'static str,
        a: &[T],
        b: &[T],
        scale: f64,
        from: usize,
        outer: usize,
        inner: usize,
        rank: usize,
    ) -> LowRank<T> {
        let down = group_rows(&scaled(a, scale), rank, inner);
        let up = group_columns(&scaled(b, scale), outer, rank);
        LowRank { part, from, outer, inner, rank, down, up }
    }

    /// Adds dA = scale (dy B)ᵀ x and dB = scale dyᵀ (x Aᵀ); rows of `dy` are `stride` apart.
    pub(crate) fn add_gradient(&self, dy: &[T], stride: usize, x: &[T], rows: usize, sums: &mut [LowRankSums<T>]) {
        let Some(sums) = sums.iter_mut().find(|sums| sums.part == self.part) else { return };
        if rows == 0 {
            return;
        }
        let (outer, inner, rank) = (self.outer, self.inner, self.rank);
        let (x, dy) = (Left { data: x, stride: inner }, Left { data: &dy[self.from..], stride });
        let mut low = vec![T::ZERO; rows * rank];
        let down = Right { data: &self.down, row: LANES, group: inner * LANES };
        multiply(x, rows, inner, down, rank, &mut low, rank, Write::Set);
        add_outer(dy, outer, Left { data: &low, stride: rank }, rank, rows, &mut sums.b, rank);
        let up = Right { data: &self.up, row: LANES, group: outer * LANES };
        multiply(dy, rows, outer, up, rank, &mut low, rank, Write::Set);
        add_outer(Left { data: &low, stride: rank }, rank, x, inner, rows, &mut sums.a, inner);
    }
}
