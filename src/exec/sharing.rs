//! The shared store during an execution. What goes wrong there is said once, and the run goes on without.

use super::{ExecError, Options, Watch};
use crate::plan::Task;
use crate::shared::{Shared, SharedError};
use crate::store::{Claim, Store};

pub(super) struct Sharing {
    shared: Option<Shared>,
    pushed: usize,
}

/// What there is to be said of an attempt to fetch.
pub(super) enum Fetched {
    Task,
    Nothing,
    /// Nothing, and why.
    Warning(String),
}

impl Sharing {
    pub(super) fn open(options: &Options, watch: &mut dyn Watch) -> Self {
        let shared = options.store.as_ref().and_then(|address| {
            let opened = Shared::open(address);
            opened.map_err(|error| watch.warn(&format!("{error}; the run goes on without it"))).ok()
        });
        Self { shared, pushed: 0 }
    }

    pub(super) fn has(&self, task: &Task) -> bool {
        self.shared.as_ref().is_some_and(|shared| shared.has(&task.digest))
    }

    pub(super) fn address(&self) -> String {
        self.shared.as_ref().map(|shared| shared.address().to_string()).unwrap_or_default()
    }

    pub(super) fn fetch(&mut self, task: &Task, claim: &mut Claim, options: &Options) -> Result<Fetched, ExecError> {
        let Some(shared) = &mut self.shared else { return Ok(Fetched::Nothing) };
        Ok(match shared.fetch(claim, &task.digest, &|| options.interrupt.requested()) {
            Ok(Some(_)) => Fetched::Task,
            Ok(None) => Fetched::Nothing,
            Err(SharedError::Stopped) => return Err(ExecError::Interrupted { task: None, fresh: options.fresh }),
            Err(SharedError::Local(error)) => return Err(error.into()),
            Err(error @ SharedError::Cannot { .. }) => Fetched::Warning(format!("{error}; nothing more is looked up there")),
            Err(error) => Fetched::Warning(format!("{error}; the task is computed")),
        })
    }

    /// Gives what is to be said. `again`: also over what is there.
    pub(super) fn push(&mut self, store: &Store, task: &Task, again: bool) -> Option<String> {
        match self.shared.as_mut()?.push(store, &task.digest, again) {
            Ok(pushed) => {
                self.pushed += usize::from(pushed);
                None
            }
            Err(error @ SharedError::Cannot { .. }) => {
                Some(format!("{error}; nothing more is put there, and the next run puts what is missing"))
            }
            Err(error) => Some(format!("{error}; the task is not put into the shared store")),
        }
    }

    pub(super) fn end(&self, watch: &mut dyn Watch) {
        match self.pushed {
            0 => {}
            1 => watch.say(&format!("1 task put into {}", self.address())),
            pushed => watch.say(&format!("{pushed} tasks put into {}", self.address())),
        }
    }
}
