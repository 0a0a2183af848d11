//! Why the work of a stage may end early.

use crate::env::EnvError;
use crate::lang::Diagnostic;
use crate::model::ModelError;
use crate::objective::ObjectiveError;
use crate::ranks::RanksError;
use crate::rollout::RolloutError;
use crate::store::StoreError;

/// Why a stage ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The user asked to stop; the last checkpoint is whole.
    #[error("interrupted")]
    Interrupted,
    /// Something with a place in the text went wrong: a NaN in a term, an environment that died.
    #[error("{}", .0.message)]
    At(Box<Diagnostic>),
    /// The task's folder cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file outside of the store.
    #[error("{context}: {source}")]
    Io {
        /// What was tried, with the path.
        context: String,
        /// As the system says it.
        source: std::io::Error,
    },
    /// Anything else, in words.
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

impl From<RanksError> for RunError {
    fn from(error: RanksError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<ObjectiveError> for RunError {
    fn from(error: ObjectiveError) -> Self {
        Self::At(Box::new(error.diagnostic()))
    }
}
