//! The parameters of a model as the kernels want them: a read-only copy in groups of 16 columns.

use super::elementwise::{Rope, add_rows};
use super::low_rank::{LowRank, merge};
use super::matmul::{Left, Right, Write, group_rows, multiply, turn_groups};
use super::real::Real;
use super::simd::LANES;
use super::team::Team;
use crate::model::lora::{adapter_names, sizes};
use crate::model::threads::parallel;
use crate::model::weights::{EMBEDDING, FINAL_NORM, Head, UNEMBEDDING, bias_name, layer_name};
use crate::model::{DecoderConfig, ModelError, Weights};
use candle_core::{Storage, Var};
use indexmap::IndexMap;
use std::ops::Range;
use std::sync::Arc;

/// Columns that are turned at a time.
const TURNED: usize = 2 * LANES;

/// Parts of a matrix for each thread from which on the threads have about the same to do.
const FAIR: usize = 4;

/// A linear map `[outer, inner]`. Copies share their numbers.
#[derive(Clone, Debug)]
pub(crate) struct Linear<T> {
    pub(crate) inner: usize,
    pub(crate) outer: usize,
    /// In groups of 16 rows. For the backward product a few columns at a time are turned: a second copy would cost as much memory as the model.
    forward: Arc<Vec<T>>,
    /// Empty where there is none.
    bias: Arc<Vec<T>>,
    /// Adapters, which the numbers above have in them already; for their gradients.
    pub(crate) low: Arc<Vec<LowRank<T>>>,
}

impl<T: Real> Linear<T> {
    fn new(matrix: &[T], outer: usize, inner: usize) -> Linear<T> {
        Linear { inner, outer, forward: Arc::new(group_rows(matrix, outer, inner)), bias: Arc::default(), low: Arc::default() }
    }

    /// Whether two maps are the same numbers in the same place.
    #[cfg(test)]
    pub(crate) fn shares(&self, other: &Linear<T>) -> bool {
        Arc::ptr_eq(&self.forward, &other.forward)
    }

    /// `y[rows, outer] = x[rows, inner] · Wᵀ + bias`, or added to it.
    pub(crate) fn apply(&self, x: &[T], y: &mut [T], write: Write, team: Team) {
        let right = Right { data: &self.forward, row: LANES, group: self.inner * LANES };
        team.rows(y, self.outer, self.inner * self.outer, |first, y| {
            let (rows, x) = (y.len() / self.outer, Left { data: &x[first * self.inner..], stride: self.inner });
            multiply(x, rows, self.inner, right, self.outer, y, self.outer, write);
            if !self.bias.is_empty() {
                add_rows(y, &self.bias);
            }
        });
    }

    /// `dx[rows, inner] = dy[rows, outer] · W`, or added to it.
    pub(crate) fn pull(&self, dy: &[T], dx: &mut [T], write: Write, team: Team) {
        let (rows, cost) = (dx.len() / self.inner, self.inner * self.outer);
        let panels = self.inner.div_ceil(TURNED);
        let parts = team.parts(panels, rows * cost);
        if parts.len() == 1 {
            self.pull_columns(dy, 0..self.inner, dx, self.inner, write);
        } else if panels < FAIR * parts.len() {
            team.rows(dx, self.inner, cost, |from, dx| {
                self.pull_columns(&dy[from * self.outer..][..dx.len() / self.inner * self.outer], 0..self.inner, dx, self.inner, write);
            });
        } else {
            // By columns, so that each is turned once.
            let made = team.each(parts, usize::MAX, |part| {
                let columns = part.start * TURNED..self.inner.min(part.end * TURNED);
                let mut block = vec![T::ZERO; rows * columns.len()];
                self.pull_columns(dy, columns.clone(), &mut block, columns.len(), Write::Set);
                (columns, block)
            });
            for (columns, block) in made {
                for (dx, block) in dx.chunks_exact_mut(self.inner).zip(block.chunks_exact(columns.len())) {
                    let dx = &mut dx[columns.clone()];
                    match write {
                        Write::Set => dx.copy_from_slice(block),
                        Write::Add => dx.iter_mut().zip(block).for_each(|(dx, part)| *dx += *part),
                    }
                }
            }
        }
    }

    /// Some columns of [`Linear::pull`], to rows `stride` apart.
    fn pull_columns(&self, dy: &[T], columns: Range<usize>, out: &mut [T], stride: usize, write: Write) {
        let (rows, dy) = (dy.len() / self.outer, Left { data: dy, stride: self.outer });
        if rows == 0 {
            return;
        }
        let mut panel = vec![T::ZERO; TURNED * self.outer];
        for first in columns.clone().step_by(TURNED) {
            let count = TURNED.min(columns.end - first);
            turn_groups(&self.forward, self.outer, self.inner, first..first + count, &mut panel);
            let right = Right { data: &panel, row: LANES, group: self.outer * LANES };
            multiply(dy, rows, self.outer, right, count, &mut out[first - columns.start..], stride, write);
        }
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

#[derive(Clone, Debug)]
pub(crate) enum Top<T> {
    Vocabulary {
        /// `[vocab, width]` as stored, for logits of a few tokens; empty when tied (then it is the embedding).
        rows: Arc<Vec<T>>,
        linear: Linear<T>,
    },
    /// Nothing: a critic's estimate is made by its value head.
    None,
}

#[derive(Debug)]
pub(crate) struct Packed<T> {
    pub(crate) config: DecoderConfig,
    pub(crate) embedding: Arc<Vec<T>>,
    pub(crate) layers: Vec<Layer<T>>,
    pub(crate) final_norm: Vec<T>,
    pub(crate) top: Top<T>,
    pub(crate) rope: Arc<Rope<T>>,
    backward: bool,
}

impl<T: Real> Packed<T> {
    /// What is frozen is shared with `before`, an earlier packing of the same weights.
    pub(crate) fn new(weights: &Weights, backward: bool, before: Option<&Packed<T>>, threads: usize) -> Result<Packed<T>, ModelError> {
        let config = weights.config().clone();
        let rope = before.map(|before| before.rope.clone());
        let rope = rope.unwrap_or_else(|| Arc::new(Rope::new(config.context, &config.rope_periods())));
        let before = before.filter(|_| weights.adapter().is_some());
        let backward = backward || before.is_some_and(Packed::has_backward);
        let packer = Packer { weights, backward };
        let variant = &config.variant;
        let layers = parallel(config.layers, threads, |layer| -> Result<Layer<T>, ModelError> {
            let old = before.map(|before| &before.layers[layer]);
            let part = |name: &str| values::<T>(weights, &layer_name(layer, name));
            let gain = |name: &str| if variant.head_norms { part(name) } else { Ok(Vec::new()) };
            let linear = |parts: &[&'static str], bias, old| packer.linear(layer, parts, bias, old);
            Ok(Layer {
                attention_norm: part("input_layernorm")?,
                query: linear(&["self_attn.q_proj"], variant.qkv_bias, old.map(|l| &l.query))?,
                key_value: linear(&["self_attn.k_proj", "self_attn.v_proj"], variant.qkv_bias, old.map(|l| &l.key_value))?,
                output: linear(&["self_attn.o_proj"], variant.output_bias, old.map(|l| &l.output))?,
                query_norm: gain("self_attn.q_norm")?,
                key_norm: gain("self_attn.k_norm")?,
                ffn_norm: part("post_attention_layernorm")?,
                gate_up: linear(&["mlp.gate_proj", "mlp.up_proj"], variant.ffn_bias, old.map(|l| &l.gate_up))?,
                down: linear(&["mlp.down_proj"], variant.ffn_bias, old.map(|l| &l.down))?,
            })
        });
        let layers = layers.into_iter().collect::<Result<_, _>>()?;
        let (embedding, top) = match before {
            Some(before) => (before.embedding.clone(), before.top.clone()),
            None => {
                let embedding = Arc::new(values::<T>(weights, EMBEDDING)?);
                let top = packer.top(&embedding)?;
                (embedding, top)
            }
        };
        Ok(Packed { embedding, layers, final_norm: values::<T>(weights, FINAL_NORM)?, top, rope, backward, config })
    }

    pub(crate) fn has_backward(&self) -> bool {
        self.backward
    }
}

struct Packer<'a> {
    weights: &'a Weights,
    backward: bool,
}

impl Packer<'_> {
    /// One map of a block, of several matrices stacked.
    fn linear<T: Real>(
        &self,
        layer: usize,
        parts: &[&'static str],
        biased: bool,
        before: Option<&Linear<T>>,
    ) -> Result<Linear<T>, ModelError> {
        let weights = self.weights;
        let frozen = weights.adapter().is_some_and(|adapter| !parts.iter().any(|part| adapter.config().adapts(part)));
        if let Some(before) = before.filter(|_| frozen) {
            return Ok(before.clone());
        }
        let (mut outer, mut inner, mut low) = (0, 0, Vec::new());
        for part in parts {
            if self.backward {
                low.extend(weights.low_rank(layer, part, outer)?);
            }
            let sizes = sizes(weights.config(), part);
            (outer, inner) = (outer + sizes.0, sizes.1);
        }
        let mut stacked = Vec::with_capacity(outer * inner);
        for part in parts {
            add_matrix(weights, layer, part, &mut stacked)?;
        }
        let mut linear = Linear::new(&stacked, outer, inner);
        linear.low = Arc::new(low);
        if biased {
            let all: Result<Vec<Vec<T>>, _> = parts.iter().map(|part| values(weights, &bias_name(layer, part))).collect();
            linear.bias = Arc::new(all?.concat());
        }
        Ok(linear)
    }

    fn top<T: Real>(&self, embedding: &[T]) -> Result<Top<T>, ModelError> {
        let (weights, config) = (self.weights, self.weights.config());
        let linear = |rows: &[T]| Linear::new(rows, config.vocab, config.width);
        Ok(match weights.head() {
            Head::Vocabulary if config.tied => Top::Vocabulary { rows: Arc::default(), linear: linear(embedding) },
            Head::Vocabulary => {
                let rows = values::<T>(weights, UNEMBEDDING)?;
                Top::Vocabulary { linear: linear(&rows), rows: Arc::new(rows) }
            }
            Head::Value => Top::None,
        })
    }
}

/// A matrix of a block as it acts: with its adapter, where it has one.
pub(crate) fn matrix<T: Real>(weights: &Weights, layer: usize, part: &str) -> Result<Vec<T>, ModelError> {
    let mut matrix = Vec::new();
    add_matrix(weights, layer, part, &mut matrix)?;
    Ok(matrix)
}

fn add_matrix<T: Real>(weights: &Weights, layer: usize, part: &str, out: &mut Vec<T>) -> Result<(), ModelError> {
    let from = out.len();
    add_variable(weights.variables(), &layer_name(layer, part), out)?;
    if let Some(adapter) = weights.adapter().filter(|a| a.config().adapts(part)) {
        let (outer, inner) = sizes(weights.config(), part);
        let [a, b] = adapter_names(layer, part);
        let (a, b) = (variable::<T>(&adapter.variables, &a)?, variable::<T>(&adapter.variables, &b)?);
        merge(&mut out[from..], &a, &b, adapter.config().scale(), outer, inner, adapter.config().rank);
    }
    Ok(())
}

/// A parameter's values, copied out of its storage.
fn values<T: Real>(weights: &Weights, name: &str) -> Result<Vec<T>, ModelError> {
    variable(weights.variables(), name)
}

pub(crate) fn variable<T: Real>(variables: &IndexMap<String, Var>, name: &str) -> Result<Vec<T>, ModelError> {
    let mut values = Vec::new();
    add_variable(variables, name, &mut values)?;
    Ok(values)
}

fn add_variable<T: Real>(variables: &IndexMap<String, Var>, name: &str, out: &mut Vec<T>) -> Result<(), ModelError> {
    let Some(var) = variables.get(name) else {
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
    out.extend_from_slice(&T::cpu_storage_as_slice(storage)?[from..to]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, step: f64) -> Vec<f32> {
        (0..count).map(|i| (i as f64 * step).sin() as f32).collect()
    }

    #[test]
    fn a_backward_product_is_the_same_by_rows_by_columns_and_alone() {
        // Columns for 40 panels, not a whole one at the end, and for a single one.
        for inner in [40 * TURNED - 5, 7] {
            let (rows, outer) = (66, 48);
            let linear = Linear::new(&numbers(outer * inner, 0.3), outer, inner);
            let dy = numbers(rows * outer, 0.7);
            for write in [Write::Set, Write::Add] {
                let made = |threads| {
                    let mut dx = numbers(rows * inner, 0.9);
                    linear.pull(&dy, &mut dx, write, Team::of(threads, 1));
                    dx
                };
                let alone = made(1);
                let first: f32 = (0..outer).map(|o| dy[o] * (o as f64 * inner as f64 * 0.3).sin() as f32).sum();
                assert!((alone[0] - if write == Write::Add { numbers(1, 0.9)[0] } else { 0.0 } - first).abs() < 1e-4);
                for threads in [2, 3, 16] {
                    assert!(made(threads) == alone, "{threads} threads");
                }
            }
        }
    }
}
