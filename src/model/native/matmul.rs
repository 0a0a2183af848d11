//! Matrix products for rows of activations.
//!
//! Each output is one sum in order of the inner index, whatever the number of rows: a row's result does not depend on
//! which rows it shares the batch with.

use super::real::Real;
use super::simd::{LANES, Level, level};

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

#[inline(always)]
fn load<T: Real>(data: &[T], at: usize) -> [T; LANES] {
    match data[at..].first_chunk::<LANES>() {
        Some(chunk) => *chunk,
        None => [T::ZERO; LANES],
    }
}

/// `M` rows times `J` groups of columns.
#[inline(always)]
fn tile<T: Real, const M: usize, const J: usize>(a: [&[T]; M], inner: usize, b: [&[T]; J], row: usize) -> [[[T; LANES]; J]; M] {
    let mut sums = [[[T::ZERO; LANES]; J]; M];
    for k in 0..inner {
        let mut right = [[T::ZERO; LANES]; J];
        for j in 0..J {
            right[j] = load(b[j], k * row);
        }
        for i in 0..M {
            let left = a[i][k];
            for j in 0..J {
                for l in 0..LANES {
                    sums[i][j][l] = left.fma(right[j][l], sums[i][j][l]);
                }
            }
        }
    }
    sums
}

#[inline(always)]
fn put<T: Real>(out: &mut [T], values: &[T; LANES], write: Write) {
    if let Some(out) = out.first_chunk_mut::<LANES>() {
        for l in 0..LANES {
            out[l] = if write == Write::Add { out[l] + values[l] } else { values[l] };
        }
    } else {
        for (out, value) in out.iter_mut().zip(values) {
            *out = if write == Write::Add { *out + *value } else { *value };
        }
    }
}

#[inline(always)]
fn tiles<T: Real, const M: usize, const J: usize>(
    a: Left<T>,
    from: usize,
    inner: usize,
    b: Right<T>,
    group: usize,
    columns: usize,
    out: &mut [T],
    stride: usize,
    write: Write,
) {
    let rows: [&[T]; M] = std::array::from_fn(|i| &a.data[(from + i) * a.stride..][..inner]);
    let groups: [&[T]; J] = std::array::from_fn(|j| &b.data[(group + j) * b.group..][..(inner - 1) * b.row + LANES]);
    let sums = tile::<T, M, J>(rows, inner, groups, b.row);
    for (i, sums) in sums.iter().enumerate() {
        for (j, values) in sums.iter().enumerate() {
            let first = (group + j) * LANES;
            let count = LANES.min(columns - first);
            put(&mut out[(from + i) * stride + first..][..count], values, write);
        }
    }
}

#[inline(always)]
fn rows_body<T: Real, const M: usize, const J: usize>(
    a: Left<T>,
    rows: usize,
    inner: usize,
    b: Right<T>,
    columns: usize,
    out: &mut [T],
    stride: usize,
    write: Write,
) {
    if inner == 0 || rows == 0 {
        return;
    }
    let groups = columns.div_ceil(LANES);
    let mut group = 0;
    while group < groups {
        let pair = group + J <= groups;
        let mut row = 0;
        while row + M <= rows {
            if pair {
                tiles::<T, M, J>(a, row, inner, b, group, columns, out, stride, write);
            } else {
                tiles::<T, M, 1>(a, row, inner, b, group, columns, out, stride, write);
            }
            row += M;
        }
        while row + 2 <= rows {
            if pair {
                tiles::<T, 2, J>(a, row, inner, b, group, columns, out, stride, write);
            } else {
                tiles::<T, 2, 1>(a, row, inner, b, group, columns, out, stride, write);
            }
            row += 2;
        }
        if row < rows {
            if pair {
                tiles::<T, 1, J>(a, row, inner, b, group, columns, out, stride, write);
            } else {
                tiles::<T, 1, 1>(a, row, inner, b, group, columns, out, stride, write);
            }
        }
        group += if pair { J } else { 1 };
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
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
        #[allow(clippy::too_many_arguments)]
        fn wide<T: Real>(a: Left<T>, rows: usize, inner: usize, b: Right<T>, columns: usize, out: &mut [T], stride: usize, write: Write) {
            rows_body::<T, 8, 2>(a, rows, inner, b, columns, out, stride, write)
        }
        #[target_feature(enable = "avx2,fma")]
        #[allow(clippy::too_many_arguments)]
        fn middle<T: Real>(a: Left<T>, rows: usize, inner: usize, b: Right<T>, columns: usize, out: &mut [T], stride: usize, write: Write) {
            rows_body::<T, 6, 1>(a, rows, inner, b, columns, out, stride, write)
        }
        match level() {
            // SAFETY: `level` has asked the processor for these instructions.
            Level::Wide => return unsafe { wide(a, rows, inner, b, columns, out, stride, write) },
            // SAFETY: as above.
            Level::Middle => return unsafe { middle(a, rows, inner, b, columns, out, stride, write) },
            Level::Base => {}
        }
    }
    rows_body::<T, 4, 1>(a, rows, inner, b, columns, out, stride, write)
}

/// 16 columns of row `row` from `first` on; what lies beyond `columns` is zero.
#[inline(always)]
fn load_part<T: Real>(b: Left<T>, row: usize, first: usize, columns: usize) -> [T; LANES] {
    let line = &b.data[row * b.stride + first..];
    if first + LANES <= columns {
        load(line, 0)
    } else {
        let mut part = [T::ZERO; LANES];
        for (to, from) in part.iter_mut().zip(&line[..columns - first]) {
            *to = *from;
        }
        part
    }
}

#[inline(always)]
fn outer_tiles<T: Real, const M: usize, const J: usize>(
    a: Left<T>,
    first: usize,
    b: Left<T>,
    column: usize,
    terms: usize,
    columns: usize,
    out: &mut [T],
    stride: usize,
) {
    let mut sums = [[[T::ZERO; LANES]; J]; M];
    for term in 0..terms {
        let mut right = [[T::ZERO; LANES]; J];
        for j in 0..J {
            right[j] = load_part(b, term, column + j * LANES, columns);
        }
        let Some(left) = a.data[term * a.stride + first..].first_chunk::<M>() else { return };
        for i in 0..M {
            for j in 0..J {
                for l in 0..LANES {
                    sums[i][j][l] = left[i].fma(right[j][l], sums[i][j][l]);
                }
            }
        }
    }
    for (i, sums) in sums.iter().enumerate() {
        for (j, values) in sums.iter().enumerate() {
            let at = column + j * LANES;
            let count = LANES.min(columns - at);
            put(&mut out[(first + i) * stride + at..][..count], values, Write::Add);
        }
    }
}

#[inline(always)]
fn outer_body<T: Real, const M: usize, const J: usize>(
    a: Left<T>,
    rows: usize,
    b: Left<T>,
    columns: usize,
    terms: usize,
    out: &mut [T],
    stride: usize,
) {
    let mut column = 0;
    while column < columns {
        let pair = column + J * LANES <= columns;
        let mut row = 0;
        while row + M <= rows {
            if pair {
                outer_tiles::<T, M, J>(a, row, b, column, terms, columns, out, stride);
            } else {
                outer_tiles::<T, M, 1>(a, row, b, column, terms, columns, out, stride);
            }
            row += M;
        }
        while row < rows {
            if pair {
                outer_tiles::<T, 1, J>(a, row, b, column, terms, columns, out, stride);
            } else {
                outer_tiles::<T, 1, 1>(a, row, b, column, terms, columns, out, stride);
            }
            row += 1;
        }
        column += if pair { J * LANES } else { LANES };
    }
}

/// `out[rows, columns] += aᵀ · b` for `a[terms, rows]` and `b[terms, columns]`: the gradient of a weight.
pub(crate) fn add_outer<T: Real>(a: Left<T>, rows: usize, b: Left<T>, columns: usize, terms: usize, out: &mut [T], stride: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
        fn wide<T: Real>(a: Left<T>, rows: usize, b: Left<T>, columns: usize, terms: usize, out: &mut [T], stride: usize) {
            outer_body::<T, 8, 2>(a, rows, b, columns, terms, out, stride)
        }
        #[target_feature(enable = "avx2,fma")]
        fn middle<T: Real>(a: Left<T>, rows: usize, b: Left<T>, columns: usize, terms: usize, out: &mut [T], stride: usize) {
            outer_body::<T, 6, 1>(a, rows, b, columns, terms, out, stride)
        }
        match level() {
            // SAFETY: `level` has asked the processor for these instructions.
            Level::Wide => return unsafe { wide(a, rows, b, columns, terms, out, stride) },
            // SAFETY: as above.
            Level::Middle => return unsafe { middle(a, rows, b, columns, terms, out, stride) },
            Level::Base => {}
        }
    }
    outer_body::<T, 4, 1>(a, rows, b, columns, terms, out, stride)
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
