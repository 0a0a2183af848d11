//! The decoder in candle's own operations, differentiable by candle: the reference that the CPU kernels are tested
//! against, and what runs on other devices.
//!
//! Only operations with a backward pass are used; candle's fused softmax, norm and rope have none and would cut the graph in silence.

use super::engine::Ask;
use super::figure::{Figure, Other};
use super::forest::{Forest, Placed};
use super::frozen::product;
use super::lora::adapter_names;
use super::memory::fits_activations;
use super::native::pass::{Keep, Pass};
use super::native::past;
use super::weights::{EMBEDDING, FINAL_NORM, UNEMBEDDING, VALUE_BIAS, VALUE_WEIGHT, bias_name, layer_name};
use super::{ModelError, Target, Weights};
use candle_core::{D, DType, Device, Tensor, Var};
use std::ops::Range;

/// Below every logit; finite, so that its product with probability 0 is 0.
pub(super) const FORBIDDEN: f64 = -1e9;

/// Below what may not stand in a place.
const TAKEN: f64 = -1e30;

/// Whether operations are recorded for a backward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Graph {
    Recorded,
    Free,
}

#[derive(Clone, Copy)]
pub(super) struct Parameters<'a> {
    pub(super) weights: &'a Weights,
    pub(super) graph: Graph,
}

impl Parameters<'_> {
    pub(super) fn get(&self, name: &str) -> Result<Tensor, ModelError> {
        let var = self.weights.variables().get(name).ok_or_else(|| ModelError::input(format!("the model has no parameter `{name}`")))?;
        Ok(self.seen(var, self.weights.adapter().is_none()))
    }

    fn seen(&self, var: &Var, trained: bool) -> Tensor {
        match self.graph {
            Graph::Recorded if trained => var.as_tensor().clone(),
            _ => var.as_detached_tensor(),
        }
    }

    /// What an adapter adds to the product of one matrix of a block.
    fn adapted(&self, x: &Tensor, layer: usize, part: &str) -> Result<Option<Tensor>, ModelError> {
        let Some(adapter) = self.weights.adapter().filter(|a| a.config().adapts(part)) else { return Ok(None) };
        let [a, b] = adapter_names(layer, part).map(|name| self.seen(&adapter.variables[&name], true));
        Ok(Some((linear(&linear(x, &a)?, &b)? * adapter.config().scale())?))
    }

    /// One matrix of a block, with its bias and its adapter.
    fn apply(&self, x: &Tensor, layer: usize, name: &str, bias: bool) -> Result<Tensor, ModelError> {
        let y = linear(x, &self.get(&layer_name(layer, name))?)?;
        let y = match self.adapted(x, layer, name)? {
            Some(more) => (y + more)?,
            None => y,
        };
        Ok(if bias { y.broadcast_add(&self.get(&bias_name(layer, name))?)? } else { y })
    }

    /// The matrix that makes logits.
    pub(super) fn head(&self) -> Result<Tensor, ModelError> {
        self.get(if self.weights.config().tied { EMBEDDING } else { UNEMBEDDING })
    }
}

/// x · Wᵀ for `x[…, inner]`; `weight` has a gradient if the graph knows it.
pub(super) fn linear(x: &Tensor, weight: &Tensor) -> candle_core::Result<Tensor> {
    let (outer, inner) = weight.dims2()?;
    let mut shape = x.dims().to_vec();
    let rows = x.elem_count() / inner;
    if let Some(last) = shape.last_mut() {
        *last = outer;
    }
    let x = x.reshape((rows, inner))?;
    let product = if weight.track_op() { x.matmul(&weight.t()?)? } else { product(&x.contiguous()?, weight)? };
    product.reshape(shape)
}

/// Halves are too short for sums over many elements: those are taken in 32 bits.
pub(super) fn long(x: &Tensor) -> candle_core::Result<Tensor> {
    if matches!(x.dtype(), DType::BF16 | DType::F16) { x.to_dtype(DType::F32) } else { Ok(x.clone()) }
}

pub(super) fn rms_norm(x: &Tensor, gain: &Tensor, eps: f64) -> candle_core::Result<Tensor> {
    let wide = long(x)?;
    let size = (wide.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?;
    wide.broadcast_div(&size)?.to_dtype(x.dtype())?.broadcast_mul(gain)
}

/// Shares of scores, over the last dimension.
pub(super) fn softmax(scores: &Tensor) -> candle_core::Result<Tensor> {
    candle_nn::ops::softmax(&long(scores)?, D::Minus1)?.to_dtype(scores.dtype())
}

/// `x[batch, heads, length, head]` turned by `cos`, `sin` of `[length, head / 2]`.
fn rope(x: &Tensor, cos: &Tensor, sin: &Tensor) -> candle_core::Result<Tensor> {
    let half = x.dim(D::Minus1)? / 2;
    let (a, b) = (x.narrow(D::Minus1, 0, half)?, x.narrow(D::Minus1, half, half)?);
    let low = (a.broadcast_mul(cos)? - b.broadcast_mul(sin)?)?;
    let high = (b.broadcast_mul(cos)? + a.broadcast_mul(sin)?)?;
    Tensor::cat(&[low, high], D::Minus1)
}

/// Queries `[rows, heads, length, head]`, keys and values `[rows, kv heads, length, head]`, turned.
pub(super) struct Heads {
    pub(super) q: Tensor,
    pub(super) k: Tensor,
    pub(super) v: Tensor,
}

/// One block over `x[rows, length, width]`; `turn` are the cosines and sines of the positions, and `attend` gives `[rows, heads, length, head]`.
pub(super) fn block(
    parameters: &Parameters,
    layer: usize,
    x: &Tensor,
    turn: (&Tensor, &Tensor),
    attend: impl FnOnce(Heads) -> candle_core::Result<Tensor>,
) -> Result<Tensor, ModelError> {
    let config = parameters.weights.config();
    let (heads, kv_heads, head, variant) = (config.heads, config.kv_heads, config.head_width(), &config.variant);
    let (rows, length, _) = x.dims3()?;
    let part = |name: &str| parameters.get(&layer_name(layer, name));
    let apply = |x: &Tensor, name: &str, bias: bool| parameters.apply(x, layer, name, bias);
    let split = |y: Tensor, heads: usize| y.reshape((rows, length, heads, head))?.transpose(1, 2)?.contiguous();
    let turned = |y: Tensor, gain: &str| -> Result<Tensor, ModelError> {
        let y = if variant.head_norms { rms_norm(&y, &part(gain)?, config.norm_eps)? } else { y };
        Ok(rope(&y, turn.0, turn.1)?)
    };
    let normed = rms_norm(x, &part("input_layernorm")?, config.norm_eps)?;
    let q = turned(split(apply(&normed, "self_attn.q_proj", variant.qkv_bias)?, heads)?, "self_attn.q_norm")?;
    let k = turned(split(apply(&normed, "self_attn.k_proj", variant.qkv_bias)?, kv_heads)?, "self_attn.k_norm")?;
    let v = split(apply(&normed, "self_attn.v_proj", variant.qkv_bias)?, kv_heads)?;
    let attended = attend(Heads { q, k, v })?.transpose(1, 2)?.reshape((rows, length, heads * head))?;
    let x = (x + apply(&attended, "self_attn.o_proj", variant.output_bias)?)?;
    let normed = rms_norm(&x, &part("post_attention_layernorm")?, config.norm_eps)?;
    let gate = candle_nn::ops::silu(&apply(&normed, "mlp.gate_proj", variant.ffn_bias)?)?;
    let product = (gate * apply(&normed, "mlp.up_proj", variant.ffn_bias)?)?;
    Ok((x + apply(&product, "mlp.down_proj", variant.ffn_bias)?)?)
}

/// Cosines and sines of positions, `[positions, head / 2]` each.
pub(super) fn turns(weights: &Weights, positions: usize) -> Result<(Tensor, Tensor), ModelError> {
    let periods = weights.config().rope_periods();
    let angles: Vec<f64> = (0..positions).flat_map(|t| periods.iter().map(move |period| t as f64 / period)).collect();
    let angles = Tensor::from_vec(angles, (positions, periods.len()), &Device::Cpu)?;
    let place = |t: Tensor| t.to_dtype(weights.dtype())?.to_device(&weights.device());
    Ok((place(angles.cos()?)?, place(angles.sin()?)?))
}

/// The trees of some rows, padded on the right, and what every layer needs to know of them.
pub(crate) struct Padded<'a> {
    weights: &'a Weights,
    trees: usize,
    length: usize,
    /// Flat.
    ids: Tensor,
    /// `[length, head / 2]`, or of each tree `[trees, 1, length, head / 2]`.
    cos: Tensor,
    sin: Tensor,
    /// `[length, length]`, or of each tree `[trees, 1, length, length]`.
    mask: Tensor,
    /// In the order of the rows.
    targets: Vec<&'a Target>,
    /// Where the state that predicts each target stands among all, padding counted.
    places: Vec<u32>,
    /// Where each target stands among those of all rows of the pass.
    indices: Vec<u32>,
}

impl<'a> Padded<'a> {
    pub(crate) fn new(weights: &'a Weights, rows: &[Placed<'a>]) -> Result<Padded<'a>, ModelError> {
        let device = weights.device();
        let forest = Forest::of(rows);
        let roots = forest.roots();
        let trees: Vec<Range<usize>> = roots.windows(2).map(|ends| ends[0]..ends[1]).collect();
        let length = trees.iter().map(Range::len).max().unwrap_or(0);
        let (mut ids, mut positions) = (Vec::with_capacity(trees.len() * length), Vec::with_capacity(trees.len() * length));
        for tree in &trees {
            ids.extend_from_slice(&forest.ids[tree.clone()]);
            positions.extend_from_slice(&forest.positions[tree.clone()]);
            ids.resize(ids.len() + length - tree.len(), 0u32);
            positions.resize(ids.len(), 0u32);
        }
        let ids = Tensor::from_vec(ids, trees.len() * length, &device)?;
        let forks = trees.iter().any(|tree| forest.positions[tree.clone()].iter().enumerate().any(|(i, p)| i != *p as usize));
        let depth = if forks { positions.iter().max().map_or(0, |p| *p as usize + 1) } else { length };
        let (mut cos, mut sin) = turns(weights, depth)?;
        let mask = if forks {
            let positions = Tensor::from_vec(positions, trees.len() * length, &device)?;
            let half = cos.dim(D::Minus1)?;
            let spread = |table: Tensor| table.index_select(&positions, 0)?.reshape((trees.len(), 1, length, half));
            (cos, sin) = (spread(cos)?, spread(sin)?);
            Tensor::from_vec(ways(&forest, &trees, length), (trees.len(), 1, length, length), &Device::Cpu)?
        } else {
            // Padding stands behind its row, where causality already hides it.
            let mask = (0..length).flat_map(|i| (0..length).map(move |j| if j > i { FORBIDDEN } else { 0.0 })).collect();
            Tensor::from_vec(mask, (length, length), &Device::Cpu)?
        };
        let mask = mask.to_dtype(weights.dtype())?.to_device(&device)?;
        let place = |wanted: &usize| {
            let tree = roots.partition_point(|root| root <= wanted) - 1;
            (tree * length + wanted - roots[tree]) as u32
        };
        let places = forest.outputs.iter().map(|output| place(&forest.wanted[*output])).collect();
        let targets = rows.iter().flat_map(|placed| &placed.row.targets).collect();
        let indices = rows.iter().flat_map(Placed::targets).map(|index| index as u32).collect();
        Ok(Padded { weights, trees: trees.len(), length, ids, cos, sin, mask, targets, places, indices })
    }

    /// Asks whether the device has room for a backward pass: what our own kernels would keep, and what attention does.
    pub(crate) fn fits(&self, checkpointing: bool) -> Result<(), ModelError> {
        let (config, trees, length) = (self.weights.config(), self.trees, self.length);
        let (keep, layers) = if checkpointing { (Keep::Inputs, 1) } else { (Keep::All, config.layers) };
        let (token, output) = Pass::<f32>::size(config, keep);
        let past = past::width(config);
        // Scores, and the probabilities that they become.
        let attention = 2 * layers * config.heads * length;
        let numbers = trees * length * (token + past + attention) + self.targets.len() * output;
        fits_activations(&self.weights.device(), numbers.saturating_mul(self.weights.dtype().size_in_bytes()), trees, trees * length)
    }

    /// `[trees, length, width]`
    pub(crate) fn embed(&self, graph: Graph) -> Result<Tensor, ModelError> {
        let table = Parameters { weights: self.weights, graph }.get(EMBEDDING)?;
        Ok(table.index_select(&self.ids, 0)?.reshape((self.trees, self.length, self.weights.config().width))?)
    }

    /// One layer.
    pub(crate) fn block(&self, layer: usize, x: &Tensor, graph: Graph) -> Result<Tensor, ModelError> {
        let parameters = Parameters { weights: self.weights, graph };
        let config = self.weights.config();
        let (heads, kv_heads, head) = (config.heads, config.kv_heads, config.head_width());
        let (rows, length) = (self.trees, self.length);
        // Each key head serves a group of neighbouring query heads.
        let spread = |y: Tensor| -> candle_core::Result<Tensor> {
            let shape = (rows, kv_heads, heads / kv_heads, length, head);
            y.unsqueeze(2)?.broadcast_as(shape)?.reshape((rows, heads, length, head))?.contiguous()
        };
        block(&parameters, layer, x, (&self.cos, &self.sin), |Heads { q, k, v }| {
            let scores = (q.matmul(&spread(k)?.t()?)? / (head as f64).sqrt())?.broadcast_add(&self.mask)?;
            softmax(&scores)?.matmul(&spread(v)?)
        })
    }

    /// Hidden states at the targets behind the last layer, normed, flat, `[targets, width]`.
    pub(crate) fn target_states(&self, x: &Tensor, graph: Graph) -> Result<Tensor, ModelError> {
        let parameters = Parameters { weights: self.weights, graph };
        let hidden = rms_norm(x, &parameters.get(FINAL_NORM)?, self.weights.config().norm_eps)?;
        let places = Tensor::from_slice(&self.places, self.places.len(), hidden.device())?;
        Ok(hidden.flatten_to(1)?.index_select(&places, 0)?)
    }

    /// What is asked of some of the targets' states, flat: log-probability, entropy, value, and the figures of each.
    pub(crate) fn answers(&self, states: &Tensor, part: Range<usize>, what: Ask, graph: Graph) -> Result<Vec<Option<Tensor>>, ModelError> {
        let parameters = Parameters { weights: self.weights, graph };
        let mut found = vec![None; 3];
        if let Some(temperature) = what.temperature {
            let targets = &self.targets[part.clone()];
            let logps = distributions(&parameters, states, targets, temperature)?;
            let tokens: Vec<u32> = targets.iter().map(|t| t.token).collect();
            let tokens = Tensor::from_vec(tokens, (targets.len(), 1), logps.device())?;
            found[0] = Some(logps.gather(&tokens, D::Minus1)?.squeeze(D::Minus1)?);
            found[1] = Some((logps.exp()? * &logps)?.sum(D::Minus1)?.neg()?);
            let others = self.others(part, what.more.others, temperature)?;
            for figure in what.more.figures {
                found.push(Some(figure_of(*figure, &logps, &others)?));
            }
        }
        if let Some(head) = what.value {
            let head = Parameters { weights: head, graph };
            let value = |name: &str| Ok::<_, ModelError>(long(&head.get(name)?)?);
            let values = linear(&long(states)?, &value(VALUE_WEIGHT)?)?.broadcast_add(&value(VALUE_BIAS)?)?;
            found[2] = Some(values.squeeze(D::Minus1)?);
        }
        Ok(found)
    }

    /// The log-probabilities of all tokens in the places of some targets, by each of the other models.
    fn others(&self, part: Range<usize>, others: &[Other], temperature: f64) -> Result<Vec<Tensor>, ModelError> {
        let mut found = Vec::with_capacity(others.len());
        for other in others {
            let indices = Tensor::from_slice(&self.indices[part.clone()], part.len(), &self.weights.device())?;
            let states = other.on_device()?.index_select(&indices, 0)?;
            let parameters = Parameters { weights: other.weights, graph: Graph::Free };
            found.push(distributions(&parameters, &states, &self.targets[part.clone()], temperature)?);
        }
        Ok(found)
    }

    /// All layers, up to the targets' states.
    pub(crate) fn states(&self, graph: Graph) -> Result<Tensor, ModelError> {
        let mut x = self.embed(graph)?;
        for layer in 0..self.weights.config().layers {
            x = self.block(layer, &x, graph)?;
        }
        self.target_states(&x, graph)
    }
}

/// For each token of a tree what it follows: 0 there, [`FORBIDDEN`] elsewhere; padding follows all before it.
fn ways(forest: &Forest, trees: &[Range<usize>], length: usize) -> Vec<f64> {
    let mut mask = vec![FORBIDDEN; trees.len() * length * length];
    for (lines, tree) in mask.chunks_exact_mut(length * length).zip(trees) {
        let mut way = Vec::new();
        for (token, line) in lines.chunks_exact_mut(length).enumerate() {
            if let Some(position) = forest.positions[tree.clone()].get(token) {
                way.truncate(*position as usize);
            }
            way.push(token);
            for seen in &way {
                line[*seen] = 0.0;
            }
        }
    }
    mask
}

/// The log-probabilities of all tokens in the place of each target, `[targets, vocab]`; of those that may not stand there far below every other.
fn distributions(parameters: &Parameters, states: &Tensor, targets: &[&Target], temperature: f64) -> Result<Tensor, ModelError> {
    let vocab = parameters.weights.config().vocab;
    let mut logits = (long(&linear(states, &parameters.head()?)?)? / temperature)?;
    if targets.iter().any(|t| t.allowed.is_some()) {
        let mut mask = Vec::with_capacity(targets.len() * vocab);
        for target in targets {
            let start = mask.len();
            mask.resize(start + vocab, if target.allowed.is_some() { FORBIDDEN } else { 0.0 });
            for id in target.allowed.iter().flat_map(|ids| ids.iter()) {
                mask[start + *id as usize] = 0.0;
            }
        }
        let mask = Tensor::from_vec(mask, (targets.len(), vocab), &Device::Cpu)?.to_dtype(logits.dtype())?.to_device(logits.device())?;
        logits = (logits + mask)?;
    }
    Ok(candle_nn::ops::log_softmax(&logits, D::Minus1)?)
}

/// A figure of each distribution.
fn figure_of(figure: Figure, logps: &Tensor, others: &[Tensor]) -> Result<Tensor, ModelError> {
    let other = |number: usize| others.get(number).ok_or_else(|| ModelError::input("a distribution is compared with none"));
    Ok(match figure {
        Figure::Collision => (logps * 2.0)?.exp()?.sum(D::Minus1)?,
        Figure::Largest => logps.max(D::Minus1)?.exp()?,
        Figure::TopShare(count) => {
            // One after the other: a GPU does not sort lines as long as a vocabulary.
            let (mut rest, mut leading) = (logps.detach(), Vec::new());
            for _ in 0..count.min(logps.dim(D::Minus1)?) {
                let first = rest.argmax_keepdim(D::Minus1)?;
                let taken = (Tensor::ones(first.shape(), rest.dtype(), rest.device())? * TAKEN)?;
                rest = rest.scatter_add(&first, &taken, D::Minus1)?;
                leading.push(first);
            }
            logps.gather(&Tensor::cat(&leading, D::Minus1)?, D::Minus1)?.exp()?.sum(D::Minus1)?
        }
        Figure::To(number) => (logps.exp()? * (logps - other(number)?)?)?.sum(D::Minus1)?,
        Figure::From(number) => {
            let other = other(number)?;
            (other.exp()? * (other - logps)?)?.sum(D::Minus1)?
        }
    })
}

/// A tensor's numbers on the host.
pub(crate) fn host(tensor: &Tensor) -> Result<Vec<f32>, ModelError> {
    Ok(tensor.detach().to_dtype(DType::F32)?.to_device(&Device::Cpu)?.to_vec1()?)
}
