//! What can go wrong in the model layer.

use super::generate::SlotId;
use super::memory::exhausted;
use std::path::PathBuf;

/// What models, tokenizers and generation fail with.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A shape that no decoder can have.
    #[error("{0}")]
    Config(String),
    /// A weights or optimiser file that does not fit or cannot be read.
    #[error("{}: {message}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The system refused to write a file.
    #[error("{}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// As the system says it.
        source: std::io::Error,
    },
    /// Rows, targets or requests that do not fit the model.
    #[error("{0}")]
    Input(String),
    /// A token whose probabilities are not finite, so that it cannot be drawn.
    #[error("the probabilities of {} are not finite", ordinal(*.token))]
    Probabilities {
        /// Where the response is being made.
        slot: SlotId,
        /// Which of the response's tokens, from 0.
        token: usize,
    },
    /// A text or file that the tokenizer refuses.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// A model's source that cannot be read or fetched.
    #[error("{0}")]
    Source(String),
    /// A chat template that is damaged or fails, with its line.
    #[error("{0}")]
    Template(String),
    /// A cache or model for which there is no memory.
    #[error("{0}")]
    Memory(String),
    /// Ranks that share the work do not go on together.
    #[error(transparent)]
    Ranks(#[from] crate::ranks::RanksError),
    /// The device refused an operation.
    #[error("{}", without_frames(.0))]
    Tensor(candle_core::Error),
}

fn ordinal(token: usize) -> String {
    match token {
        0 => "the first token of a response".into(),
        n => format!("token {} of a response", n + 1),
    }
}

/// What candle says, without the frames of its stack that follow on further lines.
pub fn without_frames(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_string()
}

impl From<candle_core::Error> for ModelError {
    fn from(error: candle_core::Error) -> ModelError {
        match exhausted(&error) {
            Some(message) => ModelError::Memory(message),
            None => ModelError::Tensor(error),
        }
    }
}

impl ModelError {
    pub(crate) fn file(path: &std::path::Path, message: impl std::fmt::Display) -> ModelError {
        ModelError::File { path: path.to_path_buf(), message: message.to_string() }
    }

    pub(crate) fn write(path: &std::path::Path, source: std::io::Error) -> ModelError {
        ModelError::Write { path: path.to_path_buf(), source }
    }

    pub(crate) fn input(message: impl Into<String>) -> ModelError {
        ModelError::Input(message.into())
    }
}
