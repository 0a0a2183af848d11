//! Rows of tokens laid end to end, without padding.

/// One row as the decoder sees it.
#[derive(Clone, Copy)]
pub(crate) struct Sequence<'a> {
    pub(crate) ids: &'a [u32],
    /// Positions whose final hidden state is wanted, strictly ascending, not empty.
    pub(crate) wanted: &'a [u32],
}

/// Token `i` of row `r` stands at `starts[r] + i`; wanted position `j` of row `r` is output `wanted_starts[r] + j`.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) ids: Vec<u32>,
    pub(crate) positions: Vec<u32>,
    pub(crate) starts: Vec<usize>,
    /// Positions within their rows.
    pub(crate) wanted: Vec<u32>,
    pub(crate) wanted_starts: Vec<usize>,
    /// Where the wanted positions stand among all tokens.
    pub(crate) places: Vec<usize>,
}

impl Batch {
    pub(crate) fn new<'a>(rows: impl IntoIterator<Item = Sequence<'a>>) -> Batch {
        let mut batch = Batch { starts: vec![0], wanted_starts: vec![0], ..Batch::default() };
        for row in rows {
            let start = batch.ids.len();
            // What comes after the last wanted position is seen by nothing that is wanted.
            let length = row.wanted.last().map_or(0, |p| *p as usize + 1).min(row.ids.len());
            batch.ids.extend_from_slice(&row.ids[..length]);
            batch.positions.extend(0..length as u32);
            batch.wanted.extend_from_slice(row.wanted);
            batch.places.extend(row.wanted.iter().map(|p| start + *p as usize));
            batch.starts.push(batch.ids.len());
            batch.wanted_starts.push(batch.wanted.len());
        }
        batch
    }

    pub(crate) fn tokens(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn outputs(&self) -> usize {
        self.wanted.len()
    }

    pub(crate) fn rows(&self) -> usize {
        self.starts.len() - 1
    }
}
