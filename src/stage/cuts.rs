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
}

impl Cuts {
    /// `None` where no policy played.
    pub(crate) fn of<'e>(episodes: impl IntoIterator<Item = &'e Episode>) -> Option<Self> {
        let mut cuts = Self::default();
        for turn in episodes.into_iter().flat_map(|e| &e.turns).filter(|t| t.sample.is_some()) {
            cuts.turns += 1;
            cuts.prompts += usize::from(turn.prompt_cut);
            cuts.responses += usize::from(turn.response_cut);
        }
        (cuts.turns > 0).then_some(cuts)
    }

    /// Of both together.
    pub(crate) fn sum(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(a), Some(b)) => {
                Some(Self { turns: a.turns + b.turns, prompts: a.prompts + b.prompts, responses: a.responses + b.responses })
            }
            (a, b) => a.or(b),
        }
    }

    pub(crate) fn prompt_share(&self) -> f64 {
        self.prompts as f64 / self.turns.max(1) as f64
    }

    pub(crate) fn response_share(&self) -> f64 {
        self.responses as f64 / self.turns.max(1) as f64
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
        let notes = |prompts, responses| Cuts { turns: 4, prompts, responses }.notes();
        assert!(notes(2, 2).is_empty() && notes(0, 0).is_empty());
        assert!(matches!(notes(3, 0).as_slice(), [one] if one.starts_with("75 % of the prompts were cut")));
        assert!(matches!(notes(4, 4).as_slice(), [_, other] if other.starts_with("100 % of the responses were cut")));
    }
}
