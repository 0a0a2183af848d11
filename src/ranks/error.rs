//! Why ranks do not go on together.

use super::exchange::Lost;

/// Why ranks do not go on together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RanksError {
    /// One of them met with a mistake.
    #[error("rank {rank} failed: {message}")]
    Failed {
        /// Which.
        rank: usize,
        /// What it says.
        message: String,
    },
    /// One of them came to another call.
    #[error("rank {rank} does something else than rank 0; all ranks have to be the same program with the same file and settings")]
    Apart {
        /// Which.
        rank: usize,
    },
    /// One of them came to another result.
    #[error("rank {rank} came to other numbers than rank 0 ({what}); all ranks have to be the same program on the same kind of machine")]
    Differs {
        /// Which.
        rank: usize,
        /// Of what.
        what: String,
    },
    /// What another rank sent is no message of this program.
    #[error("what another rank sent cannot be read; all ranks have to be the same program")]
    Unreadable,
    /// One of them is gone.
    #[error("{lost}; the same command goes on from the last checkpoint, with any number of ranks")]
    Lost {
        /// Which, if that is known.
        #[from]
        lost: Lost,
    },
    /// A failure was told before.
    #[error("the ranks have parted")]
    Over,
}
