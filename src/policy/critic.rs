//! Critics: estimates of the return.

use super::input::PolicyInput;
use super::optimizer::OptimizerKind;
use crate::kind;
use crate::kind::{Category, Entry, Identity, Part, Reader};
use crate::lang::value::{Component, Value};
use crate::model::{Critic, ModelError, Weights};
use std::fmt;
use std::sync::Arc;

/// An estimate of the return, as a pipeline declares it.
pub(crate) trait CriticKind: Identity + fmt::Debug + Send + Sync + 'static {
    /// The model that it is made on; `None`: the policy that the stage starts from.
    fn backbone(&self) -> Option<&PolicyInput>;

    /// `None`: one like the policy's.
    fn optimizer(&self) -> Option<&Part<dyn OptimizerKind>>;

    /// The critic before its first update.
    ///
    /// # Errors
    /// If the device refuses.
    fn make(&self, backbone: &Weights) -> Result<Critic, ModelError>;
}

kind! {
    /// A scalar head on a language model of its own, read before each response token.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   critic = value_head { optimizer = adamw { lr = 1e-3 } }
    ///   policy = decoder { tokenizer = words }
    ///   advantage = gae(outcome, value, gamma = 1, lambda = 1)
    ///   loss { minimize = mean((value - returns) ^ 2) - mean(advantage * exp(logp - old_logp)) }
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     train = rl { on = house.train, iterations = 1 }
    ///     page  = report { of = [train] }
    ///   }
    /// }
    /// ```
    pub(crate) struct ValueHead as "value_head" {
        /// The model below the head; left out, a copy of the policy that the stage starts from.
        backbone: Option<PolicyInput> [default None],
        /// Its optimiser; left out, one like the policy's.
        optimizer: Option<Part<dyn OptimizerKind>> [default None],
    }
}

impl CriticKind for ValueHead {
    fn backbone(&self) -> Option<&PolicyInput> {
        self.backbone.as_ref()
    }

    fn optimizer(&self) -> Option<&Part<dyn OptimizerKind>> {
        self.optimizer.as_ref()
    }

    fn make(&self, backbone: &Weights) -> Result<Critic, ModelError> {
        Critic::from_backbone(backbone)
    }
}

fn read(_: &Arc<Value>, component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn CriticKind>> {
    reader.refuse_unknown(component, &[&ValueHead::INFO], |_| false);
    Some(Arc::new(ValueHead::read_fields(component, reader)?))
}

impl Category for dyn CriticKind {
    const WORDS: &'static str = "a critic such as `value_head { … }`";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<dyn CriticKind>] = &[Entry { info: &ValueHead::INFO, read }];
        ENTRIES
    }
}
