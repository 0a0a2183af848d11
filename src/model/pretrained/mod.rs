//! Pretrained models: from a [`Source`] to weights, tokenizer and chat template.
//!
//! A folder in the layout of Hugging Face, or a GGUF file. Pickles are never read: they can run code.

pub(crate) mod adapter;
mod chat;
mod content;
mod conversation;
mod dataset;
mod date;
pub mod description;
mod description_keys;
mod folder;
mod frame;
mod gguf;
mod gguf_tokenizer;
mod hub;
mod pip;
mod source;
mod tensors;
mod vet;

pub use chat::{ChatTemplate, Message};
pub use content::{Content, Contents};
pub(crate) use conversation::{Anew, Appended};
pub use dataset::dataset_file;
pub(crate) use date::is_day;
pub(crate) use frame::Frame;
pub use source::{Source, cache_folder};
pub(crate) use vet::{look, looked_at_by};

use super::{DecoderConfig, ModelError, Tokenizer, Weights, memory};
use candle_core::Device;
use std::path::Path;
use std::sync::Arc;

/// A model as it was published.
#[derive(Debug)]
pub struct Pretrained {
    /// Without an adapter: one that lay beside is merged.
    pub weights: Arc<Weights>,
    /// A model may come without: it then reads and writes ids only.
    pub tokenizer: Option<Tokenizer>,
    /// The template that asks for the next message; a model may come without.
    pub chat: Option<ChatTemplate>,
    /// `llama`, `qwen2`: what its file calls its architecture.
    pub family: String,
}

/// What is known of a model without reading its tensors.
#[derive(Debug)]
pub(crate) struct Outline {
    pub config: DecoderConfig,
    pub family: String,
    pub tokenizer: Option<Tokenizer>,
    pub chat: Option<ChatTemplate>,
    /// What its files say and is not used.
    pub notes: Vec<String>,
}

impl Pretrained {
    /// Reads a model from a folder or a GGUF file, as 32-bit floats. An adapter of PEFT that lies in the folder is merged into it. `context`, where given, bounds the model's own.
    ///
    /// # Errors
    /// Whatever is missing, damaged, does not fit together or would not fit into memory.
    pub fn load(path: &Path, context: Option<usize>, device: &Device) -> Result<Pretrained, ModelError> {
        Pretrained::of(Outline::read(path)?, path, context, device, &mut |_, _| {})
    }

    /// [`Pretrained::load`], of a path whose outline was read; `read` hears how many of how many tensors are there.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn of(
        mut outline: Outline,
        path: &Path,
        context: Option<usize>,
        device: &Device,
        read: &mut dyn FnMut(usize, usize),
    ) -> Result<Pretrained, ModelError> {
        if let Some(context) = context {
            outline.config.context = outline.config.context.min(context);
        }
        memory::fits_model(&outline.config, device)?;
        let weights = if is_gguf(path) {
            gguf::weights(path, &outline.config, device, read)?
        } else {
            folder::weights(path, &outline.config, device, read)?
        };
        let weights = if adapter::is_in(path) { adapter::Saved::read(path, &outline.config)?.on(&weights)?.merged()? } else { weights };
        if let Some(name) = weights.not_finite(1)? {
            return Err(ModelError::file(path, format!("`{name}` holds numbers that are not finite")));
        }
        let Outline { family, tokenizer, chat, .. } = outline;
        let weights = Arc::new(weights);
        Ok(Pretrained { weights, tokenizer, chat, family })
    }
}

impl Outline {
    /// Reads all but the tensors of a folder or a GGUF file, once another process has come through it.
    ///
    /// # Errors
    /// As [`Pretrained::load`], but for the tensors.
    pub(crate) fn read(path: &Path) -> Result<Outline, ModelError> {
        vet::vet(path)?;
        Outline::read_here(path)
    }

    fn read_here(path: &Path) -> Result<Outline, ModelError> {
        if adapter::is_in(path) && !path.join("config.json").exists() {
            let message =
                "holds an adapter without its model; name the model as `weights`, and this folder as `adapter = peft { folder = … }`";
            return Err(ModelError::file(path, message));
        }
        let outline = if is_gguf(path) { gguf::outline(path)? } else { folder::outline(path)? };
        outline.config.validate().map_err(|error| ModelError::file(path, error))?;
        if adapter::is_in(path) {
            adapter::Saved::read(path, &outline.config)?;
        }
        if let Some(tokenizer) = &outline.tokenizer
            && let Some(largest) = tokenizer.largest_id()
            && largest as usize >= outline.config.vocab
        {
            let rows = outline.config.vocab;
            let message = format!("the tokenizer has a token {largest}, but the embedding only {rows} rows: they do not belong together");
            return Err(ModelError::file(path, message));
        }
        Ok(outline)
    }
}

fn is_gguf(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf"))
}
