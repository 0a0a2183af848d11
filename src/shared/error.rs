use crate::store::StoreError;

/// Why an entry of a shared store cannot be read or written. The run goes on without.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SharedError {
    /// The store, or the way to it. Others of its objects will do no better.
    #[error("cannot {action} `{object}`: {reason}")]
    Cannot { action: &'static str, object: String, reason: String },
    /// An object that is not what it should be; others may be.
    #[error("`{object}` is damaged: {problem}")]
    Damaged { object: String, problem: String },
    #[error("`{object}` has format {found}, which this epo-run does not know (it knows {known})")]
    Outdated { object: String, found: u64, known: u32 },
    /// The run folder.
    #[error(transparent)]
    Local(#[from] StoreError),
    #[error("interrupted")]
    Stopped,
}

impl SharedError {
    pub(super) fn damaged(object: String, problem: impl Into<String>) -> Self {
        Self::Damaged { object, problem: problem.into() }
    }
}
