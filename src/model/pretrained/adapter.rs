//! Adapters in the layout of PEFT: `adapter_config.json` and `adapter_model.safetensors`, alone in a folder or beside their model.

use crate::model::lora::{Adapter, adapter_names};
use crate::model::{DecoderConfig, LoraConfig, ModelError, TARGETS, Weights};
use candle_core::{DType, Device, Tensor};
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";
const PICKLE: &str = "adapter_model.bin";

/// What PEFT puts before the names of the model.
const PREFIX: &str = "base_model.model.";

/// Fields that say nothing of the adapter's arithmetic, or are answered by its tensors.
const HARMLESS: [&str; 11] = [
    "task_type",
    "base_model_name_or_path",
    "revision",
    "inference_mode",
    "lora_dropout",
    "auto_mapping",
    "peft_version",
    "target_modules",
    "exclude_modules",
    "layers_pattern",
    "megatron_core",
];

/// An adapter that was read.
pub(crate) struct Saved {
    pub config: LoraConfig,
    tensors: BTreeMap<String, Tensor>,
}

/// Whether a folder holds an adapter, whatever else it holds.
pub(crate) fn is_in(folder: &Path) -> bool {
    folder.join(CONFIG).is_file()
}

impl Saved {
    /// Reads an adapter of a model of this shape.
    ///
    /// # Errors
    /// If something is missing or damaged, is of another model, or says what is not known here.
    pub(crate) fn read(folder: &Path, model: &DecoderConfig) -> Result<Saved, ModelError> {
        let tensors = tensors(folder)?;
        let (rank, alpha) = description(folder)?;
        let has = |part: &str| (0..model.layers).any(|layer| adapter_names(layer, part).iter().any(|name| tensors.contains_key(name)));
        let targets = TARGETS.iter().filter(|(_, part)| has(part)).map(|(short, _)| (*short).to_string()).collect();
        let config = LoraConfig { rank, alpha, targets };
        let file = folder.join(WEIGHTS);
        config.validate().map_err(|error| ModelError::file(folder, error))?;
        let wanted = Adapter::shapes(model, &config);
        if let Some(extra) = tensors.keys().find(|name| !wanted.iter().any(|(known, _)| known == *name)) {
            return Err(ModelError::file(&file, format!("holds `{extra}`, which an adapter of this model does not have")));
        }
        for (name, shape) in &wanted {
            match tensors.get(name) {
                None => {
                    return Err(ModelError::file(&file, format!("`{name}` is missing; an adapter of some layers only is not known here")));
                }
                Some(found) if found.dims() != shape.as_slice() => {
                    let message = format!("`{name}` has shape {:?}, the model below and the rank of {rank} need {shape:?}", found.dims());
                    return Err(ModelError::file(&file, message));
                }
                Some(_) => {}
            }
        }
        Ok(Saved { config, tensors })
    }

    /// The weights, frozen, below this adapter.
    ///
    /// # Errors
    /// If they have one already, or the device refuses.
    pub(crate) fn on(self, weights: &Weights) -> Result<Weights, ModelError> {
        weights.below_tensors(self.config, self.tensors)
    }
}

/// Rank, and the alpha that divided by it is the scale.
fn description(folder: &Path) -> Result<(usize, f64), ModelError> {
    let path = folder.join(CONFIG);
    let wrong = |message: String| Err(ModelError::file(&path, message));
    let text = std::fs::read(&path).map_err(|e| ModelError::file(&path, e))?;
    let about: Map<String, Value> = serde_json::from_slice(&text).map_err(|e| ModelError::file(&path, e))?;
    match about.get("peft_type").and_then(Value::as_str) {
        Some("LORA") => {}
        found => return wrong(format!("`peft_type` is {}; only \"LORA\" is known", found.map_or("missing".into(), |f| format!("{f:?}")))),
    }
    let nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Bool(set) => !set,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Number(_) | Value::String(_) => false,
    };
    for (name, value) in &about {
        let known = match name.as_str() {
            "peft_type" | "r" | "lora_alpha" | "use_rslora" => true,
            "bias" => value.as_str() == Some("none") || nothing(value),
            // Others change the model below when training begins.
            "init_lora_weights" => value.as_bool().is_some() || value.as_str() == Some("gaussian") || nothing(value),
            name => HARMLESS.contains(&name) || nothing(value),
        };
        if !known {
            return wrong(format!("`{name}` is {value}, which is not known here"));
        }
    }
    let rank =
        about.get("r").and_then(Value::as_u64).and_then(|r| usize::try_from(r).ok()).filter(|r| (1..=LoraConfig::MOST_RANK).contains(r));
    let Some(rank) = rank else { return wrong(format!("`r` has to be a number from 1 to {}", LoraConfig::MOST_RANK)) };
    let Some(alpha) = about.get("lora_alpha").and_then(Value::as_f64).filter(|a| *a > 0.0) else {
        return wrong("`lora_alpha` has to be a number above 0".into());
    };
    // Rank-stabilised LoRA (Kalajdzievski 2023) divides by the root of the rank.
    let stabilised = about.get("use_rslora").and_then(Value::as_bool) == Some(true);
    Ok((rank, if stabilised { alpha * (rank as f64).sqrt() } else { alpha }))
}

/// All tensors by the names of [`adapter_names`], as 32-bit floats.
fn tensors(folder: &Path) -> Result<BTreeMap<String, Tensor>, ModelError> {
    let path = folder.join(WEIGHTS);
    if !path.is_file() && folder.join(PICKLE).exists() {
        return Err(ModelError::file(
            folder,
            format!("has `{PICKLE}` only: pickles can run code and are never read; save it as safetensors"),
        ));
    }
    let data = std::fs::read(&path).map_err(|e| ModelError::file(&path, e))?;
    let file = SafeTensors::deserialize(&data).map_err(|e| ModelError::file(&path, format!("not a whole safetensors file ({e})")))?;
    let mut names = file.names();
    names.sort_unstable();
    let mut found = BTreeMap::new();
    for name in names {
        let view = file.tensor(name).map_err(|e| ModelError::file(&path, e))?;
        let kind = match view.dtype() {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            Dtype::F64 => DType::F64,
            other => return Err(ModelError::file(&path, format!("`{name}` is of type {other:?}; F32, F16 and BF16 are read"))),
        };
        let tensor = Tensor::from_raw_buffer(view.data(), kind, view.shape(), &Device::Cpu)?.to_dtype(DType::F32)?;
        found.insert(name.strip_prefix(PREFIX).unwrap_or(name).to_string(), tensor);
    }
    Ok(found)
}
