//! Keys and values of all tokens of a forest, layer by layer, or their gradients.

use super::pass::zeros;
use super::real::Real;
use crate::model::DecoderConfig;

/// One layer: of each key head all tokens in one piece, so that heads can be worked on side by side.
pub(crate) struct LayerPast<T> {
    /// `[kv heads, tokens, 2 head]`: of each token a key, then a value.
    numbers: Vec<T>,
    /// Numbers of one key head of all tokens.
    stride: usize,
    head: usize,
}

pub(crate) struct Past<T> {
    pub(crate) layers: Vec<LayerPast<T>>,
}

impl<T: Real> Past<T> {
    pub(crate) fn of(config: &DecoderConfig, tokens: usize) -> Past<T> {
        let (head, stride) = (config.head_width(), tokens * 2 * config.head_width());
        let layer = || LayerPast { numbers: zeros(config.kv_heads * stride), stride, head };
        Past { layers: (0..config.layers).map(|_| layer()).collect() }
    }
}

impl<T: Real> LayerPast<T> {
    /// Lets go of its memory.
    pub(crate) fn clear(&mut self) {
        self.numbers = Vec::new();
    }

    /// One key head.
    pub(crate) fn head(&self, index: usize) -> &[T] {
        &self.numbers[index * self.stride..(index + 1) * self.stride]
    }

    /// Every key head.
    pub(crate) fn heads_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        self.numbers.chunks_exact_mut(self.stride.max(1))
    }

    /// Puts rows `[keys, values]` of all heads in their places, from the token `first` on.
    pub(crate) fn put(&mut self, rows: &[T], first: usize) {
        let head = self.head;
        let width = self.numbers.len() / self.stride.max(1) * head;
        for (index, numbers) in self.numbers.chunks_exact_mut(self.stride.max(1)).enumerate() {
            for (row, token) in rows.chunks_exact(2 * width).zip(numbers[first * 2 * head..].chunks_exact_mut(2 * head)) {
                token[..head].copy_from_slice(&row[index * head..][..head]);
                token[head..].copy_from_slice(&row[width + index * head..][..head]);
            }
        }
    }

    /// The rows `[keys, values]` of `tokens` tokens from `first` on.
    pub(crate) fn rows(&self, first: usize, tokens: usize) -> Vec<T> {
        let head = self.head;
        let width = self.numbers.len() / self.stride.max(1) * head;
        let mut rows = zeros(tokens * 2 * width);
        for (index, numbers) in self.numbers.chunks_exact(self.stride.max(1)).enumerate() {
            for (row, token) in rows.chunks_exact_mut(2 * width).zip(numbers[first * 2 * head..].chunks_exact(2 * head)) {
                row[index * head..][..head].copy_from_slice(&token[..head]);
                row[width + index * head..][..head].copy_from_slice(&token[head..]);
            }
        }
        rows
    }
}

/// Scalars of a token.
pub(crate) fn width(config: &DecoderConfig) -> usize {
    config.layers * 2 * config.kv_width()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::config::tests::tiny;

    #[test]
    fn what_is_put_comes_back() {
        let config = tiny();
        let mut past = Past::<f32>::of(&config, 5);
        let rows: Vec<f32> = (0..3 * 2 * config.kv_width()).map(|i| i as f32).collect();
        past.layers[1].put(&rows, 2);
        assert_eq!(past.layers[1].rows(2, 3), rows);
        let (head, width) = (config.head_width(), config.kv_width());
        let last = &past.layers[1].head(config.kv_heads - 1)[2 * 2 * head..][..2 * head];
        assert_eq!(last[..head], rows[width - head..width]);
        assert_eq!(last[head..], rows[2 * width - head..2 * width]);
    }
}
