//! A store of finished tasks that several people and machines share: a bucket, or a folder of a network. A task is looked up there before it is run, and put there
//! when it is finished.
//!
//! ```text
//! blobs/HA/HASH        a file, under the hash of its content
//! tasks/DIGEST.json    a finished task: its files with their hashes; put last
//! ```
//!
//! Nothing here is believed: a file is taken if it has its hash, and a task if its key has the digest that it was looked up by. Nothing here is needed: what cannot be
//! reached or is not what it should be is said once, and the run goes on without.

mod address;
#[cfg(feature = "cloud")]
mod cloud;
mod entry;
mod error;
mod folder;
mod objects;
#[cfg(test)]
mod tests;
mod verify;

pub use address::Address;
pub(crate) use error::SharedError;

use crate::store::{Claim, Digest, Mark, Status, Store, StoreError};
use entry::{Entry, FORMAT};
use objects::Objects;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// What describes a task's files is no longer.
const MOST_BYTES: u64 = 64 << 20;

/// A shared store during a run.
#[derive(Debug)]
pub(crate) struct Shared {
    address: Address,
    objects: Box<dyn Objects>,
    /// Tasks that have an entry, as far as is known.
    there: BTreeSet<Digest>,
    /// Tasks whose entry is not what it should be, and files that are not: they are put again, over what is there.
    damaged_tasks: BTreeSet<Digest>,
    damaged_files: BTreeSet<Digest>,
    /// False once something could not be read, or put: the rest would fail too, each after its time.
    readable: bool,
    writable: bool,
}

impl Shared {
    /// # Errors
    /// Why it cannot be used at all.
    pub(crate) fn open(address: &Address) -> Result<Self, SharedError> {
        let cannot = |reason| SharedError::Cannot { action: "use", object: address.to_string(), reason };
        let objects = objects::open(address).map_err(cannot)?;
        let there = objects.names(entry::TASKS).map_err(cannot)?.iter().filter_map(|name| entry::task_of(name)).collect();
        Ok(Self {
            address: address.clone(),
            objects,
            there,
            damaged_tasks: BTreeSet::new(),
            damaged_files: BTreeSet::new(),
            readable: true,
            writable: true,
        })
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Whether there was an entry when it was last looked at. What it is worth, [`Self::fetch`] finds out.
    pub(crate) fn has(&self, task: &Digest) -> bool {
        self.there.contains(task) && !self.damaged_tasks.contains(task)
    }

    /// Puts a task's files into its claimed folder, finished; `None` where there is no such task, and nothing was changed. `stop`: whether the user wants it.
    pub(crate) fn fetch(&mut self, claim: &mut Claim, task: &Digest, stop: &dyn Fn() -> bool) -> Result<Option<Status>, SharedError> {
        if !self.readable {
            return Ok(None);
        }
        let fetched = self.try_fetch(claim, task, stop);
        match &fetched {
            Err(SharedError::Cannot { .. }) => self.readable = false,
            Err(SharedError::Damaged { .. }) => drop(self.damaged_tasks.insert(task.clone())),
            // Of a newer epo-run it may be, and stays.
            Err(SharedError::Outdated { found, .. }) if *found < u64::from(FORMAT) => drop(self.damaged_tasks.insert(task.clone())),
            _ => {}
        }
        fetched
    }

    fn try_fetch(&mut self, claim: &mut Claim, task: &Digest, stop: &dyn Fn() -> bool) -> Result<Option<Status>, SharedError> {
        let Some(entry) = self.entry(task)? else {
            self.there.remove(task);
            return Ok(None);
        };
        self.there.insert(task.clone());
        let (objects, object_of) = (&self.objects, |name: &str| format!("{}/{name}", self.address));
        let mut bad = None;
        let received = claim.receive(&entry.files, |mark, file| {
            let fetched = fetch_file(&**objects, mark, file, stop, &object_of);
            if let Err(SharedError::Damaged { .. }) = &fetched {
                bad = Some(mark.blake3.clone());
            }
            fetched
        });
        self.damaged_files.extend(bad);
        match received? {
            Ok(status) => Ok(Some(status)),
            Err(problem) => Err(SharedError::damaged(object_of(&entry::name(task)), problem)),
        }
    }

    fn entry(&self, task: &Digest) -> Result<Option<Entry>, SharedError> {
        let name = entry::name(task);
        let object = format!("{}/{name}", self.address);
        let mut bytes = Vec::new();
        loop {
            let cannot = |reason| SharedError::Cannot { action: "read", object: object.clone(), reason };
            match self.objects.read(&name, bytes.len() as u64).map_err(cannot)? {
                None => return Ok(None),
                Some(part) if part.is_empty() => return Entry::read(&bytes, task, &object).map(Some),
                Some(part) => bytes.extend(part),
            }
            if bytes.len() as u64 > MOST_BYTES {
                return Err(SharedError::damaged(object, format!("it has more than {} MiB", MOST_BYTES >> 20)));
            }
        }
    }

    /// Puts a finished task there; gives whether it was not there before. What `again` says is put over what is there.
    pub(crate) fn push(&mut self, store: &Store, task: &Digest, again: bool) -> Result<bool, SharedError> {
        if !self.writable || (self.has(task) && !again) {
            return Ok(false);
        }
        // As it is on the disk and no other: a file that was changed is not sent under its old hash.
        let Some(files) = store.finished_files(task)? else { return Ok(false) };
        let pushed = self.try_push(store, task, files);
        match &pushed {
            Ok(()) => {
                self.there.insert(task.clone());
                self.damaged_tasks.remove(task);
            }
            Err(SharedError::Cannot { .. }) => self.writable = false,
            Err(_) => {}
        }
        pushed.map(|()| true)
    }

    fn try_push(&mut self, store: &Store, task: &Digest, files: BTreeMap<String, Mark>) -> Result<(), SharedError> {
        // What is damaged, or older, is put again.
        if let Err(error) = self.entry(task) {
            match &error {
                SharedError::Outdated { found, .. } if *found > u64::from(FORMAT) => return Err(error),
                SharedError::Cannot { .. } => return Err(error),
                _ => {}
            }
        }
        let folder = store.task_path(task);
        for (name, mark) in &files {
            let object = entry::blob(&mark.blake3);
            let there = self.objects.length(&object).map_err(|reason| self.cannot("read", &object, reason))? == Some(mark.bytes);
            if !there || self.damaged_files.contains(&mark.blake3) {
                self.push_file(&object, mark, &folder.join(name))?;
                self.damaged_files.remove(&mark.blake3);
            }
        }
        let (object, entry) = (entry::name(task), Entry { format: FORMAT, task: task.clone(), files });
        let bytes = entry.bytes().map_err(|error| self.cannot("write", &object, error.to_string()))?;
        self.objects.put(&object, bytes.len() as u64, &mut bytes.as_slice()).map_err(|reason| self.cannot("write", &object, reason))
    }

    fn push_file(&self, object: &str, mark: &Mark, path: &Path) -> Result<(), SharedError> {
        let file = File::open(path).map_err(|error| self.cannot("write", object, error.to_string()))?;
        let mut file = Hashed { file, hasher: blake3::Hasher::new() };
        self.objects.put(object, mark.bytes, &mut file).map_err(|reason| self.cannot("write", object, reason))?;
        match Digest::finish(&file.hasher) == mark.blake3 {
            true => Ok(()),
            // The object has another content than its name says; who reads it finds that out, and so it is put again.
            false => Err(SharedError::damaged(path.display().to_string(), "it was changed while it was read")),
        }
    }

    fn cannot(&self, action: &'static str, object: &str, reason: String) -> SharedError {
        SharedError::Cannot { action, object: format!("{}/{object}", self.address), reason }
    }
}

struct Hashed {
    file: File,
    hasher: blake3::Hasher,
}

impl Read for Hashed {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(into)?;
        self.hasher.update(into.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// Writes what an object holds, if that is what the mark says.
fn fetch_file(
    objects: &dyn Objects,
    mark: &Mark,
    file: &mut dyn Write,
    stop: &dyn Fn() -> bool,
    object_of: &dyn Fn(&str) -> String,
) -> Result<(), SharedError> {
    let name = entry::blob(&mark.blake3);
    let cannot = |reason| SharedError::Cannot { action: "read", object: object_of(&name), reason };
    let damaged = |problem: String| SharedError::damaged(object_of(&name), problem);
    match objects.length(&name).map_err(cannot)? {
        None => return Err(damaged("it is missing".into())),
        // Nothing is fetched of what is too long.
        Some(bytes) if bytes != mark.bytes => return Err(damaged(format!("it has {bytes} bytes instead of {}", mark.bytes))),
        Some(_) => {}
    }
    let (mut hasher, mut from) = (blake3::Hasher::new(), 0);
    while from < mark.bytes {
        if stop() {
            return Err(SharedError::Stopped);
        }
        let part = objects.read(&name, from).map_err(cannot)?.unwrap_or_default();
        if part.is_empty() || from + part.len() as u64 > mark.bytes {
            return Err(damaged("it changed while it was read".into()));
        }
        from += part.len() as u64;
        hasher.update(&part);
        file.write_all(&part).map_err(|error| StoreError::Refused(format!("a file that was fetched cannot be written: {error}")))?;
    }
    match Digest::finish(&hasher) == mark.blake3 {
        true => Ok(()),
        false => Err(damaged("its content does not have the hash in its name".into())),
    }
}
