//! What is asked of a generator and what comes back.

use super::Sampling;
use crate::model::{Row, Target};

/// A prompt to be answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Not empty.
    pub prompt: Vec<u32>,
    /// What may be answered.
    pub mode: Mode,
    /// All of the request's randomness.
    pub seed: u64,
}

/// What a response may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Mode {
    /// Tokens over the whole vocabulary.
    Sample {
        /// How a token is drawn.
        sampling: Sampling,
        /// The most tokens of the response.
        max_tokens: usize,
        /// Tokens that end the response; the one that did is its last token.
        stop: Vec<u32>,
    },
    /// One of the options, token by token along their prefix tree; `end` is put behind each of them.
    Choose {
        /// What is written before it, if anything is.
        thought: Option<Thought>,
        /// Token ids of each option, without `end`.
        options: Vec<Vec<u32>>,
        /// 0: always the most likely branch.
        temperature: f64,
        /// The token behind an option; chosen too where one option begins another.
        end: u32,
    },
}

/// Tokens over the whole vocabulary before a choice, up to one that ends them; that one is put behind them where it does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thought {
    /// The most tokens, without the one that ends them.
    pub max_tokens: usize,
    /// The token that ends them, such as the end of a line.
    pub until: u32,
}

/// Why a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// A stop token, a text that ends responses, or the end of an option.
    Stop,
    /// `max_tokens` were made, or the context is full.
    Length,
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// Without the prompt.
    pub tokens: Vec<u32>,
    /// The tokens that were chosen, with positions in prompt and response together. Forced tokens are not among them.
    pub targets: Vec<Target>,
    /// For each target, under softmax(logits / temperature) before any truncation (temperature 1 where the request says 0).
    pub logp: Vec<f32>,
    /// Of the same distributions, in nats.
    pub entropy: Vec<f32>,
    /// Which option it is, for [`Mode::Choose`].
    pub choice: Option<usize>,
    /// Why it is no longer.
    pub finish: Finish,
}

impl Response {
    /// Prompt and response, to be scored.
    pub fn row(&self, prompt: &[u32]) -> Row {
        Row { ids: [prompt, &self.tokens].concat(), targets: self.targets.clone() }
    }
}
