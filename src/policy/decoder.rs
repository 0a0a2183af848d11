//! `decoder`: a policy made from nothing, a small causal language model with fresh weights.

use super::decode::{Choose, Decode};
use super::input::TokenizerInput;
use super::kinds::{PolicyKind, Size, Workshop};
use super::live::{Policy, TOKENIZER};
use crate::kind;
use crate::kind::{Count, Part, Positive, Reader};
use crate::lang::value::Component;
use crate::lang::{Diagnostic, Span};
use crate::model::{DecoderConfig, ModelError, Tokenizer, Variant, Weights};
use candle_core::DType;
use std::path::Path;
use std::sync::Arc;

kind! {
    /// A Llama-shaped causal language model with fresh weights: rotary positions, RMS norm, SwiGLU, grouped-query attention.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   stages {
    ///     words = tokenizer { on = house.train, vocabulary = 300 }
    ///     test  = evaluate { policy = decoder { tokenizer = words, layers = 2, width = 64, heads = 4 }, on = house.train }
    ///     page  = report { of = [test] }
    ///   }
    /// }
    /// ```
    pub(crate) struct Decoder as "decoder" {
        /// Its tokenizer: a `tokenizer` stage.
        tokenizer: TokenizerInput [required],
        /// Layers.
        layers: Count<1_024> [default Count(2)],
        /// Width of the hidden state; a multiple of `heads`.
        width: Count<65_536> [default Count(64)],
        /// Attention heads; each of even width.
        heads: Count<1_024> [default Count(4)],
        /// Heads of keys and values; a divisor of `heads`, which is the default.
        kv_heads: Option<Count<1_024>> [default None],
        /// Width of the feed-forward part; by default 8/3 of `width`, rounded up to a multiple of 8.
        ffn: Option<Count<1_048_576>> [default None],
        /// The most tokens of a prompt and its response together.
        context: Count<16_777_216> [default Count(512)],
        /// Base of the rotary positions.
        rope_theta: Positive [default Positive(10000.0)],
        /// Added to the mean square in RMS norm.
        norm_eps: Positive [default Positive(1e-5)],
        /// Whether the output matrix is the embedding.
        tied: bool [default true],
        /// How responses are made.
        decode: Part<Decode> [default choose()],
    }
}

fn choose() -> Part<Decode> {
    Part { kind: Choose::INFO.name, value: Arc::new(Choose::default().decode()), span: Span::NONE }
}

/// More than any machine has room for.
const MOST_PARAMETERS: usize = 1_000_000_000_000;

impl Decoder {
    pub(crate) fn ffn(&self) -> usize {
        self.ffn.map_or_else(|| (self.width.0 * 8).div_ceil(3).div_ceil(8) * 8, |f| f.0)
    }

    pub(crate) fn kv_heads(&self) -> usize {
        self.kv_heads.map_or(self.heads.0, |h| h.0)
    }

    fn config(&self, vocab: usize) -> DecoderConfig {
        DecoderConfig {
            layers: self.layers.0,
            width: self.width.0,
            heads: self.heads.0,
            kv_heads: self.kv_heads(),
            ffn: self.ffn(),
            vocab,
            context: self.context.0,
            rope_theta: self.rope_theta.0,
            norm_eps: self.norm_eps.0,
            tied: self.tied,
            variant: Variant::default(),
        }
    }

    pub(super) fn read_checked(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let decoder = Self::read_fields(component, reader)?;
        let parameters = decoder.config(Tokenizer::LEAST).parameters();
        if parameters > MOST_PARAMETERS {
            let message = format!("this is a model of {:.1e} parameters", parameters as f64);
            reader.report(Diagnostic::error("E0202", component.kind_span, message).help(format!("at most {MOST_PARAMETERS:.0e} can be")));
            return None;
        }
        let Some((field, message)) = decoder.config(Tokenizer::LEAST).misfit() else { return Some(decoder) };
        let at = |field: &str| component.fields.get(field).map_or(component.kind_span, |f| f.value.span);
        let (width, heads, kv_heads) = (decoder.width.0, decoder.heads.0, decoder.kv_heads());
        reader.report(match field {
            "heads" => {
                let message = format!("a width of {width} cannot be shared by {heads} heads of even width");
                Diagnostic::error("E0202", at("width"), message).help(format!("use a multiple of {} as the width", heads.saturating_mul(2)))
            }
            "kv_heads" => {
                let message = format!("{heads} heads cannot share {kv_heads} heads of keys and values");
                Diagnostic::error("E0202", at("kv_heads"), message).help("`kv_heads` divides `heads`")
            }
            _ => Diagnostic::error("E0202", at(field), message),
        });
        None
    }
}

impl PolicyKind for Decoder {
    fn make(&self, place: &mut dyn Workshop) -> Result<Policy, ModelError> {
        let tokenizer = Tokenizer::load(&place.input(&self.tokenizer.0.field)?.join(TOKENIZER))?;
        let weights = Weights::init(&self.config(tokenizer.vocab()), place.seed("policy"), place.device(), DType::F32)?;
        Ok(Policy { weights: Arc::new(weights), tokenizer: Arc::new(tokenizer), decode: Decode::clone(&self.decode), published: None })
    }

    fn size(&self, _: &Path, vocabulary: &dyn Fn(&str) -> Option<usize>) -> Option<Size> {
        let config = self.config(vocabulary(&self.tokenizer.0.field)?);
        Some(Size { trained: config.parameters(), config })
    }

    fn room(&self) -> (usize, &Part<Decode>) {
        (self.context.0, &self.decode)
    }
}
