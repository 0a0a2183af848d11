//! Making a claim, and taking one over from who is gone.
//!
//! A claim is a file that appears with its content, under a name that nobody has (`link`). It is never removed: who lets go of it writes so into it, through
//! the file that is open, so that nothing is done to another's. Whoever takes over the claim of X first makes a claim to do so, `.lock.X`, by the same rule; then
//! looks whether `.lock` is still X's; and renames the one to the other. Names of claims are drawn by chance, so X never has it again, and of two that
//! take over at once one has `.lock.X`.

use super::machine::Machine;
use super::record::{Content, Holder, Record};
use super::watched;
use crate::store::{StoreError, fault, files, plain};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often another may come between before one waits.
const TRIES: usize = 20;

#[derive(Debug)]
pub(super) enum Acquired {
    /// The open file, with the system's lock on it where there is one; and what stands in it.
    Mine(File, Record),
    Held(Option<Holder>),
    /// The folder is not there.
    NoFolder,
}

/// What one look at a claim says.
enum Look {
    Held(Option<Holder>),
    /// Its owner let go of it or is gone; with its name. While the file is open with its lock, no other process of this machine takes it over.
    Free(String, File),
    /// Another claim took its place.
    Changed,
}

pub(super) fn acquire(path: &Path, mine: &Record) -> Result<Acquired, StoreError> {
    for _ in 0..TRIES {
        plain::no_other_than_a_file(path)?;
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => match create(path, mine)? {
                Some((file, record)) => return Ok(Acquired::Mine(file, record)),
                None if path.parent().is_some_and(|folder| !folder.exists()) => return Ok(Acquired::NoFolder),
                None => continue,
            },
            Err(error) => return Err(StoreError::io("open", path)(error)),
        };
        match look(path, file)? {
            Look::Held(holder) => return Ok(Acquired::Held(holder)),
            Look::Changed => {}
            Look::Free(owner, _of_the_other) => match take_over(path, &owner, mine)? {
                Acquired::NoFolder => {}
                other => return Ok(other),
            },
        }
    }
    Ok(Acquired::Held(None))
}

/// [`Acquired::NoFolder`] where somebody else was quicker.
fn take_over(path: &Path, owner: &str, mine: &Record) -> Result<Acquired, StoreError> {
    let slot = beside(path, &format!(".{owner}"));
    let (file, record) = match acquire(&slot, mine)? {
        Acquired::Mine(file, record) => (file, record),
        other => return Ok(other),
    };
    fault::point();
    if Content::read(path)?.is_none_or(|content| content.owner() != *owner) {
        remove(&slot);
        return Ok(Acquired::NoFolder);
    }
    match fs::rename(&slot, path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(StoreError::io("write", path)(error)),
        _ => fault::point(),
    }
    // Who stood still for long since the look may find another's name here.
    if !is_of(path, mine)? {
        return Ok(Acquired::NoFolder);
    }
    watched::forget(path);
    Ok(Acquired::Mine(file, record))
}

/// Whether the claim on a folder is this one.
pub(super) fn is_of(path: &Path, mine: &Record) -> Result<bool, StoreError> {
    Ok(Content::read(path)?.and_then(|content| content.record).is_some_and(|record| record.owner == mine.owner))
}

fn look(path: &Path, mut file: File) -> Result<Look, StoreError> {
    let local = system_lock(&file).map_err(StoreError::io("lock", path))?;
    if local == Some(true) && !same_file(&file, path) {
        return Ok(Look::Changed);
    }
    let content = match Content::of(&mut file) {
        Ok(content) => content,
        // Where locked files cannot be read.
        Err(_) if local == Some(false) => return Ok(Look::Held(None)),
        Err(error) => return Err(StoreError::io("read", path)(error)),
    };
    let knows_locks_alone = |record: &Record| record.owner.is_empty();
    let free = match (&content.record, local) {
        (Some(record), _) if record.is_released() => true,
        // Damaged, or of an epo-run that knew the system's locks alone.
        (None, Some(free)) => free,
        (Some(record), Some(free)) if record.is_local() || knows_locks_alone(record) => free,
        // Of another machine, or of a file system without locks.
        (record, _) => {
            let after = record.as_ref().map_or(Machine::this().dead_after, Record::dead_after);
            watched::is_dead(path, &content.bytes, after)
        }
    };
    match free {
        true => Ok(Look::Free(content.owner(), file)),
        false => Ok(Look::Held(content.record.map(|record| record.holder()))),
    }
}

/// The system's lock on an open file: whether it was free, `None` where the file system has none. It tells of processes of this machine; of others on some
/// file systems alone, and there it may outlive a machine that is gone.
fn system_lock(file: &File) -> io::Result<Option<bool>> {
    if !Machine::this().locks {
        return Ok(None);
    }
    // Somebody may just be looking at who holds it; that takes microseconds.
    for last in [false, false, false, false, false, true] {
        match file.try_lock() {
            Ok(()) => return Ok(Some(true)),
            Err(TryLockError::WouldBlock) if last => break,
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
            Err(TryLockError::Error(error)) => return without_locks(error),
        }
    }
    Ok(Some(false))
}

fn without_locks(error: io::Error) -> io::Result<Option<bool>> {
    #[cfg(unix)]
    let by_number = matches!(error.raw_os_error(), Some(libc::ENOLCK | libc::ENOSYS));
    #[cfg(not(unix))]
    let by_number = false;
    if by_number || error.kind() == ErrorKind::Unsupported { Ok(None) } else { Err(error) }
}

/// `None` where somebody else has the name now.
fn create(path: &Path, mine: &Record) -> Result<Option<(File, Record)>, StoreError> {
    let temporary = beside(path, &format!("-{}", mine.owner));
    remove(&temporary);
    let written = match OpenOptions::new().read(true).write(true).create_new(true).open(&temporary) {
        Ok(file) => write(file, mine),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io("open", path)(error)),
    };
    let made = written.map_err(StoreError::io("write", path)).and_then(|made| {
        fault::point();
        match fs::hard_link(&temporary, path) {
            // A server's answer may be lost, and the question repeated.
            Ok(()) => Ok(Some(made)),
            Err(_) if links(&made.0) == 2 => Ok(Some(made)),
            Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => Ok(None),
            Err(_) => create_without_links(path, mine),
        }
    });
    fault::point();
    remove(&temporary);
    made
}

/// For file systems without links. For a moment the file is empty; whoever takes it over then is seen by its owner.
fn create_without_links(path: &Path, mine: &Record) -> Result<Option<(File, Record)>, StoreError> {
    match OpenOptions::new().read(true).write(true).create_new(true).open(path) {
        Ok(file) => {
            let made = write(file, mine).map_err(StoreError::io("write", path))?;
            Ok(is_of(path, mine)?.then_some(made))
        }
        Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => Ok(None),
        Err(error) => Err(StoreError::io("open", path)(error)),
    }
}

fn write(mut file: File, mine: &Record) -> io::Result<(File, Record)> {
    let record = Record { locked: system_lock(&file)? == Some(true), ..mine.clone() };
    file.write_all(&record.bytes()?)?;
    Ok((file, record))
}

/// What processes left that died while they made a claim. One that is just making its own tries again.
pub(super) fn sweep(path: &Path) -> Result<(), StoreError> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else { return Ok(()) };
    for other in files::names(folder)? {
        if other.strip_prefix(name).is_some_and(|rest| rest.starts_with(['-', '.'])) {
            remove(&folder.join(other));
        }
    }
    Ok(())
}

/// Only claims by a name of their own are removed, so it hurts nobody; and one that stays hurts nobody either.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

#[cfg(unix)]
fn links(file: &File) -> u64 {
    use std::os::unix::fs::MetadataExt;
    file.metadata().map_or(0, |data| data.nlink())
}

#[cfg(not(unix))]
fn links(_: &File) -> u64 {
    0
}

#[cfg(unix)]
fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), path.metadata()) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn same_file(_: &File, path: &Path) -> bool {
    path.exists()
}
