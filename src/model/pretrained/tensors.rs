//! Tensors by name from one safetensors file or from shards with an index, as 32-bit floats.

use crate::model::ModelError;
use crate::model::fence::read_named;
use crate::model::tokenizer_file::LARGEST;
use candle_core::{DType, Device, Tensor};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub(super) const SINGLE: &str = "model.safetensors";
pub(super) const INDEX: &str = "model.safetensors.index.json";

/// The names of the shards that an index lists.
pub(super) fn shards(index: &Path) -> Result<Vec<String>, ModelError> {
    let text = read_named(index, LARGEST)?;
    let json: Value = serde_json::from_slice(&text).map_err(|e| ModelError::file(index, e))?;
    let Some(map) = json.get("weight_map").and_then(Value::as_object) else {
        return Err(ModelError::file(index, "has no `weight_map`"));
    };
    let names: BTreeSet<String> = map.values().filter_map(Value::as_str).map(str::to_string).collect();
    match names.iter().find(|name| name.contains(['/', '\\']) || name.as_str() == "..") {
        Some(name) => Err(ModelError::file(index, format!("names the shard `{name}`, which is no file beside it"))),
        None => Ok(names.into_iter().collect()),
    }
}

/// The files that hold a folder's weights.
fn files(folder: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let (single, index) = (folder.join(SINGLE), folder.join(INDEX));
    if single.is_file() {
        return Ok(vec![single]);
    }
    if index.is_file() {
        let all: Vec<PathBuf> = shards(&index)?.into_iter().map(|name| folder.join(name)).collect();
        let missing: Vec<String> =
            all.iter().filter(|f| !f.is_file()).filter_map(|f| f.file_name()).map(|n| format!("`{}`", n.to_string_lossy())).collect();
        if missing.is_empty() {
            return Ok(all);
        }
        let message = format!("{} of {} shards are missing: {}", missing.len(), all.len(), missing.join(", "));
        return Err(ModelError::file(folder, message));
    }
    let pickles = ["pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.00.pth"];
    let why = match pickles.iter().find(|name| folder.join(name).exists()) {
        Some(pickle) => format!("has `{pickle}` only: pickles can run code and are never read; convert it to safetensors"),
        None => format!("has neither `{SINGLE}` nor `{INDEX}`"),
    };
    Err(ModelError::file(folder, why))
}

/// Tensors that old converters wrote and that hold no parameters.
fn is_derived(name: &str) -> bool {
    name.ends_with(".rotary_emb.inv_freq")
}

/// How long the header of a safetensors file says that it is; `None` if it says nothing.
pub(super) fn length(path: &Path) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Place {
        data_offsets: (u64, u64),
    }
    let mut file = File::open(path).ok()?;
    let mut count = [0; 8];
    file.read_exact(&mut count).ok()?;
    let count = u64::from_le_bytes(count);
    let mut header = Vec::new();
    file.take(count.min(LARGEST)).read_to_end(&mut header).ok()?;
    let tensors: BTreeMap<String, Value> = serde_json::from_slice(&header).ok()?;
    let ends = tensors.into_values().filter_map(|tensor| serde_json::from_value::<Place>(tensor).ok()).map(|place| place.data_offsets.1);
    ends.max().unwrap_or(0).checked_add(count)?.checked_add(8)
}

/// More than the largest header, and what may stand beside the parameters.
const SLACK: u64 = 256 << 20;

/// The wanted tensors of a folder, and those of `may_be` that are there. Others in it are an error. `seen` hears how many of how many are there.
pub(super) fn read(
    folder: &Path,
    wanted: &[(String, Vec<usize>)],
    may_be: &[(String, Vec<usize>)],
    device: &Device,
    seen: &mut dyn FnMut(usize, usize),
) -> Result<BTreeMap<String, Tensor>, ModelError> {
    let shapes: BTreeMap<&str, &[usize]> = wanted.iter().chain(may_be).map(|(name, shape)| (name.as_str(), shape.as_slice())).collect();
    let numbers: u64 = shapes.values().map(|shape| shape.iter().product::<usize>() as u64).sum();
    let mut found = BTreeMap::new();
    for path in files(folder)? {
        let data = read_named(&path, numbers.saturating_mul(8).saturating_add(SLACK))?;
        let file = SafeTensors::deserialize(&data).map_err(|e| ModelError::file(&path, format!("not a whole safetensors file ({e})")))?;
        let mut names = file.names();
        names.sort_unstable();
        for name in names {
            if is_derived(name) {
                continue;
            }
            let Some(shape) = shapes.get(name) else {
                return Err(ModelError::file(&path, format!("holds `{name}`, which a model of this configuration does not have")));
            };
            let view = file.tensor(name).map_err(|e| ModelError::file(&path, e))?;
            if view.shape() != *shape {
                let message = format!("`{name}` has shape {:?}, its configuration says {shape:?}", view.shape());
                return Err(ModelError::file(&path, message));
            }
            let dtype = match view.dtype() {
                Dtype::F32 => DType::F32,
                Dtype::F16 => DType::F16,
                Dtype::BF16 => DType::BF16,
                Dtype::F64 => DType::F64,
                other => return Err(ModelError::file(&path, format!("`{name}` is of type {other:?}; F32, F16 and BF16 are read"))),
            };
            let tensor = Tensor::from_raw_buffer(view.data(), dtype, shape, &Device::Cpu)?.to_dtype(DType::F32)?;
            found.insert(name.to_string(), tensor.to_device(device)?);
            seen(found.len(), wanted.len());
        }
    }
    match wanted.iter().find(|(name, _)| !found.contains_key(name)) {
        Some((name, _)) => Err(ModelError::file(folder, format!("`{name}` is in none of its weight files"))),
        None => Ok(found),
    }
}
