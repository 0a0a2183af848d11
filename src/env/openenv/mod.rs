//! OpenEnv: environments behind a server, spoken with over WebSockets, one session for each episode. `docs/openenv.md` says how.
//!
//! From the outside in: [`OpenEnv`] makes games and panels; a `Game` plays one and survives the session it is played in; a `Server` gives sessions, and knows
//! how long one waits for it; a `Session` is one of them; a [`Shape`] says where in the server's objects the texts are; `protocol` has the messages.

mod address;
mod game;
mod metadata;
mod protocol;
mod server;
mod session;
mod shape;
mod wire;

pub use protocol::MOST_BYTES;
pub use shape::Shape;

use super::{EnvError, Environment, Panel, Task, World};
use address::Address;
use game::Game;
use protocol::{Answer, Seen};
use serde::Serialize;
use serde_json::{Map, Value};
use server::Server;
use std::sync::Arc;
use std::time::Duration;

/// What a recipe says of an environment behind a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// For people and for hashes.
    pub name: String,
    /// What the server has to say of itself.
    pub version: String,
    /// In order; no two share a task.
    pub splits: Vec<Split>,
    /// Where the texts are.
    pub shape: Shape,
    /// What counts as reaching the goal.
    pub success: Success,
    /// Episodes at once, at most.
    pub sessions: usize,
    /// Whether the same task and actions are the same episode.
    pub deterministic: bool,
}

/// Tasks with numbers in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Letters, digits and `_`.
    pub name: String,
    /// The number of its first task, as the server is told it; below 2⁵³.
    pub first: u64,
    /// Its tasks.
    pub count: usize,
}

/// Which reward, from which height on, says that the goal is reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Success {
    /// That of the step with which the server says that the episode is done.
    AtTheEnd(f64),
    /// That of any step, for as long as it is the last.
    OfAStep(f64),
    /// Those of all steps so far.
    InSum(f64),
}

/// The answer to `reset` or `step`, as far as it belongs to the episode.
#[derive(Debug, Serialize)]
struct Scene {
    observation: Map<String, Value>,
    reward: f64,
    done: bool,
    /// In the place of all that: what is wrong with the action's form.
    refused: Option<String>,
}

impl Scene {
    fn of(answer: Answer) -> Result<Self, String> {
        match answer {
            Answer::Observation(Seen { observation, reward, done }) => Ok(Self { observation, reward, done, refused: None }),
            Answer::Complaint(complaint) if complaint.is_of_form() => {
                Ok(Self { observation: Map::new(), reward: 0.0, done: false, refused: Some(complaint.mistakes()) })
            }
            Answer::Complaint(complaint) => Err(complaint.to_string()),
            Answer::State => Err("the server answered with a state where it was asked for an observation".into()),
        }
    }
}

/// A server that plays an environment.
#[derive(Debug)]
pub struct OpenEnv {
    server: Arc<Server>,
}

impl OpenEnv {
    /// Looks whether the server is there and has this version of the environment. `url`: `http://127.0.0.1:8000`; `time_out`: after which an answer is no
    /// longer waited for.
    ///
    /// # Errors
    /// [`EnvError::Task`]: it does not answer, or is not what was expected.
    pub fn open(config: Config, url: &str, time_out: Duration) -> Result<Self, EnvError> {
        let name = config.name.clone();
        let open = || {
            let address = Address::parse(url)?;
            metadata::check(&address, &config.version, time_out)?;
            Server::open(config, address, time_out)
        };
        let server = open().map_err(|cause| EnvError::Task(format!("`{name}`: {cause}")))?;
        Ok(Self { server: Arc::new(server) })
    }

    /// Looks whether the server allows as many sessions at once as the recipe has.
    ///
    /// # Errors
    /// [`EnvError::Task`]: it does not.
    pub fn room(&self) -> Result<(), EnvError> {
        self.server.room().map_err(|cause| EnvError::Task(format!("`{}`: {cause}", self.server.config.name)))
    }

    /// Sessions that were opened for episodes so far: more than there were episodes tells of breakdowns.
    pub fn opened(&self) -> usize {
        self.server.opened()
    }
}

impl World for OpenEnv {
    fn instance(&self) -> Result<Box<dyn Environment>, EnvError> {
        Ok(Box::new(Game::new(self.server.clone())))
    }

    fn panel(&self, split: &str, count: Option<usize>) -> Result<Arc<Panel>, EnvError> {
        let Config { name, version, splits, shape, .. } = &self.server.config;
        let Some(Split { first, count: there, .. }) = splits.iter().find(|known| known.name == split) else {
            return Err(EnvError::Task(format!("`{name}` has no split `{split}`")));
        };
        let count = count.unwrap_or(*there);
        if count > *there {
            return Err(EnvError::Task(format!("the split `{split}` of `{name}` has {there} games, not {count}")));
        }
        let tasks = (0..count).map(|number| Task { id: format!("{split}/{number}"), family: name.clone() }).collect();
        let mut hash = blake3::Hasher::new_derive_key("epo openenv panel 1");
        hash.update(format!("{:?}", (name, version, split, first, count, &shape.task, &shape.reset_with)).as_bytes());
        let name = if count < *there { format!("{split} {count}") } else { split.into() };
        Ok(Arc::new(Panel { name, tasks, hash: hash.finalize().to_hex().to_string() }))
    }

    fn splits(&self) -> Vec<&str> {
        self.server.config.splits.iter().map(|split| split.name.as_str()).collect()
    }

    fn placeholders(&self) -> Vec<&str> {
        self.server.config.shape.placeholders.iter().map(String::as_str).collect()
    }

    fn has_expert(&self) -> bool {
        false
    }

    fn repeats(&self) -> bool {
        self.server.config.deterministic
    }

    fn at_once(&self) -> usize {
        self.server.config.sessions
    }

    /// Of the server it is not known.
    fn resident(&self) -> Option<u64> {
        None
    }
}
