//! What is counted of played episodes.

use super::cuts::Cuts;
use crate::rollout::Episode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Example episodes of each split, successes and failures each.
pub(crate) const EXAMPLES: usize = 2;

/// The output `results`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub format: u32,
    /// `expert`, `random`, `policy`.
    pub actor: String,
    /// The kind of the stage that gave the policy (`rl`, `sft`), and its name; `None` for a new policy.
    pub learned_by: Option<String>,
    pub stage: Option<String>,
    /// What the weights of a new policy are called, if they were loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    pub splits: Vec<SplitResult>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SplitResult {
    /// `house.seen`
    pub split: String,
    pub panel_hash: String,
    pub episodes: usize,
    pub successes: usize,
    /// Episodes that broke down; they count as no success.
    pub failed: usize,
    pub mean_score: f64,
    pub mean_turns: f64,
    /// Mean entropy of the policy's choices.
    pub entropy: Option<f64>,
    /// Of the policy's turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cuts>,
    /// Successes and episodes by family of goals.
    pub families: BTreeMap<String, (usize, usize)>,
    /// Means of what else the environment has to say of its episodes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, f64>,
    pub tasks: Vec<TaskResult>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TaskResult {
    pub id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub family: String,
    pub success: bool,
    pub score: f64,
    pub turns: usize,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, f64>,
}

impl SplitResult {
    pub(crate) fn new(split: &str, panel_hash: &str, episodes: &[Episode]) -> Self {
        let n = episodes.len().max(1) as f64;
        let mut families: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for episode in episodes {
            let entry = families.entry(episode.task.family.clone()).or_default();
            entry.0 += usize::from(episode.success);
            entry.1 += 1;
        }
        let task = |e: &Episode| TaskResult {
            id: e.task.id.clone(),
            family: e.task.family.clone(),
            success: e.success,
            score: e.score,
            turns: e.turns.len(),
            figures: e.figures.iter().cloned().collect(),
        };
        Self {
            split: split.to_string(),
            panel_hash: panel_hash.to_string(),
            episodes: episodes.len(),
            successes: episodes.iter().filter(|e| e.success).count(),
            failed: episodes.iter().filter(|e| e.failed()).count(),
            mean_score: episodes.iter().map(|e| e.score).sum::<f64>() / n,
            mean_turns: episodes.iter().map(|e| e.turns.len() as f64).sum::<f64>() / n,
            entropy: mean_entropy(episodes),
            cut: Cuts::of(episodes),
            families,
            figures: mean_figures(episodes.iter()),
            tasks: episodes.iter().map(task).collect(),
        }
    }
}

/// The mean of each figure over the episodes that have it: those that did not break down.
pub(crate) fn mean_figures<'e>(episodes: impl Iterator<Item = &'e Episode>) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (name, value) in episodes.flat_map(|e| &e.figures) {
        let (sum, count) = sums.entry(name.clone()).or_default();
        *sum += value;
        *count += 1.0;
    }
    sums.into_iter().map(|(name, (sum, count))| (name, sum / count)).collect()
}

/// Over all tokens that a policy chose.
pub(crate) fn mean_entropy(episodes: &[Episode]) -> Option<f64> {
    let samples = || episodes.iter().flat_map(|e| &e.turns).filter_map(|t| t.sample.as_ref());
    let count: usize = samples().map(|s| s.entropy.len()).sum();
    let sum: f64 = samples().flat_map(|s| &s.entropy).map(|&e| f64::from(e)).sum();
    (count > 0).then(|| sum / count as f64)
}
