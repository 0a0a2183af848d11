//! The registry of policies, and those made from nothing: a small causal language model with fresh weights.

use super::causal_lm::{self, CausalLm};
use super::decode::{Choose, DecodeKind, From};
use super::input::TokenizerInput;
use crate::kind;
use crate::kind::{Category, Count, Entry, Identity, NonNegative, Part, Positive, Reader};
use crate::lang::value::{Component, Value};
use crate::lang::{Diagnostic, Span};
use std::fmt;
use std::sync::Arc;

pub(crate) trait PolicyKind: Identity + fmt::Debug + Send + Sync + 'static {
    fn decode(&self) -> &Part<dyn DecodeKind>;
    /// For a policy from scratch.
    fn as_decoder(&self) -> Option<&Decoder> {
        None
    }
    /// For a pretrained policy.
    fn as_causal_lm(&self) -> Option<&CausalLm> {
        None
    }
}

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
        layers: Count [default Count(2)],
        /// Width of the hidden state; a multiple of `heads`.
        width: Count [default Count(64)],
        /// Attention heads; each of even width.
        heads: Count [default Count(4)],
        /// Heads of keys and values; a divisor of `heads`, which is the default.
        kv_heads: Option<Count> [default None],
        /// Width of the feed-forward part; by default 8/3 of `width`, rounded up to a multiple of 8.
        ffn: Option<Count> [default None],
        /// The most tokens of a prompt and its response together.
        context: Count [default Count(512)],
        /// Base of the rotary positions.
        rope_theta: Positive [default Positive(10000.0)],
        /// Added to the mean square in RMS norm.
        norm_eps: NonNegative [default NonNegative(1e-5)],
        /// Whether the output matrix is the embedding.
        tied: bool [default true],
        /// How responses are made.
        decode: Part<dyn DecodeKind> [default choose()],
    }
}

fn choose() -> Part<dyn DecodeKind> {
    Part { kind: "choose", value: Arc::new(Choose { from: From::Admissible, temperature: NonNegative(1.0) }), span: Span::NONE }
}

impl Decoder {
    pub(crate) fn ffn(&self) -> usize {
        self.ffn.map_or_else(|| (self.width.0 * 8).div_ceil(3).div_ceil(8) * 8, |f| f.0)
    }

    pub(crate) fn kv_heads(&self) -> usize {
        self.kv_heads.map_or(self.heads.0, |h| h.0)
    }
}

impl PolicyKind for Decoder {
    fn decode(&self) -> &Part<dyn DecodeKind> {
        &self.decode
    }

    fn as_decoder(&self) -> Option<&Decoder> {
        Some(self)
    }
}

fn read(_: &Arc<Value>, component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn PolicyKind>> {
    reader.refuse_unknown(component, &[&Decoder::INFO], |_| false);
    let decoder = Decoder::read_fields(component, reader)?;
    let at = |field: &str| component.fields.get(field).map_or(component.kind_span, |f| f.value.span);
    if !decoder.width.0.is_multiple_of(decoder.heads.0 * 2) {
        let message = format!("a width of {} cannot be shared by {} heads of even width", decoder.width.0, decoder.heads.0);
        reader.report(
            Diagnostic::error("E0202", at("width"), message).help(format!("use a multiple of {} as the width", decoder.heads.0 * 2)),
        );
        return None;
    }
    if !decoder.heads.0.is_multiple_of(decoder.kv_heads()) {
        let message = format!("{} heads cannot share {} heads of keys and values", decoder.heads.0, decoder.kv_heads());
        reader.report(Diagnostic::error("E0202", at("kv_heads"), message).help("`kv_heads` divides `heads`"));
        return None;
    }
    Some(Arc::new(decoder))
}

impl Category for dyn PolicyKind {
    const WORDS: &'static str = "a policy such as `decoder { … }` or `causal_lm { … }`";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<dyn PolicyKind>] =
            &[Entry { info: &Decoder::INFO, read }, Entry { info: &CausalLm::INFO, read: causal_lm::read }];
        ENTRIES
    }
}
