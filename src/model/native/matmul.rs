//! Matrix products for rows of activations.
//!
//! Each output is one sum in order of the inner index, whatever the number of rows: a row's result does not depend on
//! which rows it shares the batch with.

use super::real::Real;
use super::simd::LANES;
#[cfg(target_arch = "x86_64")]
use super::simd::{Level, level};
use super::vector::Vector;

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
        for lane in 0..LANES.min(rows - group * LANES) {
            let line = &matrix[(group * LANES + lane) * columns..][..columns];
            for (column, value) in line.iter().enumerate() {
                block[column * LANES + lane] = *value;
            }
        }
    }
    out
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

impl<T: Real> Outer<'_, T> {
    /// # Safety
    /// The processor has the instructions of `V`.
    #[inline(always)]
    unsafe fn tiles<V: Vector<T>, const M: usize, const J: usize>(&self, row: usize, column: usize, b: Left<T>, at: usize, out: &mut [T]) {
        let (a, last) = (self.a, self.terms - 1);
        let rows: [*const T; M] = std::array::from_fn(|i| a.data[row + i..][..last * a.stride + 1].as_ptr());
        let groups: [*const T; J] = std::array::from_fn(|j| b.data[at + j * LANES..][..last * b.stride + LANES].as_ptr());
        // SAFETY: the slices above have the lengths that are asked for.
        let sums = unsafe { tile::<T, V, M, J>(rows, a.stride, self.terms, groups, b.stride) };
        put(sums, &mut out[row * self.stride + column..], self.stride, self.columns - column, Write::Add);
    }

    /// # Safety
    /// As for [`Outer::tiles`].
    #[inline(always)]
    unsafe fn columns<V: Vector<T>, const M: usize, const J: usize>(&self, column: usize, b: Left<T>, at: usize, out: &mut [T]) {
        let mut row = 0;
        // SAFETY: the caller's promise.
        unsafe {
            while row + M <= self.rows {
                self.tiles::<V, M, J>(row, column, b, at, out);
                row += M;
            }
            while row + 2 <= self.rows {
                self.tiles::<V, 2, J>(row, column, b, at, out);
                row += 2;
            }
            if row < self.rows {
                self.tiles::<V, 1, J>(row, column, b, at, out);
            }
        }
    }

    /// # Safety
    /// As for [`Outer::tiles`].
    #[inline(always)]
    unsafe fn run<V: Vector<T>, const M: usize, const J: usize>(&self, out: &mut [T]) {
        if self.terms == 0 {
            return;
        }
        let mut column = 0;
        // SAFETY: the caller's promise.
        unsafe {
            while column + J * LANES <= self.columns {
                self.columns::<V, M, J>(column, self.b, column, out);
                column += J * LANES;
            }
            while column + LANES <= self.columns {
                self.columns::<V, M, 1>(column, self.b, column, out);
                column += LANES;
            }
            if column < self.columns {
                // The last columns, copied to where 16 can be read.
                let count = self.columns - column;
                let mut tail = vec![T::ZERO; self.terms * LANES];
                for (term, to) in tail.chunks_exact_mut(LANES).enumerate() {
                    to[..count].copy_from_slice(&self.b.data[term * self.b.stride + column..][..count]);
                }
                self.columns::<V, M, 1>(column, Left { data: &tail, stride: LANES }, 0, out);
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
        for (rows, inner, columns) in [(1, 5, 3), (7, 16, 16), (8, 24, 40), (19, 33, 50), (33, 64, 96)] {
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
                        assert!((f64::from(out[r * columns + c]) - exact).abs() < 1e-5);
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
            let mut out = vec![0f32; rows * inner];
            let left = numbers(rows * columns, 0.9);
            let right = Right { data: &grouped, row: LANES, group: columns * LANES };
            multiply(Left { data: &left, stride: columns }, rows, columns, right, inner, &mut out, inner, Write::Set);
            let exact: f64 = (0..columns).map(|c| f64::from(left[c]) * f64::from(w[c * inner])).sum();
            assert!((f64::from(out[0]) - exact).abs() < 1e-5);
        }
    }
}
