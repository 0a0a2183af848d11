//! Folders in the layout of Hugging Face.

use super::{ChatTemplate, Outline, description, tensors};
use crate::model::fence::{read_file, read_named};
use crate::model::tokenizer_file::LARGEST;
use crate::model::weights::{EMBEDDING, UNEMBEDDING};
use crate::model::{DecoderConfig, ModelError, Tokenizer, Weights};
use candle_core::{Device, Tensor};
use serde_json::Value;
use std::path::Path;

const CONFIG: &str = "config.json";
const GENERATION: &str = "generation_config.json";
const TOKENIZER: &str = "tokenizer.json";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const SPECIAL_TOKENS: &str = "special_tokens_map.json";
const TEMPLATE: &str = "chat_template.jinja";
const TEMPLATE_IN_JSON: &str = "chat_template.json";

/// Of a description; the largest published one has some 100 KiB.
const SMALL: u64 = 16 << 20;

/// What says of a model how its texts are read and written.
struct Descriptions {
    config: Value,
    generation: Value,
    tokenizer: Value,
    special: Value,
}

impl Descriptions {
    fn read(folder: &Path, config: &[u8]) -> Result<Descriptions, ModelError> {
        let beside = |name: &str| Ok::<_, ModelError>(json(&folder.join(name))?.unwrap_or_default());
        Ok(Descriptions {
            config: serde_json::from_slice(config).unwrap_or_default(),
            generation: beside(GENERATION)?,
            tokenizer: beside(TOKENIZER_CONFIG)?,
            special: beside(SPECIAL_TOKENS)?,
        })
    }

    /// A token as these files write it: a text, or an object with its content.
    fn token(&self, name: &str) -> Option<String> {
        [&self.tokenizer, &self.special].into_iter().find_map(|file| {
            let value = file.get(name)?;
            value.as_str().or_else(|| value.get("content")?.as_str()).map(str::to_string)
        })
    }
}

pub(super) fn outline(folder: &Path) -> Result<Outline, ModelError> {
    let path = folder.join(CONFIG);
    if !folder.is_dir() {
        return Err(ModelError::file(folder, "is neither a folder nor a `.gguf` file"));
    }
    let text = read_named(&path, SMALL)?;
    let description::Description { config, family, mut notes } = description::read(&text).map_err(|e| ModelError::file(&path, e))?;
    let about = Descriptions::read(folder, &text)?;
    let tokenizer = tokenizer(folder, &about)?;
    let chat = template(folder, &about)?;
    notes.extend([(CONFIG, &about.config), (GENERATION, &about.generation)].into_iter().filter_map(|(file, value)| no_token(file, value)));
    if let Some(tokenizer) = &tokenizer {
        notes.extend(unknown_tokens(&about.tokenizer, tokenizer));
    }
    Ok(Outline { config, family, tokenizer, chat, notes })
}

pub(super) fn weights(
    folder: &Path,
    config: &DecoderConfig,
    device: &Device,
    read: &mut dyn FnMut(usize, usize),
) -> Result<Weights, ModelError> {
    let shapes = crate::model::weights::shapes(config);
    let head = (UNEMBEDDING.to_string(), vec![config.vocab, config.width]);
    let may_be: &[(String, Vec<usize>)] = if config.tied { &[head] } else { &[] };
    let mut found = tensors::read(folder, &shapes, may_be, device, read)?;
    // Some files repeat the embedding as the head that is tied to it; a head that differs is the model's own, whatever its configuration says.
    if let (true, Some(head), Some(embedding)) = (config.tied, found.get(UNEMBEDDING), found.get(EMBEDDING)) {
        if same(head, embedding)? {
            found.remove(UNEMBEDDING);
        } else {
            return Weights::from_tensors(&DecoderConfig { tied: false, ..config.clone() }, found);
        }
    }
    Weights::from_tensors(config, found)
}

fn same(a: &Tensor, b: &Tensor) -> Result<bool, ModelError> {
    let bits = |t: &Tensor| Ok::<_, ModelError>(t.flatten_all()?.to_vec1::<f32>()?.into_iter().map(f32::to_bits).collect::<Vec<u32>>());
    Ok(a.dims() == b.dims() && bits(a)? == bits(b)?)
}

/// A file that may be missing.
fn json(path: &Path) -> Result<Option<Value>, ModelError> {
    match read_file(path, SMALL) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|e| ModelError::file(path, e)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ModelError::file(path, error)),
    }
}

/// Tokens that `tokenizer_config.json` adds and `tokenizer.json` does not have.
fn unknown_tokens(about: &Value, tokenizer: &Tokenizer) -> Option<String> {
    let added = about.get("added_tokens_decoder")?.as_object()?;
    let all: Vec<&str> = added.values().filter_map(|token| token.get("content")?.as_str()).collect();
    let missing = all.iter().find(|token| tokenizer.id(token).is_none())?;
    Some(format!("`{TOKENIZER_CONFIG}` adds the token {missing:?}, which `{TOKENIZER}` does not have: it is not used"))
}

/// An end of responses that is no token, such as a text or a negative number.
fn no_token(file: &str, about: &Value) -> Option<String> {
    let value = about.get("eos_token_id").filter(|value| !value.is_null())?;
    let count = value.as_array().map_or(1, Vec::len);
    (ids(Some(value)).len() != count).then(|| format!("of its `{file}`, `eos_token_id` is {value}, which is no token: it is not used"))
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
fn tokenizer(folder: &Path, about: &Descriptions) -> Result<Option<Tokenizer>, ModelError> {
    let path = folder.join(TOKENIZER);
    if !path.is_file() {
        return Ok(None);
    }
    let plain = Tokenizer::parse(&read_named(&path, LARGEST)?).map_err(|e| ModelError::file(&path, e))?;
    let named = |name: &str| about.token(name).and_then(|token| plain.token_to_id(&token));
    let mut ends: Vec<u32> = named("eos_token").into_iter().collect();
    for id in ids(about.generation.get("eos_token_id")).into_iter().chain(ids(about.config.get("eos_token_id"))) {
        if !ends.contains(&id) {
            ends.push(id);
        }
    }
    let pad = named("pad_token").or_else(|| ids(about.generation.get("pad_token_id")).first().copied());
    Tokenizer::pretrained(plain, ends, pad).map(Some).map_err(|e| ModelError::file(folder, e))
}

fn template(folder: &Path, about: &Descriptions) -> Result<Option<ChatTemplate>, ModelError> {
    let path = folder.join(TEMPLATE);
    let source = if path.is_file() {
        let text = String::from_utf8(read_named(&path, SMALL)?);
        Some(text.map_err(|_| ModelError::file(&path, "is no text in UTF-8"))?)
    } else {
        let beside = json(&folder.join(TEMPLATE_IN_JSON))?.unwrap_or_default();
        match [&about.tokenizer, &beside].into_iter().find_map(|file| file.get("chat_template")) {
            Some(Value::String(source)) => Some(source.clone()),
            // Several by name.
            Some(Value::Array(all)) => {
                let default = all.iter().find(|t| t.get("name").and_then(Value::as_str) == Some("default"));
                default.and_then(|t| t.get("template")?.as_str()).map(str::to_string)
            }
            _ => None,
        }
    };
    Ok(source.map(|source| ChatTemplate::new(source, about.token("bos_token"), about.token("eos_token"))))
}
