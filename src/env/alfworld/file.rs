//! Reads one game file (`game.tw-pddl`): a JSON object with the rules, the words and the situation.

use super::AlfworldError;
use super::names::ClassNames;
use crate::env::pddl::{Game, Loader};
use serde::Deserialize;
use std::path::Path;

/// The parts of a game file.
#[derive(Clone, Debug, Deserialize)]
pub struct GameFile {
    /// Rules, in PDDL.
    pub pddl_domain: String,
    /// Words.
    pub grammar: String,
    /// The situation and the goal, in PDDL.
    pub pddl_problem: String,
    /// Old files may lack it; the official loader leaves those out.
    #[serde(default)]
    pub solvable: bool,
    /// A list of commands that wins the game. Old files have none.
    #[serde(default)]
    pub walkthrough: Vec<String>,
}

/// The largest official file has some 150 kB.
const MAX_BYTES: u64 = 4 << 20;

impl GameFile {
    /// Reads a file of at most 4 MiB.
    ///
    /// # Errors
    /// When the file cannot be read, is too large, or is not a game file.
    pub fn read(path: &Path) -> Result<GameFile, AlfworldError> {
        let unreadable = |error: std::io::Error| AlfworldError::Unreadable { path: path.into(), message: error.to_string() };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_BYTES {
            return Err(AlfworldError::damaged(path, format!("it has {size} bytes; a game has at most {MAX_BYTES}")));
        }
        Self::parse(path, &std::fs::read(path).map_err(unreadable)?)
    }

    /// Reads JSON; `path` is only for messages.
    ///
    /// # Errors
    /// When the bytes are not a game file.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<GameFile, AlfworldError> {
        serde_json::from_slice(bytes).map_err(|error| AlfworldError::damaged(path, error.to_string()))
    }

    /// Works out the game. `path` is only for messages.
    ///
    /// # Errors
    /// When the game is marked as unsolvable, or its texts are damaged or use what is not supported.
    pub fn game(&self, path: &Path, loader: &Loader) -> Result<Game, AlfworldError> {
        if !self.solvable {
            return Err(AlfworldError::Unsolvable { path: path.into() });
        }
        let texts = loader.load(&self.pddl_domain, &self.grammar, &self.pddl_problem, &ClassNames);
        texts.map_err(|error| AlfworldError::Game { path: path.into(), error })
    }
}
