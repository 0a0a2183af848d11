//! The tasks of a split, and how their playing is told.

use super::context::Context;
use super::error::RunError;
use crate::env::{Panel, World};
use crate::play::SplitField;
use crate::rollout::{Assignment, Ending, Episode};
use crate::seed::Seed;
use std::sync::Arc;

/// Episodes between two looks at the user's wish to stop. Part of the order in which a policy's episodes share a batch, so it is fixed.
pub(crate) const PORTION: usize = 128;

/// A split's world and its tasks.
pub(crate) fn open(context: &dyn Context, split: &SplitField) -> Result<(Arc<dyn World>, Arc<Panel>), RunError> {
    Ok(split.open(context.machine())?)
}

/// Every task of a panel, each `repeats` times, in the panel's order.
pub(crate) fn once_each(panel: &Panel, repeats: usize, seed: Seed) -> Vec<Assignment> {
    let tasks = panel.tasks.iter().enumerate();
    tasks
        .flat_map(|(index, task)| {
            let game = seed.child("task", index as u64);
            (0..repeats).map(move |repeat| Assignment {
                task: task.clone(),
                group: index as u64,
                member: repeat as u64,
                world_seed: game,
                seed: game.child("episode", repeat as u64),
            })
        })
        .collect()
}

/// Says which episodes broke down, a few of them by name.
pub(crate) fn say_failures(context: &mut dyn Context, episodes: &[Episode]) {
    let failed: Vec<&Episode> = episodes.iter().filter(|e| e.failed()).collect();
    if let Some(first) = failed.first() {
        let reason = match &first.ending {
            Ending::Failed(reason) => reason.clone(),
            _ => String::new(),
        };
        context.say(&format!("{} of {} episodes broke down; the first, `{}`: {reason}", failed.len(), episodes.len(), first.task.id));
    }
}

/// `41.3 %`
pub(crate) fn percent(part: usize, whole: usize) -> String {
    format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64)
}
