//! How rows are split: into lanes that may run on different threads, and within a lane into batches that bound the memory.
//!
//! Both depend on the rows, the model and the settings only, never on the number of threads, and sums are taken in lane order:
//! so a gradient has the same bytes whatever the number of threads.

use super::forest::{Forest, Placed, arrange};
use super::native::batch::Batch;
use super::native::head::Question;
use super::{ModelError, Row, Weights};
use crate::ranks::Ranks;
use std::ops::Range;

/// Independent parts of a minibatch, each with its own gradient sum: more threads than this are of no use.
const LANES: usize = 64;
/// Where there is less to do than [`LANE_TOKENS`] for each.
const FEW_LANES: usize = 4;
/// Tokens of a lane, where there are enough: adding up its gradients is then little beside making them.
const LANE_TOKENS: usize = 512;
/// Numbers of all lanes' gradient sums together: lanes may have to wait for one before them. Two lanes need two sums, so a model that trains more than
/// half as many numbers has one, whose products are shared out among the threads.
const SUMS: usize = 1 << 26;
/// What two lanes have in common is computed by both: of a lane at most one part in so many.
const COMMON: usize = 8;

/// Tokens of a batch: few enough for its activations to stay near the core.
const BATCH_TOKENS: usize = 512;

/// How much to do at once. Changes speed and memory, and the result only by rounding.
#[derive(Clone, Debug, PartialEq)]
pub struct Compute {
    /// Changes no bit of any result.
    pub threads: usize,
    /// The most rows in one forward or backward pass; `None`: as many as run fast.
    pub micro_batch: Option<usize>,
    /// Bytes of activations that may be kept between a forward pass and its backward pass; what is more is computed again.
    pub keep: usize,
    /// Of every block only input, keys and values are kept, and the rest computed again when its gradient is taken. Changes no bit of any result.
    pub checkpointing: bool,
    /// Whether tokens with which several rows begin are computed once. Changes a forward pass by no bit on the CPU, and gradients by rounding.
    pub share: bool,
    /// Those that lanes are dealt to on the CPU: all of them score and differentiate the same rows. Changes no bit of any result.
    pub ranks: Ranks,
}

impl Default for Compute {
    fn default() -> Compute {
        Compute { threads: 1, micro_batch: None, keep: 1 << 30, checkpointing: false, share: true, ranks: Ranks::ALONE }
    }
}

/// Some rows, the tokens that they are made of, and what is asked of them.
pub(crate) struct Lane<'a> {
    pub(crate) batches: Vec<Batch>,
    /// In the order of the batches.
    questions: Vec<Question<'a>>,
    /// Which of the questions are about a batch.
    asked: Vec<Range<usize>>,
    pub(crate) tokens: usize,
}

impl<'a> Lane<'a> {
    fn new(rows: &[Placed<'a>], most: usize) -> Lane<'a> {
        let forest = Forest::of(rows);
        let targets = rows.iter().flat_map(|placed| placed.targets().zip(&placed.row.targets));
        let mut questions: Vec<Question<'a>> = targets
            .zip(&forest.outputs)
            .map(|((index, t), output)| Question { index, output: *output, token: t.token, allowed: t.allowed.as_deref() })
            .collect();
        questions.sort_by_key(|question| question.output);
        let (mut batches, mut asked, mut output) = (Vec::new(), Vec::new(), 0);
        for first in (0..forest.tokens()).step_by(most) {
            let batch = Batch::of(&forest, first..forest.tokens().min(first + most));
            let [from, to] = [output, output + batch.outputs()].map(|output| questions.partition_point(|q| q.output < output));
            for question in &mut questions[from..to] {
                question.output -= output;
            }
            output += batch.outputs();
            asked.push(from..to);
            batches.push(batch);
        }
        Lane { batches, questions, asked, tokens: forest.tokens() }
    }

    pub(crate) fn questions(&self, batch: usize) -> &[Question<'a>] {
        &self.questions[self.asked[batch].clone()]
    }
}

/// How many lanes there should be for so many tokens, each with a gradient sum of so many numbers.
fn lanes_of(tokens: usize, sum: usize) -> usize {
    let affordable = (SUMS / sum.max(1)).clamp(1, LANES);
    // A power of two, so that lanes of equal length keep as many threads busy to the end.
    let wanted = 1 << (tokens / LANE_TOKENS).max(1).ilog2();
    let few = FEW_LANES.min(tokens * 2 * FEW_LANES / LANE_TOKENS).max(1);
    few.max(wanted).min(affordable)
}

/// The most that lanes' sums of gradients take, for so many tokens and trained numbers.
pub(crate) fn gradient_sums_bytes(tokens: usize, trained: usize) -> u64 {
    (4 * lanes_of(tokens, trained) as u64).saturating_mul(trained as u64)
}

/// The lanes of the rows; they have about equally many tokens.
///
/// # Errors
/// If a row does not fit the model.
pub(crate) fn split<'a>(weights: &Weights, rows: &'a [Row], compute: &Compute) -> Result<Vec<Lane<'a>>, ModelError> {
    for (i, row) in rows.iter().enumerate() {
        row.check(weights.config(), i)?;
    }
    let placed = arrange(rows, compute.share);
    let distinct: usize = placed.iter().map(Placed::own).sum();
    let trained = weights.trained().values().map(|var| var.elem_count()).sum();
    let count = lanes_of(distinct, trained);
    let longest = placed.iter().map(|placed| placed.used().len()).max().unwrap_or(0);
    let most = compute.micro_batch.map_or(BATCH_TOKENS, |rows| rows.saturating_mul(longest).clamp(1, BATCH_TOKENS));
    let (mut lanes, mut first, mut cost, mut seen) = (Vec::new(), 0, 0, 0);
    for (next, row) in placed.iter().enumerate() {
        let full = (2 * seen + row.own()) * count > 2 * (lanes.len() + 1) * distinct;
        if next > first && full && cost >= COMMON * row.shared {
            lanes.push(Lane::new(&placed[first..next], most));
            (first, cost) = (next, 0);
        }
        seen += row.own();
        cost += if next == first { row.used().len() } else { row.own() };
    }
    if first < placed.len() {
        lanes.push(Lane::new(&placed[first..], most));
    }
    Ok(lanes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::config::tests::tiny;
    use candle_core::{DType, Device};

    #[test]
    fn every_target_is_asked_once_and_lanes_are_even() {
        let weights = Weights::init(&tiny(), 1, &Device::Cpu, DType::F32).unwrap();
        for count in [0, 1, 2, 3, 4, 5, 9, 64] {
            for micro_batch in [None, Some(1), Some(3)] {
                let rows: Vec<Row> = (0..count).map(|i| Row::after(vec![1 + i as u32 % 7; 5 + i % 50], 3)).collect();
                for share in [false, true] {
                    let lanes = split(&weights, &rows, &Compute { micro_batch, share, ..Compute::default() }).unwrap();
                    let mut asked: Vec<usize> =
                        lanes.iter().flat_map(|l| (0..l.batches.len()).flat_map(|b| l.questions(b))).map(|q| q.index).collect();
                    asked.sort_unstable();
                    let targets: usize = rows.iter().map(|row| row.targets.len()).sum();
                    assert_eq!(asked, (0..targets).collect::<Vec<_>>());
                    for lane in &lanes {
                        assert_eq!(lane.tokens, lane.batches.iter().map(Batch::tokens).sum::<usize>());
                        assert!((0..lane.batches.len()).all(|b| lane.questions(b).iter().all(|q| q.output < lane.batches[b].outputs())));
                    }
                    let sizes: Vec<usize> = lanes.iter().map(|lane| lane.tokens).collect();
                    if !share && count > 0 {
                        let (most, least) = (sizes.iter().max().unwrap(), sizes.iter().min().unwrap());
                        assert!(most - least <= 110, "{sizes:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn there_are_lanes_for_many_threads_where_there_is_work_for_them() {
        assert_eq!([0, 10, 300, 600, 3_000, 40_000, 1 << 20].map(|tokens| lanes_of(tokens, 1 << 18)), [1, 1, 4, 4, 4, 64, 64]);
        // Of a large model few sums are made.
        assert_eq!(lanes_of(1 << 20, 1 << 27), 1);
    }

    #[test]
    fn lanes_part_where_little_is_in_common() {
        let weights = Weights::init(&tiny(), 1, &Device::Cpu, DType::F32).unwrap();
        // Episodes of turns whose prompts go on, behind three tokens that all have in common.
        let prompt =
            |episode: u32, turn: u32| [vec![1, 2, 3, 4 + episode % 33], (0..2 * turn).map(|i| (episode + 3 * i) % 37).collect()].concat();
        let rows: Vec<Row> = (0..40).flat_map(|e| (1..12).map(move |t| Row::after(prompt(e, t), 4))).collect();
        let lanes = split(&weights, &rows, &Compute::default()).unwrap();
        assert!(lanes.len() > 1);
        let whole = Forest::of(&arrange(&rows, true)).tokens();
        let laid: usize = lanes.iter().map(|lane| lane.tokens).sum();
        assert!(laid <= whole + whole / COMMON, "{laid} of {whole}");
    }
}
