//! Optimisers: one file each, with its fields and its arithmetic.

mod adamw;
mod muon;
mod sgd;
#[cfg(test)]
mod tests;

pub(crate) use adamw::Adamw;

use crate::equation::Now;
use crate::kind::{Category, Entry, Identity, KindInfo, Reader};
use crate::lang::value::Component;
use crate::model::{Gradients, ModelError, OptimizerState, Role, Update, Weights};
use std::fmt;
use std::sync::Arc;

/// How parameters follow their gradients, as a pipeline declares it.
pub(crate) trait OptimizerKind: Identity + fmt::Debug + Send + Sync + 'static {
    /// The word it is written with. It stands in the files of its state.
    fn kind(&self) -> &'static str;

    /// The learning rate, as metrics and messages give it.
    fn rate(&self, now: Now) -> f64;

    /// The norm over all parameters that a gradient is scaled down to; `None` where it is not.
    fn clip_norm(&self) -> Option<f64>;

    /// What is kept of a parameter from update to update: tensors of its shape that start at zero, by name.
    fn keeps(&self, role: Role) -> &'static [&'static str];

    /// The update with a number, counted from 1: what is done to a parameter. It may not look at another one, so that threads cannot change a bit.
    fn update(&self, number: u64, now: Now) -> Box<Update<'_>>;

    /// The state before the first update.
    ///
    /// # Errors
    /// If the device has no room for it.
    fn start(&self, weights: &Weights) -> Result<OptimizerState, ModelError> {
        OptimizerState::new(self.kind(), |role| self.keeps(role), weights)
    }

    /// One update of the weights.
    ///
    /// # Errors
    /// If the gradients or the state are of other weights, or the device refuses.
    fn step(&self, state: &mut OptimizerState, weights: &Weights, gradients: &Gradients, now: Now) -> Result<(), ModelError> {
        state.step(weights, gradients, &*self.update(state.steps() + 1, now))
    }
}

/// Each optimiser with the function that reads its fields.
macro_rules! optimizers {
    ($($optimizer:ty: $read:ident),+ $(,)?) => {
        const ENTRIES: &[Entry<dyn OptimizerKind>] =
            &[$(Entry { info: &<$optimizer>::INFO, read: |_, c, r| read(c, r, &<$optimizer>::INFO, <$optimizer>::$read) }),+];
    };
}

optimizers! {
    adamw::Adamw: read_fields,
    sgd::Sgd: read_checked,
    muon::Muon: read_checked,
}

impl Category for dyn OptimizerKind {
    const WORDS: &'static str = "an optimizer such as `adamw { … }`";

    fn entries() -> &'static [Entry<Self>] {
        ENTRIES
    }
}

fn read<T: OptimizerKind>(
    component: &Component,
    reader: &mut Reader<'_, '_>,
    info: &'static KindInfo,
    fields: fn(&Component, &mut Reader<'_, '_>) -> Option<T>,
) -> Option<Arc<dyn OptimizerKind>> {
    reader.refuse_unknown(component, &[info], |_| false);
    Some(Arc::new(fields(component, reader)?))
}
