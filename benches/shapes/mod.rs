//! Shapes of models that several benchmarks measure.

use epo::model::{DecoderConfig, Variant};

/// SmolLM2-135M.
pub(crate) fn smollm2() -> DecoderConfig {
    DecoderConfig {
        layers: 30,
        width: 576,
        heads: 9,
        kv_heads: 3,
        ffn: 1536,
        vocab: 49152,
        context: 8192,
        rope_theta: 100_000.0,
        norm_eps: 1e-5,
        tied: true,
        variant: Variant::default(),
    }
}
