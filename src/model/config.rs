//! The shape of a decoder.

use super::{ModelError, RopeScaling};
use serde::{Deserialize, Serialize};

/// A causal decoder of the Llama family: RMS norm before each block, rotary positions, grouped-query attention, SwiGLU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecoderConfig {
    /// Blocks of attention and feed-forward.
    pub layers: usize,
    /// Size of the residual stream.
    pub width: usize,
    /// Query heads; each is `width / heads` wide, unless [`Variant::head`] says otherwise.
    pub heads: usize,
    /// Key and value heads; each serves `heads / kv_heads` query heads.
    pub kv_heads: usize,
    /// Inner size of the feed-forward block.
    pub ffn: usize,
    /// Rows of the embedding.
    pub vocab: usize,
    /// The most tokens a sequence may have.
    pub context: usize,
    /// Base of the rotary positions' periods.
    pub rope_theta: f64,
    /// Added to the mean square in RMS norms.
    pub norm_eps: f64,
    /// The output head is the embedding.
    pub tied: bool,
    /// Plain Llama by default.
    #[serde(default, skip_serializing_if = "Variant::is_plain")]
    pub variant: Variant,
}

/// What sets the members of the family apart: Llama, Mistral, Qwen2, Qwen3.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "four independent parts of an architecture")]
pub struct Variant {
    /// Width of a head, where it is not `width / heads`.
    pub head: Option<usize>,
    /// Queries, keys and values have biases.
    pub qkv_bias: bool,
    /// The output of attention has a bias.
    pub output_bias: bool,
    /// The three matrices of the feed-forward block have biases.
    pub ffn_bias: bool,
    /// Queries and keys go through an RMS norm over each head before they are turned.
    pub head_norms: bool,
    /// None by default.
    pub rope: RopeScaling,
}

impl Variant {
    pub(crate) fn is_plain(&self) -> bool {
        *self == Variant::default()
    }
}

/// No model has more blocks; names of tensors are made for each.
const DEEPEST: usize = 4096;

/// Sequences longer than this are refused, so that sizes computed from a file's numbers cannot overflow.
const LARGEST: usize = 1 << 24;

impl DecoderConfig {
    /// Numbers of one head's query, key or value.
    pub fn head_width(&self) -> usize {
        self.variant.head.unwrap_or(self.width / self.heads)
    }

    /// Width of all query heads together.
    pub(crate) fn query_width(&self) -> usize {
        self.heads * self.head_width()
    }

    /// Width of all key heads together, and of all value heads together.
    pub(crate) fn kv_width(&self) -> usize {
        self.kv_heads * self.head_width()
    }

    /// Errors name the field and say what would be right.
    pub fn validate(&self) -> Result<(), ModelError> {
        self.misfit().map_or(Ok(()), |(_, message)| Err(ModelError::Config(message)))?;
        self.variant.rope.validate()
    }

    /// The first field that cannot be as it is beside the others, and what would be right.
    pub(crate) fn misfit(&self) -> Option<(&'static str, String)> {
        let wrong = |field, message: String| Some((field, message));
        for (name, value) in [
            ("layers", self.layers),
            ("width", self.width),
            ("heads", self.heads),
            ("kv_heads", self.kv_heads),
            ("ffn", self.ffn),
            ("vocab", self.vocab),
            ("context", self.context),
        ] {
            let most = if name == "layers" { DEEPEST } else { LARGEST };
            if value == 0 || value > most {
                return wrong(name, format!("`{name}` is {value}, it has to be between 1 and {most}"));
            }
        }
        if let Some(head) = self.variant.head {
            if head == 0 || head > LARGEST || !head.is_multiple_of(2) {
                return wrong("heads", format!("a head is {head} wide, rotary positions need an even number"));
            }
        } else if !self.width.is_multiple_of(self.heads) {
            return wrong("heads", format!("`heads` has to divide `width`, but {} does not divide {}", self.heads, self.width));
        }
        if !self.head_width().is_multiple_of(2) {
            return wrong(
                "heads",
                format!(
                    "a head is `width` / `heads` = {} wide, rotary positions need an even number; change `heads` or `width`",
                    self.head_width()
                ),
            );
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return wrong("kv_heads", format!("`kv_heads` has to divide `heads`, but {} does not divide {}", self.kv_heads, self.heads));
        }
        if !(self.rope_theta.is_finite() && self.rope_theta > 0.0) {
            return wrong("rope_theta", format!("`rope_theta` is {}, it has to be positive", self.rope_theta));
        }
        if !(self.norm_eps.is_finite() && self.norm_eps > 0.0) {
            return wrong("norm_eps", format!("`norm_eps` is {}, it has to be positive", self.norm_eps));
        }
        None
    }

    /// Number of scalars in a causal language model of this shape; the largest there is where it has more.
    pub fn parameters(&self) -> usize {
        let variant = &self.variant;
        let [width, query, kv, ffn, vocab] = [self.width, self.query_width(), self.kv_width(), self.ffn, self.vocab].map(|n| n as u128);
        let matrices = 2 * width * query + 2 * kv * width + 3 * ffn * width;
        let some = |there: bool, count: u128| if there { count } else { 0 };
        let biases = some(variant.qkv_bias, query + 2 * kv) + some(variant.output_bias, width) + some(variant.ffn_bias, 2 * ffn + width);
        let norms = 2 * width + some(variant.head_norms, 2 * self.head_width() as u128);
        let ends = if self.tied { 1 } else { 2 } * vocab * width + width;
        usize::try_from(self.layers as u128 * (matrices + biases + norms) + ends).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Small and uneven: grouped heads, a head width that is no multiple of the kernels' 16.
    pub(crate) fn tiny() -> DecoderConfig {
        DecoderConfig {
            layers: 2,
            width: 24,
            heads: 4,
            kv_heads: 2,
            ffn: 40,
            vocab: 37,
            context: 64,
            rope_theta: 10000.0,
            norm_eps: 1e-5,
            tied: true,
            variant: Variant::default(),
        }
    }

    /// Every variant by itself and all of them together.
    pub(crate) fn variants() -> Vec<DecoderConfig> {
        let plain = Variant::default;
        let llama3 = RopeScaling::Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_context: 16 };
        let all = [
            Variant { head: Some(10), ..plain() },
            Variant { qkv_bias: true, ..plain() },
            Variant { qkv_bias: true, output_bias: true, ffn_bias: true, ..plain() },
            Variant { head_norms: true, head: Some(16), ..plain() },
            Variant { rope: RopeScaling::Linear { factor: 4.0 }, ..plain() },
            Variant { rope: llama3.clone(), ..plain() },
            Variant { head: Some(10), qkv_bias: true, output_bias: true, ffn_bias: true, head_norms: true, rope: llama3 },
        ];
        all.into_iter().map(|variant| DecoderConfig { variant, ..tiny() }).collect()
    }

    #[test]
    fn mistakes_are_named() {
        let message = |change: fn(&mut DecoderConfig)| {
            let mut config = tiny();
            change(&mut config);
            config.validate().map_err(|e| e.to_string()).err().unwrap_or_default()
        };
        assert!(tiny().validate().is_ok());
        assert_eq!(message(|c| c.heads = 5), "`heads` has to divide `width`, but 5 does not divide 24");
        assert_eq!(message(|c| c.kv_heads = 3), "`kv_heads` has to divide `heads`, but 3 does not divide 4");
        assert_eq!(message(|c| c.layers = 0), "`layers` is 0, it has to be between 1 and 4096");
        assert!(message(|c| c.heads = 8).contains("3 wide"));
        assert!(message(|c| c.variant.head = Some(7)).contains("7 wide"));
        assert!(message(|c| c.variant.rope = RopeScaling::Linear { factor: 0.0 }).contains("`factor`"));
        assert!(message(|c| c.norm_eps = 0.0).contains("`norm_eps`"));
        assert!(message(|c| c.rope_theta = f64::NAN).contains("`rope_theta`"));
    }
}
