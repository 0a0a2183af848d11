//! Folders in the layout of Hugging Face.

use super::{ChatTemplate, Outline, description, tensors};
use crate::model::weights::UNEMBEDDING;
use crate::model::{DecoderConfig, ModelError, Tokenizer, Weights};
use candle_core::Device;
use serde_json::Value;
use std::path::Path;

const CONFIG: &str = "config.json";
const GENERATION: &str = "generation_config.json";
const TOKENIZER: &str = "tokenizer.json";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const TEMPLATE: &str = "chat_template.jinja";

pub(super) fn outline(folder: &Path) -> Result<Outline, ModelError> {
    let path = folder.join(CONFIG);
    if !folder.is_dir() {
        return Err(ModelError::file(folder, "is neither a folder nor a `.gguf` file"));
    }
    let text = std::fs::read(&path).map_err(|e| ModelError::file(&path, e))?;
    let (config, family) = description::read(&text).map_err(|e| ModelError::file(&path, e))?;
    let about = json(&folder.join(TOKENIZER_CONFIG))?.unwrap_or_default();
    let tokenizer = tokenizer(folder, &text, &about)?;
    let chat = template(folder, &about)?;
    Ok(Outline { config, family, tokenizer, chat })
}

pub(super) fn weights(
    folder: &Path,
    config: &DecoderConfig,
    device: &Device,
    read: &mut dyn FnMut(usize, usize),
) -> Result<Weights, ModelError> {
    let shapes = crate::model::weights::shapes(config);
    // Some files repeat the embedding as the head that is tied to it.
    let ignored: &[&str] = if config.tied { &[UNEMBEDDING] } else { &[] };
    Weights::from_tensors(config, tensors::read(folder, &shapes, ignored, device, read)?)
}

/// A file that may be missing.
fn json(path: &Path) -> Result<Option<Value>, ModelError> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|e| ModelError::file(path, e)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ModelError::file(path, error)),
    }
}

/// A token as `tokenizer_config.json` writes it: a text, or an object with its content.
fn token(about: &Value, name: &str) -> Option<String> {
    let value = about.get(name)?;
    value.as_str().or_else(|| value.get("content")?.as_str()).map(str::to_string)
}

/// One id or several.
fn ids(value: Option<&Value>) -> Vec<u32> {
    let one = |v: &Value| v.as_u64().and_then(|id| u32::try_from(id).ok());
    match value {
        Some(Value::Array(all)) => all.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Ends of responses: the tokenizer's end first (it closes a message), then those that generation is told to stop at.
fn tokenizer(folder: &Path, config: &[u8], about: &Value) -> Result<Option<Tokenizer>, ModelError> {
    let path = folder.join(TOKENIZER);
    if !path.is_file() {
        return Ok(None);
    }
    let text = std::fs::read(&path).map_err(|e| ModelError::file(&path, e))?;
    let plain = Tokenizer::parse(&text).map_err(|e| ModelError::file(&path, e))?;
    let config: Value = serde_json::from_slice(config).unwrap_or_default();
    let generation = json(&folder.join(GENERATION))?.unwrap_or_default();
    let named = |name: &str| token(about, name).and_then(|token| plain.token_to_id(&token));
    let mut ends: Vec<u32> = named("eos_token").into_iter().collect();
    for id in ids(generation.get("eos_token_id")).into_iter().chain(ids(config.get("eos_token_id"))) {
        if !ends.contains(&id) {
            ends.push(id);
        }
    }
    let pad = named("pad_token").or_else(|| ids(generation.get("pad_token_id")).first().copied());
    Tokenizer::pretrained(plain, ends, pad).map(Some).map_err(|e| ModelError::file(folder, e))
}

fn template(folder: &Path, about: &Value) -> Result<Option<ChatTemplate>, ModelError> {
    let path = folder.join(TEMPLATE);
    let source = if path.is_file() {
        Some(std::fs::read_to_string(&path).map_err(|e| ModelError::file(&path, e))?)
    } else {
        match about.get("chat_template") {
            Some(Value::String(source)) => Some(source.clone()),
            // Several by name.
            Some(Value::Array(all)) => {
                let default = all.iter().find(|t| t.get("name").and_then(Value::as_str) == Some("default"));
                default.and_then(|t| t.get("template")?.as_str()).map(str::to_string)
            }
            _ => None,
        }
    };
    let named = |name: &str| token(about, name).unwrap_or_default();
    Ok(source.map(|source| ChatTemplate { source, bos_token: named("bos_token"), eos_token: named("eos_token") }))
}
