//! Whether what lies in a shared store is what was put there.

use super::error::SharedError;
use super::{Shared, entry, fetch_file};
use crate::store::{Digest, Mark};
use serde::Serialize;
use std::collections::BTreeMap;

/// What [`Shared::verify`] found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Verified {
    /// Entries looked at.
    pub tasks: usize,
    /// Files that they name.
    pub files: usize,
    /// Files that none of them names: of a push that was not completed, or goes on just now.
    pub of_no_task: usize,
    /// Each names its object.
    pub faults: Vec<String>,
}

const STATUS: &str = "status.json";

impl Shared {
    /// Reads everything. Changes nothing.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn verify(&self) -> Result<Verified, SharedError> {
        let mut verified = Verified::default();
        let mut marks = BTreeMap::new();
        for task in &self.there {
            verified.tasks += 1;
            let files = self.entry(task).and_then(|entry| match entry {
                Some(entry) => self.check_key(task, &entry.files).map(|()| entry.files),
                None => Ok(BTreeMap::new()),
            });
            match files {
                Ok(files) => marks.extend(files.into_values().map(|mark| (mark.blake3.clone(), mark))),
                Err(error) => verified.faults.push(fault(error)?),
            }
        }
        for mark in marks.values() {
            if let Err(error) = self.read_file(mark, &mut std::io::sink()) {
                verified.faults.push(fault(error)?);
            }
        }
        verified.files = marks.len();
        for part in 0..=u8::MAX {
            let below = format!("blobs/{part:02x}");
            let names = self.objects.names(&below).map_err(|reason| self.cannot("read", &below, reason))?;
            let named = |name: &String| Digest::try_from(name.clone()).is_ok_and(|content| marks.contains_key(&content));
            verified.of_no_task += names.iter().filter(|name| !named(name)).count();
        }
        // A file that several tasks have, or that is a status, is named once.
        verified.faults.sort();
        verified.faults.dedup();
        Ok(verified)
    }

    fn read_file(&self, mark: &Mark, into: &mut dyn std::io::Write) -> Result<(), SharedError> {
        fetch_file(&*self.objects, mark, into, &|| false, &|name| format!("{}/{name}", self.address))
    }

    /// An entry under another task's name is seen by the key of its status.
    fn check_key(&self, task: &Digest, files: &BTreeMap<String, Mark>) -> Result<(), SharedError> {
        let damaged = |problem: &str| SharedError::damaged(format!("{}/{}", self.address, entry::name(task)), problem);
        let mark = files.get(STATUS).ok_or_else(|| damaged("it has no `status.json`"))?;
        if mark.bytes > super::MOST_BYTES {
            return Err(damaged("its `status.json` is too long"));
        }
        let mut bytes = Vec::new();
        self.read_file(mark, &mut bytes)?;
        let status: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| damaged(&error.to_string()))?;
        match Digest::of(&status["key"]) == *task {
            true => Ok(()),
            false => Err(damaged("its `status.json` is that of another task")),
        }
    }
}

fn fault(error: SharedError) -> Result<String, SharedError> {
    match error {
        SharedError::Damaged { .. } | SharedError::Outdated { .. } => Ok(error.to_string()),
        other => Err(other),
    }
}
