//! A piece of a forest of rows: as many of its tokens as are computed at once, and what they follow.

use crate::model::forest::Forest;
use std::ops::Range;

/// Tokens that follow each other without a fork.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Among the tokens of the batch.
    pub(crate) tokens: Range<usize>,
    /// Among its wanted ones.
    pub(crate) wanted: Range<usize>,
}

/// Neighbouring tokens of a forest.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) ids: Vec<u32>,
    /// Of each token in its row.
    pub(crate) positions: Vec<u32>,
    /// Where its first token lies in the forest.
    pub(crate) first: usize,
    /// Where the tokens lie that the first one follows, by position.
    pub(crate) before: Vec<usize>,
    pub(crate) runs: Vec<Run>,
    /// The tokens of the batch whose final hidden state is wanted, and their positions.
    pub(crate) places: Vec<usize>,
    pub(crate) wanted: Vec<u32>,
    /// One more than the last position.
    pub(crate) depth: usize,
}

impl Batch {
    /// These tokens of a forest.
    pub(crate) fn of(forest: &Forest, part: Range<usize>) -> Batch {
        let positions = forest.positions[part.clone()].to_vec();
        let [from, to] = [part.start, part.end].map(|place| forest.wanted.partition_point(|wanted| *wanted < place));
        let places: Vec<usize> = forest.wanted[from..to].iter().map(|place| place - part.start).collect();
        let (mut runs, mut start, mut asked) = (Vec::new(), 0, 0);
        for end in 1..=positions.len() {
            if end == positions.len() || positions[end] != positions[end - 1] + 1 {
                let wanted = asked + places[asked..].partition_point(|place| *place < end);
                runs.push(Run { tokens: start..end, wanted: asked..wanted });
                (start, asked) = (end, wanted);
            }
        }
        Batch {
            ids: forest.ids[part.clone()].to_vec(),
            first: part.start,
            before: forest.before(part.start),
            runs,
            wanted: places.iter().map(|place| positions[*place]).collect(),
            places,
            depth: positions.iter().max().map_or(0, |position| *position as usize + 1),
            positions,
        }
    }

    pub(crate) fn tokens(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn outputs(&self) -> usize {
        self.wanted.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Row;
    use crate::model::forest::arrange;

    #[test]
    fn a_piece_knows_its_runs_and_what_it_follows() {
        let rows = [vec![1, 2, 3, 4, 0], vec![1, 2, 5, 6, 0], vec![1, 7, 0]].map(|ids| Row::after(ids, 3));
        let forest = Forest::of(&arrange(&rows, true));
        assert_eq!(forest.ids, [1, 2, 3, 4, 5, 6]);
        let batch = Batch::of(&forest, 3..6);
        assert_eq!((batch.ids.as_slice(), batch.positions.as_slice(), batch.first), (&[4, 5, 6][..], &[3, 2, 3][..], 3));
        assert_eq!((batch.before.as_slice(), batch.depth), (&[0, 1, 2][..], 4));
        assert_eq!(batch.runs, [Run { tokens: 0..1, wanted: 0..1 }, Run { tokens: 1..3, wanted: 1..3 }]);
        assert_eq!((batch.places, batch.wanted), (vec![0, 1, 2], vec![3, 2, 3]));
    }
}
