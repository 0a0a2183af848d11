//! What an optimiser keeps from update to update, in the open, so that a resumed run continues to the same bytes. What it does to a parameter is
//! the caller's: an [`Update`].

mod adamw;
#[cfg(test)]
pub(crate) mod tests;

pub use adamw::AdamW;

use super::memory::fits_training;
use super::parts::{PartsFile, bytes, save_parts};
use super::threads::parallel;
use super::weights::{EMBEDDING, UNEMBEDDING, VALUE_WEIGHT};
use super::{Gradients, ModelError, Weights};
use candle_core::{DType, Tensor, Var};
use indexmap::IndexMap;
use std::path::Path;

/// What a parameter is in its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Gains and biases.
    Vector,
    /// A matrix of a block, or one of the two of its adapter.
    Matrix,
    /// Of the tokens; where it is tied, the output matrix as well.
    Embedding,
    /// The output matrix, or that of a critic's values.
    Head,
}

impl Role {
    fn of(name: &str, var: &Var) -> Role {
        match name {
            _ if var.rank() < 2 => Role::Vector,
            EMBEDDING => Role::Embedding,
            UNEMBEDDING | VALUE_WEIGHT => Role::Head,
            _ => Role::Matrix,
        }
    }
}

/// One parameter in an update. All tensors have its shape and one type, of 32 bits at least.
#[derive(Debug)]
pub struct Parameter<'a> {
    /// For rules that treat matrices otherwise.
    pub role: Role,
    /// Of the loss, after clipping.
    pub gradient: &'a Tensor,
    value: &'a Var,
    kept: &'a Kept,
}

impl Parameter<'_> {
    /// Its value; what is done in place is done to the parameter.
    pub fn value(&self) -> Tensor {
        self.value.as_detached_tensor()
    }

    /// Gives it another value.
    ///
    /// # Errors
    /// If the shape is another.
    pub fn set(&self, value: &Tensor) -> Result<(), ModelError> {
        Ok(self.value.set(value)?)
    }

    /// What is kept of it under a name; what is done in place is done to what is kept.
    ///
    /// # Errors
    /// If the optimiser keeps nothing of that name.
    pub fn kept(&self, name: &str) -> Result<Tensor, ModelError> {
        Ok(self.kept.named(name)?.as_detached_tensor())
    }

    /// Keeps another value under a name.
    ///
    /// # Errors
    /// If the optimiser keeps nothing of that name, or the shape is another.
    pub fn keep(&self, name: &str, value: &Tensor) -> Result<(), ModelError> {
        Ok(self.kept.named(name)?.set(value)?)
    }
}

/// What an update does to a parameter: it sets the value, and what is kept of it.
pub type Update<'a> = dyn Fn(&Parameter<'_>) -> Result<(), ModelError> + Sync + 'a;

/// What is kept of one parameter.
#[derive(Debug)]
struct Kept {
    role: Role,
    names: &'static [&'static str],
    values: Vec<Var>,
    /// The parameter in 32 bits, where it has fewer: small steps would be lost to rounding.
    master: Option<Var>,
}

const MASTER: &str = "master";

impl Kept {
    fn zeros(role: Role, names: &'static [&'static str], var: &Var) -> Result<Kept, ModelError> {
        let short = matches!(var.dtype(), DType::BF16 | DType::F16);
        let kind = if short { DType::F32 } else { var.dtype() };
        let values = names.iter().map(|_| Var::zeros(var.shape(), kind, var.device())).collect::<Result<_, _>>()?;
        let master = if short { Some(Var::from_tensor(&var.as_detached_tensor().to_dtype(kind)?)?) } else { None };
        Ok(Kept { role, names, values, master })
    }

    fn named(&self, name: &str) -> Result<&Var, ModelError> {
        let found = self.names.iter().zip(&self.values).find(|(known, _)| **known == name);
        found.map(|(_, value)| value).ok_or_else(|| ModelError::input(format!("the optimiser keeps no `{name}` of this parameter")))
    }

    /// With the names that their files have.
    fn parts(&self) -> impl Iterator<Item = (&'static str, &Var)> {
        self.names.iter().copied().zip(&self.values).chain(self.master.iter().map(|master| (MASTER, master)))
    }
}

/// The state of an optimiser over the trained parameters of some weights.
#[derive(Debug)]
pub struct OptimizerState {
    optimizer: &'static str,
    steps: u64,
    kept: IndexMap<String, Kept>,
}

impl OptimizerState {
    /// Before the first update. `optimizer` is its name, and `keeps` says what it keeps of a parameter: tensors of its shape that start at zero.
    ///
    /// # Errors
    /// If the device has no room for them.
    pub fn new(
        optimizer: &'static str,
        keeps: impl Fn(Role) -> &'static [&'static str],
        weights: &Weights,
    ) -> Result<OptimizerState, ModelError> {
        fits_training(weights, |name, var| keeps(Role::of(name, var)).len())?;
        let mut kept = IndexMap::new();
        for (name, var) in weights.trained() {
            let role = Role::of(name, var);
            kept.insert(name.clone(), Kept::zeros(role, keeps(role), var)?);
        }
        Ok(OptimizerState { optimizer, steps: 0, kept })
    }

    /// Updates made so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// One update of every parameter, in place.
    ///
    /// # Errors
    /// If the gradients are of other weights, or the device refuses.
    pub fn step(&mut self, weights: &Weights, gradients: &Gradients, update: &Update<'_>) -> Result<(), ModelError> {
        let mut parameters = Vec::new();
        for (name, var) in weights.trained() {
            let (Some(kept), Some(gradient)) = (self.kept.get(name), gradients.tensors().get(name)) else {
                return Err(ModelError::input(format!("`{name}` has no gradient or no moments")));
            };
            if gradient.shape() != var.shape() || kept.parts().any(|(_, part)| part.shape() != var.shape()) {
                return Err(ModelError::input(format!("the gradient or moments of `{name}` have another shape than itself")));
            }
            parameters.push((var, kept, gradient));
        }
        self.steps += 1;
        // A parameter depends on no other; a device has its own order.
        let threads = if weights.device().is_cpu() { gradients.threads() } else { 1 };
        let one = |i: usize| -> Result<(), ModelError> {
            let (var, kept, gradient) = parameters[i];
            let value = kept.master.as_ref().unwrap_or(var);
            let gradient = &gradient.to_dtype(value.dtype())?;
            update(&Parameter { role: kept.role, gradient, value, kept })?;
            match &kept.master {
                Some(master) => Ok(var.set(&master.as_detached_tensor().to_dtype(var.dtype())?)?),
                None => Ok(()),
            }
        };
        parallel(parameters.len(), threads, one).into_iter().collect::<Result<(), ModelError>>()?;
        weights.touch();
        Ok(())
    }

    /// Writes what is kept and the step count as safetensors.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let mut parts = Vec::new();
        let mut kind = DType::F32;
        for (name, kept) in &self.kept {
            for (part, var) in kept.parts() {
                kind = var.dtype();
                parts.push((format!("{name}.{part}"), var.dims().to_vec(), bytes(var)?));
            }
        }
        save_parts(path, kind, &parts, Some((&note(self.optimizer), self.steps.to_string())))
    }

    /// Goes back to what [`OptimizerState::save`] wrote for the same optimiser and weights. A master is as the file says, whatever the weights.
    ///
    /// # Errors
    /// If the file is of another optimiser or of other weights, or cannot be read.
    pub fn restore(&mut self, path: &Path) -> Result<(), ModelError> {
        let file = PartsFile::read(path)?;
        let (notes, note) = (file.notes()?, note(self.optimizer));
        if let Some(other) = notes.keys().find(|key| is_note(key) && **key != note) {
            let whose = other.strip_suffix(STEPS).and_then(|name| name.strip_suffix('.')).unwrap_or(FIRST);
            return Err(ModelError::file(path, format!("is the state of the optimizer `{whose}`, and this is `{}`", self.optimizer)));
        }
        let parts = self.kept.iter().flat_map(|(name, kept)| kept.parts().map(move |(part, var)| (format!("{name}.{part}"), var)));
        let (wanted, vars): (Vec<_>, Vec<_>) = parts.map(|(name, var)| ((name, var.dims().to_vec()), var)).unzip();
        let tensors = file.tensors(&wanted)?;
        let steps = notes.get(&note).and_then(|s| s.parse().ok());
        let steps = steps.ok_or_else(|| ModelError::file(path, "does not say how many steps were made; not an optimiser's file"))?;
        for ((_, tensor), var) in tensors.iter().zip(vars) {
            var.set(&tensor.to_dtype(var.dtype())?.to_device(var.device())?)?;
        }
        self.steps = steps;
        Ok(())
    }
}

const STEPS: &str = "steps";

/// The optimiser whose files are older than the others, and do not name it.
const FIRST: &str = "adamw";

/// The key of the note that says how many steps were made, and by which optimiser.
fn note(optimizer: &str) -> String {
    if optimizer == FIRST { STEPS.to_string() } else { format!("{optimizer}.{STEPS}") }
}

fn is_note(key: &str) -> bool {
    key == STEPS || key.strip_suffix(STEPS).is_some_and(|name| name.ends_with('.'))
}
