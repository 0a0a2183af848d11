//! The parameters of one model, by name: one copy, used by training and rollouts alike.

use super::lora::Adapter;
use super::native::{Packed, Real};
use super::parts::{bytes, load_parts, save_parts};
use super::{DecoderConfig, ModelError};
use candle_core::{DType, Device, Tensor, Var};
use indexmap::IndexMap;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What the last hidden state is turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Logits over the vocabulary.
    Vocabulary,
    /// One number: the critic's estimate of the return.
    Value,
}

/// The parameters of a value head, which is zero: before the first update the critic says 0 everywhere.
fn value_head(width: usize) -> [(String, Vec<usize>, Start); 2] {
    let zero = |name: &str, shape: Vec<usize>| (name.to_string(), shape, Start::Constant(0.0));
    [zero(VALUE_WEIGHT, vec![1, width]), zero(VALUE_BIAS, vec![1])]
}

/// Named parameters in a fixed order, each in the layout that transformers writes (`[out, in]`).
///
/// Rollouts read the same storage as training writes. What the CPU kernels have repacked for speed is remembered
/// until [`Weights::touch`] says that the parameters changed.
#[derive(Debug)]
pub struct Weights {
    config: DecoderConfig,
    head: Head,
    variables: IndexMap<String, Var>,
    /// What is trained in the place of the variables.
    adapter: Option<Adapter>,
    version: AtomicU64,
    packed: Mutex<PackedCache>,
}

#[derive(Clone, Default, Debug)]
pub(crate) struct PackedCache {
    pub(crate) single: Option<(u64, Arc<Packed<f32>>)>,
    pub(crate) double: Option<(u64, Arc<Packed<f64>>)>,
}

/// How a parameter is initialised.
enum Start {
    Normal(f64),
    Constant(f64),
}

pub(crate) const EMBEDDING: &str = "model.embed_tokens.weight";
pub(crate) const FINAL_NORM: &str = "model.norm.weight";
pub(crate) const UNEMBEDDING: &str = "lm_head.weight";
pub(crate) const VALUE_WEIGHT: &str = "value_head.weight";
pub(crate) const VALUE_BIAS: &str = "value_head.bias";

pub(crate) fn layer_name(layer: usize, part: &str) -> String {
    format!("model.layers.{layer}.{part}.weight")
}

pub(crate) fn bias_name(layer: usize, part: &str) -> String {
    format!("model.layers.{layer}.{part}.bias")
}

/// The matrices of a block that have biases, with the sizes of those.
pub(crate) fn biased(config: &DecoderConfig) -> Vec<(&'static str, usize)> {
    let (query, kv, variant) = (config.query_width(), config.kv_width(), &config.variant);
    let mut all = Vec::new();
    if variant.qkv_bias {
        all.extend([("self_attn.q_proj", query), ("self_attn.k_proj", kv), ("self_attn.v_proj", kv)]);
    }
    if variant.output_bias {
        all.push(("self_attn.o_proj", config.width));
    }
    if variant.ffn_bias {
        all.extend([("mlp.gate_proj", config.ffn), ("mlp.up_proj", config.ffn), ("mlp.down_proj", config.width)]);
    }
    all
}

/// Every parameter of a model with its shape and start, in order.
fn parameters(config: &DecoderConfig, head: Head) -> Vec<(String, Vec<usize>, Start)> {
    let (width, ffn, query, kv) = (config.width, config.ffn, config.query_width(), config.kv_width());
    // The usual 1/sqrt(fan-in); what is added to the residual stream is scaled down by the number of additions.
    let inner = |fan_in: usize| Start::Normal(1.0 / (fan_in as f64).sqrt());
    let residual = |fan_in: usize| Start::Normal(1.0 / (fan_in as f64 * 2.0 * config.layers as f64).sqrt());
    let mut all = vec![(EMBEDDING.to_string(), vec![config.vocab, width], Start::Normal(EMBEDDING_DEVIATION))];
    for layer in 0..config.layers {
        let mut add = |part: &str, shape: Vec<usize>, start: Start| all.push((layer_name(layer, part), shape, start));
        add("input_layernorm", vec![width], Start::Constant(1.0));
        add("self_attn.q_proj", vec![query, width], inner(width));
        add("self_attn.k_proj", vec![kv, width], inner(width));
        add("self_attn.v_proj", vec![kv, width], inner(width));
        add("self_attn.o_proj", vec![width, query], residual(query));
        if config.variant.head_norms {
            add("self_attn.q_norm", vec![config.head_width()], Start::Constant(1.0));
            add("self_attn.k_norm", vec![config.head_width()], Start::Constant(1.0));
        }
        add("post_attention_layernorm", vec![width], Start::Constant(1.0));
        add("mlp.gate_proj", vec![ffn, width], inner(width));
        add("mlp.up_proj", vec![ffn, width], inner(width));
        add("mlp.down_proj", vec![width, ffn], residual(ffn));
        for (part, size) in biased(config) {
            all.push((bias_name(layer, part), vec![size], Start::Constant(0.0)));
        }
    }
    all.push((FINAL_NORM.to_string(), vec![width], Start::Constant(1.0)));
    match head {
        Head::Vocabulary if config.tied => {}
        Head::Vocabulary => all.push((UNEMBEDDING.to_string(), vec![config.vocab, width], Start::Normal(EMBEDDING_DEVIATION))),
        Head::Value => all.extend(value_head(width)),
    }
    all
}

/// Names and shapes of a causal language model, in order.
pub(crate) fn shapes(config: &DecoderConfig) -> Vec<(String, Vec<usize>)> {
    parameters(config, Head::Vocabulary).into_iter().map(|(name, shape, _)| (name, shape)).collect()
}

/// Small, so that the first predictions of a tied model are close to uniform.
const EMBEDDING_DEVIATION: f64 = 0.02;

impl Weights {
    /// A causal language model with random parameters. The same seed gives the same parameters on every device.
    pub fn init(config: &DecoderConfig, seed: u64, device: &Device, dtype: DType) -> Result<Weights, ModelError> {
        Weights::init_with(config, Head::Vocabulary, seed, device, dtype)
    }

    pub(crate) fn init_with(config: &DecoderConfig, head: Head, seed: u64, device: &Device, dtype: DType) -> Result<Weights, ModelError> {
        config.validate()?;
        let variables = started(parameters(config, head), seed, device, dtype)?;
        Ok(Weights::new(config.clone(), head, variables))
    }

    /// A value head alone, for what another model makes of a text.
    pub(crate) fn value_head(config: &DecoderConfig, device: &Device, dtype: DType) -> Result<Weights, ModelError> {
        let variables = started(value_head(config.width), 0, device, dtype)?;
        Ok(Weights::new(config.clone(), Head::Value, variables))
    }

    /// A causal language model of given tensors, one for each of [`shapes`].
    pub(crate) fn from_tensors(config: &DecoderConfig, mut tensors: BTreeMap<String, Tensor>) -> Result<Weights, ModelError> {
        let mut variables = IndexMap::new();
        for (name, _) in shapes(config) {
            let tensor = tensors.remove(&name).ok_or_else(|| ModelError::input(format!("`{name}` is missing")))?;
            variables.insert(name, Var::from_tensor(&tensor.contiguous()?)?);
        }
        Ok(Weights::new(config.clone(), Head::Vocabulary, variables))
    }

    fn new(config: DecoderConfig, head: Head, variables: IndexMap<String, Var>) -> Weights {
        Weights { config, head, variables, adapter: None, version: AtomicU64::new(0), packed: Mutex::default() }
    }

    /// The shape that all parameters have together.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// Which model they are of.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Where all parameters lie.
    pub fn device(&self) -> Device {
        self.variables.values().next().map_or(Device::Cpu, |var| var.device().clone())
    }

    /// The type of all parameters but the adapter's.
    pub fn dtype(&self) -> DType {
        self.variables.values().next().map_or(DType::F32, |var| var.dtype())
    }

    /// All parameters but those of the adapter, in their order.
    pub fn variables(&self) -> &IndexMap<String, Var> {
        &self.variables
    }

    /// What is trained above frozen parameters; `None`: all are trained.
    pub fn adapter(&self) -> Option<&Adapter> {
        self.adapter.as_ref()
    }

    /// The parameters that are trained: the adapter's where there is one, else all.
    pub fn trained(&self) -> &IndexMap<String, Var> {
        self.adapter.as_ref().map_or(&self.variables, |adapter| &adapter.variables)
    }

    /// These very parameters with an adapter on top.
    pub(crate) fn below(&self, adapter: Adapter) -> Weights {
        let mut weights = Weights::new(self.config.clone(), self.head, self.variables.clone());
        weights.adapter = Some(adapter);
        weights
    }

    /// Changes whenever [`Weights::touch`] was called.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// To be called after parameters were changed in place; what was derived from the old ones is then derived anew.
    pub fn touch(&self) {
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    /// The parameters in the layout of the CPU kernels; made once per version, by up to `threads` threads.
    pub(crate) fn packed<T: Real>(&self, backward: bool, threads: usize) -> Result<Arc<Packed<T>>, ModelError> {
        let version = self.version();
        // A poisoned lock only means that another thread panicked while packing: the cache is then overwritten.
        let mut cache = self.packed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let slot = T::cache(&mut cache);
        if let Some((at, packed)) = slot
            && *at == version
            && (packed.has_backward() || !backward)
        {
            return Ok(packed.clone());
        }
        let before = slot.take().map(|(_, packed)| packed);
        let packed = Arc::new(Packed::new(self, backward, before.as_deref(), threads)?);
        *slot = Some((version, packed.clone()));
        Ok(packed)
    }

    /// A second set of parameters with the same values (a reference policy, the start of a critic's backbone). What is frozen below an adapter is shared.
    pub fn duplicate(&self) -> Result<Weights, ModelError> {
        let Some(adapter) = &self.adapter else { return self.duplicate_base() };
        let copy = self.below(adapter.duplicate()?);
        // So is what the kernels have made of it: a copy begins with this packing and this version.
        if self.device().is_cpu() && self.dtype() == DType::F32 {
            self.packed::<f32>(false, 1)?;
        }
        let cache = self.packed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        *copy.packed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = cache;
        copy.version.store(self.version(), Ordering::Release);
        Ok(copy)
    }

    /// The parameters below an adapter as numbers of another type; shared if they are of that type.
    ///
    /// # Errors
    /// If the device refuses.
    pub fn cast(&self, dtype: DType) -> Result<Weights, ModelError> {
        let cast = |var: &Var| -> Result<Var, ModelError> {
            match var.dtype() == dtype {
                true => Ok(var.clone()),
                false => Ok(Var::from_tensor(&var.as_detached_tensor().to_dtype(dtype)?)?),
            }
        };
        let variables = self.variables.iter().map(|(name, var)| Ok((name.clone(), cast(var)?)));
        Ok(Weights::new(self.config.clone(), self.head, variables.collect::<Result<_, ModelError>>()?))
    }

    /// Without the adapter.
    pub(crate) fn duplicate_base(&self) -> Result<Weights, ModelError> {
        let mut variables = IndexMap::new();
        for (name, var) in &self.variables {
            variables.insert(name.clone(), Var::from_tensor(&var.as_detached_tensor().copy()?)?);
        }
        Ok(Weights::new(self.config.clone(), self.head, variables))
    }

    /// Takes over the values of all parameters that `other` has too; shapes must agree. An adapter of `other` is merged into them.
    pub fn copy_from(&self, other: &Weights) -> Result<(), ModelError> {
        if other.adapter.is_some() {
            return self.copy_from(&other.merged()?);
        }
        for (name, var) in &self.variables {
            if let Some(theirs) = other.variables.get(name) {
                if theirs.shape() != var.shape() {
                    return Err(ModelError::input(format!("`{name}` has shape {:?} here and {:?} there", var.dims(), theirs.dims())));
                }
                var.set(&theirs.as_detached_tensor().to_device(var.device())?.to_dtype(var.dtype())?)?;
            }
        }
        self.touch();
        Ok(())
    }

    /// Writes what is trained as safetensors.
    pub fn save_trained(&self, path: &Path) -> Result<(), ModelError> {
        self.save_variables(self.trained(), path)
    }

    /// Goes back to what [`Weights::save_trained`] wrote.
    pub fn restore_trained(&self, path: &Path) -> Result<(), ModelError> {
        let shapes: Vec<(String, Vec<usize>)> = self.trained().iter().map(|(name, var)| (name.clone(), var.dims().to_vec())).collect();
        for ((_, tensor), var) in load_parts(path, &shapes)?.into_iter().zip(self.trained().values()) {
            var.set(&tensor.to_device(var.device())?.to_dtype(var.dtype())?)?;
        }
        self.touch();
        Ok(())
    }

    /// blake3, in hex, over names, shapes and little-endian values.
    pub fn hash(&self) -> Result<String, ModelError> {
        let mut hasher = blake3::Hasher::new();
        let adapter = self.adapter.iter().flat_map(|adapter| &adapter.variables);
        for (name, var) in self.variables.iter().chain(adapter) {
            hasher.update(name.as_bytes());
            hasher.update(&[0]);
            for size in var.dims() {
                hasher.update(&(*size as u64).to_le_bytes());
            }
            hasher.update(&bytes(var)?);
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// Writes all parameters but those of the adapter as safetensors. The file is written as it is: writing to a temporary name is the caller's matter.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        self.save_variables(&self.variables, path)
    }

    fn save_variables(&self, variables: &IndexMap<String, Var>, path: &Path) -> Result<(), ModelError> {
        let mut parts = Vec::new();
        for (name, var) in variables {
            parts.push((name.clone(), var.dims().to_vec(), bytes(var)?));
        }
        save_parts(path, self.dtype(), &parts, None)
    }

    /// Reads what [`Weights::save`] wrote. A tensor that is missing, unknown, or of another shape or type is an error that names it.
    pub fn load(path: &Path, config: &DecoderConfig, device: &Device) -> Result<Weights, ModelError> {
        Weights::load_with(path, config, Head::Vocabulary, device)
    }

    pub(crate) fn load_with(path: &Path, config: &DecoderConfig, head: Head, device: &Device) -> Result<Weights, ModelError> {
        config.validate()?;
        let wanted = parameters(config, head);
        let shapes: Vec<(String, Vec<usize>)> = wanted.into_iter().map(|(name, shape, _)| (name, shape)).collect();
        let mut variables = IndexMap::new();
        for (name, tensor) in load_parts(path, &shapes)? {
            variables.insert(name, Var::from_tensor(&tensor.to_device(device)?)?);
        }
        Ok(Weights::new(config.clone(), head, variables))
    }
}

/// Parameters as they begin.
fn started(
    parameters: impl IntoIterator<Item = (String, Vec<usize>, Start)>,
    seed: u64,
    device: &Device,
    dtype: DType,
) -> Result<IndexMap<String, Var>, ModelError> {
    let mut variables = IndexMap::new();
    for (stream, (name, shape, start)) in parameters.into_iter().enumerate() {
        let count: usize = shape.iter().product();
        let values: Vec<f64> = match start {
            Start::Constant(value) => vec![value; count],
            Start::Normal(deviation) => {
                // A stream each: a parameter's start does not depend on the sizes of those before it.
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(stream as u64);
                normal(&mut rng, count).into_iter().map(|x| x * deviation).collect()
            }
        };
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(dtype)?.to_device(device)?;
        variables.insert(name, Var::from_tensor(&tensor)?);
    }
    Ok(variables)
}

/// Numbers uniform within ±`bound`, of a stream of their own.
pub(crate) fn uniform(seed: u64, stream: u64, count: usize, bound: f64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    (0..count).map(|_| ((rng.next_u64() >> 11) as f64 / (1u64 << 52) as f64 - 1.0) * bound).collect()
}

/// Standard normal numbers by Box and Muller (1958), two from each pair of uniform ones.
fn normal(rng: &mut ChaCha8Rng, count: usize) -> Vec<f64> {
    let mut uniform = move || (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        let radius = (-2.0 * (1.0 - uniform()).ln()).sqrt();
        let angle = std::f64::consts::TAU * uniform();
        values.push(radius * angle.cos());
        values.push(radius * angle.sin());
    }
    values.truncate(count);
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::config::tests::tiny;

    fn weights(seed: u64) -> Weights {
        Weights::init(&tiny(), seed, &Device::Cpu, DType::F32).unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_parameters() {
        assert_eq!(weights(1).hash().unwrap(), weights(1).hash().unwrap());
        assert_ne!(weights(1).hash().unwrap(), weights(2).hash().unwrap());
        assert_eq!(weights(1).variables().values().map(|v| v.elem_count()).sum::<usize>(), tiny().parameters());
        let untied = DecoderConfig { tied: false, ..tiny() };
        let more = Weights::init(&untied, 1, &Device::Cpu, DType::F32).unwrap();
        assert_eq!(more.variables().values().map(|v| v.elem_count()).sum::<usize>(), untied.parameters());
    }

    #[test]
    fn the_start_is_normal() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let values = normal(&mut rng, 100_001);
        let mean = |f: fn(f64) -> f64| values.iter().map(|x| f(*x)).sum::<f64>() / values.len() as f64;
        assert!(mean(|x| x).abs() < 0.01 && (mean(|x| x * x) - 1.0).abs() < 0.02 && (mean(|x| x.powi(4)) - 3.0).abs() < 0.1);
    }

    #[test]
    fn saved_weights_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.safetensors");
        weights(1).save(&path).unwrap();
        let again = Weights::load(&path, &tiny(), &Device::Cpu).unwrap();
        assert_eq!(again.hash().unwrap(), weights(1).hash().unwrap());
        let first = std::fs::read(&path).unwrap();
        again.save(&path).unwrap();
        assert_eq!(first, std::fs::read(&path).unwrap());
    }

    #[test]
    fn files_that_do_not_fit_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.safetensors");
        weights(1).save(&path).unwrap();
        let message = |config: DecoderConfig| Weights::load(&path, &config, &Device::Cpu).unwrap_err().to_string();
        assert!(message(DecoderConfig { vocab: 38, ..tiny() }).ends_with("has shape [37, 24], this model needs [38, 24]"));
        assert!(message(DecoderConfig { tied: false, ..tiny() }).ends_with("`lm_head.weight` is missing"));
        assert!(message(DecoderConfig { layers: 1, ..tiny() }).contains("model.layers.1.input_layernorm.weight"));
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(message(tiny()).contains("not a whole safetensors file"));
        assert!(Weights::load(&dir.path().join("none"), &tiny(), &Device::Cpu).unwrap_err().to_string().contains("none"));
    }

    #[test]
    fn a_duplicate_is_independent() {
        let (weights, same) = (weights(1), weights(1));
        let copy = weights.duplicate().unwrap();
        let var = &weights.variables()[FINAL_NORM];
        var.set(&var.zeros_like().unwrap()).unwrap();
        weights.touch();
        assert_eq!(copy.hash().unwrap(), same.hash().unwrap());
        assert_ne!(copy.hash().unwrap(), weights.hash().unwrap());
        copy.copy_from(&weights).unwrap();
        assert_eq!(copy.hash().unwrap(), weights.hash().unwrap());
    }
}
