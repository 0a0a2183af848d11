//! What is logged of an iteration.

use super::super::cuts::Cuts;
use super::super::results::{mean_entropy, mean_figures};
use super::corridor::EntropyLine;
use super::update::Updates;
use crate::rollout::Episode;
use crate::store::MetricRecord;

/// Metrics: `success` (share), `return` (mean score), `turns` (mean), `valid`, `prompt_cut`, `response_cut` (shares of turns), `conversation_full` (share of episodes), `entropy` (mean over the tokens that the policy
/// chose), `env/…` (means of the environment's own figures), `failed` (episodes that broke down), the means over the updates (`loss/…`, `gradient_norm`, `kl`, `clip_fraction`, …),
/// `advantage` (mean absolute value), and beside these `carry/…`, the numbers that the iteration was handed.
pub(crate) fn record(
    iteration: usize,
    episodes: &[Episode],
    updates: &Updates,
    advantage: Option<f64>,
    entropy_lines: &[EntropyLine],
) -> MetricRecord {
    let played: Vec<&Episode> = episodes.iter().filter(|e| !e.failed()).collect();
    let n = played.len().max(1) as f64;
    let turns: usize = played.iter().map(|e| e.turns.len()).sum();
    let valid = played.iter().flat_map(|e| &e.turns).filter(|t| t.valid).count();
    let mut record = MetricRecord::new(iteration as u64)
        .with("success", played.iter().filter(|e| e.success).count() as f64 / n)
        .with("return", played.iter().map(|e| e.score).sum::<f64>() / n)
        .with("turns", turns as f64 / n)
        .with("rows", turns as f64)
        .with("valid", valid as f64 / turns.max(1) as f64)
        .with("failed", (episodes.len() - played.len()) as f64)
        .with("updates", updates.count as f64);
    for (name, value) in mean_figures(played.iter().copied()) {
        record = record.with(format!("env/{name}"), value);
    }
    if let Some(cuts) = Cuts::of(played.iter().copied()) {
        record = cuts.shares().fold(record, |record, (name, share)| record.with(name, share));
    }
    if let Some(entropy) = mean_entropy(episodes) {
        record = record.with("entropy", entropy);
    }
    if let Some(size) = advantage {
        record = record.with("advantage", size);
    }
    for (name, value) in &updates.values {
        record = record.with(name.clone(), *value);
    }
    for (term, metric) in entropy_lines {
        // in the first iteration there is no past to speak of
        if iteration == 0 && *metric != "phase" {
            continue;
        }
        if let Some(value) = updates.values.get(term) {
            record = record.with(*metric, *value);
        }
    }
    record
}
