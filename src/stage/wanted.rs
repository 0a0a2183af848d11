//! Which of the played episodes are kept.

use super::error::RunError;
use super::texts::texts;
use crate::objective::{Batch, BatchError, Condition, Rows};
use crate::rollout::Episode;

/// What an episode has to be like. One that broke down is never kept.
pub(crate) struct Wanted {
    pub only_successes: bool,
    pub condition: Option<Condition>,
}

impl Wanted {
    /// Those of the episodes that are kept, in their order. `penalty`: what is taken off the reward of a turn that is not valid.
    ///
    /// # Errors
    /// If the condition cannot be evaluated.
    pub(crate) fn among<'e>(&self, episodes: impl IntoIterator<Item = &'e Episode>, penalty: f64) -> Result<Vec<&'e Episode>, RunError> {
        let sound = |episode: &&Episode| !episode.failed() && !episode.turns.is_empty();
        let mut kept: Vec<&Episode> =
            episodes.into_iter().filter(sound).filter(|episode| episode.success || !self.only_successes).collect();
        if let (Some(condition), false) = (&self.condition, kept.is_empty()) {
            let mut batch = batch(&kept, &vec![penalty; kept.len()]).map_err(|error| RunError::Failed(error.to_string()))?;
            if condition.questions().next().is_some() {
                batch.set_texts(texts(kept.iter().copied()));
            }
            let mut holds = condition.holds(&batch)?.into_iter();
            kept.retain(|_| holds.next() == Some(true));
        }
        Ok(kept)
    }

    /// Why there is none, as the end of a sentence.
    pub(crate) fn why_none(&self) -> String {
        match (&self.condition, self.only_successes) {
            (Some(condition), _) => format!("of none of them `{}` holds", condition.text()),
            (None, true) => "none of them reached its goal (`only_successes = false` keeps them all)".to_string(),
            (None, false) => "all of them broke down".to_string(),
        }
    }
}

/// The episodes as an equation sees them, a row for each turn, each with what is taken off its turns that are not valid; rows have no tokens here, since not every player has any.
pub(crate) fn batch(episodes: &[&Episode], penalties: &[f64]) -> Result<Batch, BatchError> {
    let turns = || episodes.iter().flat_map(|episode| &episode.turns);
    let penalties = episodes.iter().zip(penalties).flat_map(|(episode, penalty)| std::iter::repeat_n(*penalty, episode.turns.len()));
    let flag = |holds: bool| f64::from(u8::from(holds));
    let numbered = episodes.iter().enumerate();
    let rows = Rows {
        lengths: vec![0; turns().count()],
        episode: Some(numbered.flat_map(|(number, episode)| vec![number as u64; episode.turns.len()]).collect()),
        turn_index: Some(episodes.iter().flat_map(|episode| 0..episode.turns.len() as u64).collect()),
        ..Rows::default()
    };
    Batch::new(rows)?
        .with("score", episodes.iter().map(|episode| episode.score).collect())?
        .with("success", episodes.iter().map(|episode| flag(episode.success)).collect())?
        .with("reward", turns().zip(penalties).map(|(turn, penalty)| turn.reward - if turn.valid { 0.0 } else { penalty }).collect())?
        .with("valid", turns().map(|turn| flag(turn.valid)).collect())?
        .with("prompt_cut", turns().map(|turn| flag(turn.prompt_cut)).collect())?
        .with("response_cut", turns().map(|turn| flag(turn.response_cut)).collect())
}
