//! The tokenizer that a GGUF file describes, rebuilt.

use super::ChatTemplate;
use super::gguf::whole;
use crate::model::{ModelError, Tokenizer};
use candle_core::quantized::gguf_file::{Content, Value};
use std::path::Path;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::{AddedToken, DecoderWrapper, PreTokenizerWrapper};

/// Types of tokens: control tokens, and those that users added.
const CONTROL: usize = 3;
const ADDED: usize = 4;

fn wrong(message: impl std::fmt::Display) -> ModelError {
    ModelError::Tokenizer(message.to_string())
}

fn get<'a>(content: &'a Content, name: &str) -> Option<&'a Value> {
    content.metadata.get(&format!("tokenizer.ggml.{name}"))
}

fn text<'a>(content: &'a Content, name: &str) -> Option<&'a str> {
    get(content, name).and_then(|v| v.to_string().ok()).map(String::as_str)
}

fn list<'a>(content: &'a Content, name: &str) -> Result<Vec<&'a str>, ModelError> {
    let all = get(content, name).and_then(|v| v.to_vec().ok()).ok_or_else(|| wrong(format!("`{name}` is missing")))?;
    all.iter().map(|v| v.to_string().map(String::as_str).map_err(|_| wrong(format!("`{name}` holds something else than texts")))).collect()
}

fn id(content: &Content, name: &str) -> Option<u32> {
    get(content, name).and_then(whole).and_then(|id| u32::try_from(id).ok())
}

/// A `tokenizer.json` beside the file is taken instead of what the file says.
pub(super) fn read(path: &Path, content: &Content) -> Result<Option<Tokenizer>, ModelError> {
    let beside = path.with_file_name("tokenizer.json");
    let plain = if beside.is_file() {
        let text = std::fs::read(&beside).map_err(|e| ModelError::file(&beside, e))?;
        Tokenizer::parse(&text).map_err(|e| ModelError::file(&beside, e))?
    } else if get(content, "model").is_some() {
        rebuild(content).map_err(|e| ModelError::file(path, e))?
    } else {
        return Ok(None);
    };
    let ends = ["eos_token_id", "eot_token_id"].into_iter().filter_map(|name| id(content, name)).collect();
    Tokenizer::pretrained(plain, ends, id(content, "padding_token_id")).map(Some).map_err(|e| ModelError::file(path, e))
}

fn rebuild(content: &Content) -> Result<tokenizers::Tokenizer, ModelError> {
    let (model, pre) = (text(content, "model").unwrap_or_default(), text(content, "pre").unwrap_or_default());
    if model != "gpt2" || pre != "smollm" {
        let what = format!("tokenizers of the kind `{model}`, `{pre}` cannot be rebuilt (only `gpt2`, `smollm`)");
        return Err(wrong(format!("{what}; put the model's `tokenizer.json` beside the file")));
    }
    let tokens = list(content, "tokens")?;
    let vocab: Vocab = tokens.iter().enumerate().map(|(id, token)| (token.to_string(), id as u32)).collect();
    let merges = list(content, "merges")?
        .into_iter()
        .map(|merge| merge.split_once(' ').map(|(a, b)| (a.to_string(), b.to_string())).ok_or_else(|| wrong("a merge has no space")))
        .collect::<Result<Vec<_>, _>>()?;
    let bpe = BPE::builder().vocab_and_merges(vocab, merges).build().map_err(wrong)?;
    let mut rebuilt = tokenizers::Tokenizer::new(bpe);
    let bytes = ByteLevel::new(false, true, true);
    let steps: Vec<PreTokenizerWrapper> = vec![Digits::new(true).into(), bytes.into()];
    rebuilt.with_pre_tokenizer(Some(PreTokenizerWrapper::Sequence(Sequence::new(steps))));
    rebuilt.with_decoder(Some(DecoderWrapper::ByteLevel(bytes)));
    let kinds: Vec<usize> = get(content, "token_type").and_then(|v| v.to_vec().ok()).into_iter().flatten().filter_map(whole).collect();
    let of = |kind: usize, special: bool| -> Vec<AddedToken> {
        let chosen = tokens.iter().zip(&kinds).filter(|(_, k)| **k == kind);
        chosen.map(|(token, _)| AddedToken::from(token.to_string(), special).normalized(false)).collect()
    };
    rebuilt.add_special_tokens(of(CONTROL, true)).map_err(wrong)?;
    rebuilt.add_tokens(of(ADDED, false)).map_err(wrong)?;
    Ok(rebuilt)
}

pub(super) fn template(content: &Content) -> Option<ChatTemplate> {
    let source = content.metadata.get("tokenizer.chat_template")?.to_string().ok()?.clone();
    let tokens = list(content, "tokens").unwrap_or_default();
    let named = |name: &str| id(content, name).and_then(|id| tokens.get(id as usize)).map_or(String::new(), |t| t.to_string());
    Some(ChatTemplate { source, bos_token: named("bos_token_id"), eos_token: named("eos_token_id") })
}
