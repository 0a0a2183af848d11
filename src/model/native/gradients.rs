//! Sums of parameter gradients in the shapes of [`Packed`](super::Packed).

use super::low_rank::LowRankSums;
use super::real::Real;
use super::simd::simd;
use crate::model::lora::{LoraConfig, adapter_names, sizes};
use crate::model::weights::{EMBEDDING, FINAL_NORM, Head, UNEMBEDDING, VALUE_BIAS, VALUE_WEIGHT, bias_name, layer_name};
use crate::model::{DecoderConfig, ModelError, Weights};
use candle_core::{Device, Tensor, Var};
use indexmap::IndexMap;

simd! {
    pub(crate) fn add_all<T>(sums: &mut [T], others: &[T]) {
        for (sum, other) in sums.iter_mut().zip(others) {
            *sum += *other;
        }
    }
}

/// Zeros that are written rather than promised by the system: the first touch of promised ones is a read, and then every page is mapped twice.
fn written<T: Real>(count: usize) -> Vec<T> {
    let mut zeros = Vec::with_capacity(count);
    zeros.resize(count, T::ZERO);
    zeros
}

/// Of a linear map. What is frozen has no sum: the list is empty.
pub(crate) struct MatrixSums<T> {
    pub(crate) full: Vec<T>,
    pub(crate) low: Vec<LowRankSums<T>>,
}

pub(crate) struct LayerSums<T> {
    pub(crate) attention_norm: Vec<T>,
    pub(crate) query: MatrixSums<T>,
    pub(crate) key_value: MatrixSums<T>,
    pub(crate) output: MatrixSums<T>,
    pub(crate) query_norm: Vec<T>,
    pub(crate) key_norm: Vec<T>,
    pub(crate) ffn_norm: Vec<T>,
    pub(crate) gate_up: MatrixSums<T>,
    pub(crate) down: MatrixSums<T>,
    /// Of the biases; empty where there are none. As the matrices: keys above values, gate above up.
    pub(crate) query_bias: Vec<T>,
    pub(crate) key_value_bias: Vec<T>,
    pub(crate) output_bias: Vec<T>,
    pub(crate) gate_up_bias: Vec<T>,
    pub(crate) down_bias: Vec<T>,
}

/// Below an adapter everything but the adapter is frozen.
pub(crate) struct Sums<T> {
    shape: Shape,
    pub(crate) embedding: Vec<T>,
    /// Made when a backward pass comes to them: by then it has let go of what was kept of the blocks above.
    layers: Vec<Option<LayerSums<T>>>,
    pub(crate) final_norm: Vec<T>,
    /// Of an untied head; empty when tied.
    pub(crate) head: Vec<T>,
    /// Of a value head, and of its bias.
    pub(crate) value: Vec<T>,
    pub(crate) bias: Vec<T>,
}

/// What has a sum.
#[derive(Clone)]
struct Shape {
    config: DecoderConfig,
    adapter: Option<LoraConfig>,
}

impl Shape {
    fn some<T: Real>(&self, there: bool, count: usize) -> Vec<T> {
        written(if there && self.adapter.is_none() { count } else { 0 })
    }

    fn layer<T: Real>(&self) -> LayerSums<T> {
        let (config, adapter) = (&self.config, self.adapter.as_ref());
        let (width, query, kv) = (config.width, config.query_width(), config.kv_width());
        let some = |there: bool, count: usize| self.some(there, count);
        let zeros = |count: usize| some(true, count);
        let matrix = |parts: &[&'static str]| {
            let mut sums = MatrixSums { full: Vec::new(), low: Vec::new() };
            for part in parts {
                let (outer, inner) = sizes(config, part);
                match adapter {
                    None => sums.full.resize(sums.full.len() + outer * inner, T::ZERO),
                    Some(lora) if lora.adapts(part) => sums.low.push(LowRankSums::zeros(part, outer, inner, lora.rank)),
                    Some(_) => {}
                }
            }
            sums
        };
        let variant = &config.variant;
        LayerSums {
            attention_norm: zeros(width),
            query: matrix(&["self_attn.q_proj"]),
            key_value: matrix(&["self_attn.k_proj", "self_attn.v_proj"]),
            output: matrix(&["self_attn.o_proj"]),
            query_norm: some(variant.head_norms, config.head_width()),
            key_norm: some(variant.head_norms, config.head_width()),
            ffn_norm: zeros(width),
            gate_up: matrix(&["mlp.gate_proj", "mlp.up_proj"]),
            down: matrix(&["mlp.down_proj"]),
            query_bias: some(variant.qkv_bias, query),
            key_value_bias: some(variant.qkv_bias, 2 * kv),
            output_bias: some(variant.output_bias, width),
            gate_up_bias: some(variant.ffn_bias, 2 * config.ffn),
            down_bias: some(variant.ffn_bias, width),
        }
    }
}

impl<T: Real> Sums<T> {
    /// For the parameters of `weights`, and for a value head where one is asked.
    pub(crate) fn zeros(weights: &Weights, value: bool) -> Sums<T> {
        let config = weights.config();
        let shape = Shape { config: config.clone(), adapter: weights.adapter().map(|adapter| adapter.config().clone()) };
        let (width, zeros) = (config.width, |count: usize| shape.some(true, count));
        let head = if weights.head() == Head::Vocabulary && !config.tied { config.vocab * width } else { 0 };
        let (embedding, final_norm, head) = (zeros(config.vocab * width), zeros(width), zeros(head));
        let (value, bias) = if value { (written(width), written(1)) } else { (Vec::new(), Vec::new()) };
        Sums { layers: (0..config.layers).map(|_| None).collect(), shape, embedding, final_norm, head, value, bias }
    }

    /// Of one layer.
    pub(crate) fn layer(&mut self, index: usize) -> &mut LayerSums<T> {
        self.layers[index].get_or_insert_with(|| self.shape.layer())
    }

    /// Of the matrix that makes logits: the head, or the embedding that it is tied to. Empty where that is frozen.
    pub(crate) fn unembedding(&mut self) -> &mut [T] {
        if self.head.is_empty() { &mut self.embedding } else { &mut self.head }
    }

    /// Every sum, in an order of its own.
    pub(crate) fn parts(&mut self) -> Vec<&mut Vec<T>> {
        let mut all = vec![&mut self.embedding];
        for layer in &mut self.layers {
            let layer = layer.get_or_insert_with(|| self.shape.layer());
            for matrix in [&mut layer.query, &mut layer.key_value, &mut layer.output, &mut layer.gate_up, &mut layer.down] {
                all.push(&mut matrix.full);
                all.extend(matrix.low.iter_mut().flat_map(|low| [&mut low.a, &mut low.b]));
            }
            all.extend([
                &mut layer.attention_norm,
                &mut layer.query_norm,
                &mut layer.key_norm,
                &mut layer.ffn_norm,
                &mut layer.query_bias,
                &mut layer.key_value_bias,
                &mut layer.output_bias,
                &mut layer.gate_up_bias,
                &mut layer.down_bias,
            ]);
        }
        all.extend([&mut self.final_norm, &mut self.head, &mut self.value, &mut self.bias]);
        all
    }

    #[cfg(test)]
    pub(crate) fn scalars(mut self) -> usize {
        self.parts().into_iter().map(|part| part.len()).sum()
    }

    pub(crate) fn add(&mut self, other: &mut Sums<T>) {
        for (mine, theirs) in self.parts().into_iter().zip(other.parts()) {
            add_all(mine, theirs);
        }
    }

    pub(crate) fn zeroed(mut self) -> Sums<T> {
        self.parts().into_iter().for_each(|part| part.fill(T::ZERO));
        self
    }

    /// By parameter name.
    pub(crate) fn named(self) -> IndexMap<String, Vec<T>> {
        let mut found: IndexMap<String, Vec<T>> = IndexMap::new();
        found.insert(EMBEDDING.to_string(), self.embedding);
        for (i, layer) in self.layers.into_iter().enumerate() {
            let mut layer = layer.unwrap_or_else(|| self.shape.layer());
            let values = layer.key_value.full.split_off(layer.key_value.full.len() / 2);
            let up = layer.gate_up.full.split_off(layer.gate_up.full.len() / 2);
            let value_bias = layer.key_value_bias.split_off(layer.key_value_bias.len() / 2);
            let up_bias = layer.gate_up_bias.split_off(layer.gate_up_bias.len() / 2);
            for (part, sum) in [
                ("input_layernorm", layer.attention_norm),
                ("self_attn.q_proj", layer.query.full),
                ("self_attn.k_proj", layer.key_value.full),
                ("self_attn.v_proj", values),
                ("self_attn.o_proj", layer.output.full),
                ("self_attn.q_norm", layer.query_norm),
                ("self_attn.k_norm", layer.key_norm),
                ("post_attention_layernorm", layer.ffn_norm),
                ("mlp.gate_proj", layer.gate_up.full),
                ("mlp.up_proj", up),
                ("mlp.down_proj", layer.down.full),
            ] {
                found.insert(layer_name(i, part), sum);
            }
            for (part, sum) in [
                ("self_attn.q_proj", layer.query_bias),
                ("self_attn.k_proj", layer.key_value_bias),
                ("self_attn.v_proj", value_bias),
                ("self_attn.o_proj", layer.output_bias),
                ("mlp.gate_proj", layer.gate_up_bias),
                ("mlp.up_proj", up_bias),
                ("mlp.down_proj", layer.down_bias),
            ] {
                found.insert(bias_name(i, part), sum);
            }
            for low in [layer.query.low, layer.key_value.low, layer.output.low, layer.gate_up.low, layer.down.low].into_iter().flatten() {
                let [a, b] = adapter_names(i, low.part);
                found.extend([(a, low.a), (b, low.b)]);
            }
        }
        found.insert(FINAL_NORM.to_string(), self.final_norm);
        found.insert(UNEMBEDDING.to_string(), self.head);
        found.insert(VALUE_WEIGHT.to_string(), self.value);
        found.insert(VALUE_BIAS.to_string(), self.bias);
        found
    }
}

/// The sums of what `weights` trains, taken out of all, in the order of the parameters.
pub(crate) fn take<T: Real>(named: &mut IndexMap<String, Vec<T>>, weights: &Weights) -> Result<IndexMap<String, Tensor>, ModelError> {
    let own = |(name, var): (&String, &Var)| {
        Ok((name.clone(), Tensor::from_vec(named.swap_remove(name).unwrap_or_default(), var.dims(), &Device::Cpu)?))
    };
    weights.trained().iter().map(own).collect()
}
