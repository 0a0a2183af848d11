//! Threads that share the work on one batch, where there are more of them than lanes. What a number is made of never depends on who makes it.

use super::matmul::{Left, add_outer};
use super::real::Real;
use crate::model::threads::parallel;
use std::ops::Range;
use std::sync::Mutex;

/// Multiplications for which it is worth to wake a thread.
const WORTH: usize = 1 << 20;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Team {
    threads: usize,
}

impl Team {
    pub(crate) const ALONE: Team = Team { threads: 1 };

    /// Of the threads that each of `lanes` has, all of which are running.
    pub(crate) fn of(threads: usize, lanes: usize) -> Team {
        Team { threads: (threads / lanes.max(1)).max(1) }
    }

    /// Each item once; the results in their order. `cost` is the number of multiplications in all.
    pub(crate) fn each<I: Send, R: Send>(self, items: impl IntoIterator<Item = I>, cost: usize, work: impl Fn(I) -> R + Sync) -> Vec<R> {
        let threads = self.useful(cost);
        if threads == 1 {
            return items.into_iter().map(work).collect();
        }
        let items: Vec<Mutex<Option<I>>> = items.into_iter().map(|item| Mutex::new(Some(item))).collect();
        let take = |i: usize| items[i].lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        parallel(items.len(), threads, |i| take(i).map(&work)).into_iter().flatten().collect()
    }

    /// Parts of the rows of `out`, each `line` long; `work` gets the number of its first row. `cost` is the number of multiplications of a row.
    pub(crate) fn rows<T: Send>(self, out: &mut [T], line: usize, cost: usize, work: impl Fn(usize, &mut [T]) + Sync) {
        let rows = out.len().div_ceil(line.max(1));
        let part = rows.div_ceil(self.useful(rows.saturating_mul(cost)));
        if part == rows {
            return work(0, out);
        }
        let parts = out.chunks_mut(part * line).enumerate();
        self.each(parts, usize::MAX, |(number, out)| work(number * part, out));
    }

    /// `count` things in as many runs of about the same length as there are threads whose waking is worth it.
    pub(crate) fn parts(self, count: usize, cost: usize) -> Vec<Range<usize>> {
        let parts = self.useful(cost).min(count).max(1);
        (0..parts).map(|part| count * part / parts..count * (part + 1) / parts).collect()
    }

    fn useful(self, cost: usize) -> usize {
        self.threads.min(cost / WORTH).max(1)
    }
}

/// `out[rows, columns] += aᵀ · b` for `a[terms, rows]` and `b[terms, columns]`: [`add_outer`] by a team.
pub(crate) fn add_outer_on<T: Real>(team: Team, a: Left<T>, b: Left<T>, columns: usize, terms: usize, out: &mut [T]) {
    team.rows(out, columns, terms * columns, |first, out| {
        let a = Left { data: a.data.get(first..).unwrap_or_default(), stride: a.stride };
        add_outer(a, out.len() / columns, b, columns, terms, out, columns);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_shared_out_whole() {
        for threads in [1, 2, 3, 8] {
            let mut out = vec![0; 7 * 3];
            Team::of(threads, 1).rows(&mut out, 3, usize::MAX, |first, out| {
                for (i, line) in out.chunks_mut(3).enumerate() {
                    line.fill(first + i);
                }
            });
            assert_eq!(out, (0..7).flat_map(|row| [row; 3]).collect::<Vec<_>>());
            assert_eq!(Team::of(threads, 1).each(0..5, usize::MAX, |i| i * i), [0, 1, 4, 9, 16]);
        }
        let mut none: [u8; 0] = [];
        Team::ALONE.rows(&mut none, 3, 1, |_, out| assert!(out.is_empty()));
        assert_eq!(Team::of(3, 1).parts(7, usize::MAX), [0..2, 2..4, 4..7]);
        assert_eq!(Team::of(8, 1).parts(2, usize::MAX), [0..1, 1..2]);
        assert!(Team::of(8, 1).parts(0, usize::MAX).iter().all(Range::is_empty));
        assert_eq!((Team::of(16, 4).threads, Team::of(2, 4).threads), (4, 1));
    }
}
