//! Shapes of models, and of what they are given, that several benchmarks measure.

#![allow(dead_code, reason = "not every benchmark needs all")]

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

/// Ids that look random.
pub(crate) fn ids(row: usize, length: usize) -> Vec<u32> {
    let mixed = |i: usize| (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (0..length).map(|t| 3 + ((mixed(row * 10_000 + t) >> 20) % 49_000) as u32).collect()
}
