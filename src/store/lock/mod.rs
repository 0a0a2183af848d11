//! The sole right to write into a folder: a claim in its file `.lock`. On one machine the operating system's lock on that file (`flock`) says whether its process
//! lives. What is of another machine is watched: it is dead when it does not change for a minute.

mod acquire;
mod held;
mod machine;
mod record;
#[cfg(test)]
mod tests;
mod watched;

use super::error::StoreError;
use super::{files, plain};
use acquire::{Acquired, acquire};
use held::Held;
use record::{Content, Record};
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use record::Holder;

/// Name of the lock file inside a folder; what begins with it is of the same kind.
pub(super) const LOCK: &str = ".lock";

/// How often a claim is looked at that one waits for.
const PAUSE: Duration = Duration::from_millis(200);

/// Sole right to write into a folder, until dropped, or until another machine takes this process for dead: see [`Lock::check`].
#[derive(Debug)]
pub(crate) struct Lock {
    held: Arc<Held>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Tests let a process "die" by unwinding, and a process that panics is as good as dead: the next one finds out.
        if std::thread::panicking() { self.held.abandon() } else { self.held.release() }
    }
}

impl Lock {
    /// Fails at once with [`StoreError::Locked`] where another process, or another part of this one, has it. Who tries again and again takes it over from a
    /// machine that is gone.
    pub(crate) fn take(folder: &Path) -> Result<Lock, StoreError> {
        let path = folder.join(LOCK);
        let mine = Record::new()?;
        loop {
            match acquire(&path, &mine)? {
                Acquired::Mine(file, record) => {
                    let lock = Lock { held: Held::new(folder.to_path_buf(), path.clone(), file, record) };
                    acquire::sweep(&path)?;
                    return Ok(lock);
                }
                Acquired::Held(holder) => return Err(StoreError::Locked { path: folder.to_path_buf(), holder: holder.map(Box::new) }),
                // Between its making and now the folder may have been removed.
                Acquired::NoFolder => files::create_folder(folder)?,
            }
        }
    }

    /// Waits for the lock: for what takes milliseconds.
    pub(super) fn wait(folder: &Path) -> Result<Lock, StoreError> {
        loop {
            match Self::take(folder) {
                Err(StoreError::Locked { .. }) => std::thread::sleep(Duration::from_millis(3)),
                other => return other,
            }
        }
    }

    /// Watches a claim of another machine until it shows life, or is nobody's any more.
    pub(super) fn free_from_the_dead(folder: &Path) -> Result<(), StoreError> {
        let path = folder.join(LOCK);
        let claim = || Content::read(&path).map(|content| content.map(|content| content.bytes));
        let first = claim()?;
        while Self::holder(folder).is_some_and(|holder| holder.host.is_some()) && claim()? == first {
            match Self::take(folder) {
                Err(StoreError::Locked { .. }) => std::thread::sleep(PAUSE),
                other => return other.map(drop),
            }
        }
        Ok(())
    }

    /// Who holds the lock of a folder now; `None` where nobody does. Of another machine's claim one look cannot say whether it lives.
    pub(crate) fn holder(folder: &Path) -> Option<Holder> {
        let path = folder.join(LOCK);
        plain::no_other_than_a_file(&path).ok()?;
        let mut file = File::open(path).ok()?;
        let local = match file.try_lock_shared() {
            Ok(()) => Some(true),
            Err(TryLockError::WouldBlock) => Some(false),
            Err(TryLockError::Error(_)) => None,
        };
        let record = Content::of(&mut file).ok().and_then(|content| content.record);
        let is_free = match (&record, local) {
            (Some(record), _) if record.is_released() => true,
            (None, free) => free.unwrap_or(true),
            (Some(record), Some(free)) if record.is_local() || record.owner.is_empty() => free,
            (Some(_), _) => false,
        };
        (!is_free).then(|| record.map_or_else(Holder::unknown, |record| record.holder()))
    }

    /// # Errors
    /// [`StoreError::Lost`] where another machine took this process for dead; `often`: of one that is called for every line.
    pub(super) fn check(&self, often: bool) -> Result<(), StoreError> {
        if self.held.is_ours(often)? {
            return Ok(());
        }
        Err(StoreError::Lost { path: self.held.folder.clone(), holder: Self::holder(&self.held.folder).map(Box::new) })
    }
}
