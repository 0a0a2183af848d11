//! What a pretrained policy has beside weights and tokenizer, and how it reads a prompt.

use super::causal_lm::{CausalLm, Dtype};
use super::decode::Decode;
use super::live::Policy;
use crate::model::{ChatTemplate, Message, ModelError, Pretrained, Tokenizer};
use candle_core::Device;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

/// What is heard while a model is fetched and read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Loading<'a> {
    Says(&'a str),
    /// Tensors.
    Read {
        done: usize,
        total: usize,
    },
}

/// Saved with the policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Published {
    /// The source it came from, as it tells models apart.
    pub source: String,
    /// The context of the model itself, for its export.
    pub context: usize,
    /// Tokens that end a response, the first of them closing it.
    pub ends: Vec<u32>,
    pub pad: u32,
    /// The model's chat template, for its export.
    pub template: Option<ChatTemplate>,
    /// Whether prompts go through it.
    pub chat: bool,
    pub system: Option<String>,
    /// What it computes in on a GPU; its files hold 32-bit floats.
    #[serde(default = "Dtype::usual")]
    pub dtype: Dtype,
}

impl Published {
    /// Reads the tokenizer that was saved with the policy.
    pub(crate) fn tokenizer(&self, path: &Path) -> Result<Tokenizer, ModelError> {
        Tokenizer::load_pretrained(path, self.ends.clone(), self.pad)
    }

    /// The template that prompts go through.
    fn through(&self) -> Option<&ChatTemplate> {
        self.template.as_ref().filter(|_| self.chat)
    }
}

impl Policy {
    /// A pretrained model. Fetched models are kept in `cache`. An adapter starts from `seed`.
    ///
    /// # Errors
    /// If it cannot be fetched or read, is not the one of the hash, or has no tokenizer, or no chat template where one is asked for.
    pub(crate) fn pretrained(
        model: &CausalLm,
        cache: &Path,
        seed: u64,
        device: &Device,
        hear: &mut dyn FnMut(Loading),
    ) -> Result<Self, ModelError> {
        let source = &model.weights;
        let path = source.fetch(cache, &mut |line| hear(Loading::Says(line)))?;
        let native = crate::model::pretrained::Outline::read(&path)?.config.context;
        let mut read = |done, total| hear(Loading::Read { done, total });
        let Pretrained { weights, tokenizer, chat, .. } = Pretrained::load_watched(&path, Some(model.context.0), device, &mut read)?;
        model.suits(&path, tokenizer.as_ref(), chat.as_ref())?;
        let tokenizer = tokenizer.ok_or_else(|| ModelError::file(&path, "has no tokenizer"))?;
        if let Some(hash) = &model.hash {
            let found = weights.hash()?;
            if found != *hash {
                return Err(ModelError::file(&path, format!("is another model than the one of `hash`: its hash is `{found}`")));
            }
        }
        let published = Published {
            source: source.identity(),
            context: native,
            ends: tokenizer.stops().to_vec(),
            pad: tokenizer.pad(),
            template: chat,
            chat: model.chat,
            system: model.system.clone(),
            dtype: model.dtype,
        };
        let mut weights = weights.cast(model.dtype.on(device))?;
        if let Some(adapter) = &model.adapter {
            weights = adapter.adapt(&weights, seed)?;
        }
        let (weights, tokenizer) = (Arc::new(weights), Arc::new(tokenizer));
        Ok(Self { weights, tokenizer, decode: Decode::clone(&model.decode), published: Some(published) })
    }

    /// The tokens of a prompt: of a chat model, through its template; at most `most`, cut at the left or at the right. A template stays whole.
    ///
    /// # Errors
    /// If the template cannot be filled in, or if alone it has more than `most` tokens.
    pub(crate) fn prompt_ids(&self, text: &str, most: usize, left: bool) -> Result<Vec<u32>, ModelError> {
        let Some(published) = &self.published else { return Ok(self.plain_ids(self.tokenizer.encode(text)?, most, left)) };
        let Some(template) = published.through() else { return Ok(self.plain_ids(self.tokenizer.encode_start(text)?, most, left)) };
        let render = |text: &str| -> Result<Vec<u32>, ModelError> {
            let system = published.system.as_ref().map(|system| Message::new("system", system));
            let messages: Vec<Message> = system.into_iter().chain([Message::new("user", text)]).collect();
            self.tokenizer.encode_marked(&template.render(&messages)?)
        };
        let mut ids = render(text)?;
        let inside = self.tokenizer.encode(text)?;
        let mut keep = inside.len();
        while ids.len() > most {
            if keep == 0 {
                let message = format!("the chat template alone has {} tokens, and a prompt may have {most}", ids.len());
                return Err(ModelError::input(format!("{message}; raise `context` or the prompt's `max_tokens`")));
            }
            keep = keep.saturating_sub(ids.len() - most);
            ids = render(&self.tokenizer.decode(&cut(inside.clone(), keep, left))?)?;
        }
        Ok(ids)
    }

    fn plain_ids(&self, ids: Vec<u32>, most: usize, left: bool) -> Vec<u32> {
        let ids = if ids.is_empty() { vec![self.tokenizer.end()] } else { ids };
        cut(ids, most, left)
    }
}

/// The last `most`, or the first.
fn cut(ids: Vec<u32>, most: usize, left: bool) -> Vec<u32> {
    if ids.len() <= most {
        return ids;
    }
    if left { ids[ids.len() - most..].to_vec() } else { ids[..most].to_vec() }
}
