//! The tokenizer that a GGUF file describes, rebuilt.

use super::ChatTemplate;
use super::gguf::whole;
use crate::model::fence::{guarded, read_named};
use crate::model::tokenizer_file::LARGEST;
use crate::model::{ModelError, Tokenizer};
use candle_core::quantized::gguf_file::{Content, Value};
use std::path::Path;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, DecoderWrapper, PreTokenizerWrapper, SplitDelimiterBehavior};

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
        let text = read_named(&beside, LARGEST)?;
        Tokenizer::parse(&text).map_err(|e| ModelError::file(&beside, e))?
    } else if get(content, "model").is_some() {
        guarded(|| rebuild(content)).unwrap_or_else(|panic| Err(wrong(panic))).map_err(|e| ModelError::file(path, e))?
    } else {
        return Ok(None);
    };
    let ends = ["eos_token_id", "eot_token_id"].into_iter().filter_map(|name| id(content, name)).collect();
    Tokenizer::pretrained(plain, ends, id(content, "padding_token_id")).map(Some).map_err(|e| ModelError::file(path, e))
}

fn rebuild(content: &Content) -> Result<tokenizers::Tokenizer, ModelError> {
    let (model, pre) = (text(content, "model").unwrap_or_default(), text(content, "pre").unwrap_or_default());
    let Some(splits) = Splits::of(pre).filter(|_| model == "gpt2") else {
        let known: Vec<String> = Splits::KNOWN.iter().map(|(name, _)| format!("`{name}`")).collect();
        let what = format!("tokenizers of the kind `{model}`, `{pre}` cannot be rebuilt (only `gpt2` with {})", known.join(", "));
        return Err(wrong(format!("{what}; put the model's `tokenizer.json` beside the file")));
    };
    let tokens = list(content, "tokens")?;
    let vocab: Vocab = tokens.iter().enumerate().map(|(id, token)| (token.to_string(), id as u32)).collect();
    let merges = list(content, "merges")?
        .into_iter()
        .map(|merge| merge.split_once(' ').map(|(a, b)| (a.to_string(), b.to_string())).ok_or_else(|| wrong("a merge has no space")))
        .collect::<Result<Vec<_>, _>>()?;
    let bpe = BPE::builder().vocab_and_merges(vocab, merges).ignore_merges(splits == Splits::Llama3).build().map_err(wrong)?;
    let mut rebuilt = tokenizers::Tokenizer::new(bpe);
    rebuilt.with_pre_tokenizer(Some(splits.steps()?));
    rebuilt.with_decoder(Some(DecoderWrapper::ByteLevel(ByteLevel::new(false, true, true))));
    if splits == Splits::Qwen2 {
        rebuilt.with_normalizer(Some(NFC)).map_err(wrong)?;
    }
    let kinds: Vec<usize> = get(content, "token_type").and_then(|v| v.to_vec().ok()).into_iter().flatten().filter_map(whole).collect();
    let of = |kind: usize, special: bool| -> Vec<AddedToken> {
        let chosen = tokens.iter().zip(&kinds).filter(|(_, k)| **k == kind);
        chosen.map(|(token, _)| AddedToken::from(token.to_string(), special).normalized(false)).collect()
    };
    rebuilt.add_special_tokens(of(CONTROL, true)).map_err(wrong)?;
    rebuilt.add_tokens(of(ADDED, false)).map_err(wrong)?;
    let begins = get(content, "add_bos_token").and_then(|v| v.to_bool().ok()).unwrap_or(false);
    if let Some((id, token)) = id(content, "bos_token_id").filter(|_| begins).and_then(|id| Some((id, tokens.get(id as usize)?))) {
        let mut begin = TemplateProcessing::builder();
        begin.try_single(format!("{token} $A")).map_err(wrong)?;
        begin.special_tokens(vec![(token.to_string(), id)]);
        rebuilt.with_post_processor(Some(begin.build().map_err(wrong)?));
    }
    Ok(rebuilt)
}

/// How a text is cut before pairs of bytes are merged; a pair never reaches over a cut.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Splits {
    Gpt2,
    SmolLm,
    Llama3,
    Qwen2,
}

impl Splits {
    /// By the names that GGUF files have for them.
    const KNOWN: [(&str, Splits); 5] = [
        ("default", Splits::Gpt2),
        ("gpt-2", Splits::Gpt2),
        ("smollm", Splits::SmolLm),
        ("llama-bpe", Splits::Llama3),
        ("qwen2", Splits::Qwen2),
    ];

    fn of(name: &str) -> Option<Splits> {
        Splits::KNOWN.iter().find(|(known, _)| *known == name).map(|(_, splits)| *splits)
    }

    fn steps(self) -> Result<PreTokenizerWrapper, ModelError> {
        // With or without a cutting of its own, at words, numbers and signs.
        let bytes = |cuts: bool| PreTokenizerWrapper::from(ByteLevel::new(false, true, cuts));
        let digits = match self {
            Splits::Gpt2 => return Ok(bytes(true)),
            Splits::SmolLm => return Ok(Sequence::new(vec![Digits::new(true).into(), bytes(true)]).into()),
            Splits::Llama3 => r"\p{N}{1,3}",
            Splits::Qwen2 => r"\p{N}",
        };
        let parts = [
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
            // a word with one sign or blank before it
            r"[^\r\n\p{L}\p{N}]?\p{L}+",
            digits,
            // signs, up to the end of the line
            r" ?[^\s\p{L}\p{N}]+[\r\n]*",
            r"\s*[\r\n]+",
            // blanks, but for one that the next word takes
            r"\s+(?!\S)",
            r"\s+",
        ];
        let cuts = SplitPattern::Regex(parts.join("|"));
        let cuts = Split::new(cuts, SplitDelimiterBehavior::Isolated, false).map_err(wrong)?;
        Ok(Sequence::new(vec![cuts.into(), bytes(false)]).into())
    }
}

pub(super) fn template(content: &Content) -> Option<ChatTemplate> {
    let source = content.metadata.get("tokenizer.chat_template")?.to_string().ok()?.clone();
    let tokens = list(content, "tokens").unwrap_or_default();
    let named = |name: &str| id(content, name).and_then(|id| tokens.get(id as usize)).map(|t| t.to_string());
    Some(ChatTemplate::new(source, named("bos_token_id"), named("eos_token_id")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

    fn cuts(name: &str, text: &str) -> Vec<String> {
        let mut pieces = PreTokenizedString::from(text);
        Splits::of(name).unwrap().steps().unwrap().pre_tokenize(&mut pieces).unwrap();
        let splits = pieces.get_splits(OffsetReferential::Original, OffsetType::Byte);
        splits.into_iter().map(|(_, (from, to), _)| text[from..to].to_string()).collect()
    }

    #[test]
    fn texts_are_cut_as_each_model_wants() {
        let text = "I'LL pay  12345 don't (ok!)\n\n x";
        assert_eq!(cuts("gpt-2", text), ["I", "'", "LL", " pay", " ", " 12345", " don", "'t", " (", "ok", "!)", "\n\n", " x"]);
        assert_eq!(cuts("smollm", "at 123, "), ["at", " ", "1", "2", "3", ",", " "]);
        assert_eq!(cuts("llama-bpe", text), ["I", "'LL", " pay", " ", " ", "123", "45", " don", "'t", " (", "ok", "!)\n\n", " x"]);
        assert_eq!(cuts("qwen2", text), ["I", "'LL", " pay", " ", " ", "1", "2", "3", "4", "5", " don", "'t", " (", "ok", "!)\n\n", " x"]);
        assert!(Splits::of("tekken").is_none());
    }
}
