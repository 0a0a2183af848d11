//! Critics: estimates of the return.

use super::input::PolicyInput;
use super::optimizer::OptimizerKind;
use crate::kind;
use crate::kind::{Category, Entry, Identity, Part, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::{Component, Value};
use crate::model::{Compute, Critic, ModelError, Row, ValueHead as HeadOnTrunk, Weights};
use crate::words;
use std::fmt;
use std::sync::Arc;

/// An estimate of the return that can be trained.
#[derive(Debug)]
pub(crate) enum Estimator {
    /// A model of its own.
    Apart(Critic),
    /// A head on the policy's trunk.
    OnTrunk(HeadOnTrunk),
}

impl Estimator {
    /// What is trained beside the policy.
    pub(crate) fn weights(&self) -> &Arc<Weights> {
        match self {
            Self::Apart(critic) => critic.weights(),
            Self::OnTrunk(head) => head.weights(),
        }
    }

    /// One estimate for every target of the policy's rows.
    ///
    /// # Errors
    /// If a row does not fit the model.
    pub(crate) fn values(&self, policy: &Weights, rows: &[Row], compute: &Compute) -> Result<Vec<f32>, ModelError> {
        match self {
            Self::Apart(critic) => critic.values(rows, compute),
            Self::OnTrunk(head) => head.values(policy, rows, compute),
        }
    }
}

/// An estimate of the return, as a pipeline declares it.
pub(crate) trait CriticKind: Identity + fmt::Debug + Send + Sync + 'static {
    /// The model that it is made on; `None`: the policy that the stage starts from.
    fn backbone(&self) -> Option<&PolicyInput>;

    /// Whether it is a model of its own.
    fn is_apart(&self) -> bool;

    /// `None`: one like the policy's.
    fn optimizer(&self) -> Option<&Part<dyn OptimizerKind>>;

    /// The critic before its first update.
    ///
    /// # Errors
    /// If the device refuses.
    fn make(&self, backbone: &Weights) -> Result<Estimator, ModelError>;
}

words! {
    /// What a value head stands on.
    pub(crate) enum Trunk {
        /// A model of its own.
        Own = "own",
        /// The policy itself: one forward and one backward pass for both, and the gradient of the critic's loss reaches the policy's parameters too. How
        /// much it weighs there is the coefficient that it has in the equation.
        Shared = "shared",
    }
}

kind! {
    /// A scalar head on a language model, its own or the policy's, read before each response token.
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
        /// The model below the head.
        trunk: Trunk [added default Trunk::Own],
        /// What a model of its own starts from; left out, a copy of the policy that the stage starts from.
        backbone: Option<PolicyInput> [default None],
        /// The optimiser of what it has of its own; left out, one like the policy's.
        optimizer: Option<Part<dyn OptimizerKind>> [default None],
    }
}

impl CriticKind for ValueHead {
    fn backbone(&self) -> Option<&PolicyInput> {
        self.backbone.as_ref()
    }

    fn is_apart(&self) -> bool {
        self.trunk == Trunk::Own
    }

    fn optimizer(&self) -> Option<&Part<dyn OptimizerKind>> {
        self.optimizer.as_ref()
    }

    fn make(&self, backbone: &Weights) -> Result<Estimator, ModelError> {
        Ok(match self.trunk {
            Trunk::Own => Estimator::Apart(Critic::from_backbone(backbone)?),
            Trunk::Shared => Estimator::OnTrunk(HeadOnTrunk::on(backbone)?),
        })
    }
}

fn read(_: &Arc<Value>, component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn CriticKind>> {
    reader.refuse_unknown(component, &[&ValueHead::INFO], |_| false);
    let read = ValueHead::read_fields(component, reader)?;
    if let (Trunk::Shared, Some(backbone)) = (read.trunk, component.fields.get("backbone")) {
        let message = "`trunk = shared` is the policy's own, and `backbone` names another model";
        let help = "leave `backbone` out, or the trunk: a model of its own starts from any policy";
        reader.report(Diagnostic::error("E0105", backbone.name_span, message).help(help));
        return None;
    }
    Some(Arc::new(read))
}

impl Category for dyn CriticKind {
    const WORDS: &'static str = "a critic such as `value_head { … }`";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<dyn CriticKind>] = &[Entry { info: &ValueHead::INFO, read }];
        ENTRIES
    }
}
