//! Keys and values of all tokens of a forest, layer by layer, or their gradients.

use super::pass::zeros;
use super::real::Real;
use crate::model::DecoderConfig;

pub(crate) struct Past<T> {
    /// `[tokens, 2 kv]` each: keys, then values, of one token after the other.
    pub(crate) layers: Vec<Vec<T>>,
}

impl<T: Real> Past<T> {
    pub(crate) fn of(config: &DecoderConfig, tokens: usize) -> Past<T> {
        Past { layers: (0..config.layers).map(|_| zeros(tokens * 2 * config.kv_width())).collect() }
    }
}

/// Scalars of a token.
pub(crate) fn width(config: &DecoderConfig) -> usize {
    config.layers * 2 * config.kv_width()
}
