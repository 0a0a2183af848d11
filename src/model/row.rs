//! What is scored: rows of tokens, and which of them are the policy's own.

use super::{DecoderConfig, ModelError};
use std::sync::Arc;

/// One token that a policy chose.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The logits at this index of the row predict the token (so the token stands, or would stand, at `position + 1`).
    pub position: usize,
    /// Its id.
    pub token: u32,
    /// The softmax is over these tokens only (ascending, `token` among them); `None`: over the whole vocabulary.
    pub allowed: Option<Arc<[u32]>>,
}

/// One model call: prompt and response in one sequence. Tokens behind the last target are ignored.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Row {
    /// Tokens of prompt and response.
    pub ids: Vec<u32>,
    /// In order of position.
    pub targets: Vec<Target>,
}

impl Row {
    /// Every token from `from` on is a target over the whole vocabulary: a demonstration behind a prompt of `from` tokens.
    pub fn after(ids: Vec<u32>, from: usize) -> Row {
        let targets =
            ids.iter().enumerate().skip(from.max(1)).map(|(i, token)| Target { position: i - 1, token: *token, allowed: None }).collect();
        Row { ids, targets }
    }

    /// The tokens of the prompt from `from` on are targets too, over the whole vocabulary.
    pub(crate) fn learn_prompt(&mut self, from: usize) {
        let end = self.targets.first().map_or(0, |first| first.position + 1).min(self.ids.len());
        let Row { ids, targets } = self;
        let prompt = ids.iter().enumerate().take(end).skip(from.max(1));
        targets.splice(0..0, prompt.map(|(at, token)| Target { position: at - 1, token: *token, allowed: None }));
    }

    /// `name` says in messages which row it is.
    pub(crate) fn check(&self, config: &DecoderConfig, index: usize) -> Result<(), ModelError> {
        let wrong = |message: String| Err(ModelError::Input(format!("row {index}: {message}")));
        let used = self.targets.last().map_or(0, |t| t.position + 1);
        if used > config.context {
            return wrong(format!("{used} tokens are more than the model's `context` of {}", config.context));
        }
        if let Some(id) = self.ids.iter().find(|id| **id as usize >= config.vocab) {
            return wrong(format!("token {id} is outside the vocabulary of {}", config.vocab));
        }
        let mut before = 0;
        for target in &self.targets {
            if target.position >= self.ids.len() {
                return wrong(format!("a target at position {} lies outside its {} tokens", target.position, self.ids.len()));
            }
            if target.position < before {
                return wrong("targets are not in order of position".to_string());
            }
            before = target.position;
            if target.token as usize >= config.vocab {
                return wrong(format!("target token {} is outside the vocabulary of {}", target.token, config.vocab));
            }
            if let Some(allowed) = &target.allowed {
                if !allowed.contains(&target.token) {
                    return wrong(format!("target token {} is not among the allowed ones", target.token));
                }
                if allowed.iter().any(|id| *id as usize >= config.vocab) {
                    return wrong(format!("an allowed token is outside the vocabulary of {}", config.vocab));
                }
            }
        }
        Ok(())
    }
}
