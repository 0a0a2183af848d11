//! ScienceWorld: the real simulator (a Java archive), driven without Python, many simulators in one Java process.
//!
//! R. Wang, P. Jansen, M.-A. Côté, P. Ammanabrolu: ScienceWorld: Is your Agent Smarter than a 5th Grader? EMNLP 2022.
//!
//! From the outside in: [`ScienceWorld`] makes games and panels; [`Game`] plays one and survives the simulator it is played on;
//! `episode` is the order of calls that makes a turn; a `Pool` keeps the simulators; a `Simulator` is one of them, alone in its class
//! loader; a `Jvm` is a Java process; `Client` and `wire` speak its protocol.
//!
//! With [`Config::repeatable`], a game is a function of (task, variation, simplification, mode, actions): it depends neither on earlier
//! games, nor on threads, nor on other simulators, nor on which process broke down in between.

mod archive;
pub mod bench;
pub mod check;
mod client;
mod config;
mod environment;
mod episode;
mod error;
mod game;
mod java;
mod jvm;
mod patience;
mod pool;
mod simulator;
pub(crate) mod splits;
mod wire;

#[cfg(test)]
mod fake;

pub use archive::{ARCHIVE_HASH, Installed, RELEASE, install};
pub use config::{Config, Reward, Success, check_simplification};
pub use environment::PLACEHOLDERS;
pub use episode::{Mode, SIMPLIFICATIONS, Spec, Turn};
pub use error::SetupError;
pub use game::Game;
pub use jvm::Limits;
pub use splits::{Choice, SPLITS};

use super::{EnvError, Environment, Panel, World};
use game::Shared;
use pool::Pool;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The configured simulator. Java starts with the first instance and ends with the last user.
#[derive(Debug)]
pub struct ScienceWorld {
    data: PathBuf,
    config: Config,
    shared: Mutex<Option<Arc<Shared>>>,
}

/// Verifies the archive in `data` and finds the Java to run it: its program and version, in words.
///
/// # Errors
/// [`SetupError`]: what is missing, damaged or of a wrong version.
pub fn setup(data: &Path, repeatable: bool) -> Result<String, SetupError> {
    archive::Archive::open(data)?;
    let java = java::Java::find()?;
    if repeatable {
        java.repeatable()?;
    }
    Ok(format!("Java {} (`{}`)", java.version(), java.program().display()))
}

impl ScienceWorld {
    /// `data`: the folder that [`install`] has filled; not looked at before the first instance, so that panels are known without it.
    ///
    /// # Errors
    /// [`EnvError::Task`] where the configuration names a simplification or task that does not exist.
    pub fn new(data: &Path, config: Config) -> Result<Self, EnvError> {
        check_simplification(&config.simplification).map_err(EnvError::Task)?;
        if let Some(task) = config.choice.tasks.iter().find(|task| splits::find(task).is_none()) {
            return Err(EnvError::Task(format!("ScienceWorld has no task `{task}`{}", splits::suggest_task(task))));
        }
        Ok(Self { data: data.to_owned(), config, shared: Mutex::default() })
    }

    /// A fresh game, as [`World::instance`] gives it, with all that ScienceWorld tells.
    ///
    /// # Errors
    /// [`SetupError`]: Java or the archive is missing, damaged or of a wrong version.
    pub fn game(&self) -> Result<Game, SetupError> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = match &*shared {
            Some(shared) => shared,
            None => {
                let pool = Pool::open(&self.data, self.config.limits.clone(), self.config.repeatable)?;
                shared.insert(Arc::new(Shared::new(pool, self.config.clone())))
            }
        };
        Ok(Game::new(shared.clone()))
    }

    /// The ids of the Java processes that run now.
    pub fn processes(&self) -> Vec<u32> {
        self.with_pool(Pool::processes).unwrap_or_default()
    }

    /// How many Java processes were started so far: more than needed tells of breakdowns.
    pub fn processes_started(&self) -> usize {
        self.with_pool(Pool::started).unwrap_or_default()
    }

    /// Resident memory of the Java processes in bytes, where the system tells it.
    pub fn resident(&self) -> Option<u64> {
        self.with_pool(Pool::resident).flatten()
    }

    fn with_pool<T>(&self, ask: impl Fn(&Pool) -> T) -> Option<T> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|shared| ask(&shared.pool))
    }
}

impl World for ScienceWorld {
    fn instance(&self) -> Result<Box<dyn Environment>, EnvError> {
        let game = self.game().map_err(|error| EnvError::Task(error.to_string()))?;
        Ok(Box::new(game))
    }

    fn panel(&self, split: &str, count: Option<usize>) -> Result<Arc<Panel>, EnvError> {
        splits::panel(split, &self.config.choice, &self.config.simplification, count).map(Arc::new)
    }

    fn splits(&self) -> Vec<&str> {
        SPLITS.to_vec()
    }

    /// Each takes a second to build, then compiles for itself, and two processors are busy with two.
    fn at_once(&self) -> usize {
        8
    }

    /// Of the Java processes.
    fn resident(&self) -> Option<u64> {
        Some(self.with_pool(Pool::resident).flatten().unwrap_or_default())
    }

    fn placeholders(&self) -> Vec<&str> {
        environment::PLACEHOLDERS.to_vec()
    }
}
