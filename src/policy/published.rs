//! What a pretrained policy has beside weights and tokenizer, and how it reads a prompt.

use super::causal_lm::{CausalLm, Dtype};
use super::decode::Decode;
use super::live::Policy;
use crate::model::pretrained::{Frame, Outline};
use crate::model::{ChatTemplate, ModelError, Pretrained, Prompt, Tokenizer};
use candle_core::Device;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::{Arc, OnceLock};

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
    /// Of the template, made when a first prompt asks for it.
    #[serde(skip)]
    pub frame: OnceLock<Frame>,
}

impl Published {
    /// Reads the tokenizer that was saved with the policy.
    pub(crate) fn tokenizer(&self, path: &Path) -> Result<Tokenizer, ModelError> {
        Tokenizer::load_pretrained(path, self.ends.clone(), self.pad)
    }

    /// What prompts go through, if they do.
    fn frame(&self) -> Result<Option<&Frame>, ModelError> {
        let Some(template) = self.template.as_ref().filter(|_| self.chat) else { return Ok(None) };
        if self.frame.get().is_none() {
            let _ = self.frame.set(template.frame(self.system.as_deref())?);
        }
        Ok(self.frame.get())
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
        let outline = Outline::read(&path)?;
        for note in &outline.notes {
            hear(Loading::Says(&format!("{}: {note}", source.identity())));
        }
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
        let chat = chat.map(|template| ChatTemplate {
            arguments: model.arguments.0.clone(),
            date: model.date.clone().map(|day| day.0),
            ..template
        });
        let published = Published {
            source: source.identity(),
            context: outline.config.context,
            ends: tokenizer.stops().to_vec(),
            pad: tokenizer.pad(),
            template: chat,
            chat: model.chat,
            system: model.system.clone(),
            dtype: model.dtype,
            frame: OnceLock::new(),
        };
        published.frame()?;
        let mut weights = weights.cast(model.dtype.on(device))?;
        if let Some(adapter) = &model.adapter {
            weights = adapter.adapt(&weights, seed)?;
        }
        let (weights, tokenizer) = (Arc::new(weights), Arc::new(tokenizer));
        Ok(Self { weights, tokenizer, decode: Decode::clone(&model.decode), published: Some(published) })
    }

    /// The tokens of a prompt, and whether it was cut: of a chat model, through its template; at most `most`, cut at the left or at the right.
    /// A template stays whole, and so does what a model wants before every text.
    ///
    /// # Errors
    /// If the template cannot be filled in, or if alone it has more than `most` tokens.
    pub(crate) fn prompt_ids(&self, prompt: &Prompt, most: usize, left: bool) -> Result<(Vec<u32>, bool), ModelError> {
        let frame = self.published.as_ref().map(Published::frame).transpose()?.flatten();
        let Some(frame) = frame else {
            let (ids, begin) = self.tokenizer.encode_prompt(prompt, true)?;
            if ids.is_empty() {
                return Ok((vec![self.tokenizer.end()], false));
            }
            let begin = begin.min(most);
            let rest = cut(&ids[begin..], most - begin, left);
            return Ok(([&ids[..begin], rest].concat(), ids.len() > most));
        };
        let encoded = |said: &Prompt| Ok::<_, ModelError>(self.tokenizer.encode_prompt(&frame.fill(said), false)?.0);
        let mut ids = encoded(prompt)?;
        if ids.len() <= most {
            return Ok((ids, false));
        }
        let places = self.tokenizer.places(prompt.text())?;
        let mut keep = places.len();
        while ids.len() > most {
            if keep == 0 {
                let message = format!("the chat template alone has {} tokens, and a prompt may have {most}", ids.len());
                return Err(ModelError::input(format!("{message}; raise `context` or the prompt's `max_tokens`")));
            }
            keep = keep.saturating_sub(ids.len() - most);
            ids = encoded(&match cut(&places, keep, left) {
                [first, .., last] => prompt.slice(first.start..last.end),
                [only] => prompt.slice(only.clone()),
                [] => Prompt::default(),
            })?;
        }
        Ok((ids, true))
    }
}

/// The last `most`, or the first.
fn cut<T>(all: &[T], most: usize, left: bool) -> &[T] {
    let rest = all.len().saturating_sub(most);
    if left { &all[rest..] } else { &all[..all.len() - rest] }
}
