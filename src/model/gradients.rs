//! Gradients of a model's parameters, by name.

use super::{ModelError, Weights};
use candle_core::backprop::GradStore;
use candle_core::{DType, Tensor};
use indexmap::IndexMap;

/// One tensor for every parameter that is trained, in their order.
#[derive(Clone, Debug)]
pub struct Gradients {
    tensors: IndexMap<String, Tensor>,
}

impl Gradients {
    pub(crate) fn new(tensors: IndexMap<String, Tensor>) -> Gradients {
        Gradients { tensors }
    }

    pub fn zeros(weights: &Weights) -> Result<Gradients, ModelError> {
        let zero = |(name, var): (&String, &candle_core::Var)| Ok((name.clone(), var.zeros_like()?.detach()));
        Ok(Gradients { tensors: weights.trained().iter().map(zero).collect::<Result<_, ModelError>>()? })
    }

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
                *tensor = (&*tensor + found.detach().contiguous()?)?;
            }
        }
        Ok(())
    }

    pub fn scale(&mut self, factor: f64) -> Result<(), ModelError> {
        for tensor in self.tensors.values_mut() {
            *tensor = (&*tensor * factor)?;
        }
        Ok(())
    }

    /// The Euclidean norm of each parameter's gradient, summed in f64.
    pub fn norms(&self) -> Result<IndexMap<String, f64>, ModelError> {
        let norm = |tensor: &Tensor| -> Result<f64, ModelError> {
            let values = tensor.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
            Ok(values.iter().map(|x| x * x).sum::<f64>().sqrt())
        };
        self.tensors.iter().map(|(name, tensor)| Ok((name.clone(), norm(tensor)?))).collect()
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
