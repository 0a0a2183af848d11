//! Matrix products for rows of activations.
//!
//! Each output is one sum in order of the inner index, whatever the number of rows: a row's result does not depend on
//! which rows it shares the batch with.

use super::real::Real;
use super::simd::LANES;
#[cfg(target_arch = "x86_64")]
use super::simd::{Level, level};
use super::vector::Vector;
use std::ops::Range;

/// A right-hand matrix `[inner, columns]`: groups of 16 columns, `group` apart, whose rows are `row` apart.
/// Every group has 16 readable columns in every row (padded with zeros where the matrix has fewer).
#[derive(Clone, Copy)]
pub(crate) struct Right<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) row: usize,
    pub(crate) group: usize,
}

/// Rows of a left-hand matrix, `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct Left<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) stride: usize,
}

/// What happens to the destination.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    Set,
    Add,
}

/// `[rows, columns]` copied to groups of 16 columns, each group `[rows, 16]`, missing columns zero.
pub(crate) fn group_columns<T: Real>(matrix: &[T], rows: usize, columns: usize) -> Vec<T> {
    let groups = columns.div_ceil(LANES);
    let mut out = vec![T::ZERO; groups * rows * LANES];
    for (group, block) in out.chunks_exact_mut(rows * LANES).enumerate() {
        let first = group * LANES;
        let count = LANES.min(columns - first);
        for (row, line) in block.chunks_exact_mut(LANES).enumerate() {
            line[..count].copy_from_slice(&matrix[row * columns + first..][..count]);
        }
    }
    out
}

/// The transpose of `[rows, columns]` in groups of 16 of its columns (= rows of the given matrix).
pub(crate) fn group_rows<T: Real>(matrix: &[T], rows: usize, columns: usize) -> Vec<T> {
    let groups = rows.div_ceil(LANES);
    let mut out = vec![T::ZERO; groups * columns * LANES];
    for (group, block) in out.chunks_exact_mut(columns * LANES).enumerate() {
        let lines = &matrix[group * LANES * columns..rows.min((group + 1) * LANES) * columns];
        // A square at a time: it is written while it is near the core.
        for (square, block) in block.chunks_mut(LANES * LANES).enumerate() {
            for (lane, line) in lines.chunks_exact(columns).enumerate() {
                for (out, value) in block.iter_mut().skip(lane).step_by(LANES).zip(&line[square * LANES..]) {
                    *out = *value;
                }
            }
        }
    }
    out
}

/// Some columns of what [`group_rows`] made of `[rows, columns]`, as [`group_columns`] would have made it of them.
pub(crate) fn turn_groups<T: Real>(grouped: &[T], rows: usize, columns: usize, wanted: Range<usize>, out: &mut [T]) {
    for (at, first) in wanted.clone().step_by(LANES).enumerate() {
        let count = LANES.min(wanted.end - first);
        let panel = &mut out[at * rows * LANES..(at + 1) * rows * LANES];
        for (group, lines) in panel.chunks_mut(LANES * LANES).enumerate() {
            let square = &grouped[(group * columns + first) * LANES..][..count * LANES];
            for (row, line) in lines.chunks_exact_mut(LANES).enumerate() {
                for (out, column) in line.iter_mut().zip(square.chunks_exact(LANES)) {
                    *out = column[row];
                }
                line[count..].fill(T::ZERO);
            }
        }
    }
}

/// Sums of `M` rows times `J` groups of 16 columns.
///
/// # Safety
/// As for [`Vector`]; every `a` is good for `inner` numbers `step` apart, every `b` for `inner` rows of 16, `row` apart.
#[inline(always)]
unsafe fn tile<T: Real, V: Vector<T>, const M: usize, const J: usize>(
    a: [*const T; M],
    step: usize,
    inner: usize,
    b: [*const T; J],
    row: usize,
) -> [[V; J]; M] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[V::zero(); J]; M];
        for k in 0..inner {
            let right: [V; J] = std::array::from_fn(|j| V::load(b[j].add(k * row)));
            for i in 0..M {
                let left = *a[i].add(k * step);
                for j in 0..J {
                    sums[i][j] = right[j].fma(left, sums[i][j]);
                }
            }
        }
        sums
    }
}

/// Writes sums to rows `stride` apart, up to `columns` columns of each.
#[inline(always)]
fn put<T: Real, V: Vector<T>, const M: usize, const J: usize>(
    sums: [[V; J]; M],
    out: &mut [T],
    stride: usize,
    columns: usize,
    write: Write,
) {
    for (i, sums) in sums.into_iter().enumerate() {
        for (j, values) in sums.into_iter().enumerate() {
            let count = LANES.min(columns - j * LANES);
            let out = &mut out[i * stride + j * LANES..][..count];
            // SAFETY: what is loaded and stored is an array of 16; that the processor has the instructions was asked before `sums` were made.
            unsafe {
                if let Some(out) = out.first_chunk_mut::<LANES>() {
                    let at = out.as_mut_ptr();
                    let values = if write == Write::Add { V::load(at).add(values) } else { values };
                    values.store(at);
                } else {
                    let mut spread = [T::ZERO; LANES];
                    values.store(spread.as_mut_ptr());
                    for (out, value) in out.iter_mut().zip(spread) {
                        *out = if write == Write::Add { *out + value } else { value };
                    }
                }
            }
        }
    }
}

/// The operands of [`multiply`].
struct Product<'a, T> {
    a: Left<'a, T>,
    rows: usize,
    inner: usize,
    b: Right<'a, T>,
    columns: usize,
    stride: usize,
    write: Write,
}

impl<T: Real> Product<'_, T> {
    /// # Safety
    /// The processor has the instructions of `V`.
    #[inline(always)]
    unsafe fn tiles<V: Vector<T>, const M: usize, const J: usize>(&self, from: usize, group: usize, out: &mut [T]) {
        let (a, b, inner) = (self.a, self.b, self.inner);
        let rows: [*const T; M] = std::array::from_fn(|i| a.data[(from + i) * a.stride..][..inner].as_ptr());
        let groups: [*const T; J] = std::array::from_fn(|j| b.data[(group + j) * b.group..][..(inner - 1) * b.row + LANES].as_ptr());
        // SAFETY: the slices above have the lengths that are asked for.
        let sums = unsafe { tile::<T, V, M, J>(rows, 1, inner, groups, b.row) };
        put(sums, &mut out[from * self.stride + group * LANES..], self.stride, self.columns - group * LANES, self.write);
    }

    /// # Safety
    /// As for [`Product::tiles`].
    #[inline(always)]
    unsafe fn groups<V: Vector<T>, const M: usize, const J: usize>(&self, group: usize, out: &mut [T]) {
        let mut row = 0;
        // SAFETY: the caller's promise.
        unsafe {
            while row + M <= self.rows {
                self.tiles::<V, M, J>(row, group, out);
                row += M;
            }
            while row + 2 <= self.rows {
                self.tiles::<V, 2, J>(row, group, out);
                row += 2;
            }
            if row < self.rows {
                self.tiles::<V, 1, J>(row, group, out);
            }
        }
    }

    /// # Safety
    /// As for [`Product::tiles`].
    #[inline(always)]
    unsafe fn run<V: Vector<T>, const M: usize, const J: usize>(&self, out: &mut [T]) {
        if self.inner == 0 {
            return;
        }
        let groups = self.columns.div_ceil(LANES);
        let mut group = 0;
        // SAFETY: the caller's promise.
        unsafe {
            while group + J <= groups {
                self.groups::<V, M, J>(group, out);
                group += J;
            }
            while group < groups {
                self.groups::<V, M, 1>(group, out);
                group += 1;
            }
        }
    }
}

/// `out[rows, columns] = a[rows, inner] · b[inner, columns]` (or added to it); rows of `out` are `stride` apart.
#[allow(clippy::too_many_arguments)]
pub(crate) fn multiply<T: Real>(
    a: Left<T>,
    rows: usize,
    inner: usize,
    b: Right<T>,
    columns: usize,
    out: &mut [T],
    stride: usize,
    write: Write,
) {
    let product = Product { a, rows, inner, b, columns, stride, write };
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
        fn wide<T: Real>(product: &Product<T>, out: &mut [T]) {
            // SAFETY: the instructions are those of this function.
            unsafe { product.run::<T::Wide, 8, 2>(out) }
        }
        #[target_feature(enable = "avx2,fma")]
        fn middle<T: Real>(product: &Product<T>, out: &mut [T]) {
            // SAFETY: as above.
            unsafe { product.run::<T::Middle, 6, 1>(out) }
        }
        match level() {
            // SAFETY: `level` has asked the processor for these instructions.
            Level::Wide => return unsafe { wide(&product, out) },
            // SAFETY: as above.
            Level::Middle => return unsafe { middle(&product, out) },
            Level::Base => {}
        }
    }
    // SAFETY: arrays need no instructions of their own.
    unsafe { product.run::<[T; LANES], 4, 1>(out) }
}

/// The operands of [`add_outer`].
struct Outer<'a, T> {
    a: Left<'a, T>,
    rows: usize,
    b: Left<'a, T>,
    columns: usize,
    terms: usize,
    stride: usize,
}

/// Columns of a matrix `[terms, stride]` cut into panels `[terms, panel]` that lie in one piece each; what is missing in the last one is zero.
fn panels<T: Real>(matrix: Left<T>, columns: usize, terms: usize, panel: usize) -> Vec<T> {
    let mut out = vec![T::ZERO; columns.div_ceil(panel) * terms * panel];
    for term in 0..terms {
        let line = &matrix.data[term * matrix.stride..][..columns];
        for (at, part) in line.chunks(panel).enumerate() {
            out[(at * terms + term) * panel..][..part.len()].copy_from_slice(part);
        }
    }
    out
}

/// Rows further apart than this would lie on a memory page each: they are copied together first.
const FAR: usize = 256;

impl<T: Real> Outer<'_, T> {
    /// One tile; `a` and `b` begin at its first row and column.
    ///
    /// # Safety
    /// As for [`Product::tiles`].
    #[inline(always)]
    unsafe fn tiles<V: Vector<T>, const M: usize, const J: usize>(&self, a: Left<T>, b: Left<T>, columns: usize, out: &mut [T]) {
        let last = self.terms - 1;
        let rows: [*const T; M] = std::array::from_fn(|i| a.data[i..][..=last * a.stride].as_ptr());
        let groups: [*const T; J] = std::array::from_fn(|j| b.data[j * LANES..][..last * b.stride + LANES].as_ptr());
        // SAFETY: the slices above have the lengths that are asked for.
        let sums = unsafe { tile::<T, V, M, J>(rows, a.stride, self.terms, groups, b.stride) };
        put(sums, out, self.stride, columns, Write::Add);
    }

    /// # Safety
    /// As for [`Product::tiles`].
    #[inline(always)]
    unsafe fn columns<V: Vector<T>, const M: usize, const J: usize>(&self, column: usize, b: Left<T>, packed: &[T], out: &mut [T]) {
        let left = |row: usize| match packed {
            [] => Left { data: &self.a.data[row..], stride: self.a.stride },
            packed => Left { data: &packed[row / M * self.terms * M + row % M..], stride: M },
        };
        let columns = self.columns - column;
        let mut row = 0;
        // SAFETY: the caller's promise.
        unsafe {
            while row + M <= self.rows {
                self.tiles::<V, M, J>(left(row), b, columns, &mut out[row * self.stride + column..]);
                row += M;
            }
            while row + 2 <= self.rows {
                self.tiles::<V, 2, J>(left(row), b, columns, &mut out[row * self.stride + column..]);
                row += 2;
            }
            if row < self.rows {
                self.tiles::<V, 1, J>(left(row), b, columns, &mut out[row * self.stride + column..]);
            }
        }
    }

    /// # Safety
    /// As for [`Product::tiles`].
    #[inline(always)]
    unsafe fn run<V: Vector<T>, const M: usize, const J: usize>(&self, out: &mut [T]) {
        if self.terms == 0 {
            return;
        }
        let far = |stride: usize, others: usize| stride > FAR && self.terms > 2 * M && others > 2 * LANES;
        // The rows behind the last whole tile are those of a panel of their own, whose rest is zero and not looked at.
        let left = if far(self.a.stride, self.columns) { panels(self.a, self.rows, self.terms, M) } else { Vec::new() };
        let copy = far(self.b.stride, self.rows);
        let mut column = 0;
        // SAFETY: the caller's promise.
        unsafe {
            while column + J * LANES <= self.columns {
                let b = Left { data: &self.b.data[column..], stride: self.b.stride };
                if copy {
                    let panel = panels(b, J * LANES, self.terms, J * LANES);
                    self.columns::<V, M, J>(column, Left { data: &panel, stride: J * LANES }, &left, out);
                } else {
                    self.columns::<V, M, J>(column, b, &left, out);
                }
                column += J * LANES;
            }
            while column < self.columns {
                // Fewer columns, copied to where 16 can be read.
                let count = LANES.min(self.columns - column);
                let b = Left { data: &self.b.data[column..], stride: self.b.stride };
                let panel = panels(b, count, self.terms, LANES);
                self.columns::<V, M, 1>(column, Left { data: &panel, stride: LANES }, &left, out);
                column += LANES;
            }
        }
    }
}

/// `out[rows, columns] += aᵀ · b` for `a[terms, rows]` and `b[terms, columns]`: the gradient of a weight.
pub(crate) fn add_outer<T: Real>(a: Left<T>, rows: usize, b: Left<T>, columns: usize, terms: usize, out: &mut [T], stride: usize) {
    let outer = Outer { a, rows, b, columns, terms, stride };
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
        fn wide<T: Real>(outer: &Outer<T>, out: &mut [T]) {
            // SAFETY: the instructions are those of this function.
            unsafe { outer.run::<T::Wide, 8, 2>(out) }
        }
        #[target_feature(enable = "avx2,fma")]
        fn middle<T: Real>(outer: &Outer<T>, out: &mut [T]) {
            // SAFETY: as above.
            unsafe { outer.run::<T::Middle, 6, 1>(out) }
        }
        match level() {
            // SAFETY: `level` has asked the processor for these instructions.
            Level::Wide => return unsafe { wide(&outer, out) },
            // SAFETY: as above.
            Level::Middle => return unsafe { middle(&outer, out) },
            Level::Base => {}
        }
    }
    // SAFETY: arrays need no instructions of their own.
    unsafe { outer.run::<[T; LANES], 4, 1>(out) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::native::simd::tests::FORCED;

    fn numbers(count: usize, step: f64) -> Vec<f32> {
        (0..count).map(|i| (i as f64 * step).sin() as f32).collect()
    }

    #[test]
    fn products_agree_with_plain_loops_at_every_level() {
        for (rows, inner, columns) in [(1, 5, 3), (7, 16, 16), (8, 24, 40), (19, 33, 50), (33, 64, 96), (33, 40, 301), (34, 301, 43)] {
            let (a, w) = (numbers(rows * inner, 0.7), numbers(columns * inner, 0.3));
            let packed = group_rows(&w, columns, inner);
            let right = Right { data: &packed, row: LANES, group: inner * LANES };
            let mut first: Option<Vec<f32>> = None;
            for level in [Level::Base, Level::Middle, Level::Wide] {
                FORCED.set(Some(level).filter(|l| {
                    *l <= {
                        FORCED.set(None);
                        super::level()
                    }
                }));
                let mut out = vec![0f32; rows * columns];
                multiply(Left { data: &a, stride: inner }, rows, inner, right, columns, &mut out, columns, Write::Set);
                for r in 0..rows {
                    for c in 0..columns {
                        let exact: f64 = (0..inner).map(|k| f64::from(a[r * inner + k]) * f64::from(w[c * inner + k])).sum();
                        assert!((f64::from(out[r * columns + c]) - exact).abs() < 5e-5);
                    }
                }
                // A row alone gives the same bits.
                let mut alone = vec![0f32; columns];
                multiply(Left { data: &a[(rows - 1) * inner..], stride: inner }, 1, inner, right, columns, &mut alone, columns, Write::Set);
                assert_eq!(alone, out[(rows - 1) * columns..]);
                assert_eq!(first.get_or_insert_with(|| out.clone()), &out, "{level:?}");

                let mut gradient = vec![0f32; columns * inner];
                add_outer(
                    Left { data: &out, stride: columns },
                    columns,
                    Left { data: &a, stride: inner },
                    inner,
                    rows,
                    &mut gradient,
                    inner,
                );
                for c in 0..columns {
                    for k in 0..inner {
                        let exact: f64 = (0..rows).map(|r| f64::from(out[r * columns + c]) * f64::from(a[r * inner + k])).sum();
                        assert!((f64::from(gradient[c * inner + k]) - exact).abs() < 1e-3);
                    }
                }
            }
            FORCED.set(None);
            let grouped = group_columns(&w, columns, inner);
            // The same from the other grouping, some columns at a time.
            for first in (0..inner).step_by(2 * LANES) {
                let wanted = first..inner.min(first + 2 * LANES);
                let mut panel = vec![7f32; 2 * LANES * columns];
                turn_groups(&packed, columns, inner, wanted.clone(), &mut panel);
                let from = first * columns;
                let size = wanted.len().div_ceil(LANES) * LANES * columns;
                assert_eq!(panel[..size], grouped[from..from + size]);
            }
            let mut out = vec![0f32; rows * inner];
            let left = numbers(rows * columns, 0.9);
            let right = Right { data: &grouped, row: LANES, group: columns * LANES };
            multiply(Left { data: &left, stride: columns }, rows, columns, right, inner, &mut out, inner, Write::Set);
            let exact: f64 = (0..columns).map(|c| f64::from(left[c]) * f64::from(w[c * inner])).sum();
            assert!((f64::from(out[0]) - exact).abs() < 1e-5);
        }
    }
}
