//! What the lock's file says.

use super::machine::{self, Machine};
use crate::store::digest::Digest;
use crate::store::{StoreError, time};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::time::Duration;

/// A claim has a few hundred bytes.
const MOST_BYTES: u64 = 1 << 16;
/// In the place of the number of signs of life: as long as one.
const RELEASED: &str = "released";

/// Who is at work on a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Process id on its machine; 0 where the lock's file does not tell.
    pub pid: u32,
    /// UTC by the clock of its machine, `2026-05-01T12:00:00Z`.
    pub since: String,
    /// The name of the machine, where it is not this one.
    pub host: Option<String>,
}

impl Holder {
    pub(super) fn unknown() -> Self {
        Self { pid: 0, since: String::new(), host: None }
    }
}

/// A claim. Times in it are for people; what is looked at is whether it changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub pid: u32,
    pub since: String,
    /// For people.
    #[serde(default)]
    pub host: String,
    /// [`Machine::id`].
    #[serde(default)]
    pub machine: String,
    /// Of this claim alone, by chance; empty where an epo-run wrote it that knew the system's locks alone.
    #[serde(default)]
    pub owner: String,
    /// Whether its process holds the system's lock on the file as long as it lives.
    #[serde(default)]
    pub locked: bool,
    /// Seconds without a change after which it is nobody's.
    #[serde(default)]
    pub dead_after: f64,
    /// Counts up while its process lives. Always as long as now, so that the file can be written over in its place.
    #[serde(default)]
    pub beat: String,
}

impl Record {
    pub(super) fn new() -> Result<Self, StoreError> {
        let machine = Machine::this();
        let mut owner = [0; 16];
        // No result depends on it: two claims must never have the same name.
        getrandom::fill(&mut owner).map_err(|error| StoreError::Refused(format!("the system gives no random numbers: {error}")))?;
        Ok(Self {
            pid: std::process::id(),
            since: time::now(),
            host: machine.host.clone(),
            machine: machine.id.clone(),
            owner: owner.iter().map(|byte| format!("{byte:02x}")).collect(),
            locked: false,
            dead_after: machine.dead_after.as_secs_f64(),
            beat: String::new(),
        }
        .at(0))
    }

    pub(super) fn at(&self, beat: u64) -> Self {
        Self { beat: format!("{:08}", beat % 100_000_000), ..self.clone() }
    }

    pub(super) fn released(&self) -> Self {
        Self { beat: RELEASED.into(), ..self.clone() }
    }

    pub(super) fn is_released(&self) -> bool {
        self.beat == RELEASED
    }

    /// Of this start of this machine, by a process that the system's lock would show.
    pub(super) fn is_local(&self) -> bool {
        self.locked && self.machine == Machine::this().id
    }

    pub(super) fn dead_after(&self) -> Duration {
        machine::bounded(self.dead_after)
    }

    pub(super) fn holder(&self) -> Holder {
        let other = !self.host.is_empty() && self.machine != Machine::this().id;
        Holder { pid: self.pid, since: self.since.clone(), host: other.then(|| self.host.clone()) }
    }

    pub(super) fn bytes(&self) -> std::io::Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }
}

/// The content of a lock's file, and what it says.
#[derive(Debug)]
pub(super) struct Content {
    pub bytes: Vec<u8>,
    pub record: Option<Record>,
}

impl Content {
    pub(super) fn of(file: &mut File) -> std::io::Result<Self> {
        let mut bytes = Vec::new();
        file.rewind()?;
        file.take(MOST_BYTES).read_to_end(&mut bytes)?;
        Ok(Self { record: serde_json::from_slice(&bytes).ok(), bytes })
    }

    /// `None` where there is no file.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        crate::store::plain::no_other_than_a_file(path)?;
        let content = File::open(path).and_then(|mut file| Self::of(&mut file));
        match content {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some).map_err(StoreError::io("read", path)),
        }
    }

    /// Whose it is, as a part of a name.
    pub(super) fn owner(&self) -> String {
        match &self.record {
            // A stranger may have written anything there.
            Some(record) if record.owner.len() == 32 && record.owner.bytes().all(|b| b.is_ascii_hexdigit()) => record.owner.clone(),
            _ => Digest::of_bytes(&self.bytes).short().to_owned(),
        }
    }
}
