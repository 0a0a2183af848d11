//! Where an expression stands, and what can be known there.

use super::advantage::Advantage;
use super::quantities::{QuantityInfo, When};

/// The places of an expression over a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a `loss` block: evaluated on each minibatch, with gradient.
    Loss,
    /// The `advantage` line: evaluated once an iteration on the whole collected batch, without gradient.
    Advantage,
    /// A field that takes a number over the run, such as a learning rate.
    Schedule,
    /// A field that selects among episodes, such as `where` of `collect`.
    Condition,
    /// How often a split is drawn from: of what earlier iterations played.
    Weight,
    /// A field with a number for each turn of the episodes that an iteration learns from, such as one of its `rewards`.
    Reward,
}

/// The quantities that an episode and its turns have, whoever played.
const OF_EPISODES: [&str; 8] = ["score", "success", "turns", "reward", "turn_index", "valid", "prompt_cut", "response_cut"];

/// What is known of a turn besides when it was played to be learned from.
const OF_LEARNED_EPISODES: [&str; 2] = ["length", "source"];

/// A place together with what the stage around it cannot give.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Where the expression stands.
    pub place: Place,
    /// Episodes of a group, where the stage says so.
    pub group_size: Option<usize>,
    /// Iterations of the stage, where it says so.
    pub iterations: Option<usize>,
    lacking: Vec<Lack>,
}

#[derive(Clone, Debug)]
pub(super) struct Lack {
    pub quantity: &'static str,
    pub code: &'static str,
    pub reason: String,
    pub help: String,
}

impl Scope {
    /// Where nothing is lacking.
    pub fn new(place: Place) -> Self {
        Self { place, group_size: None, iterations: None, lacking: Vec::new() }
    }

    /// A loss where nothing is lacking.
    pub fn loss() -> Self {
        Self::new(Place::Loss)
    }

    /// What the stage around it plays, and for how long.
    pub fn running(mut self, group_size: usize, iterations: usize) -> Self {
        (self.group_size, self.iterations) = (Some(group_size), Some(iterations));
        self
    }

    /// Says that this stage cannot give a quantity: `reason` ends the sentence "`value` is not known here: …", `help` says what to write.
    pub fn lacking(mut self, quantity: &'static str, reason: impl Into<String>, help: impl Into<String>) -> Self {
        self.lacking.push(Lack { quantity, code: "E0305", reason: reason.into(), help: help.into() });
        self
    }

    /// The pipeline's own advantage, which decides whether the loss may mention `returns`.
    pub fn with_advantage(mut self, advantage: &Advantage) -> Self {
        let (reason, help) = match advantage.gae_count() {
            1 => return self,
            0 => ("the `advantage` line holds no `gae`", "take the advantage from `gae(outcome, value)`, or write the target out"),
            _ => ("the `advantage` line holds more than one `gae`", "leave one `gae` in the `advantage` line, or write the target out"),
        };
        self.lacking.push(Lack { quantity: "returns", code: "E0306", reason: reason.into(), help: help.into() });
        self
    }

    /// Why a text of turns is not known here.
    pub(super) fn text_refusal(&self, text: &str) -> Option<Lack> {
        let lack = || Lack {
            quantity: "texts",
            code: "E0305",
            reason: "weights look at numbers of the episodes that were played".into(),
            help: "for example `success`, `score` or `reward`".into(),
        };
        self.lacking.iter().find(|lack| lack.quantity == text).cloned().or_else(|| (self.place == Place::Weight).then(lack))
    }

    pub(super) fn refusal(&self, info: &QuantityInfo) -> Option<Lack> {
        if let Some(lack) = self.lacking.iter().find(|lack| lack.quantity == info.name) {
            return Some(lack.clone());
        }
        let lack = |reason: &str, help: String| Some(Lack { quantity: info.name, code: "E0305", reason: reason.into(), help });
        match (self.place, info.when) {
            (Place::Condition | Place::Weight | Place::Reward, _) if OF_EPISODES.contains(&info.name) => None,
            (Place::Weight, when) if when == When::Always || info.name == "split" => None,
            (Place::Reward, When::Always) => None,
            (Place::Reward, _) if OF_LEARNED_EPISODES.contains(&info.name) => None,
            (Place::Condition | Place::Weight | Place::Reward, _) => {
                let (what, more, texts): (_, &[&str], _) = match self.place {
                    Place::Weight => ("episodes are looked at as they were played", &["split"], ""),
                    Place::Reward => ("a reward is of what was played", &OF_LEARNED_EPISODES, ", and its texts"),
                    _ => ("episodes are looked at as they were played", &[], ", and their texts"),
                };
                let known: Vec<String> = OF_EPISODES.iter().chain(more).map(|name| format!("`{name}`")).collect();
                let whose = if self.place == Place::Reward { "it" } else { "them" };
                lack(what, format!("what is known of {whose}: {}{texts}", known.join(", ")))
            }
            (Place::Loss, _) | (Place::Advantage, When::Collected | When::Always) | (Place::Schedule, When::Always) => None,
            (Place::Advantage, When::Learning) => {
                let help = match info.name {
                    "logp" => "the collecting policy's is called `old_logp`".to_owned(),
                    _ => "write it in the `loss` block".to_owned(),
                };
                lack("an advantage is evaluated on the collected batch, before any update", help)
            }
            (Place::Schedule, _) => {
                lack("a schedule is evaluated without a batch", "it may mention `iteration`, `iterations` and `progress`".to_owned())
            }
        }
    }
}
