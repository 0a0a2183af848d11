//! Texts that end a response, wherever the tokens' borders lie in them.

use crate::model::{ModelError, Tokenizer};
use std::sync::Arc;

/// Texts that end a response, wherever they stand in it.
#[derive(Clone, Debug)]
pub struct Until {
    tokenizer: Arc<Tokenizer>,
    texts: Vec<String>,
    /// Bytes of the longest.
    longest: usize,
}

impl Until {
    /// `None` without texts. Empty ones are left out.
    pub fn new(tokenizer: Arc<Tokenizer>, texts: &[String]) -> Option<Until> {
        let texts: Vec<String> = texts.iter().filter(|text| !text.is_empty()).cloned().collect();
        let longest = texts.iter().map(String::len).max()?;
        Some(Until { tokenizer, texts, longest })
    }

    /// Whether one of the texts stands where the last of `tokens` ended it.
    pub(super) fn reached(&self, tokens: &[u32]) -> Result<bool, ModelError> {
        // A token is a byte or more, but for special ones, which are not written; and the first letter may be cut in two.
        let enough = self.longest + 4;
        let mut count = enough.min(tokens.len());
        loop {
            let text = self.tokenizer.decode(&tokens[tokens.len() - count..])?;
            if text.len() >= enough || count == tokens.len() {
                return Ok(self.texts.iter().any(|stop| text.contains(stop)));
            }
            count = (2 * count).min(tokens.len());
        }
    }

    /// A response's text, up to the first of the texts.
    ///
    /// # Errors
    /// If the tokens cannot be decoded.
    pub fn text(&self, tokens: &[u32]) -> Result<String, ModelError> {
        let mut text = self.tokenizer.decode(tokens)?;
        if let Some(at) = self.texts.iter().filter_map(|stop| text.find(stop)).min() {
            text.truncate(at);
        }
        Ok(text)
    }
}
