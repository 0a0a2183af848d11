//! What can be wrong with the games on the disk.

use super::folder::{RELEASE_NAME, SPLITS, TASK_TYPES};
use crate::env::pddl::PddlError;
use std::path::{Path, PathBuf};

/// Why games of ALFWorld cannot be found, read or played.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AlfworldError {
    /// No folder with games.
    #[error(
        "the ALFWorld games are not there; looked in {}; `epo-run env install alfworld` says how to get them; their folder is \
         the setting `data.alfworld`, else `$ALFWORLD_DATA`",
        list(looked)
    )]
    Absent {
        /// Every folder that was tried.
        looked: Vec<PathBuf>,
    },
    /// A split of the release whose folder is not there.
    #[error("there is no split `{split}` in `{}`; `epo-run env install alfworld` says how to get all of them", root.display())]
    NoSplit {
        /// The folder that holds the splits.
        root: PathBuf,
        /// One of [`SPLITS`].
        split: String,
    },
    /// None of [`SPLITS`].
    #[error("there is no split `{name}`; the splits are {}", names(SPLITS))]
    UnknownSplit {
        /// As it was asked for.
        name: String,
    },
    /// None of [`TASK_TYPES`].
    #[error("there is no task type `{name}`; the types are {}", names(TASK_TYPES))]
    UnknownType {
        /// As it was asked for.
        name: String,
    },
    /// More games were asked for than the split has of these types.
    #[error("`{panel}` has {there} games, not {wanted}")]
    TooFew {
        /// The split and its types.
        panel: String,
        /// Games asked for.
        wanted: usize,
        /// Games there are.
        there: usize,
    },
    /// The files of a split are not, to the byte, those of the release.
    #[error(
        "`{}` is not that of release {RELEASE_NAME}: {}; `epo-run env install alfworld` says how to get that release, and \
         `release = \"…\"` with another name plays what is there, unverified",
        root.join(split).display(),
        if there == games { "some of its games differ".to_string() } else { format!("it has {there} games, not {games}") }
    )]
    NotTheRelease {
        /// The folder that holds the splits.
        root: PathBuf,
        /// One of [`SPLITS`].
        split: String,
        /// Games found.
        there: usize,
        /// Games of the release.
        games: usize,
    },
    /// A task that is not called `split/task/trial`.
    #[error("`{id}` is no game; a game is called `split/task/trial`")]
    UnknownTask {
        /// As it was asked for.
        id: String,
    },
    /// A game folder without its file.
    #[error("there is no game file `{}`", path.display())]
    NoGame {
        /// The file.
        path: PathBuf,
    },
    /// The system refused to read a file or folder.
    #[error("cannot read `{}`: {message}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// As the system says it.
        message: String,
    },
    /// A file of another form than the release has.
    #[error("`{}` is damaged: {message}; `epo-run env install alfworld` says how to get it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where in it.
        message: String,
    },
    /// The official loader leaves such games out.
    #[error("`{}` is marked as unsolvable", path.display())]
    Unsolvable {
        /// The game file.
        path: PathBuf,
    },
    /// The texts inside a game file cannot be played.
    #[error("`{}`, {error}", path.display())]
    Game {
        /// The game file.
        path: PathBuf,
        /// Which of the texts, and where in it.
        error: PddlError,
    },
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
