//! The ways in which the same numbers are computed: one row alone, many in one batch, padded, and token by token from a cache.

use super::rows::{everywhere, greedy};
use super::{Finding, LOGPROBS};
use crate::model::engine::Ask;
use crate::model::passes::Composite;
use crate::model::{Compute, ModelError, Row, Weights, score};
use std::sync::Arc;

/// Tokens made behind each prompt from the cache.
const MADE: usize = 8;

/// Longer prompts are not put through the padded path: it keeps all positions at once.
const LONGEST: usize = 256;

pub(super) fn compare(weights: &Arc<Weights>, prompts: &[&[u32]], threads: usize) -> Result<Vec<Finding>, ModelError> {
    let compute = Compute { threads, ..Compute::default() };
    let rows: Vec<Row> = prompts.iter().map(|ids| everywhere(ids)).collect();
    let mut batched = Finding::new("in a batch as alone", Some(LOGPROBS));
    let mut padded = Finding::new("padded as alone", Some(LOGPROBS));
    let mut cached = Finding::new("from the cache as alone", Some(LOGPROBS));
    let mut alone: Vec<f32> = Vec::new();
    for row in &rows {
        alone.extend(score(weights, std::slice::from_ref(row), 1.0, &compute)?.logp);
    }
    let wide = |values: &[f32]| values.iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
    batched.numbers(|i| format!("target {i}"), &score(weights, &rows, 1.0, &compute)?.logp, &wide(&alone));
    let short: Vec<Row> = rows.iter().filter(|r| r.ids.len() <= LONGEST).cloned().collect();
    if !short.is_empty() {
        let together = Compute { micro_batch: Some(short.len()), ..Compute::default() };
        let found = Composite::new(weights, &short, Ask::policy(1.0), &together)?.answers()?;
        let expected = score(weights, &short, 1.0, &compute)?.logp;
        padded.numbers(|i| format!("target {i}"), &found.logp, &wide(&expected));
    }
    let asked: Vec<(&[u32], usize)> = prompts.iter().map(|ids| (*ids, MADE)).collect();
    for (prompt, response) in prompts.iter().zip(greedy(weights, &asked, &[])?) {
        let scores = score(weights, &[response.row(prompt)], 1.0, &compute)?;
        cached.numbers(|i| format!("token {i}"), &response.logp, &wide(&scores.logp));
    }
    Ok(vec![batched, padded, cached])
}
