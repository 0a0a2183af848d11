//! From episodes to a batch.

use super::super::error::RunError;
use super::learner::set;
use crate::model::Row;
use crate::objective::{Batch, Rows};
use crate::rollout::Episode;

/// Of episodes, each with its source and what is taken off its ill-formed turns; the rows in the batch's order.
pub(super) fn batch(episodes: &[(usize, &Episode)], penalties: &[f64]) -> Result<(Batch, Vec<Row>), RunError> {
    let mut layout = Rows::default();
    let (mut group, mut episode_of, mut anchor, mut turn_index, mut task) = (vec![], vec![], vec![], vec![], vec![]);
    let (mut prompt_cut, mut response_cut) = (vec![], vec![]);
    let (mut reward, mut outcome, mut valid) = (vec![], vec![], vec![]);
    let (mut score, mut success, mut sources) = (vec![], vec![], vec![]);
    let (mut logp, mut entropy, mut rows) = (vec![], vec![], vec![]);
    for (number, ((source, episode), invalid)) in episodes.iter().zip(penalties).enumerate() {
        for (index, turn) in episode.turns.iter().enumerate() {
            let Some(sample) = &turn.sample else {
                return Err(RunError::Failed("a turn was played without the policy".into()));
            };
            let penalty = if turn.valid { 0.0 } else { *invalid };
            layout.lengths.push(sample.row.targets.len());
            group.push(episode.group);
            episode_of.push(number as u64);
            anchor.push(key_of(&turn.observation));
            task.push(key_of(&episode.task.id));
            turn_index.push(index as u64);
            reward.push(turn.reward - penalty);
            outcome.push(episode.score - penalty);
            valid.push(flag(turn.valid));
            prompt_cut.push(flag(turn.prompt_cut));
            response_cut.push(flag(turn.response_cut));
            score.push(episode.score);
            success.push(flag(episode.success));
            sources.push(*source as f64);
            logp.extend(sample.logp.iter().map(|&x| f64::from(x)));
            entropy.extend(sample.entropy.iter().map(|&x| f64::from(x)));
            rows.push(sample.row.clone());
        }
    }
    layout.group = Some(group);
    layout.episode = Some(episode_of);
    layout.anchor = Some(anchor);
    layout.turn_index = Some(turn_index);
    layout.task = Some(task);
    let wrong = |error: crate::objective::BatchError| RunError::Failed(error.to_string());
    let mut batch = Batch::new(layout).map_err(wrong)?;
    set(&mut batch, "reward", reward)?;
    set(&mut batch, "outcome", outcome)?;
    set(&mut batch, "valid", valid)?;
    set(&mut batch, "prompt_cut", prompt_cut)?;
    set(&mut batch, "response_cut", response_cut)?;
    for (name, values) in [("score", score), ("success", success), ("source", sources)] {
        batch.set_by_row(name, &values).map_err(wrong)?;
    }
    set(&mut batch, "old_logp", logp.clone())?;
    set(&mut batch, "rollout_logp", logp)?;
    set(&mut batch, "entropy", entropy.clone())?;
    set(&mut batch, "old_entropy", entropy)?;
    Ok((batch, rows))
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// A number for an observed state or a task, the same in every iteration.
fn key_of(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(first)
}
