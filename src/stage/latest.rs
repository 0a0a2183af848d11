//! The latest episodes of a training that goes on.

use super::report::turn;
use crate::report::{EpisodeExample, Latest};
use crate::rollout::Episode;
use crate::store::{EPISODES, StoreError, read_last_lines};
use serde::Deserialize;
use std::path::Path;

/// Episodes shown.
const SHOWN: usize = 6;
/// Episodes read, and their bytes: those of the last iteration's last groups are among them.
const READ: usize = 64;
const BYTES: u64 = 4 << 20;

/// A line of an `rl` stage's `episodes.jsonl`.
#[derive(Deserialize)]
struct Played {
    iteration: u64,
    episode: Episode,
}

/// One of each of the last groups of the last iteration in a task's folder, the last first. Whose they are is left to the caller.
///
/// # Errors
/// If they cannot be read.
pub(crate) fn latest_episodes(folder: &Path) -> Result<Vec<Latest>, StoreError> {
    let played: Vec<Played> = read_last_lines(&folder.join(EPISODES), READ, BYTES)?;
    let Some(last) = played.last().map(|played| played.iteration) else { return Ok(Vec::new()) };
    let mut groups: Vec<u64> = Vec::new();
    let mut shown = Vec::new();
    for Played { iteration, episode } in played.into_iter().rev().filter(|played| played.iteration == last) {
        if shown.len() == SHOWN || groups.contains(&episode.group) {
            continue;
        }
        groups.push(episode.group);
        let key = format!("{iteration}/{}/{}", episode.group, episode.member);
        let episode = EpisodeExample {
            task: episode.task.id,
            goal: episode.goal,
            success: episode.success,
            score: episode.score,
            turns: episode.turns.into_iter().map(turn).collect(),
            ..EpisodeExample::default()
        };
        shown.push(Latest { key, iteration, episode });
    }
    Ok(shown)
}
