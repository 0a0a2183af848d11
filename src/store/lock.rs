use super::error::StoreError;
use super::time;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

/// Name of the lock file inside a folder.
pub(super) const LOCK: &str = ".lock";

/// Who is at work on a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id; 0 where the lock's file does not tell.
    pub pid: u32,
    /// UTC, `2026-05-01T12:00:00Z`.
    pub since: String,
}

/// Sole right to write into a folder, until dropped. Held through the operating system's lock on an open file (`flock`), which ends with the
/// process however it ends; the text in the file only says who.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would do, were it not for a child that is just being started and has a copy of the open file for a moment.
        let _ = self.file.unlock();
    }
}

impl Lock {
    /// Fails at once with [`StoreError::Locked`] where another process, or another part of this one, has it.
    pub(crate) fn take(folder: &Path) -> Result<Lock, StoreError> {
        let path = folder.join(LOCK);
        loop {
            let mut file = open(&path)?;
            match try_for_a_moment(&file) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Locked { path: folder.to_path_buf(), holder: read_holder(&mut file) });
                }
                Err(TryLockError::Error(e)) => return Err(StoreError::io("lock", &path)(e)),
            }
            // Between opening and locking the folder may have been removed; the lock would then guard nothing.
            if same_file(&file, &path) {
                write_holder(&mut file).map_err(StoreError::io("write", &path))?;
                return Ok(Lock { file });
            }
            super::files::create_folder(folder)?;
        }
    }

    /// Waits for the lock: for what takes milliseconds.
    pub(super) fn wait(folder: &Path) -> Result<Lock, StoreError> {
        let path = folder.join(LOCK);
        let file = open(&path)?;
        file.lock().map_err(StoreError::io("lock", &path))?;
        Ok(Lock { file })
    }

    /// Who holds the lock of a folder now; `None` where nobody does.
    pub(crate) fn holder(folder: &Path) -> Option<Holder> {
        let path = folder.join(LOCK);
        super::plain::no_other_than_a_file(&path).ok()?;
        let mut file = File::open(path).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(read_holder(&mut file).unwrap_or(Holder { pid: 0, since: String::new() })),
            _ => None,
        }
    }
}

/// Somebody may just be looking at who holds it; that takes microseconds.
fn try_for_a_moment(file: &File) -> Result<(), TryLockError> {
    for _ in 0..5 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
            other => return other,
        }
    }
    file.try_lock()
}

fn open(path: &Path) -> Result<File, StoreError> {
    super::plain::no_other_than_a_file(path)?;
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(StoreError::io("open", path))
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write_holder(file: &mut File) -> std::io::Result<()> {
    let holder = Holder { pid: std::process::id(), since: time::now() };
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(serde_json::to_string(&holder)?.as_bytes())
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
