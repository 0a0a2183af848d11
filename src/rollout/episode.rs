//! What is kept of an episode.

use crate::env::Task;
use crate::model::{Prompt, Row};
use crate::play::{Cut, Limits};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts")]
pub(crate) struct Turn {
    pub observation: String,
    /// What the environment was told.
    pub action: String,
    /// The whole response, where it is more than the action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// The prompt (of a conversation: what is new in it) and the possible actions, where they are kept for learning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Where in the prompt the environment speaks: from and to, in bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompt_data: Vec<(usize, usize)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admissible: Option<Vec<String>>,
    /// What an expert would have done, where one was asked and knew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// In the pipeline's unit: `success_reward` for reaching the goal.
    pub reward: f64,
    pub valid: bool,
    /// Whether the policy was shown only a part of the prompt, and whether its response ended for want of room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prompt_cut: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub response_cut: bool,
    /// Mean entropy over the response's tokens, if a policy chose any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entropy: Option<f64>,
    /// The log-probability of each token of the response, where a server gave them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Vec<f64>>,
    /// Whether a server answered; not written to files.
    #[serde(skip)]
    pub answered: bool,
    /// What a policy did, token by token; not written to files.
    #[serde(skip)]
    pub sample: Option<Sample>,
}

/// An expert's word on a turn, in the form of the player's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Label {
    pub action: String,
    /// The whole response, where it is more than the action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
}

/// A policy's own tokens of one turn.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub row: Row,
    /// For each target of the row.
    pub logp: Vec<f32>,
    pub entropy: Vec<f32>,
}

/// How an episode ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ending {
    /// The game itself is over.
    Terminated,
    /// The limit of turns, of the pipeline or of the environment; or that of the conversation.
    Truncated,
    /// The environment broke down, or a server had no answer; the reason.
    Failed(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Episode {
    pub task: Task,
    /// Number of the task within the iteration, and of the try within its group.
    pub group: u64,
    pub member: u64,
    pub goal: String,
    /// How prompts are cut, where they are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<(usize, Cut)>,
    /// Of a conversation, where prompts are kept: how long it may be, and what stands before the first message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
    /// Whether an expert was asked for labels: then turns without one teach nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub labelled: bool,
    pub turns: Vec<Turn>,
    /// Sum of the environment's rewards, times `success_reward`; without penalties.
    pub score: f64,
    pub success: bool,
    pub ending: Ending,
    /// Whether it ended because its conversation was full; of a policy's conversations only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<bool>,
    /// What else the environment has to say of the episode at its end: a score of its own, another measure of success.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<(String, f64)>,
}

/// What a conversation was begun with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Conversation {
    pub limits: Limits,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Where in that the environment speaks: from and to, in bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub system_data: Vec<(usize, usize)>,
}

/// Where a prompt holds data, for a file.
pub(super) fn data(prompt: &Prompt) -> Vec<(usize, usize)> {
    prompt.ranges().iter().map(|part| (part.start, part.end)).collect()
}

fn prompt(text: Option<&String>, data: &[(usize, usize)]) -> Option<Prompt> {
    Prompt::with_ranges(text?.clone(), data.iter().map(|(from, to)| *from..*to))
}

impl Turn {
    /// The prompt, where it was kept.
    pub(crate) fn shown(&self) -> Option<Prompt> {
        prompt(self.prompt.as_ref(), &self.prompt_data)
    }
}

impl Conversation {
    /// What stands before the first message.
    pub(crate) fn system(&self) -> Option<Prompt> {
        prompt(self.system.as_ref(), &self.system_data)
    }
}

impl Episode {
    pub(crate) fn failed(&self) -> bool {
        matches!(self.ending, Ending::Failed(_))
    }
}
