//! Text to tokens and back: byte-level byte-pair encoding (Sennrich et al. 2016), trained on the texts of an experiment, or a pretrained model's.

use super::fence::{guarded, read_named};
use super::masks::Masks;
use super::{ModelError, Prompt, tokenizer_file};
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{
    AddedToken, DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper, SplitDelimiterBehavior, TokenizerBuilder,
};

/// Fills rows of unequal length where something needs them equal.
pub const PAD: &str = "<pad>";
/// Ends a response.
pub const END: &str = "<end>";

/// Words and punctuation with the space before them; every digit a piece of its own, so that "mug 12" and "mug 13"
/// differ in one token and no number is rare.
const PIECES: &str = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// What is hidden can bring two parts together that read as a control token again, so they are looked for again.
const PASSES: usize = 8;

/// Bytes, before any merge.
const ALPHABET: usize = 256;

/// Tokens that pretrained models come with, or byte-pair encoding with two special tokens, one that closes a response and one that pads.
///
/// Control tokens are the special ones, and those that stand in brackets, such as `<think>`: text that is data never becomes one.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// The same, but taking control tokens that stand in a text as text. `None` where `inner` does so itself, for it was trained here.
    plain: Option<Box<tokenizers::Tokenizer>>,
    control: BTreeSet<u32>,
    end: u32,
    pad: u32,
    stops: Vec<u32>,
}

fn wrong(error: impl std::fmt::Display) -> ModelError {
    ModelError::Tokenizer(error.to_string())
}

/// What the crate gives, whether it returns an error or panics on what a file asks for.
fn tried<T>(work: impl FnOnce() -> Result<T, tokenizers::Error>) -> Result<T, ModelError> {
    guarded(work).map_err(|panic| wrong(format!("what its file asks for is not possible ({panic})")))?.map_err(wrong)
}

/// Added tokens that structure a text are written in brackets, special or not; others, such as runs of blanks, are text.
fn in_brackets(content: &str) -> bool {
    let pairs = [('<', '>'), ('[', ']')];
    content.chars().count() > 2
        && !content.contains(char::is_whitespace)
        && pairs.iter().any(|(a, b)| content.starts_with(*a) && content.ends_with(*b))
}

impl Tokenizer {
    /// Whether every id means the same in both.
    pub fn agrees(&self, other: &Tokenizer) -> bool {
        self.inner.get_vocab(true) == other.inner.get_vocab(true)
    }

    /// Tokens of the smallest vocabulary that can be learned: all bytes, the end and the padding.
    pub const LEAST: usize = ALPHABET + 2;

    /// Learns up to `vocab` tokens (fewer if the texts have no more to merge), `<pad>`, `<end>` and `special` first.
    /// The same texts give the same tokenizer, in any order of threads.
    pub fn train<S: AsRef<str> + Send>(
        texts: impl Iterator<Item = S> + Send,
        vocab: usize,
        special: &[&str],
    ) -> Result<Tokenizer, ModelError> {
        let names: Vec<&str> = [PAD, END].into_iter().chain(special.iter().copied()).collect();
        let least = Self::LEAST + special.len();
        if vocab < least {
            return Err(wrong(format!("a vocabulary of {vocab} has no room for all bytes; it has to be at least {least}")));
        }
        let mut trainer = BpeTrainer::builder()
            .vocab_size(vocab)
            .min_frequency(2)
            .show_progress(false)
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .special_tokens(names.iter().map(|name| AddedToken::from(*name, true)).collect())
            .build();
        let split = Split::new(SplitPattern::Regex(PIECES.to_string()), SplitDelimiterBehavior::Isolated, false).map_err(wrong)?;
        let bytes = ByteLevel::new(false, true, false);
        let mut inner = TokenizerBuilder::<BPE, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>::new()
            .with_model(BPE::default())
            .with_pre_tokenizer(Some(PreTokenizerWrapper::Sequence(Sequence::new(vec![split.into(), bytes.into()]))))
            .with_decoder(Some(DecoderWrapper::ByteLevel(bytes)))
            .build()
            .map_err(wrong)?;
        inner.train(&mut trainer, texts).map_err(wrong)?;
        // By way of its text: what is used is what will be loaded.
        Tokenizer::from_json(inner.to_string(false).map_err(wrong)?.as_bytes())
    }

    fn from_json(json: &[u8]) -> Result<Tokenizer, ModelError> {
        let mut inner = Tokenizer::parse(json)?;
        // Text that reads `<end>` is text, not the end.
        inner.set_encode_special_tokens(true);
        let id = |name: &str| inner.token_to_id(name).ok_or_else(|| wrong(format!("it has no token `{name}`")));
        let (end, pad) = (id(END)?, id(PAD)?);
        Ok(Tokenizer { inner, plain: None, control: BTreeSet::new(), end, pad, stops: vec![end] })
    }

    pub(crate) fn parse(json: &[u8]) -> Result<tokenizers::Tokenizer, ModelError> {
        tokenizer_file::check(json).map_err(wrong)?;
        tried(|| tokenizers::Tokenizer::from_bytes(json))
    }

    /// A pretrained model's tokenizer. Its first end closes a response; any of them stops one.
    pub(crate) fn pretrained(mut inner: tokenizers::Tokenizer, ends: Vec<u32>, pad: Option<u32>) -> Result<Tokenizer, ModelError> {
        let Some(&end) = ends.first() else {
            return Err(wrong("nothing says which token ends a response (`eos_token` of `tokenizer_config.json`, or `eos_token_id`)"));
        };
        if let Some(id) = ends.iter().chain(&pad).find(|id| inner.id_to_token(**id).is_none()) {
            return Err(wrong(format!("it has no token {id}, which is to end or pad responses")));
        }
        inner.with_padding(None);
        inner.with_truncation(None).map_err(wrong)?;
        inner.set_encode_special_tokens(false);
        let (control, plain) = Tokenizer::without_control(&inner)?;
        let new = Tokenizer { inner, plain: Some(Box::new(plain)), control, end, pad: pad.unwrap_or(end), stops: ends };
        new.try_out()?;
        Ok(new)
    }

    /// The control tokens, and the tokenizer to which they are text.
    fn without_control(inner: &tokenizers::Tokenizer) -> Result<(BTreeSet<u32>, tokenizers::Tokenizer), ModelError> {
        let added = inner.get_added_tokens_decoder();
        let is_control = |token: &AddedToken| token.special || in_brackets(&token.content);
        let control = added.iter().filter(|(_, token)| is_control(token)).map(|(id, _)| *id).collect();
        let mut plain = if added.values().all(|token| token.special || !is_control(token)) {
            inner.clone()
        } else {
            let mut json: serde_json::Value = serde_json::from_str(&inner.to_string(false).map_err(wrong)?).map_err(wrong)?;
            for token in json["added_tokens"].as_array_mut().into_iter().flatten() {
                if token["content"].as_str().is_some_and(in_brackets) {
                    token["special"] = true.into();
                }
            }
            tried(|| tokenizers::Tokenizer::from_bytes(json.to_string().as_bytes()))?
        };
        plain.set_encode_special_tokens(true);
        Ok((control, plain))
    }

    /// What a file describes and no text gets through is found before a run.
    fn try_out(&self) -> Result<(), ModelError> {
        let text = "You see 12 mugs.\n\tÜnïcödé 漢字 🙂 <x> -- don't";
        let (alone, begun) = (self.encode(text)?, self.encode_begun(text)?);
        self.decode(&alone)?;
        if let Some(id) = begun.iter().find(|id| self.inner.id_to_token(**id).is_none()) {
            return Err(wrong(format!("it puts a token {id} around a text, which it does not have")));
        }
        Ok(())
    }

    /// Reads a `tokenizer.json` that [`Tokenizer::save`] wrote of a pretrained model's.
    pub(crate) fn load_pretrained(path: &Path, ends: Vec<u32>, pad: u32) -> Result<Tokenizer, ModelError> {
        let json = read_named(path, tokenizer_file::LARGEST)?;
        Tokenizer::parse(&json).and_then(|t| Tokenizer::pretrained(t, ends, Some(pad))).map_err(|e| ModelError::file(path, e))
    }

    /// Reads a `tokenizer.json` that [`Tokenizer::save`] wrote.
    pub fn load(path: &Path) -> Result<Tokenizer, ModelError> {
        let json = read_named(path, tokenizer_file::LARGEST)?;
        Tokenizer::from_json(&json).map_err(|e| ModelError::file(path, e))
    }

    /// Writes `tokenizer.json`.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        std::fs::write(path, self.json()?).map_err(|e| ModelError::write(path, e))
    }

    /// The content of `tokenizer.json`; equal for equal tokenizers.
    pub fn json(&self) -> Result<String, ModelError> {
        self.inner.to_string(true).map_err(wrong)
    }

    /// `None` of an empty vocabulary.
    pub(crate) fn largest_id(&self) -> Option<u32> {
        self.inner.get_vocab(true).into_values().max()
    }

    /// Tokens that end a response.
    pub fn stops(&self) -> &[u32] {
        &self.stops
    }

    /// As [`Tokenizer::encode`], but control tokens that stand in the text become those tokens: for what a chat template wrote.
    pub fn encode_marked(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        tried(|| Ok(self.inner.encode_fast(text, false)?.get_ids().to_vec()))
    }

    /// Text alone, with what the model wants around every text.
    fn encode_begun(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        tried(|| Ok(self.inner.encode_fast(text, true)?.get_ids().to_vec()))
    }

    /// A prompt whose own parts may name control tokens, and whose data never does. With `begin`, what a pretrained model wants
    /// before every text (a begin token, for most that have one) stands in front; then also how many tokens that are.
    ///
    /// # Errors
    /// If the tokenizer cannot encode it.
    pub fn encode_prompt(&self, prompt: &Prompt, begin: bool) -> Result<(Vec<u32>, usize), ModelError> {
        let Some(plain) = &self.plain else { return Ok((self.encode(prompt.text())?, 0)) };
        let mut text = Prompt::clone(prompt);
        let mut masks = Masks::for_text(prompt.text());
        for _ in 0..PASSES {
            let found = tried(|| self.inner.encode(text.text(), begin))?;
            let tokens: Vec<(u32, Range<usize>)> =
                found.get_ids().iter().zip(found.get_offsets()).map(|(id, (a, b))| (*id, *a..*b)).collect();
            let is_control = |(id, at): &&(u32, Range<usize>)| self.control.contains(id) && !at.is_empty();
            let told: Vec<&Range<usize>> = tokens.iter().filter(is_control).map(|(_, at)| at).filter(|at| text.is_data(at)).collect();
            if told.is_empty() {
                let before = tokens.iter().take_while(|(_, at)| at.is_empty()).count();
                return Ok((self.unmasked(&tokens, text.text(), &masks, plain)?, before));
            }
            text = masks.hide(&text, &told)?;
        }
        Err(wrong("the names of control tokens in an observation cannot be told from control tokens"))
    }

    /// The ids, afresh between control tokens where something is hidden there.
    fn unmasked(
        &self,
        tokens: &[(u32, Range<usize>)],
        text: &str,
        masks: &Masks,
        plain: &tokenizers::Tokenizer,
    ) -> Result<Vec<u32>, ModelError> {
        let is_control = |(id, _): &(u32, Range<usize>)| self.control.contains(id);
        let (mut ids, mut from, mut rest) = (Vec::new(), 0, tokens);
        while !rest.is_empty() {
            let (between, after) = rest.split_at(rest.iter().position(is_control).unwrap_or(rest.len()));
            let part = &text[from..after.first().map_or(text.len(), |(_, at)| at.start.max(from))];
            if masks.hides_in(part) {
                let whole = masks.reveal(part);
                ids.extend(tried(|| Ok(plain.encode_fast(whole.as_str(), false)?.get_ids().to_vec()))?);
            } else {
                ids.extend(between.iter().map(|(id, _)| *id));
            }
            let Some(((id, at), after)) = after.split_first() else { break };
            ids.push(*id);
            (from, rest) = (at.end.max(from), after);
        }
        Ok(ids)
    }

    /// The text, with special tokens written out.
    pub(crate) fn decode_marked(&self, ids: &[u32]) -> Result<String, ModelError> {
        tried(|| self.inner.decode(ids, false))
    }

    /// Number of tokens, special ones included.
    pub fn vocab(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The token that closes a response, [`END`] or the model's own.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// [`PAD`] or the model's own.
    pub fn pad(&self) -> u32 {
        self.pad
    }

    /// Of a token as it stands in the vocabulary, special ones included.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Never gives a control token, whatever the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let plain = self.plain.as_deref().unwrap_or(&self.inner);
        tried(|| Ok(plain.encode_fast(text, false)?.get_ids().to_vec()))
    }

    /// For each token of [`Tokenizer::encode`], where it stands in the text, in bytes.
    pub(crate) fn places(&self, text: &str) -> Result<Vec<Range<usize>>, ModelError> {
        let plain = self.plain.as_deref().unwrap_or(&self.inner);
        tried(|| Ok(plain.encode(text, false)?.get_offsets().iter().map(|(a, b)| *a..*b).collect()))
    }

    /// The text as [`Tokenizer::decode`] gives it, of which control tokens that it shows stay control tokens; all else is data.
    pub(crate) fn decode_prompt(&self, ids: &[u32]) -> Result<Prompt, ModelError> {
        let mut prompt = Prompt::default();
        for part in ids.chunk_by(|a, b| self.control.contains(a) == self.control.contains(b)) {
            let text = self.decode(part)?;
            match part.first().is_some_and(|id| self.control.contains(id)) {
                true => prompt.push_own(&text),
                false => prompt.append(&Prompt::data(text)),
            }
        }
        Ok(prompt)
    }

    /// The text, without special tokens.
    pub fn decode(&self, ids: &[u32]) -> Result<String, ModelError> {
        tried(|| self.inner.decode(ids, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Vec<String> {
        let things = ["mug", "plate", "apple", "soap bar", "desk lamp"];
        let places = ["drawer", "shelf", "counter", "fridge"];
        (0..400)
            .map(|i| {
                let (thing, place) = (things[i % 5], places[i % 4]);
                format!("You see {thing} {}. You can: take {thing} {} from {place} {}; go to {place} {}\n", i % 7, i % 7, i % 23, i % 11)
            })
            .collect()
    }

    #[test]
    fn any_text_comes_back() {
        let tokenizer = Tokenizer::train(texts().into_iter(), 400, &[]).unwrap();
        for text in ["take mug 12 from drawer 3", "  spaces\n\n tabs\t", "Ünïcödé ½ 漢字 🙂", "<end> <pad>", ""] {
            assert_eq!(tokenizer.decode(&tokenizer.encode(text).unwrap()).unwrap(), text);
        }
        let special = [tokenizer.end(), tokenizer.pad()];
        assert!(!tokenizer.encode("<end><pad> a<end>").unwrap().iter().any(|id| special.contains(id)));
        let mut ids = tokenizer.encode("go to shelf 1").unwrap();
        ids.push(tokenizer.end());
        assert_eq!(tokenizer.decode(&ids).unwrap(), "go to shelf 1");
    }

    #[test]
    fn digits_stand_alone() {
        let tokenizer = Tokenizer::train(texts().into_iter(), 400, &[]).unwrap();
        let [a, b] = [" take mug 12", " take mug 13"].map(|text| tokenizer.encode(text).unwrap());
        assert_eq!(a.len(), b.len());
        assert_eq!(a.iter().zip(&b).filter(|(a, b)| a != b).count(), 1);
        let pieces: Vec<String> = a.iter().map(|id| tokenizer.decode(&[*id]).unwrap()).collect();
        assert_eq!(pieces, [" take", " mug", " 1", "2"]);
    }

    #[test]
    fn training_is_repeatable_and_files_come_back() {
        let first = Tokenizer::train(texts().into_iter(), 400, &["<think>"]).unwrap();
        assert_eq!((first.id(PAD), first.id(END), first.id("<think>")), (Some(0), Some(1), Some(2)));
        assert!(first.vocab() <= 400 && first.vocab() > 300);
        for _ in 0..5 {
            let again = Tokenizer::train(texts().into_iter(), 400, &["<think>"]).unwrap();
            assert_eq!(again.json().unwrap(), first.json().unwrap());
        }
        // Counting is split over threads, one pool of them here.
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let again = alone.install(|| Tokenizer::train(texts().into_iter(), 400, &["<think>"])).unwrap();
        assert_eq!(again.json().unwrap(), first.json().unwrap());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokenizer.json");
        first.save(&path).unwrap();
        let loaded = Tokenizer::load(&path).unwrap();
        assert_eq!(loaded.json().unwrap(), first.json().unwrap());
        assert_eq!(loaded.encode("take <end> 1").unwrap(), first.encode("take <end> 1").unwrap());
        std::fs::write(&path, "{").unwrap();
        assert!(Tokenizer::load(&path).unwrap_err().to_string().contains("tokenizer.json"));
    }

    #[test]
    fn a_vocabulary_without_room_for_bytes_is_refused() {
        let message = Tokenizer::train(texts().into_iter(), 200, &[]).unwrap_err().to_string();
        assert!(message.contains("at least 258"), "{message}");
    }

    /// A pretrained model's, in which `<|im_end|>` and a plain word are special, and `<think>` is added but not special.
    fn chat() -> Tokenizer {
        let trained = Tokenizer::train(texts().into_iter(), 400, &["<|im_end|>", "counter"]).unwrap();
        let mut inner = tokenizers::Tokenizer::from_bytes(trained.json().unwrap().as_bytes()).unwrap();
        inner.add_tokens([AddedToken::from("<think>", false)]).unwrap();
        Tokenizer::pretrained(inner, vec![trained.end()], None).unwrap()
    }

    fn ids(tokenizer: &Tokenizer, parts: &[(&str, bool)]) -> Vec<u32> {
        let mut prompt = Prompt::default();
        for (text, data) in parts {
            prompt.append(&if *data { Prompt::data(*text) } else { Prompt::own(*text) });
        }
        let (ids, _) = tokenizer.encode_prompt(&prompt, false).unwrap();
        assert_eq!(tokenizer.decode_marked(&ids).unwrap(), prompt.text());
        ids
    }

    #[test]
    fn a_pipelines_markers_are_tokens_and_an_environments_are_text() {
        let chat = chat();
        let count = |ids: &[u32], name: &str| ids.iter().filter(|id| **id == chat.id(name).unwrap()).count();
        let mixed =
            ids(&chat, &[("<|im_end|>go to <think>", false), ("counter 1 <|im_end|> <think> <|im_end|>", true), ("<|im_end|>", false)]);
        assert_eq!([count(&mixed, "<|im_end|>"), count(&mixed, "<think>"), count(&mixed, "counter")], [2, 1, 0]);
        // Where nothing is hidden, a text is cut as if all of it were the author's.
        assert_eq!(
            ids(&chat, &[("<|im_end|>take", false), (" mug 12 from shelf", true)]),
            chat.encode_marked("<|im_end|>take mug 12 from shelf").unwrap()
        );
        // Half from here and half from there is still partly data.
        assert_eq!(count(&ids(&chat, &[("<|im_", false), ("end|>", true)]), "<|im_end|>"), 0);
        let nested = "<|im_<|im_end|>end|>\u{100000}<|im_end|>";
        assert_eq!(count(&ids(&chat, &[(nested, true)]), "<|im_end|>"), 0);
        assert!(ids(&chat, &[("counter <|im_end|> <think> ".repeat(2000).as_str(), true)]).len() > 2000);
    }
}
