//! Gradients of a model's parameters, by name.

use super::composite::long;
use super::slices::{slice, slice_mut};
use super::threads::parallel;
use super::{ModelError, Weights};
use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, DType, InplaceOp1, Layout, Storage, Tensor};
use indexmap::IndexMap;

/// One tensor for every parameter that is trained, in their order.
#[derive(Clone, Debug)]
pub struct Gradients {
    tensors: IndexMap<String, Tensor>,
    threads: usize,
}

impl Gradients {
    pub(crate) fn new(tensors: IndexMap<String, Tensor>) -> Gradients {
        Gradients { tensors, threads: 1 }
    }

    /// How many threads may work on them and on the parameters that they change. No bit depends on it.
    pub(crate) fn on(self, threads: usize) -> Gradients {
        Gradients { threads, ..self }
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Of the shapes and on the device of what `weights` trains.
    pub fn zeros(weights: &Weights) -> Result<Gradients, ModelError> {
        // Sums of halves are taken in 32 bits.
        let zero = |(name, var): (&String, &candle_core::Var)| Ok((name.clone(), long(&var.zeros_like()?.detach())?));
        Ok(Gradients::new(weights.trained().iter().map(zero).collect::<Result<_, ModelError>>()?))
    }

    /// By the parameter's name.
    pub fn tensors(&self) -> &IndexMap<String, Tensor> {
        &self.tensors
    }

    /// Adds those of another part of the same minibatch.
    pub fn add(&mut self, other: &Gradients) -> Result<(), ModelError> {
        for (name, tensor) in &mut self.tensors {
            if let Some(theirs) = other.tensors.get(name) {
                *tensor = (&*tensor + theirs)?;
            }
        }
        Ok(())
    }

    /// Adds what candle's backward pass has found for the weights; what it did not reach has no gradient.
    pub(crate) fn take(&mut self, weights: &Weights, store: &mut GradStore) -> Result<(), ModelError> {
        for (name, var) in weights.trained() {
            if let (Some(found), Some(tensor)) = (store.remove(var.as_tensor()), self.tensors.get_mut(name)) {
                *tensor = (&*tensor + found.detach().contiguous()?.to_dtype(tensor.dtype())?)?;
            }
        }
        Ok(())
    }

    /// Multiplies every gradient, in place.
    pub fn scale(&mut self, factor: f64) -> Result<(), ModelError> {
        let scaled = |tensor: &Tensor| if tensor.device().is_cpu() { tensor.inplace_op1(&Scale(factor)) } else { Ok(()) };
        parallel(self.tensors.len(), self.threads, |i| scaled(&self.tensors[i])).into_iter().collect::<candle_core::Result<()>>()?;
        for tensor in self.tensors.values_mut().filter(|t| !t.device().is_cpu()) {
            *tensor = (&*tensor * factor)?;
        }
        Ok(())
    }

    /// The Euclidean norm of each parameter's gradient, summed in f64.
    pub fn norms(&self) -> Result<IndexMap<String, f64>, ModelError> {
        let norms = parallel(self.tensors.len(), self.threads, |i| norm(&self.tensors[i]));
        self.tensors.keys().zip(norms).map(|(name, norm)| Ok((name.clone(), norm?))).collect()
    }

    /// The Euclidean norm of all gradients together.
    pub fn norm(&self) -> Result<f64, ModelError> {
        Ok(self.norms()?.values().map(|n| n * n).sum::<f64>().sqrt())
    }

    /// Scales everything down so that the norm is at most `most`; gives the norm before. A norm that is not finite is left to the caller.
    pub fn clip(&mut self, most: f64) -> Result<f64, ModelError> {
        let norm = self.norm()?;
        if norm.is_finite() && norm > most {
            self.scale(most / norm)?;
        }
        Ok(norm)
    }
}

/// The Euclidean norm of a tensor, summed in f64.
///
/// # Errors
/// If the device refuses.
pub fn norm(tensor: &Tensor) -> Result<f64, ModelError> {
    let sum = |x: &[f32]| x.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>();
    if let (Storage::Cpu(CpuStorage::F32(values)), layout) = (&*tensor.storage_and_layout().0, tensor.layout()) {
        return Ok(sum(slice(values, layout)?).sqrt());
    }
    let values = tensor.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    Ok(values.iter().map(|x| x * x).sum::<f64>().sqrt())
}

/// Multiplication in place.
struct Scale(f64);

impl InplaceOp1 for Scale {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        match storage {
            CpuStorage::F32(x) => slice_mut(x, layout)?.iter_mut().for_each(|x| *x *= self.0 as f32),
            CpuStorage::F64(x) => slice_mut(x, layout)?.iter_mut().for_each(|x| *x *= self.0),
            _ => return Err(candle_core::Error::Msg("gradients are f32 or f64".to_string())),
        }
        Ok(())
    }
}
