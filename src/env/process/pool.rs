//! The program that all episodes share, and its replacement.

use super::link::Link;
use super::protocol::Hello;
use crate::env::Program;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

#[derive(Debug)]
pub(super) struct Pool {
    program: Program,
    /// The version that a recipe was written for.
    version: String,
    hello: OnceLock<Hello>,
    state: Mutex<State>,
    quarantine: Mutex<()>,
    episodes: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    link: Option<Arc<Link>>,
    started: usize,
}

/// The turn to have a program for one episode. There is one at a time.
pub(super) struct Turn<'a>(#[expect(dead_code, reason = "held, not read")] MutexGuard<'a, ()>);

impl Pool {
    /// Starts the program.
    ///
    /// # Errors
    /// In words.
    pub(super) fn open(program: Program, version: String) -> Result<Self, String> {
        let pool = Self {
            program,
            version,
            hello: OnceLock::new(),
            state: Mutex::default(),
            quarantine: Mutex::default(),
            // 0 is the number of `hello`.
            episodes: AtomicU64::new(1),
        };
        pool.take()?;
        Ok(pool)
    }

    /// What the program said of itself when it was started first.
    pub(super) fn hello(&self) -> Option<&Hello> {
        self.hello.get()
    }

    /// The program that runs, or a new one.
    pub(super) fn take(&self) -> Result<Arc<Link>, String> {
        let mut state = self.state();
        if let Some(link) = state.link.as_ref().filter(|link| link.is_usable()) {
            return Ok(link.clone());
        }
        state.started += 1;
        let link = Arc::new(self.start()?);
        state.link = Some(link.clone());
        Ok(link)
    }

    /// A program that nobody else plays in: what breaks down there is the episode's own doing. Waits for the one before.
    pub(super) fn own(&self) -> Result<(Link, Turn<'_>), String> {
        let turn = self.quarantine.lock().unwrap_or_else(PoisonError::into_inner);
        self.state().started += 1;
        Ok((self.start()?, Turn(turn)))
    }

    /// A number that no episode had before.
    pub(super) fn number(&self) -> u64 {
        self.episodes.fetch_add(1, Ordering::Relaxed)
    }

    /// The id of the process that runs.
    pub(super) fn process(&self) -> Option<u32> {
        self.state().link.as_ref().filter(|link| link.is_usable()).map(|link| link.id())
    }

    /// How many processes were started in all: more than one tells of breakdowns.
    pub(super) fn started(&self) -> usize {
        self.state().started
    }

    pub(super) fn resident(&self) -> Option<u64> {
        self.state().link.as_ref()?.resident()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> Result<Link, String> {
        let (link, hello) = Link::start(&self.program)?;
        if hello.version != self.version {
            let found = super::protocol::shown(hello.version.as_bytes());
            return Err(format!("it is version `{found}` of the environment, and the recipe is for version `{}`", self.version));
        }
        if *self.hello.get_or_init(|| hello.clone()) != hello {
            return Err("started again, it says otherwise of itself than before".into());
        }
        Ok(link)
    }
}
