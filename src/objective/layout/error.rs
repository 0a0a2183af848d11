//! Why rows make no batch.

/// Why rows make no batch.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LayoutError {
    /// Not even a row without tokens.
    #[error("the batch has no rows")]
    Empty,
    /// A list of ids of another length than the rows.
    #[error("`{key}` has {found} values, but the batch has {rows} rows")]
    Rows {
        /// The list of [`Rows`](super::Rows).
        key: &'static str,
        /// Its length.
        found: usize,
        /// Rows by the lengths.
        rows: usize,
    },
    /// An episode belongs to one group.
    #[error("rows {first} and {second} belong to episode {episode}, but to different groups")]
    EpisodeInTwoGroups {
        /// Its id.
        episode: u64,
        /// A row, from 0.
        first: usize,
        /// A row, from 0.
        second: usize,
    },
    /// A group plays one task.
    #[error("rows {first} and {second} belong to {whose} {id}, but to different tasks")]
    TwoTasks {
        /// `group`, or `episode` where there are no groups.
        whose: &'static str,
        /// Its id.
        id: u64,
        /// A row, from 0.
        first: usize,
        /// A row, from 0.
        second: usize,
    },
    /// A turn of an episode is one row.
    #[error("rows {first} and {second} both are turn {turn} of episode {episode}")]
    TurnTwice {
        /// Its id.
        episode: u64,
        /// Its number.
        turn: u64,
        /// A row, from 0.
        first: usize,
        /// A row, from 0.
        second: usize,
    },
    /// Elements are counted in 32 bits.
    #[error("the batch has {tokens} tokens, more than can be counted here")]
    TooLarge {
        /// Of all rows.
        tokens: usize,
    },
}
