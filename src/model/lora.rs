//! Low-rank adapters (Hu et al., arXiv:2106.09685): in the place of a frozen matrix W stands W + (alpha / rank) B A, and only A and B are trained.

use super::composite::long;
use super::native::packed::matrix;
use super::native::{LowRank, Real};
use super::parts::{bytes, load_parts, save_parts};
use super::weights::{Weights, layer_name, uniform};
use super::{DecoderConfig, ModelError};
use candle_core::{DType, Tensor, Var};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The matrices of a block that may have an adapter: their short names, as PEFT takes them, and their names within a block.
pub const TARGETS: [(&str, &str); 7] = [
    ("q_proj", "self_attn.q_proj"),
    ("k_proj", "self_attn.k_proj"),
    ("v_proj", "self_attn.v_proj"),
    ("o_proj", "self_attn.o_proj"),
    ("gate_proj", "mlp.gate_proj"),
    ("up_proj", "mlp.up_proj"),
    ("down_proj", "mlp.down_proj"),
];

/// Low-rank adapters (Hu et al. 2022): W + (alpha / rank) B A stands for W.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoraConfig {
    /// Rows of A and columns of B, from 1.
    pub rank: usize,
    /// Above 0; divided by `rank` it scales B A.
    pub alpha: f64,
    /// Short names out of [`TARGETS`].
    pub targets: Vec<String>,
}

impl LoraConfig {
    /// The largest rank.
    pub(crate) const MOST_RANK: usize = 1 << 16;

    /// alpha / rank.
    pub(crate) fn scale(&self) -> f64 {
        self.alpha / self.rank as f64
    }

    /// Whether a matrix has an adapter, by its name within a block.
    pub(crate) fn adapts(&self, part: &str) -> bool {
        TARGETS.iter().any(|(short, name)| *name == part && self.targets.iter().any(|t| t == short))
    }

    /// Numbers of A and B of every adapted matrix.
    pub(crate) fn parameters(&self, config: &DecoderConfig) -> usize {
        let adapted = TARGETS.iter().filter(|(_, part)| self.adapts(part)).map(|(_, part)| sizes(config, part));
        config.layers * adapted.map(|(outer, inner)| self.rank * (outer + inner)).sum::<usize>()
    }

    pub(crate) fn validate(&self) -> Result<(), ModelError> {
        let wrong = |message: String| Err(ModelError::Config(message));
        if self.rank == 0 || self.rank > Self::MOST_RANK {
            return wrong(format!("the adapter's `rank` is {}, it has to be between 1 and {}", self.rank, Self::MOST_RANK));
        }
        if !(self.alpha.is_finite() && self.alpha > 0.0) {
            return wrong(format!("the adapter's `alpha` is {}, it has to be positive", self.alpha));
        }
        let unknown = self.targets.iter().find(|target| !TARGETS.iter().any(|(short, _)| short == target));
        match (unknown, self.targets.is_empty()) {
            (Some(target), _) => wrong(format!("the adapter's target `{target}` is no matrix of a block")),
            (None, true) => wrong("the adapter has no targets, so there is nothing to train".into()),
            (None, false) => Ok(()),
        }
    }
}

/// Output and input width of a matrix that may have an adapter.
pub(crate) fn sizes(config: &DecoderConfig, part: &str) -> (usize, usize) {
    match part {
        "self_attn.q_proj" => (config.query_width(), config.width),
        "self_attn.k_proj" | "self_attn.v_proj" => (config.kv_width(), config.width),
        "self_attn.o_proj" => (config.width, config.query_width()),
        "mlp.down_proj" => (config.width, config.ffn),
        _ => (config.ffn, config.width),
    }
}

/// The two matrices of an adapter, by name: A, `[rank, in]`, and B, `[out, rank]`.
pub(crate) fn adapter_names(layer: usize, part: &str) -> [String; 2] {
    ["lora_A", "lora_B"].map(|matrix| format!("model.layers.{layer}.{part}.{matrix}.weight"))
}

/// The trained part of a model with an adapter: A and B of every adapted matrix.
#[derive(Debug)]
pub struct Adapter {
    pub(crate) config: LoraConfig,
    /// A and B of every adapted matrix, in the order of layers and of [`TARGETS`].
    pub(crate) variables: IndexMap<String, Var>,
}

impl Adapter {
    /// As it was made with.
    pub fn config(&self) -> &LoraConfig {
        &self.config
    }

    /// All names with their shapes, in order.
    pub(crate) fn shapes(config: &DecoderConfig, lora: &LoraConfig) -> Vec<(String, Vec<usize>)> {
        let mut all = Vec::new();
        for layer in 0..config.layers {
            for (_, part) in TARGETS.iter().filter(|(_, part)| lora.adapts(part)) {
                let (outer, inner) = sizes(config, part);
                let [a, b] = adapter_names(layer, part);
                all.extend([(a, vec![lora.rank, inner]), (b, vec![outer, lora.rank])]);
            }
        }
        all
    }

    /// B is zero, so that the first policy is the model below; A is uniform within 1/√in, as PEFT draws it.
    fn init(base: &Weights, lora: LoraConfig, seed: u64) -> Result<Adapter, ModelError> {
        let mut variables = IndexMap::new();
        for (stream, (name, shape)) in Adapter::shapes(base.config(), &lora).into_iter().enumerate() {
            let count = shape.iter().product();
            let values = match name.ends_with("lora_A.weight") {
                true => uniform(seed, stream as u64, count, 1.0 / (shape[1] as f64).sqrt()),
                false => vec![0.0; count],
            };
            let tensor = Tensor::from_vec(values, shape, &candle_core::Device::Cpu)?.to_dtype(base.dtype())?.to_device(&base.device())?;
            variables.insert(name, Var::from_tensor(&tensor)?);
        }
        Ok(Adapter { config: lora, variables })
    }

    pub(crate) fn duplicate(&self) -> Result<Adapter, ModelError> {
        let mut variables = IndexMap::new();
        for (name, var) in &self.variables {
            variables.insert(name.clone(), Var::from_tensor(&var.as_detached_tensor().copy()?)?);
        }
        Ok(Adapter { config: self.config.clone(), variables })
    }

    /// Writes A and B in the layout of PEFT: its names, and a description of the adapter with name and revision of the model below.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn save_peft(&self, folder: &Path, base: Option<(&str, Option<&str>)>) -> Result<(), ModelError> {
        let mut parts = Vec::new();
        let mut kind = DType::F32;
        for (name, var) in &self.variables {
            kind = var.dtype();
            parts.push((format!("base_model.model.{name}"), var.dims().to_vec(), bytes(var)?));
        }
        save_parts(&folder.join("adapter_model.safetensors"), kind, &parts, Some(("format", "pt".into())))?;
        let about = serde_json::json!({
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": base.map(|(name, _)| name),
            "revision": base.and_then(|(_, revision)| revision),
            "r": self.config.rank,
            "lora_alpha": self.config.alpha,
            "lora_dropout": 0.0,
            "target_modules": self.config.targets,
            "bias": "none",
            "fan_in_fan_out": false,
            "inference_mode": true,
        });
        let path = folder.join("adapter_config.json");
        std::fs::write(&path, format!("{about:#}\n")).map_err(|e| ModelError::write(&path, e))
    }
}

impl Weights {
    /// The same parameters, frozen and shared, below a new adapter.
    ///
    /// # Errors
    /// If the adapter is impossible.
    pub fn adapted(&self, lora: LoraConfig, seed: u64) -> Result<Weights, ModelError> {
        lora.validate()?;
        if self.adapter().is_some() {
            return Err(ModelError::input("the model has an adapter already"));
        }
        let adapter = Adapter::init(self, lora, seed)?;
        Ok(self.below(adapter))
    }

    /// The same parameters below an adapter that [`Weights::save_trained`] wrote.
    ///
    /// # Errors
    /// If the file does not hold what the description says.
    pub(crate) fn with_saved_adapter(&self, lora: LoraConfig, path: &Path) -> Result<Weights, ModelError> {
        lora.validate()?;
        let mut variables = IndexMap::new();
        for (name, tensor) in load_parts(path, &Adapter::shapes(self.config(), &lora))? {
            variables.insert(name, Var::from_tensor(&tensor.to_dtype(self.dtype())?.to_device(&self.device())?)?);
        }
        Ok(self.below(Adapter { config: lora, variables }))
    }

    /// The same parameters, frozen and shared, below an adapter of these tensors, one for each of its names.
    ///
    /// # Errors
    /// If there is an adapter already, or one of the tensors is missing.
    pub(crate) fn below_tensors(&self, lora: LoraConfig, mut tensors: BTreeMap<String, Tensor>) -> Result<Weights, ModelError> {
        if self.adapter().is_some() {
            return Err(ModelError::input("the model has an adapter already"));
        }
        let mut variables = IndexMap::new();
        for (name, _) in Adapter::shapes(self.config(), &lora) {
            let tensor = tensors.remove(&name).ok_or_else(|| ModelError::input(format!("`{name}` is missing")))?;
            variables.insert(name, Var::from_tensor(&tensor.to_dtype(self.dtype())?.to_device(&self.device())?)?);
        }
        Ok(self.below(Adapter { config: lora, variables }))
    }

    /// A model of its own with W + (alpha / rank) B A for every adapted W.
    ///
    /// # Errors
    /// If the device refuses.
    pub fn merged(&self) -> Result<Weights, ModelError> {
        let merged = self.duplicate_base()?;
        for layer in 0..self.config().layers {
            for (_, part) in TARGETS {
                if let Some(tensor) = self.merged_matrix(layer, part)? {
                    merged.variables()[&layer_name(layer, part)].set(&tensor)?;
                }
            }
        }
        Ok(merged)
    }

    /// What stands for an adapted matrix; none for the others.
    fn merged_matrix(&self, layer: usize, part: &str) -> Result<Option<Tensor>, ModelError> {
        let Some(adapter) = self.adapter().filter(|a| a.config.adapts(part)) else { return Ok(None) };
        let base = self.variables()[&layer_name(layer, part)].as_detached_tensor();
        // The sum of the CPU's kernels, so that the merged model is the adapted one to the bit.
        let values = |tensor: candle_core::Result<Tensor>| Ok(Some(tensor?));
        match (self.device().is_cpu(), self.dtype()) {
            (true, DType::F32) => values(Tensor::from_vec(matrix::<f32>(self, layer, part)?, base.dims(), base.device())),
            (true, DType::F64) => values(Tensor::from_vec(matrix::<f64>(self, layer, part)?, base.dims(), base.device())),
            _ => {
                let [a, b] = adapter_names(layer, part).map(|name| adapter.variables[&name].as_detached_tensor());
                let sum = (long(&base)? + (long(&b)?.matmul(&long(&a)?)? * adapter.config.scale())?)?;
                Ok(Some(sum.to_dtype(base.dtype())?))
            }
        }
    }

    /// The adapter of one matrix for the kernels; `from` is its first row where it is stacked with another.
    pub(crate) fn low_rank<T: Real>(&self, layer: usize, part: &'static str, from: usize) -> Result<Option<LowRank<T>>, ModelError> {
        let Some(adapter) = self.adapter().filter(|a| a.config.adapts(part)) else { return Ok(None) };
        let (outer, inner) = sizes(self.config(), part);
        let [a, b] = adapter_names(layer, part);
        let values = |name: &str| super::native::packed::variable::<T>(&adapter.variables, name);
        Ok(Some(LowRank::new(part, &values(&a)?, &values(&b)?, adapter.config.scale(), from, outer, inner, adapter.config.rank)))
    }
}
