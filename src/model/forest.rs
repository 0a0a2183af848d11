//! Rows that begin alike, laid into trees: each distinct token once.
//!
//! Tokens lie in preorder: what a token at position p follows is, for each smaller position, the last token before it that stands there.
//! Rows that share nothing are then simply rows laid end to end.

use super::Row;
use std::ops::Range;

/// A row among others: what it has in common with the one before it need not be laid again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed<'a> {
    pub(crate) row: &'a Row,
    /// Where its first target stands among those of all rows that were given.
    pub(crate) first_target: usize,
    /// Tokens that it has in common with the row before it.
    pub(crate) shared: usize,
}

impl Placed<'_> {
    /// What of the row is seen by one of its targets.
    pub(crate) fn used(&self) -> &[u32] {
        let length = self.row.targets.last().map_or(0, |target| target.position + 1);
        &self.row.ids[..length.min(self.row.ids.len())]
    }

    /// What has to be laid for it.
    pub(crate) fn own(&self) -> usize {
        self.used().len() - self.shared
    }

    /// Where its targets stand among those of all rows that were given.
    pub(crate) fn targets(&self) -> Range<usize> {
        self.first_target..self.first_target + self.row.targets.len()
    }
}

/// Rows in an order in which those that begin alike are neighbours; as they came, and nothing in common, if they are not to `share`.
/// Rows without a target have no token that is wanted, and are left out.
pub(crate) fn arrange(rows: &[Row], share: bool) -> Vec<Placed<'_>> {
    let mut first_target = 0;
    let mut placed: Vec<Placed> = Vec::with_capacity(rows.len());
    for row in rows.iter().filter(|row| !row.targets.is_empty()) {
        placed.push(Placed { row, first_target, shared: 0 });
        first_target += row.targets.len();
    }
    if share {
        // Stable: equal rows stay in their order.
        placed.sort_by(|a, b| a.used().cmp(b.used()));
        for next in 1..placed.len() {
            placed[next].shared = in_common(placed[next - 1].used(), placed[next].used());
        }
    }
    placed
}

fn in_common(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Tokens of some rows, as far as a target sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Of each row.
    pub all: usize,
    /// Counted once where several rows begin with them.
    pub distinct: usize,
}

impl Tokens {
    /// Counts them.
    pub fn of(rows: &[Row]) -> Tokens {
        let placed = arrange(rows, true);
        Tokens { all: placed.iter().map(|placed| placed.used().len()).sum(), distinct: placed.iter().map(Placed::own).sum() }
    }

    /// The part of the tokens that another row has already.
    pub fn shared(self) -> f64 {
        1.0 - self.distinct as f64 / self.all.max(1) as f64
    }
}

/// Trees of tokens.
#[derive(Debug, Default)]
pub(crate) struct Forest {
    pub(crate) ids: Vec<u32>,
    pub(crate) positions: Vec<u32>,
    /// The tokens whose final hidden state is wanted, ascending.
    pub(crate) wanted: Vec<usize>,
    /// For each target of the rows, in their order, which of the wanted ones answers it.
    pub(crate) outputs: Vec<usize>,
}

impl Forest {
    /// Lays the rows; the first one whole, whatever it shares with a row before it.
    pub(crate) fn of(rows: &[Placed]) -> Forest {
        let mut forest = Forest::default();
        let mut path: Vec<usize> = Vec::new();
        let mut asked = Vec::new();
        for (number, placed) in rows.iter().enumerate() {
            path.truncate(if number == 0 { 0 } else { placed.shared });
            for id in &placed.used()[path.len()..] {
                forest.positions.push(path.len() as u32);
                path.push(forest.ids.len());
                forest.ids.push(*id);
            }
            asked.extend(placed.row.targets.iter().map(|target| path[target.position]));
        }
        forest.wanted.clone_from(&asked);
        forest.wanted.sort_unstable();
        forest.wanted.dedup();
        forest.outputs = asked.iter().map(|place| forest.wanted.partition_point(|wanted| wanted < place)).collect();
        forest
    }

    pub(crate) fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// What the token at `place` follows, by position.
    pub(crate) fn before(&self, place: usize) -> Vec<usize> {
        let mut path = vec![0; self.positions.get(place).map_or(0, |position| *position as usize)];
        let mut missing = path.len();
        for earlier in (0..place).rev() {
            if missing == 0 {
                break;
            }
            if self.positions[earlier] as usize + 1 == missing {
                missing -= 1;
                path[missing] = earlier;
            }
        }
        path
    }

    /// Where each tree begins, and the end of the last one.
    pub(crate) fn roots(&self) -> Vec<usize> {
        let starts = self.positions.iter().enumerate().filter(|(_, position)| **position == 0).map(|(place, _)| place);
        starts.chain([self.tokens()]).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn row(ids: &[u32], from: usize) -> Row {
        Row::after(ids.to_vec(), from)
    }

    #[test]
    fn each_distinct_token_is_laid_once() {
        let rows = [row(&[1, 2, 3, 4], 2), row(&[1, 2, 5, 6], 3), row(&[7, 8], 1), row(&[1, 2, 3], 2), row(&[1, 2, 3, 4], 3), row(&[9], 1)];
        let placed = arrange(&rows, true);
        let index = |placed: &Placed| rows.iter().position(|row| std::ptr::eq(row, placed.row)).unwrap();
        assert_eq!(placed.iter().map(index).collect::<Vec<_>>(), [3, 0, 4, 1, 2]);
        let forest = Forest::of(&placed);
        // The last token of a row is only predicted.
        assert_eq!((forest.ids.as_slice(), forest.positions.as_slice()), (&[1, 2, 3, 5, 7][..], &[0, 1, 2, 2, 0][..]));
        assert_eq!(forest.roots(), [0, 4, 5]);
        // Targets in the order of the rows: row 3 at position 1; row 0 at 1 and 2; row 4 at 2; row 1 at 2; row 2 at 0.
        assert_eq!(forest.wanted, [1, 2, 3, 4]);
        assert_eq!(forest.outputs, [0, 0, 1, 1, 2, 3]);
        assert_eq!(Tokens::of(&rows), Tokens { all: 12, distinct: 5 });
        assert_eq!((forest.before(3), forest.before(2), forest.before(4)), (vec![0, 1], vec![0, 1], vec![]));
    }

    #[test]
    fn rows_that_do_not_share_lie_end_to_end() {
        let rows = [row(&[1, 2, 3], 1), row(&[1, 2, 4], 2)];
        let forest = Forest::of(&arrange(&rows, false));
        assert_eq!((forest.ids.as_slice(), forest.positions.as_slice()), (&[1, 2, 1, 2][..], &[0, 1, 0, 1][..]));
        assert_eq!((forest.wanted.as_slice(), forest.outputs.as_slice()), (&[0, 1, 3][..], &[0, 1, 2][..]));
    }
}
