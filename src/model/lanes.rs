//! How rows are split: into lanes that may run on different threads, and within a lane into chunks that bound the memory.
//!
//! Both depend on the rows and on the settings only, never on the number of threads, and sums are taken in lane order:
//! so a gradient has the same bytes whatever the number of threads.

use super::native::batch::{Batch, Sequence};
use super::native::head::Question;
use super::{ModelError, Row, Weights};
use std::ops::Range;

/// Independent parts of a batch, each with its own gradient sum: more threads than this are of no use.
pub(crate) const LANES: usize = 4;

/// Tokens of a chunk, if rows are not longer: few enough for its activations to stay near the core.
const CHUNK_TOKENS: usize = 512;

/// How much to do at once. Changes speed and memory, and the result only by rounding.
#[derive(Clone, Debug, PartialEq)]
pub struct Compute {
    /// Changes no bit of any result.
    pub threads: usize,
    /// The most rows in one forward or backward pass; `None`: as many as run fast.
    pub micro_batch: Option<usize>,
    /// Bytes of activations that may be kept between a forward pass and its backward pass; above, they are computed again.
    pub keep: usize,
    /// Of every block only the input is kept, and the rest computed again when its gradient is taken. Changes no bit of any result.
    pub checkpointing: bool,
}

impl Default for Compute {
    fn default() -> Compute {
        Compute { threads: 1, micro_batch: None, keep: 1 << 30, checkpointing: false }
    }
}

/// Some rows and where their targets stand in the flat order of all targets.
pub(crate) struct Chunk<'a> {
    pub(crate) rows: &'a [Row],
    pub(crate) batch: Batch,
    /// The output of each target.
    pub(crate) outputs: Vec<usize>,
    pub(crate) targets: Range<usize>,
}

impl<'a> Chunk<'a> {
    fn new(rows: &'a [Row], first_target: usize) -> Chunk<'a> {
        let (mut outputs, mut wanted) = (Vec::new(), Vec::new());
        let mut next = 0usize;
        for row in rows {
            let mut positions: Vec<u32> = Vec::new();
            for target in &row.targets {
                if positions.last() != Some(&(target.position as u32)) {
                    positions.push(target.position as u32);
                    next += 1;
                }
                outputs.push(next - 1);
            }
            wanted.push(positions);
        }
        let batch = Batch::new(rows.iter().zip(&wanted).map(|(row, wanted)| Sequence { ids: &row.ids, wanted }));
        let targets = first_target..first_target + outputs.len();
        Chunk { rows, batch, outputs, targets }
    }

    pub(crate) fn questions(&self) -> Vec<Question<'a>> {
        let targets = self.rows.iter().flat_map(|row| &row.targets);
        targets.zip(&self.outputs).map(|(t, output)| Question { output: *output, token: t.token, allowed: t.allowed.as_deref() }).collect()
    }
}

/// The chunks of each lane, in order; lanes have about equally many tokens.
pub(crate) fn split<'a>(weights: &Weights, rows: &'a [Row], compute: &Compute) -> Result<Vec<Vec<Chunk<'a>>>, ModelError> {
    for (i, row) in rows.iter().enumerate() {
        row.check(weights.config(), i)?;
    }
    let tokens = |row: &Row| row.targets.last().map_or(0, |t| t.position + 1);
    let total: usize = rows.iter().map(tokens).sum();
    let most = compute.micro_batch.unwrap_or(usize::MAX).max(1);
    let (mut row, mut seen, mut target) = (0, 0, 0);
    let mut lanes = Vec::with_capacity(LANES);
    for lane in 1..=LANES {
        let mut chunks = Vec::new();
        let ends = |seen: usize, next: usize| lane < LANES && (2 * seen + next) * LANES > 2 * lane * total;
        while row < rows.len() && !ends(seen, tokens(&rows[row])) {
            let (first, mut size) = (row, 0);
            while row < rows.len()
                && row - first < most
                && (row == first || size + tokens(&rows[row]) <= CHUNK_TOKENS)
                && !ends(seen, tokens(&rows[row]))
            {
                size += tokens(&rows[row]);
                seen += tokens(&rows[row]);
                row += 1;
            }
            let chunk = Chunk::new(&rows[first..row], target);
            target = chunk.targets.end;
            chunks.push(chunk);
        }
        lanes.push(chunks);
    }
    Ok(lanes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::config::tests::tiny;
    use candle_core::{DType, Device};

    #[test]
    fn every_row_is_in_one_chunk_and_lanes_are_even() {
        let weights = Weights::init(&tiny(), 1, &Device::Cpu, DType::F32).unwrap();
        for count in [0, 1, 2, 3, 4, 5, 9, 64] {
            for micro_batch in [None, Some(1), Some(3)] {
                let rows: Vec<Row> = (0..count).map(|i| Row::after(vec![1; 5 + i % 50], 3)).collect();
                let lanes = split(&weights, &rows, &Compute { micro_batch, ..Compute::default() }).unwrap();
                assert_eq!(lanes.len(), LANES);
                let spread: Vec<&Row> = lanes.iter().flatten().flat_map(|c| c.rows).collect();
                assert_eq!(spread, rows.iter().collect::<Vec<_>>());
                assert!(lanes.iter().flatten().all(|c| c.rows.len() <= micro_batch.unwrap_or(count)));
                let mut at = 0;
                for chunk in lanes.iter().flatten() {
                    assert_eq!(chunk.targets.start, at);
                    at = chunk.targets.end;
                }
                let sizes: Vec<usize> = lanes.iter().map(|l| l.iter().map(|c| c.batch.tokens()).sum()).collect();
                let (most, least) = (sizes.iter().max().unwrap(), sizes.iter().min().unwrap());
                assert!(most - least <= 110, "{sizes:?}");
            }
        }
    }
}
