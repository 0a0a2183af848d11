//! What a run folder holds of tasks that an engine runs elsewhere: which jobs they are, and what each job says while it is at work. No result depends on it.

use super::digest::Digest;
use super::error::StoreError;
use super::event::{Event, EventLog, EventRecord};
use super::{FORMAT, files, plain, read};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

const JOBS: &str = "jobs";
const IDS: &str = "jobs.json";
/// How much of a job's events is read at a time.
const PART: u64 = 4 << 20;

/// Where it is written down what happens to tasks.
pub(crate) trait Journal {
    /// The run that asks for them: `ppo_epo/7f3a9c41`.
    fn id(&self) -> &str;

    fn event(&mut self, event: Event) -> Result<(), StoreError>;
}

/// `jobs.json`: the jobs that an engine was given last, by task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Jobs {
    format: u32,
    /// `slurm`.
    pub engine: String,
    /// What the engine calls each.
    pub ids: BTreeMap<Digest, String>,
}

impl Jobs {
    pub(crate) fn none(engine: &str) -> Self {
        Self { format: FORMAT, engine: engine.to_owned(), ids: BTreeMap::new() }
    }

    /// Those of this engine that a run folder knows of. A file that cannot be read is as good as none: a job too many waits, and takes what was made.
    pub(crate) fn read(run: &Path, engine: &str) -> Self {
        match read::document_if_there::<Self>(&run.join(IDS)) {
            Ok(Some(jobs)) if jobs.engine == engine && jobs.format == FORMAT => jobs,
            _ => Self::none(engine),
        }
    }

    pub(crate) fn write(&self, run: &Path) -> Result<(), StoreError> {
        files::write_json(&run.join(IDS), self)
    }

    /// The folder of what jobs say, made where it is not there.
    pub(crate) fn folder(run: &Path) -> Result<PathBuf, StoreError> {
        let folder = run.join(JOBS);
        plain::no_link(&folder)?;
        files::create_folder(&folder)?;
        Ok(folder)
    }
}

/// `jobs/<digest>.jsonl`, written by the job that is at work on the task: events as those of a run.
#[derive(Debug)]
pub(crate) struct JobLog {
    file: PathBuf,
    run: String,
    events: Option<EventLog>,
}

impl JobLog {
    /// Nothing is touched before the first event: another job may be at work on the task until then.
    pub(crate) fn new(run: &Path, id: &str, task: &Digest) -> Result<Self, StoreError> {
        Ok(Self { file: file(&Jobs::folder(run)?, task), run: id.to_owned(), events: None })
    }
}

impl Journal for JobLog {
    fn id(&self) -> &str {
        &self.run
    }

    fn event(&mut self, event: Event) -> Result<(), StoreError> {
        let events = match &mut self.events {
            Some(events) => events,
            none => none.insert(EventLog::at(&self.file)?),
        };
        events.append(event)
    }
}

fn file(folder: &Path, task: &Digest) -> PathBuf {
    folder.join(format!("{}.jsonl", task.hex()))
}

/// Reads what a job writes, as it comes.
#[derive(Debug)]
pub(crate) struct Tail {
    path: PathBuf,
    at: u64,
}

impl Tail {
    pub(crate) fn new(run: &Path, task: &Digest) -> Self {
        Self { path: file(&run.join(JOBS), task), at: 0 }
    }

    /// The whole lines since the last time; none where there is no file yet. What is no event is left out: the file is for people to look at, and a
    /// newer program may say more than this one knows.
    pub(crate) fn next(&mut self) -> Result<Vec<EventRecord>, StoreError> {
        let mut records = Vec::new();
        loop {
            let part = self.part()?;
            if part.is_empty() {
                return Ok(records);
            }
            records.extend(part.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()));
        }
    }

    /// Whole lines, and a few at a time.
    fn part(&mut self) -> Result<Vec<u8>, StoreError> {
        plain::no_other_than_a_file(&self.path)?;
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::io("read", &self.path)(error)),
        };
        let mut part = Vec::new();
        let read = file.seek(SeekFrom::Start(self.at)).and_then(|_| file.take(PART).read_to_end(&mut part));
        read.map_err(StoreError::io("read", &self.path))?;
        let whole = part.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        part.truncate(whole);
        self.at += whole as u64;
        Ok(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_heard_as_it_speaks() {
        let run = tempfile::tempdir().unwrap();
        let task = Digest::of_bytes(b"a");
        let mut tail = Tail::new(run.path(), &task);
        assert_eq!(tail.next().unwrap(), []);
        let said = |line: &str| Event::Said { task: "a.train".into(), line: line.into() };
        let mut log = JobLog::new(run.path(), "a/01234567", &task).unwrap();
        log.event(said("one")).unwrap();
        log.event(said("two")).unwrap();
        let heard = |tail: &mut Tail| tail.next().unwrap().into_iter().map(|record| record.event).collect::<Vec<_>>();
        assert_eq!(heard(&mut tail), [said("one"), said("two")]);
        std::io::Write::write_all(&mut std::fs::OpenOptions::new().append(true).open(&tail.path).unwrap(), b"{\"event\":\"new\"}\n{\"ha")
            .unwrap();
        assert_eq!(heard(&mut tail), []);
        // the job died, and another goes on: what was half written is cut off
        JobLog::new(run.path(), "a/01234567", &task).unwrap().event(said("three")).unwrap();
        assert_eq!(heard(&mut tail), [said("three")]);
    }

    #[test]
    fn jobs_of_another_engine_are_not_known_here() {
        let run = tempfile::tempdir().unwrap();
        let mut jobs = Jobs::none("slurm");
        jobs.ids.insert(Digest::of_bytes(b"a"), "17_3".into());
        jobs.write(run.path()).unwrap();
        assert_eq!(Jobs::read(run.path(), "slurm"), jobs);
        assert_eq!(Jobs::read(run.path(), "ray"), Jobs::none("ray"));
        std::fs::write(run.path().join(IDS), "{").unwrap();
        assert_eq!(Jobs::read(run.path(), "slurm"), Jobs::none("slurm"));
    }
}
