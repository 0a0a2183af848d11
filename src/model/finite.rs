//! Whether weights are numbers: NaN and infinity are found where they arise, not in the results that they spoil.

use super::slices::slice;
use super::threads::parallel;
use super::{ModelError, Weights};
use candle_core::{CpuStorage, DType, Storage, Tensor, Var};
use indexmap::IndexMap;

impl Weights {
    /// The first of all parameters, an adapter's included, that holds a number that is not finite.
    ///
    /// # Errors
    /// If the device refuses.
    pub fn not_finite(&self, threads: usize) -> Result<Option<String>, ModelError> {
        let below = first(self.variables(), threads)?;
        match (below, self.adapter()) {
            (None, Some(adapter)) => first(&adapter.variables, threads),
            (below, _) => Ok(below),
        }
    }

    /// As [`Weights::not_finite`], of what is trained alone.
    ///
    /// # Errors
    /// If the device refuses.
    pub(crate) fn trained_not_finite(&self, threads: usize) -> Result<Option<String>, ModelError> {
        first(self.trained(), threads)
    }
}

fn first(variables: &IndexMap<String, Var>, threads: usize) -> Result<Option<String>, ModelError> {
    // A device has its own order.
    let threads = if variables.values().all(|var| var.device().is_cpu()) { threads } else { 1 };
    let found = parallel(variables.len(), threads, |i| is_finite(&variables[i]));
    for (name, finite) in variables.keys().zip(found) {
        if !finite? {
            return Ok(Some(name.clone()));
        }
    }
    Ok(None)
}

pub(super) fn is_finite(tensor: &Tensor) -> candle_core::Result<bool> {
    match (&*tensor.storage_and_layout().0, tensor.layout()) {
        (Storage::Cpu(CpuStorage::F32(values)), layout) if layout.is_contiguous() => {
            return Ok(slice(values, layout)?.iter().fold(true, |all, x| all & x.is_finite()));
        }
        (Storage::Cpu(CpuStorage::F64(values)), layout) if layout.is_contiguous() => {
            return Ok(slice(values, layout)?.iter().fold(true, |all, x| all & x.is_finite()));
        }
        _ => {}
    }
    // On the device itself: zero times a number is zero, and anything else is NaN, which a sum keeps.
    let zeros = (tensor.detach() * 0.0)?;
    Ok(zeros.sum_all()?.to_dtype(DType::F32)?.to_scalar::<f32>()? == 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::config::tests::tiny;
    use candle_core::Device;

    #[test]
    fn the_first_parameter_that_is_not_finite_is_named() {
        for dtype in [DType::F32, DType::F64, DType::BF16] {
            let weights = Weights::init(&tiny(), 1, &Device::Cpu, dtype).unwrap();
            assert_eq!(weights.not_finite(2).unwrap(), None);
            for name in ["model.norm.weight", "model.layers.0.mlp.up_proj.weight"] {
                let var = &weights.variables()[name];
                let ones = var.ones_like().unwrap();
                for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                    // One number of many.
                    let mask = Tensor::arange(0u32, var.elem_count() as u32, &Device::Cpu).unwrap().eq(3u32).unwrap();
                    let mask = mask.reshape(var.shape()).unwrap();
                    let bad = Tensor::full(bad, var.shape(), &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
                    var.set(&mask.where_cond(&bad, &ones).unwrap()).unwrap();
                    assert_eq!(weights.not_finite(1).unwrap().as_deref(), Some(name), "{dtype:?}");
                }
            }
        }
    }
}
