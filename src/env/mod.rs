//! Environments: text in, text out. Everything an engine needs to know of one stands in these traits.

pub mod alfworld;
pub mod household;
mod machine;
mod measure;
pub mod openenv;
pub mod pddl;
pub mod process;
mod promises;
mod recovery;
mod remembered;
mod replay;
pub mod scienceworld;
mod server;
mod shown;
pub(crate) mod text;

pub use machine::{Machine, Program};
pub use measure::{Measured, measure};
pub use promises::{Promises, Verdict, promises};
pub use replay::{Difference, Replay};
pub use server::Server;

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One game: what an environment needs to set it up again, by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Stable and unique within its environment, for example `put/unseen/0017` or the path of a game file.
    pub id: String,
    /// The family of the goal, for tables by type.
    pub family: String,
}

/// A fixed, ordered list of tasks. Its hash is part of what a run declares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// The split, with what was chosen from it: `unseen`, `valid_seen 20 of seed 7`.
    pub name: String,
    /// In the panel's fixed order; each once.
    pub tasks: Vec<Task>,
    /// blake3 over everything that determines the tasks' content, in hex.
    pub hash: String,
}

/// What a game says at its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// As a player reads it.
    pub text: String,
    /// The goal in words, without the observation.
    pub task: String,
}

/// What an action leads to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts")]
pub struct Step {
    /// As a player reads it; not empty.
    pub observation: String,
    /// Of this step, in the environment's own unit (1 for reaching the goal); scaled by the engine.
    pub reward: f64,
    /// The game itself has ended.
    pub terminated: bool,
    /// The environment stopped the game (its own limit); the engine's `max_turns` is not the environment's business.
    pub truncated: bool,
    /// The goal holds now.
    pub success: bool,
    /// The action was understood and possible.
    pub valid: bool,
}

/// Why a game cannot be set up or go on.
#[derive(Debug, thiserror::Error)]
pub enum EnvError {
    /// The task cannot be set up: data absent, damaged, unsupported. Says what and where.
    #[error("{0}")]
    Task(String),
    /// The environment broke down while playing; ends the episode, never the run.
    #[error("{0}")]
    Broken(String),
}

/// One running game. `Send`: slots are stepped from worker threads.
pub trait Environment: Send {
    /// Sets up a task from its beginning. The same task and seed give the same game.
    fn reset(&mut self, task: &Task, seed: u64) -> Result<Observation, EnvError>;

    /// Takes an action in the player's words. One that is not understood or not possible is no error: the step says `valid: false`.
    fn step(&mut self, action: &str) -> Result<Step, EnvError>;

    /// The actions that are possible now, sorted; the same list until the next step.
    fn admissible(&mut self) -> Result<Vec<String>, EnvError>;

    /// What an expert would do now; `None` where there is no expert or it is at a loss.
    fn expert(&mut self) -> Result<Option<String>, EnvError>;

    /// What the expert has in mind now, in a line of words, where it says what it sees and wants before it acts; `None` where there is none or it is at a
    /// loss.
    fn thought(&mut self) -> Result<Option<String>, EnvError> {
        Ok(None)
    }

    /// The text of one of the world's own [placeholders](World::placeholders), as things stand now.
    fn placeholder(&mut self, name: &str) -> Result<String, EnvError> {
        Err(EnvError::Broken(format!("this environment fills no placeholder `{name}`")))
    }

    /// What is worth reporting of the episode so far beyond reward and success (a score, another measure of success), in a fixed order.
    fn figures(&self) -> Vec<(&str, f64)> {
        Vec::new()
    }
}

/// A configured environment: makes games and knows its panels. Cheap to share.
pub trait World: Send + Sync {
    /// A fresh instance with its own state.
    fn instance(&self) -> Result<Box<dyn Environment>, EnvError>;

    /// The tasks of a split that the environment declares (`train`, `seen`, `unseen`, `valid_seen`, …), in fixed order.
    /// `count`: only the first so many of an order that depends on nothing but the split; `None`: all.
    fn panel(&self, split: &str, count: Option<usize>) -> Result<Arc<Panel>, EnvError>;

    /// The names of the splits.
    fn splits(&self) -> Vec<&str>;

    /// Placeholders of prompts that it fills beyond the engine's own (`task`, `observation`, `history`, `admissible`, `count`).
    fn placeholders(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Whether there is an expert to be asked.
    fn has_expert(&self) -> bool {
        true
    }

    /// Whether the same task, seed and actions are the same episode, as far as the environment knows itself.
    fn repeats(&self) -> bool {
        true
    }

    /// How many games may run at once; fewer where one is heavy. Always the same: how episodes share a batch depends on it.
    fn at_once(&self) -> usize {
        128
    }

    /// Bytes of memory that games take now: of this process, and of others that a world runs. `None` where the system does not tell.
    fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(1024 * kibibytes)
    }
}
