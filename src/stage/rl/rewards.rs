//! Rewards of the pipeline's own: what is logged of a turn, and what is added to the environment's.

use super::super::error::RunError;
use super::fields::Rl;
use crate::lang::Diagnostics;
use crate::objective::{Batch, BatchError, Place, Reward, Scope, TextQuestion};
use std::collections::{BTreeMap, BTreeSet};

/// The checked rewards of a stage.
#[derive(Default)]
pub(crate) struct Rewards {
    named: Vec<(String, Reward)>,
    shaping: Option<Reward>,
}

impl Rl {
    /// The checked rewards; mistakes go to `diagnostics`.
    pub(super) fn checked_rewards(&self, diagnostics: &mut Diagnostics) -> Option<Rewards> {
        let scope = || Scope::new(Place::Reward).running(self.group_size.0, self.iterations.0);
        let named = self.rewards.iter().flat_map(|rewards| &rewards.0);
        let named: Vec<Option<(String, Reward)>> =
            named.map(|one| Some((one.name.clone(), Reward::check(&one.reward.0, &one.name, &scope(), diagnostics)?))).collect();
        let help = "write what depends on it into the `advantage`";
        let before = scope().lacking("reward", "it is what is added to", help);
        let shaping = self.shaping.as_ref().map(|field| Reward::check(&field.0, "shaping", &before, diagnostics));
        match shaping {
            Some(None) => None,
            shaping => Some(Rewards { named: named.into_iter().collect::<Option<_>>()?, shaping: shaping.flatten() }),
        }
    }
}

impl Rewards {
    /// What they ask of the texts of the turns.
    pub(super) fn questions(&self) -> BTreeSet<TextQuestion> {
        let all = self.named.iter().map(|(_, reward)| reward).chain(&self.shaping);
        all.flat_map(|reward| reward.needs().texts.iter().cloned()).collect()
    }

    /// Adds what is to be added to the `reward` of each row, and its sum over the episode to the row's `outcome`. A row for which it has no value
    /// keeps its own.
    pub(super) fn shape(&self, batch: &mut Batch) -> Result<(), RunError> {
        let Some(shaping) = &self.shaping else { return Ok(()) };
        let added: Vec<f64> = shaping.evaluate(batch)?.into_iter().map(Option::unwrap_or_default).collect();
        let episodes = batch.rows().episode.clone().unwrap_or_default();
        let mut sums = BTreeMap::<u64, f64>::new();
        for (episode, added) in episodes.iter().zip(&added) {
            *sums.entry(*episode).or_default() += added;
        }
        let (Some(reward), Some(outcome)) = (batch.get("reward"), batch.get("outcome")) else { return Ok(()) };
        let of_episode = |(outcome, episode): (&f64, &u64)| outcome + sums.get(episode).copied().unwrap_or_default();
        let outcome = outcome.iter().zip(&episodes).map(of_episode).collect();
        let reward = reward.iter().zip(&added).map(|(reward, added)| reward + added).collect();
        let wrong = |error: BatchError| RunError::Failed(error.to_string());
        batch.set("reward", reward).and_then(|()| batch.set("outcome", outcome)).map_err(wrong)
    }

    /// `reward/NAME` and `shaping`: means over the first `own` rows, those of the iteration's own episodes.
    pub(super) fn metrics(&self, batch: &Batch, own: usize) -> Result<Vec<(String, f64)>, RunError> {
        let named = self.named.iter().map(|(name, reward)| (format!("reward/{name}"), reward));
        let all = named.chain(self.shaping.iter().map(|shaping| ("shaping".to_string(), shaping)));
        let mut found = Vec::new();
        for (name, reward) in all {
            let values: Vec<f64> = reward.evaluate(batch)?.into_iter().take(own).flatten().collect();
            if !values.is_empty() {
                found.push((name, values.iter().sum::<f64>() / values.len() as f64));
            }
        }
        Ok(found)
    }
}
