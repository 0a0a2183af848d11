//! Files of named tensors: safetensors with one note at most.

use super::ModelError;
use super::composite::long;
use super::finite::is_finite;
use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{SafeTensors, TensorView};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// A tensor's values, little-endian; halves as 32-bit floats, which lose nothing.
pub(crate) fn bytes(tensor: &Tensor) -> Result<Vec<u8>, ModelError> {
    let flat = long(&tensor.detach().to_device(&Device::Cpu)?.flatten_all()?)?;
    Ok(match flat.dtype() {
        DType::F64 => flat.to_vec1::<f64>()?.iter().flat_map(|x| x.to_le_bytes()).collect(),
        DType::F32 => flat.to_vec1::<f32>()?.iter().flat_map(|x| x.to_le_bytes()).collect(),
        other => return Err(ModelError::input(format!("parameters of type {other:?} are not supported"))),
    })
}

/// Writes tensors (name, shape, bytes) and a note as safetensors.
pub(crate) fn save_parts(
    path: &Path,
    dtype: DType,
    parts: &[(String, Vec<usize>, Vec<u8>)],
    note: Option<(&str, String)>,
) -> Result<(), ModelError> {
    let kind = if dtype == DType::F64 { safetensors::Dtype::F64 } else { safetensors::Dtype::F32 };
    let mut views = Vec::new();
    for (name, shape, data) in parts {
        views.push((name, TensorView::new(kind, shape.clone(), data).map_err(|e| ModelError::file(path, e))?));
    }
    // One note only: several would be written in hash order.
    let note: Option<HashMap<String, String>> = note.map(|(key, value)| [(key.to_string(), value)].into());
    let file = safetensors::serialize(views, note).map_err(|e| ModelError::file(path, e))?;
    std::fs::write(path, file).map_err(|e| ModelError::write(path, e))
}

/// A whole file in memory.
pub(crate) struct PartsFile {
    path: PathBuf,
    data: Vec<u8>,
}

impl PartsFile {
    pub(super) fn read(path: &Path) -> Result<PartsFile, ModelError> {
        let file = PartsFile { path: path.to_path_buf(), data: std::fs::read(path).map_err(|e| ModelError::file(path, e))? };
        file.parsed()?;
        Ok(file)
    }

    fn parsed(&self) -> Result<SafeTensors<'_>, ModelError> {
        SafeTensors::deserialize(&self.data).map_err(|e| ModelError::file(&self.path, format!("not a whole safetensors file ({e})")))
    }

    pub(super) fn notes(&self) -> Result<BTreeMap<String, String>, ModelError> {
        let (_, header) = SafeTensors::read_metadata(&self.data).map_err(|e| ModelError::file(&self.path, e))?;
        Ok(header.metadata().clone().unwrap_or_default().into_iter().collect())
    }

    /// The tensors in the order of `wanted` (name, shape), which has to match the file exactly.
    pub(super) fn tensors(&self, wanted: &[(String, Vec<usize>)]) -> Result<Vec<(String, Tensor)>, ModelError> {
        let (file, path) = (self.parsed()?, &self.path);
        if let Some(extra) = file.names().iter().filter(|name| !wanted.iter().any(|(w, _)| w == *name)).min() {
            return Err(ModelError::file(path, format!("holds `{extra}`, which this model does not have")));
        }
        let mut tensors: Vec<(String, Tensor)> = Vec::new();
        for (name, shape) in wanted {
            let view = file.tensor(name).map_err(|_| ModelError::file(path, format!("`{name}` is missing")))?;
            if view.shape() != shape.as_slice() {
                let message = format!("`{name}` has shape {:?}, this model needs {shape:?}", view.shape());
                return Err(ModelError::file(path, message));
            }
            let tensor = match view.dtype() {
                safetensors::Dtype::F32 => Tensor::from_vec(from_bytes(view.data(), f32::from_le_bytes), shape.as_slice(), &Device::Cpu)?,
                safetensors::Dtype::F64 => Tensor::from_vec(from_bytes(view.data(), f64::from_le_bytes), shape.as_slice(), &Device::Cpu)?,
                other => return Err(ModelError::file(path, format!("`{name}` is of type {other:?}, expected F32 or F64"))),
            };
            if tensors.first().is_some_and(|(_, first)| first.dtype() != tensor.dtype()) {
                return Err(ModelError::file(path, format!("`{name}` is of type {:?}, those before it are not", tensor.dtype())));
            }
            tensors.push((name.clone(), tensor));
        }
        Ok(tensors)
    }
}

/// The weights of a file in the order of `wanted`, which has to match the file exactly; all of them are numbers.
pub(crate) fn load_parts(path: &Path, wanted: &[(String, Vec<usize>)]) -> Result<Vec<(String, Tensor)>, ModelError> {
    let tensors = PartsFile::read(path)?.tensors(wanted)?;
    for (name, tensor) in &tensors {
        if !is_finite(tensor)? {
            return Err(ModelError::file(path, format!("`{name}` holds numbers that are not finite")));
        }
    }
    Ok(tensors)
}

fn from_bytes<const N: usize, T>(data: &[u8], read: fn([u8; N]) -> T) -> Vec<T> {
    data.as_chunks::<N>().0.iter().map(|chunk| read(*chunk)).collect()
}
