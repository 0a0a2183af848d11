//! What can be wrong with the games on the disk.

use super::folder::{RELEASE_NAME, SPLITS, TASK_TYPES};
use crate::env::pddl::PddlError;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, thiserror::Error)]
pub enum AlfworldError {
    #[error(
        "the ALFWorld games are not there; looked in {}; `epo-run env install alfworld` says how to get them; their folder is \
         the setting `data.alfworld`, else `$ALFWORLD_DATA`",
        list(looked)
    )]
    Absent { looked: Vec<PathBuf> },
    #[error("there is no split `{split}` in `{}`; `epo-run env install alfworld` says how to get all of them", root.display())]
    NoSplit { root: PathBuf, split: String },
    #[error("there is no split `{name}`; the splits are {}", names(SPLITS))]
    UnknownSplit { name: String },
    #[error("there is no task type `{name}`; the types are {}", names(TASK_TYPES))]
    UnknownType { name: String },
    #[error("`{panel}` has {there} games, not {wanted}")]
    TooFew { panel: String, wanted: usize, there: usize },
    #[error(
        "`{}` is not that of release {RELEASE_NAME}: {}; `epo-run env install alfworld` says how to get that release, and \
         `release = \"…\"` with another name plays what is there, unverified",
        root.join(split).display(),
        if there == games { "some of its games differ".to_string() } else { format!("it has {there} games, not {games}") }
    )]
    NotTheRelease { root: PathBuf, split: String, there: usize, games: usize },
    #[error("`{id}` is no game; a game is called `split/task/trial`")]
    UnknownTask { id: String },
    #[error("there is no game file `{}`", path.display())]
    NoGame { path: PathBuf },
    #[error("cannot read `{}`: {message}", path.display())]
    Unreadable { path: PathBuf, message: String },
    #[error("`{}` is damaged: {message}; `epo-run env install alfworld` says how to get it again", path.display())]
    Damaged { path: PathBuf, message: String },
    #[error("`{}` is marked as unsolvable", path.display())]
    Unsolvable { path: PathBuf },
    /// The texts inside a game file: which one, and where in it.
    #[error("`{}`, {error}", path.display())]
    Game { path: PathBuf, error: PddlError },
}

impl AlfworldError {
    pub(super) fn damaged(path: &Path, message: String) -> Self {
        AlfworldError::Damaged { path: path.into(), message }
    }
}

fn list(paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return "no place at all".into();
    }
    paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
}

fn names(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
