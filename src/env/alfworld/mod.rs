//! The official ALFWorld text games: files in PDDL with a grammar, as `alfworld-download` fetches them. All rules and words are
//! in the files; this module knows how files lie in folders, how objects are numbered, and how the official loader chooses.

mod check;
mod file;
mod names;

pub use check::{Difference, Report, check};
pub use file::GameFile;
pub use names::ClassNames;

use crate::env::pddl::PddlError;
use std::path::{Path, PathBuf};

/// What the reference answers to a command that it does not understand or that is not possible now.
pub const REFUSAL: &str = "Nothing happens.";

#[derive(Clone, Debug, thiserror::Error)]
pub enum AlfworldError {
    #[error("cannot read `{}`: {message}", path.display())]
    Unreadable { path: PathBuf, message: String },
    #[error("`{}` is damaged: {message}", path.display())]
    Damaged { path: PathBuf, message: String },
    #[error("`{}` is marked as unsolvable", path.display())]
    Unsolvable { path: PathBuf },
    #[error("`{}`: {error}", path.display())]
    Game { path: PathBuf, error: PddlError },
}

impl AlfworldError {
    fn damaged(path: &Path, message: String) -> Self {
        AlfworldError::Damaged { path: path.into(), message }
    }
}
