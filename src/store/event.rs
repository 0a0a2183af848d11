use super::error::StoreError;
use super::{fault, files, plain, read, time};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

pub(super) const EVENTS: &str = "events.jsonl";

/// What happened in a run. A task is called by its name in the plan: `ppo_epo[seed=1].train`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
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
pub(crate) struct EventRecord {
    pub time: String,
    #[serde(flatten)]
    pub event: Event,
}

impl EventRecord {
    /// Milliseconds since 1970; none for what is no time.
    pub(crate) fn millis(&self) -> Option<i64> {
        time::seconds(&self.time).map(|seconds| (seconds * 1000.0).round() as i64)
    }
}

/// The events of a run folder.
pub(crate) fn read_events(run: &Path) -> Result<Vec<EventRecord>, StoreError> {
    super::read::read_lines(&run.join(EVENTS))
}

#[derive(Debug)]
pub(super) struct EventLog {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl EventLog {
    /// Opens for appending. A line that a dead process did not complete is cut off.
    pub(super) fn open(run: &Path) -> Result<Self, StoreError> {
        let path = run.join(EVENTS);
        plain::no_other_than_a_file(&path)?;
        let file = OpenOptions::new().create(true).append(true).read(true).open(&path).map_err(StoreError::io("open", &path))?;
        let bytes = read::end_of_lines(&file).map_err(StoreError::io("read", &path))?;
        file.set_len(bytes).map_err(StoreError::io("truncate", &path))?;
        files::sync_parent(&path)?;
        Ok(Self { path, file, bytes })
    }

    pub(super) fn append(&mut self, event: Event) -> Result<(), StoreError> {
        let mut line = serde_json::to_vec(&EventRecord { time: time::now(), event }).map_err(|e| StoreError::fill(&self.path, e.into()))?;
        line.push(b'\n');
        if let Err(e) = fault::write_all(&mut self.file, &line) {
            // No half line stays behind.
            let _ = self.file.set_len(self.bytes);
            return Err(StoreError::io("write", &self.path)(e));
        }
        self.bytes += line.len() as u64;
        Ok(())
    }

    pub(super) fn sync(&self) -> Result<(), StoreError> {
        fault::sync_file(&self.file).map_err(StoreError::io("write", &self.path))
    }
}

/// Names that may stand in a path: anything but letters, digits, `_`, `.`, `+` and `-` becomes `-`; never hidden, never empty.
pub(crate) fn plain_name(text: &str) -> String {
    let plain: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+') { c } else { '-' }).take(100).collect();
    let plain = plain.trim_start_matches(['-', '.']).trim_end_matches('-');
    if plain.is_empty() { "unnamed".into() } else { plain.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_half_written_is_cut_off_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let event = |line: &str| Event::Said { task: "a.train".into(), line: line.into() };
        EventLog::open(folder.path()).unwrap().append(event("one")).unwrap();
        let path = folder.path().join(EVENTS);
        let whole = std::fs::read_to_string(&path).unwrap();
        assert!(whole.ends_with(",\"event\":\"said\",\"task\":\"a.train\",\"line\":\"one\"}\n"), "{whole}");
        std::fs::write(&path, format!("{whole}{{\"time\":\"20")).unwrap();
        let [one] = read_events(folder.path()).unwrap().try_into().unwrap();
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
        assert!((0..60_000).contains(&(since - one.millis().unwrap())), "{one:?}");
        EventLog::open(folder.path()).unwrap().append(event("two")).unwrap();
        let lines: Vec<Event> = read_events(folder.path()).unwrap().into_iter().map(|e| e.event).collect();
        assert_eq!(lines, [event("one"), event("two")]);
    }

    #[test]
    fn names_stay_inside_their_folder() {
        for (name, plain) in
            [("../x", "x"), ("a[seed=1]", "a-seed-1"), (".hidden", "hidden"), ("", "unnamed"), ("ä/ö", "unnamed"), ("a.b_c+1", "a.b_c+1")]
        {
            assert_eq!(plain_name(name), plain);
        }
    }
}
