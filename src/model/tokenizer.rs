//! Text to tokens and back: byte-level byte-pair encoding (Sennrich et al. 2016), trained on the texts of an experiment, or a pretrained model's.

use super::ModelError;
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

/// Bytes, before any merge.
const ALPHABET: usize = 256;

/// Byte-pair encoding with two special tokens, one that closes a response and one that pads.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// The same, but reading special tokens that stand in a text as those tokens; a pretrained model's only.
    marked: Option<Box<tokenizers::Tokenizer>>,
    end: u32,
    pad: u32,
    stops: Vec<u32>,
}

fn wrong(error: impl std::fmt::Display) -> ModelError {
    ModelError::Tokenizer(error.to_string())
}

impl Tokenizer {
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
        let mut inner = tokenizers::Tokenizer::from_bytes(json).map_err(wrong)?;
        // Text that reads `<end>` is text, not the end.
        inner.set_encode_special_tokens(true);
        let id = |name: &str| inner.token_to_id(name).ok_or_else(|| wrong(format!("it has no token `{name}`")));
        let (end, pad) = (id(END)?, id(PAD)?);
        Ok(Tokenizer { inner, marked: None, end, pad, stops: vec![end] })
    }

    pub(crate) fn parse(json: &[u8]) -> Result<tokenizers::Tokenizer, ModelError> {
        tokenizers::Tokenizer::from_bytes(json).map_err(wrong)
    }

    /// A pretrained model's tokenizer. Its first end closes a response; any of them stops one.
    pub(crate) fn pretrained(mut marked: tokenizers::Tokenizer, ends: Vec<u32>, pad: Option<u32>) -> Result<Tokenizer, ModelError> {
        let Some(&end) = ends.first() else {
            return Err(wrong("nothing says which token ends a response (`eos_token` of `tokenizer_config.json`, or `eos_token_id`)"));
        };
        if let Some(id) = ends.iter().chain(&pad).find(|id| marked.id_to_token(**id).is_none()) {
            return Err(wrong(format!("it has no token {id}, which is to end or pad responses")));
        }
        marked.with_padding(None);
        marked.with_truncation(None).map_err(wrong)?;
        marked.set_encode_special_tokens(false);
        let mut inner = marked.clone();
        inner.set_encode_special_tokens(true);
        Ok(Tokenizer { inner, marked: Some(Box::new(marked)), end, pad: pad.unwrap_or(end), stops: ends })
    }

    /// Reads a `tokenizer.json` that [`Tokenizer::save`] wrote of a pretrained model's.
    pub(crate) fn load_pretrained(path: &Path, ends: Vec<u32>, pad: u32) -> Result<Tokenizer, ModelError> {
        let json = std::fs::read(path).map_err(|e| ModelError::file(path, e))?;
        Tokenizer::parse(&json).and_then(|t| Tokenizer::pretrained(t, ends, Some(pad))).map_err(|e| ModelError::file(path, e))
    }

    /// Reads a `tokenizer.json` that [`Tokenizer::save`] wrote.
    pub fn load(path: &Path) -> Result<Tokenizer, ModelError> {
        let json = std::fs::read(path).map_err(|e| ModelError::file(path, e))?;
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

    /// As [`Tokenizer::encode`], but special tokens that stand in the text become those tokens: for what a chat template wrote.
    pub fn encode_marked(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let tokenizer = self.marked.as_deref().unwrap_or(&self.inner);
        Ok(tokenizer.encode_fast(text, false).map_err(wrong)?.get_ids().to_vec())
    }

    /// The start of a text: as [`Tokenizer::encode`], with what the model wants before every text (a begin token, for most that have one).
    pub fn encode_start(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let add = self.marked.is_some();
        Ok(self.inner.encode_fast(text, add).map_err(wrong)?.get_ids().to_vec())
    }

    /// The text, with special tokens written out.
    pub(crate) fn decode_marked(&self, ids: &[u32]) -> Result<String, ModelError> {
        self.inner.decode(ids, false).map_err(wrong)
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

    /// Never gives a special token, whatever the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        Ok(self.inner.encode_fast(text, false).map_err(wrong)?.get_ids().to_vec())
    }

    /// The text, without special tokens.
    pub fn decode(&self, ids: &[u32]) -> Result<String, ModelError> {
        self.inner.decode(ids, true).map_err(wrong)
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
}
