//! The parameters of a model as the kernels want them: a read-only copy in groups of 16 columns.

use super::elementwise::{Rope, add_rows};
use super::matmul::{Left, Right, Write, group_columns, group_rows, multiply};
use super::real::Real;
use super::simd::LANES;
use crate::model::weights::{EMBEDDING, FINAL_NORM, Head, UNEMBEDDING, VALUE_BIAS, VALUE_WEIGHT, bias_name, layer_name};
use crate::model::{DecoderConfig, ModelError, Weights};
use candle_core::Storage;

/// A linear map `[outer, inner]`.
#[derive(Debug)]
pub(crate) struct Linear<T> {
    pub(crate) inner: usize,
    pub(crate) outer: usize,
    forward: Vec<T>,
    backward: Vec<T>,
    /// Empty where there is none.
    bias: Vec<T>,
}

impl<T: Real> Linear<T> {
    fn new(matrix: &[T], outer: usize, inner: usize, backward: bool) -> Linear<T> {
        let backward = if backward { group_columns(matrix, outer, inner) } else { Vec::new() };
        Linear { inner, outer, forward: group_rows(matrix, outer, inner), backward, bias: Vec::new() }
    }

    fn with_bias(mut self, bias: Vec<T>) -> Linear<T> {
        self.bias = bias;
        self
    }

    /// `y[rows, outer] = x[rows, inner] · Wᵀ + bias`, or added to it.
    pub(crate) fn apply(&self, x: &[T], rows: usize, y: &mut [T], write: Write) {
        let right = Right { data: &self.forward, row: LANES, group: self.inner * LANES };
        multiply(Left { data: x, stride: self.inner }, rows, self.inner, right, self.outer, y, self.outer, write);
        if !self.bias.is_empty() {
            add_rows(y, &self.bias);
        }
    }

    /// `dx[rows, inner] = dy[rows, outer] · W`, or added to it.
    pub(crate) fn pull(&self, dy: &[T], rows: usize, dx: &mut [T], write: Write) {
        let right = Right { data: &self.backward, row: LANES, group: self.outer * LANES };
        multiply(Left { data: dy, stride: self.outer }, rows, self.outer, right, self.inner, dx, self.inner, write);
    }
}

#[derive(Debug)]
pub(crate) struct Layer<T> {
    pub(crate) attention_norm: Vec<T>,
    pub(crate) query: Linear<T>,
    /// Keys above values.
    pub(crate) key_value: Linear<T>,
    pub(crate) output: Linear<T>,
    /// Gains of the norms over each head of queries and keys; empty where there are none.
    pub(crate) query_norm: Vec<T>,
    pub(crate) key_norm: Vec<T>,
    pub(crate) ffn_norm: Vec<T>,
    /// Gate above up.
    pub(crate) gate_up: Linear<T>,
    pub(crate) down: Linear<T>,
}

#[derive(Debug)]
pub(crate) enum Top<T> {
    Vocabulary {
        /// `[vocab, width]` as stored, for logits of a few tokens; empty when tied (then it is the embedding).
        rows: Vec<T>,
        linear: Linear<T>,
    },
    Value {
        weight: Vec<T>,
        bias: T,
    },
}

#[derive(Debug)]
pub(crate) struct Packed<T> {
    pub(crate) config: DecoderConfig,
    pub(crate) embedding: Vec<T>,
    pub(crate) layers: Vec<Layer<T>>,
    pub(crate) final_norm: Vec<T>,
    pub(crate) top: Top<T>,
    pub(crate) rope: Rope<T>,
    backward: bool,
}

impl<T: Real> Packed<T> {
    pub(crate) fn new(weights: &Weights, backward: bool) -> Result<Packed<T>, ModelError> {
        let config = weights.config().clone();
        let (width, ffn, query, kv) = (config.width, config.ffn, config.query_width(), config.kv_width());
        let mut layers = Vec::with_capacity(config.layers);
        for layer in 0..config.layers {
            let part = |name: &str| values::<T>(weights, &layer_name(layer, name));
            let linear = |matrix: &[T], outer, inner| Linear::new(matrix, outer, inner, backward);
            let stacked = |a: &str, b: &str| -> Result<Vec<T>, ModelError> { Ok([part(a)?, part(b)?].concat()) };
            let variant = &config.variant;
            let biases = |there: bool, parts: &[&str]| -> Result<Vec<T>, ModelError> {
                let parts = if there { parts } else { &[] };
                parts.iter().map(|name| values(weights, &bias_name(layer, name))).collect::<Result<Vec<_>, _>>().map(|all| all.concat())
            };
            let gain = |name: &str| if variant.head_norms { part(name) } else { Ok(Vec::new()) };
            layers.push(Layer {
                attention_norm: part("input_layernorm")?,
                query: linear(&part("self_attn.q_proj")?, query, width).with_bias(biases(variant.qkv_bias, &["self_attn.q_proj"])?),
                key_value: linear(&stacked("self_attn.k_proj", "self_attn.v_proj")?, 2 * kv, width)
                    .with_bias(biases(variant.qkv_bias, &["self_attn.k_proj", "self_attn.v_proj"])?),
                output: linear(&part("self_attn.o_proj")?, width, query).with_bias(biases(variant.output_bias, &["self_attn.o_proj"])?),
                query_norm: gain("self_attn.q_norm")?,
                key_norm: gain("self_attn.k_norm")?,
                ffn_norm: part("post_attention_layernorm")?,
                gate_up: linear(&stacked("mlp.gate_proj", "mlp.up_proj")?, 2 * ffn, width)
                    .with_bias(biases(variant.ffn_bias, &["mlp.gate_proj", "mlp.up_proj"])?),
                down: linear(&part("mlp.down_proj")?, width, ffn).with_bias(biases(variant.ffn_bias, &["mlp.down_proj"])?),
            });
        }
        let embedding = values::<T>(weights, EMBEDDING)?;
        let top = match weights.head() {
            Head::Vocabulary if config.tied => {
                Top::Vocabulary { rows: Vec::new(), linear: Linear::new(&embedding, config.vocab, width, backward) }
            }
            Head::Vocabulary => {
                let rows = values::<T>(weights, UNEMBEDDING)?;
                Top::Vocabulary { linear: Linear::new(&rows, config.vocab, width, backward), rows }
            }
            Head::Value => {
                let bias = values::<T>(weights, VALUE_BIAS)?.first().copied().unwrap_or_default();
                Top::Value { weight: values::<T>(weights, VALUE_WEIGHT)?, bias }
            }
        };
        let rope = Rope::new(config.context, &config.rope_periods());
        Ok(Packed { embedding, layers, final_norm: values::<T>(weights, FINAL_NORM)?, top, rope, backward, config })
    }

    pub(crate) fn has_backward(&self) -> bool {
        self.backward
    }
}

/// A parameter's values, copied out of its storage.
fn values<T: Real>(weights: &Weights, name: &str) -> Result<Vec<T>, ModelError> {
    let Some(var) = weights.variables().get(name) else {
        return Err(ModelError::input(format!("the model has no parameter `{name}`")));
    };
    let tensor = var.as_detached_tensor();
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else {
        return Err(ModelError::input(format!("`{name}` is not in the memory of the CPU")));
    };
    let Some((from, to)) = layout.contiguous_offsets() else {
        return Err(ModelError::input(format!("`{name}` is not contiguous")));
    };
    Ok(T::cpu_storage_as_slice(storage)?[from..to].to_vec())
}
