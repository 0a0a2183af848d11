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
        let native = outline.config.context;
        let mut read = |done, total| hear(Loading::Read { done, total });
        let Pretrained { weights, tokenizer, chat, .. } = Pretrained::of(outline, &path, Some(model.context.0), device, &mut read)?;
        model.suits(&path, tokenizer.as_ref(), chat.as_ref())?;
        let tokenizer = tokenizer.ok_or_else(|| ModelError::file(&path, "has no tokenizer"))?;
        if let Some(hash) = &model.hash {
            let found = weights.hash()?;
            if found != *hash {
                return Err(ModelError::file(&path, format!("is another model than the one of `hash`: its hash is `{found}`")));
            }
        }
        let chat = chat.map(|template| model.told(template));
        let published = Published {
            source: source.identity(),
            context: native,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DecoderConfig, Variant, Weights};
    use crate::policy::decode::Sample;
    use candle_core::DType;

    const TEMPLATE: &str = "{% for m in messages %}<|im_start|>{{ m.role }}: {{ m.content | trim }}<|im_end|>{% endfor %}<|im_start|>";

    /// Its tokenizer puts `<|begin|>` before every text.
    fn policy(chat: bool) -> Policy {
        let texts = (0..60).map(|i| format!("You see mug {i} on shelf {i}. system user assistant: go"));
        let special = ["<|begin|>", "<|im_start|>", "<|im_end|>"];
        let trained = Tokenizer::train(texts, 320, &special).unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&trained.json().unwrap()).unwrap();
        let (begin, text) = (
            serde_json::json!({ "SpecialToken": { "id": "<|begin|>", "type_id": 0 } }),
            serde_json::json!({ "Sequence": { "id": "A", "type_id": 0 } }),
        );
        json["post_processor"] = serde_json::json!({ "type": "TemplateProcessing", "single": [begin, text], "pair": [],
            "special_tokens": { "<|begin|>": { "id": "<|begin|>", "ids": [trained.id("<|begin|>")], "tokens": ["<|begin|>"] } } });
        let tokenizer =
            Tokenizer::parse(json.to_string().as_bytes()).and_then(|t| Tokenizer::pretrained(t, vec![trained.end()], None)).unwrap();
        let config = DecoderConfig {
            layers: 1,
            width: 8,
            heads: 1,
            kv_heads: 1,
            ffn: 8,
            vocab: 320,
            context: 512,
            rope_theta: 10000.0,
            norm_eps: 1e-5,
            tied: true,
            variant: Variant::default(),
        };
        let published = Published {
            source: "model".into(),
            context: 512,
            ends: tokenizer.stops().to_vec(),
            pad: tokenizer.pad(),
            template: Some(ChatTemplate::new(TEMPLATE.into(), None, None)),
            chat,
            system: None,
            dtype: Dtype::usual(),
            frame: OnceLock::new(),
        };
        let weights = Arc::new(Weights::init(&config, 1, &Device::Cpu, DType::F32).unwrap());
        Policy { weights, tokenizer: Arc::new(tokenizer), decode: Sample::default().decode(), published: Some(published) }
    }

    fn observed(text: &str) -> Prompt {
        let mut prompt = Prompt::own("<|im_start|>");
        prompt.append(&Prompt::data(text));
        prompt.push_own("<|im_end|>");
        prompt
    }

    fn shown(policy: &Policy, prompt: &Prompt, most: usize) -> (String, usize, bool) {
        let (ids, cut) = policy.prompt_ids(prompt, most, true).unwrap();
        let control = ["<|begin|>", "<|im_start|>", "<|im_end|>"].map(|name| policy.tokenizer.id(name).unwrap());
        assert!(ids.len() <= most);
        (policy.tokenizer.decode_marked(&ids).unwrap(), ids.iter().filter(|id| control.contains(id)).count(), cut)
    }

    #[test]
    fn without_a_template_the_pipelines_own_markers_are_tokens() {
        let plain = policy(false);
        let (text, control, cut) = shown(&plain, &observed("You see <|im_end|> and <|begin|>"), 200);
        assert_eq!((text.as_str(), control, cut), ("<|begin|><|im_start|>You see <|im_end|> and <|begin|><|im_end|>", 3, false));
    }

    #[test]
    fn a_cut_on_the_left_leaves_the_begin_token() {
        let plain = policy(false);
        let (text, _, cut) = shown(&plain, &observed("You see mug 1 on shelf 2. You see mug 3 on shelf 4."), 12);
        assert!(cut && text.starts_with("<|begin|>") && !text.contains("mug 1") && text.ends_with("4.<|im_end|>"), "{text}");
    }

    #[test]
    fn a_cut_prompt_has_its_template_whole_and_the_end_of_what_was_said() {
        let chat = policy(true);
        let said = Prompt::data("You see mug 1 on shelf 2. <|im_end|> You see mug 3 on shelf 4.\n");
        let (whole, control, cut) = shown(&chat, &said, 300);
        assert_eq!(whole, "<|im_start|>user: You see mug 1 on shelf 2. <|im_end|> You see mug 3 on shelf 4.<|im_end|><|im_start|>");
        assert_eq!((control, cut), (3, false));
        let (part, control, cut) = shown(&chat, &said, 20);
        let inside = part.strip_prefix("<|im_start|>user: ").and_then(|rest| rest.strip_suffix("<|im_end|><|im_start|>")).unwrap();
        assert!(cut && control == 3 && whole.contains(inside) && inside.ends_with("shelf 4."), "{part}");
        let message = chat.prompt_ids(&said, 5, true).unwrap_err().to_string();
        assert!(message.starts_with("the chat template alone has "), "{message}");
    }
}
