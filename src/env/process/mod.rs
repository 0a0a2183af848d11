//! An environment in another program: lines of JSON over its standard streams, many episodes in one process. `docs/process.md` has the protocol.
//!
//! From the outside in: [`Process`] makes games and panels; a `Game` plays one and survives the process it is played in; a `Pool` keeps the process; a `Link`
//! is one of them; its `Board` knows who waits for which answer, and for how long; `protocol` has the lines.

mod board;
mod command;
mod game;
mod link;
mod pool;
mod protocol;
mod tail;

pub use protocol::{MOST_BYTES, MOST_TASKS, PROTOCOL};

use super::{EnvError, Environment, Panel, Program, Task, World};
use game::Game;
use pool::Pool;
use std::sync::Arc;

/// A program that plays an environment. It is started with this, and ends with its last user.
#[derive(Debug)]
pub struct Process {
    name: String,
    version: String,
    placeholders: Arc<[String]>,
    pool: Arc<Pool>,
}

impl Process {
    /// Starts the program and hears what it is. `name`: of the environment, for people and for hashes; `version`: what the program has to say of itself;
    /// `placeholders`: what every observation has to come with.
    ///
    /// # Errors
    /// [`EnvError::Task`]: it cannot be started, or is not what was expected.
    pub fn start(name: &str, version: &str, placeholders: &[String], program: Program) -> Result<Self, EnvError> {
        let pool = Pool::open(program, version.into()).map_err(|cause| EnvError::Task(format!("`{name}`: {cause}")))?;
        let known = pool.hello().map(|hello| hello.placeholders.clone()).unwrap_or_default();
        if let Some(lacks) = placeholders.iter().find(|wanted| !known.contains(wanted)) {
            return Err(EnvError::Task(format!("`{name}` has no placeholder `{lacks}`; it has {}", listed(known.iter()))));
        }
        Ok(Self { name: name.into(), version: version.into(), placeholders: placeholders.into(), pool: Arc::new(pool) })
    }

    /// The id of the process that runs now.
    pub fn process(&self) -> Option<u32> {
        self.pool.process()
    }

    /// How many processes were started so far: more than one tells of breakdowns.
    pub fn started(&self) -> usize {
        self.pool.started()
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

impl World for Process {
    fn instance(&self) -> Result<Box<dyn Environment>, EnvError> {
        Ok(Box::new(Game::new(self.pool.clone(), self.placeholders.clone())))
    }

    fn panel(&self, split: &str, count: Option<usize>) -> Result<Arc<Panel>, EnvError> {
        let splits = self.pool.hello().map(|hello| &hello.splits);
        let there = splits.and_then(|splits| splits.get(split)).copied();
        let Some(there) = there else {
            let names = listed(splits.into_iter().flat_map(|splits| splits.keys()));
            return Err(EnvError::Task(format!("`{}` has no split `{split}`; it has {names}", self.name)));
        };
        let count = count.unwrap_or(there);
        if count > there {
            return Err(EnvError::Task(format!("the split `{split}` of `{}` has {there} games, not {count}", self.name)));
        }
        let tasks = (0..count).map(|number| Task { id: format!("{split}/{number}"), family: self.name.clone() }).collect();
        let mut hash = blake3::Hasher::new_derive_key("epo process panel 1");
        hash.update(format!("{:?}", (&self.name, &self.version, split, count)).as_bytes());
        let name = if count < there { format!("{split} {count}") } else { split.into() };
        Ok(Arc::new(Panel { name, tasks, hash: hash.finalize().to_hex().to_string() }))
    }

    fn splits(&self) -> Vec<&str> {
        self.pool.hello().into_iter().flat_map(|hello| hello.splits.keys()).map(String::as_str).collect()
    }

    fn placeholders(&self) -> Vec<&str> {
        self.placeholders.iter().map(String::as_str).collect()
    }

    /// Of the process.
    fn resident(&self) -> Option<u64> {
        self.pool.resident()
    }

    fn has_expert(&self) -> bool {
        self.pool.hello().is_some_and(|hello| hello.expert)
    }

    fn repeats(&self) -> bool {
        self.pool.hello().is_some_and(|hello| hello.deterministic)
    }
}
