use super::error::StoreError;
use super::{fault, time};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};

pub(super) const EVENTS: &str = "events.jsonl";

/// What happened in a run. A task is called by its name in the plan: `ppo_epo[seed=1].train`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    RunStarted {
        format: u32,
        version: String,
        pid: u32,
    },
    /// Finished before, by the run named.
    TaskTaken {
        task: String,
        digest: String,
        made_by: String,
    },
    TaskStarted {
        task: String,
        digest: String,
    },
    /// Goes on from a checkpoint.
    TaskResumed {
        task: String,
        digest: String,
        iteration: u64,
    },
    Progress {
        task: String,
        done: u64,
        total: u64,
        unit: String,
        notes: Vec<(String, String)>,
    },
    Said {
        task: String,
        line: String,
    },
    Warning {
        task: String,
        line: String,
    },
    TaskFinished {
        task: String,
    },
    TaskFailed {
        task: String,
        message: String,
    },
    TaskInterrupted {
        task: String,
    },
    RunFinished,
    RunFailed,
    RunInterrupted,
}

/// One line of `events.jsonl`: `{"time":"…","event":"task_finished","task":"…"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    pub time: String,
    #[serde(flatten)]
    pub event: Event,
}

/// The events of a run folder.
pub fn read_events(run: &Path) -> Result<Vec<EventRecord>, StoreError> {
    super::log::read_lines(&run.join(EVENTS))
}

#[derive(Debug)]
pub(super) struct EventLog {
    path: PathBuf,
    file: File,
}

impl EventLog {
    /// Opens for appending. A line that a dead process did not complete is cut off.
    pub fn open(run: &Path) -> Result<Self, StoreError> {
        let path = run.join(EVENTS);
        let mut file = OpenOptions::new().create(true).append(true).read(true).open(&path).map_err(StoreError::io("open", &path))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(StoreError::io("read", &path))?;
        let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(StoreError::io("truncate", &path))?;
        }
        Ok(Self { path, file })
    }

    pub fn append(&mut self, event: Event) -> Result<(), StoreError> {
        let mut line = serde_json::to_vec(&EventRecord { time: time::now(), event }).map_err(|e| StoreError::fill(&self.path, e.into()))?;
        line.push(b'\n');
        fault::write_all(&mut self.file, &line).map_err(StoreError::io("write", &self.path))
    }

    pub fn sync(&self) -> Result<(), StoreError> {
        self.file.sync_all().map_err(StoreError::io("write", &self.path))
    }
}

/// Names that may stand in a path: anything but letters, digits, `_`, `.`, `+` and `-` becomes `-`; never hidden, never empty.
pub(super) fn plain_name(text: &str) -> String {
    let plain: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+') { c } else { '-' }).take(100).collect();
    let plain = plain.trim_start_matches(['-', '.']).trim_end_matches('-');
    if plain.is_empty() { "unnamed".into() } else { plain.into() }
}
