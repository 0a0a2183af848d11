//! How much a policy did not see of its prompts, and could not say of its responses.

use super::context::Context;
use crate::rollout::Episode;
use serde::{Deserialize, Serialize};

/// Turns that a policy decided, and those of them in which something was cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cuts {
    pub turns: usize,
    pub prompts: usize,
    pub responses: usize,
    /// Episodes that were conversations, and those of them that ended because they were full.
    #[serde(default, skip_serializing_if = "is_none")]
    pub conversations: usize,
    #[serde(default, skip_serializing_if = "is_none")]
    pub full: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

impl Cuts {
    /// `None` where no policy played.
    pub(crate) fn of<'e>(episodes: impl IntoIterator<Item = &'e Episode>) -> Option<Self> {
        let mut cuts = Self::default();
        for episode in episodes {
            cuts.conversations += usize::from(episode.full.is_some());
            cuts.full += usize::from(episode.full == Some(true));
            for turn in episode.turns.iter().filter(|t| t.sample.is_some() || t.answered) {
                cuts.turns += 1;
                cuts.prompts += usize::from(turn.prompt_cut);
                cuts.responses += usize::from(turn.response_cut);
            }
        }
        (cuts.turns > 0).then_some(cuts)
    }

    /// Of both together.
    pub(crate) fn sum(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(a), Some(b)) => Some(Self {
                turns: a.turns + b.turns,
                prompts: a.prompts + b.prompts,
                responses: a.responses + b.responses,
                conversations: a.conversations + b.conversations,
                full: a.full + b.full,
            }),
            (a, b) => a.or(b),
        }
    }

    pub(crate) fn prompt_share(&self) -> f64 {
        self.prompts as f64 / self.turns.max(1) as f64
    }

    pub(crate) fn response_share(&self) -> f64 {
        self.responses as f64 / self.turns.max(1) as f64
    }

    /// Of the conversations, those that were full; `None` where there were none.
    pub(crate) fn full_share(&self) -> Option<f64> {
        (self.conversations > 0).then(|| self.full as f64 / self.conversations as f64)
    }

    /// The shares by the names of their metrics.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let cut = [("prompt_cut", self.prompt_share()), ("response_cut", self.response_share())];
        cut.into_iter().chain(self.full_share().map(|share| ("conversation_full", share)))
    }

    /// What has to be said where most were cut.
    pub(crate) fn notes(&self) -> Vec<String> {
        let share = |part: f64| format!("{:.0} %", 100.0 * part);
        let mut notes = Vec::new();
        if self.prompt_share() > 0.5 {
            notes.push(format!(
                "{} of the prompts were cut: they were longer than may be shown; raise the prompt's `max_tokens` or the policy's `context`, or show less",
                share(self.prompt_share())
            ));
        }
        if self.response_share() > 0.5 {
            notes.push(format!(
                "{} of the responses were cut: they had the most tokens that they may have; raise `max_tokens` of `sample`, or the policy's `context`",
                share(self.response_share())
            ));
        }
        if let Some(full) = self.full_share().filter(|share| *share > 0.5) {
            notes.push(format!(
                "{} of the episodes ended because their conversation was full; raise its `max_tokens` or the policy's `context`, show less, or say `full = forget`",
                share(full)
            ));
        }
        notes
    }

    pub(crate) fn warn(&self, context: &mut dyn Context) {
        for note in self.notes() {
            context.warn(&note);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_most_is_worth_a_note() {
        let notes = |prompts, responses| Cuts { turns: 4, prompts, responses, ..Cuts::default() }.notes();
        assert!(notes(2, 2).is_empty() && notes(0, 0).is_empty());
        assert!(matches!(notes(3, 0).as_slice(), [one] if one.starts_with("75 % of the prompts were cut")));
        assert!(matches!(notes(4, 4).as_slice(), [_, other] if other.starts_with("100 % of the responses were cut")));
        let full = |full| Cuts { turns: 40, conversations: 4, full, ..Cuts::default() };
        assert!(full(2).notes().is_empty() && full(2).full_share() == Some(0.5) && Cuts::default().full_share().is_none());
        assert!(
            matches!(full(3).notes().as_slice(), [one] if one.starts_with("75 % of the episodes ended because their conversation was full"))
        );
    }
}
