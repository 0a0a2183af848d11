//! Why the work of a stage may end early.

use crate::env::EnvError;
use crate::lang::Diagnostic;
use crate::model::ModelError;
use crate::objective::ObjectiveError;
use crate::rollout::RolloutError;
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The user asked to stop; the last checkpoint is whole.
    #[error("interrupted")]
    Interrupted,
    /// Something with a place in the text went wrong: a NaN in a term, an environment that died.
    #[error("{}", .0.message)]
    At(Box<Diagnostic>),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{context}: {source}")]
    Io { context: String, source: std::io::Error },
    #[error("{0}")]
    Failed(String),
}

impl From<ModelError> for RunError {
    fn from(error: ModelError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<EnvError> for RunError {
    fn from(error: EnvError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<RolloutError> for RunError {
    fn from(error: RolloutError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<ObjectiveError> for RunError {
    fn from(error: ObjectiveError) -> Self {
        Self::At(Box::new(error.diagnostic()))
    }
}
