//! Sums of parameter gradients in the shapes of [`Packed`](super::Packed).

use super::real::Real;
use crate::model::weights::{EMBEDDING, FINAL_NORM, Head, UNEMBEDDING, VALUE_BIAS, VALUE_WEIGHT, layer_name};
use crate::model::{ModelError, Weights};
use candle_core::{Device, Tensor};
use indexmap::IndexMap;

pub(crate) struct LayerSums<T> {
    pub(crate) attention_norm: Vec<T>,
    pub(crate) query: Vec<T>,
    pub(crate) key_value: Vec<T>,
    pub(crate) output: Vec<T>,
    pub(crate) ffn_norm: Vec<T>,
    pub(crate) gate_up: Vec<T>,
    pub(crate) down: Vec<T>,
}

pub(crate) struct Sums<T> {
    pub(crate) embedding: Vec<T>,
    pub(crate) layers: Vec<LayerSums<T>>,
    pub(crate) final_norm: Vec<T>,
    /// Of an untied head, or of the value head; empty when tied.
    pub(crate) head: Vec<T>,
    pub(crate) bias: Vec<T>,
}

impl<T: Real> Sums<T> {
    pub(crate) fn zeros(weights: &Weights) -> Sums<T> {
        let config = weights.config();
        let (width, ffn, kv) = (config.width, config.ffn, config.kv_width());
        let zeros = |count: usize| vec![T::ZERO; count];
        let layers = (0..config.layers)
            .map(|_| LayerSums {
                attention_norm: zeros(width),
                query: zeros(width * width),
                key_value: zeros(2 * kv * width),
                output: zeros(width * width),
                ffn_norm: zeros(width),
                gate_up: zeros(2 * ffn * width),
                down: zeros(ffn * width),
            })
            .collect();
        let (head, bias) = match weights.head() {
            Head::Vocabulary if config.tied => (0, 0),
            Head::Vocabulary => (config.vocab * width, 0),
            Head::Value => (width, 1),
        };
        Sums { embedding: zeros(config.vocab * width), layers, final_norm: zeros(width), head: zeros(head), bias: zeros(bias) }
    }

    fn parts(&mut self) -> Vec<&mut Vec<T>> {
        let mut all = vec![&mut self.embedding];
        for layer in &mut self.layers {
            all.extend([
                &mut layer.attention_norm,
                &mut layer.query,
                &mut layer.key_value,
                &mut layer.output,
                &mut layer.ffn_norm,
                &mut layer.gate_up,
                &mut layer.down,
            ]);
        }
        all.extend([&mut self.final_norm, &mut self.head, &mut self.bias]);
        all
    }

    pub(crate) fn add(&mut self, mut other: Sums<T>) {
        for (mine, theirs) in self.parts().into_iter().zip(other.parts()) {
            for (a, b) in mine.iter_mut().zip(theirs) {
                *a += *b;
            }
        }
    }

    /// By parameter name, in the order of the weights.
    pub(crate) fn named(self, weights: &Weights) -> Result<IndexMap<String, Tensor>, ModelError> {
        let mut found: IndexMap<String, Vec<T>> = IndexMap::new();
        found.insert(EMBEDDING.to_string(), self.embedding);
        for (i, mut layer) in self.layers.into_iter().enumerate() {
            let values = layer.key_value.split_off(layer.key_value.len() / 2);
            let up = layer.gate_up.split_off(layer.gate_up.len() / 2);
            for (part, sum) in [
                ("input_layernorm", layer.attention_norm),
                ("self_attn.q_proj", layer.query),
                ("self_attn.k_proj", layer.key_value),
                ("self_attn.v_proj", values),
                ("self_attn.o_proj", layer.output),
                ("post_attention_layernorm", layer.ffn_norm),
                ("mlp.gate_proj", layer.gate_up),
                ("mlp.up_proj", up),
                ("mlp.down_proj", layer.down),
            ] {
                found.insert(layer_name(i, part), sum);
            }
        }
        found.insert(FINAL_NORM.to_string(), self.final_norm);
        let head = if weights.head() == Head::Value { VALUE_WEIGHT } else { UNEMBEDDING };
        found.insert(head.to_string(), self.head);
        found.insert(VALUE_BIAS.to_string(), self.bias);
        let mut named = IndexMap::new();
        for (name, var) in weights.variables() {
            let sum = found.swap_remove(name).unwrap_or_default();
            named.insert(name.clone(), Tensor::from_vec(sum, var.dims(), &Device::Cpu)?);
        }
        Ok(named)
    }
}
