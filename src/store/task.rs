use super::answers::{self, ANSWERS, Answers};
use super::checkpoint::{self, Checkpoint};
use super::digest::Digest;
use super::error::{Failure, StoreError};
use super::files;
use super::lock::Lock;
use super::log::{self, Log};
use super::manifest::{Manifest, Mark};
use super::metrics::{METRICS, MetricRecord};
use super::{FORMAT, fault, plain, read};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(super) const STATUS: &str = "status.json";
pub(crate) const EPISODES: &str = "episodes.jsonl";
pub(super) const CHECKPOINTS: &str = "checkpoints";
pub(super) const OUTPUTS: &str = "outputs";

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Begun and not ended: a process is at work on it (its lock is held), or was stopped.
    Running,
    /// Its outputs are whole.
    Finished,
    /// [`Status::error`] says why.
    Failed,
}

/// `status.json` of a task folder. No time, no machine: two computations of a task write the same bytes (`by` apart, if other runs asked).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Of the task's files.
    pub format: u32,
    /// As last written; a killed process leaves [`State::Running`].
    pub state: State,
    /// The name it was first asked for by: `ppo_epo[seed=1].train`.
    pub name: String,
    /// The run that began, failed or finished it: `ppo_epo/7f3a9c41`.
    pub by: String,
    /// What the task's digest is the hash of.
    pub key: Value,
    /// By name, the hash of the output's manifest; filled when the task is finished.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Digest>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) logs: BTreeMap<String, Mark>,
    /// The message, of a failed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Status {
    pub(super) fn read(folder: &Path) -> Result<Option<Status>, StoreError> {
        plain::no_link(folder)?;
        let path = folder.join(STATUS);
        read::check_format(&path)?;
        read::document_if_there(&path)
    }

    /// Why it is not that of the task whose folder it lies in: the folder's name is the hash of the key.
    pub(super) fn foreign(&self, folder: &Path) -> Option<String> {
        let own = folder.file_name().is_some_and(|name| *name == *Digest::of(&self.key).hex());
        (!own).then(|| format!("`{STATUS}` is that of another task"))
    }

    /// What is wrong with a finished task's folder: another task's key, or a file without the content that it was finished with.
    pub(crate) fn problem(&self, folder: &Path) -> Option<String> {
        self.foreign(folder).or_else(|| self.content_problem(folder))
    }

    /// As [`Self::problem`], wherever the folder lies.
    pub(super) fn content_problem(&self, folder: &Path) -> Option<String> {
        let output = |(name, digest): (&String, &Digest)| output_problem(folder, name, Some(digest));
        let log = |(name, mark): (&String, &Mark)| {
            let bytes = folder.join(name).symlink_metadata().map_or(0, |m| m.len());
            match bytes == mark.bytes {
                true => log::problem(&folder.join(name), mark),
                false => Some(format!("`{name}` has {bytes} bytes instead of {}", mark.bytes)),
            }
        };
        let unmarked = [METRICS, EPISODES].into_iter().find(|name| !self.logs.contains_key(*name));
        let unmarked = unmarked.map(|name| format!("`{STATUS}` does not say how `{name}` ended"));
        unmarked.or_else(|| self.outputs.iter().find_map(output)).or_else(|| self.logs.iter().find_map(log))
    }
}

fn output_problem(task: &Path, name: &str, digest: Option<&Digest>) -> Option<String> {
    let folder = output_path(task, name);
    let manifest = match Manifest::read(&folder) {
        Ok(manifest) => manifest,
        Err(_) if !folder.is_dir() => return Some(format!("its output `{name}` is missing")),
        Err(e) => return Some(e.to_string()),
    };
    if digest.is_some_and(|d| *d != manifest.digest()) {
        return Some(format!("its output `{name}` is not the one it was finished with"));
    }
    manifest.problem(&folder, true).map(|problem| format!("in its output `{name}`, {problem}"))
}

/// The folder of an output: of `best`, `<task>/outputs/best`.
pub fn output_path(task: &Path, name: &str) -> PathBuf {
    task.join(OUTPUTS).join(name)
}

/// Iteration of the newest checkpoint that looks whole by its lengths. For plans: reads little, changes nothing.
pub(super) fn resumes_at(task: &Path) -> Result<Option<u64>, StoreError> {
    checkpoint::newest_by_length(&task.join(CHECKPOINTS))
}

/// A line for each checkpoint that cannot be used. An unfinished task has outputs of which only the checkpoints know.
pub(super) fn damaged_checkpoints(task: &Path) -> Result<Vec<String>, StoreError> {
    checkpoint::damaged(task, &task.join(CHECKPOINTS))
}

/// What a task is, for the store.
#[derive(Clone, Debug)]
pub(crate) struct TaskInfo {
    pub name: String,
    pub by: String,
    pub key: Value,
}

/// A task folder locked by this process, not yet written to.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(super) path: PathBuf,
    lock: Lock,
    status: Option<Status>,
    warnings: Vec<String>,
}

impl Claim {
    pub(super) fn take(path: PathBuf) -> Result<Self, StoreError> {
        for place in [path.parent(), Some(&path), Some(&path.join(CHECKPOINTS)), Some(&path.join(OUTPUTS))].into_iter().flatten() {
            plain::no_link(place)?;
        }
        // Before anything is written: a folder of a newer format stays as it is.
        Self::look(&path)?;
        files::create_folder(&path)?;
        let lock = Lock::take(&path)?;
        let (status, warnings) = Self::look(&path)?;
        Ok(Self { path, lock, status, warnings })
    }

    /// A status that cannot be read is as good as none: what else lies there is checked before it is used.
    fn look(path: &Path) -> Result<(Option<Status>, Vec<String>), StoreError> {
        match Status::read(path) {
            Ok(status) => Ok((status, Vec::new())),
            Err(damaged @ StoreError::Damaged { .. }) => Ok((None, vec![damaged.to_string()])),
            Err(other) => Err(other),
        }
    }

    /// Of what lies there; `None`: nothing was begun.
    pub(crate) fn status(&self) -> Option<&Status> {
        self.status.as_ref()
    }

    pub(super) fn set_status(&mut self, status: Status) {
        self.status = Some(status);
    }

    /// Removes everything, so that the task begins anew.
    pub(crate) fn clear(&mut self) -> Result<(), StoreError> {
        self.clear_but(&[])
    }

    pub(super) fn clear_but(&mut self, kept: &[&str]) -> Result<(), StoreError> {
        // The status goes first: a folder without one is empty to everybody.
        files::remove_any(&self.path.join(STATUS))?;
        for name in files::names(&self.path)? {
            if !name.starts_with(super::lock::LOCK) && !kept.contains(&name.as_str()) {
                fault::point();
                files::remove_any(&self.path.join(name))?;
            }
        }
        self.status = None;
        Ok(())
    }

    /// Opens the folder for writing: what a dead process left is swept, logs are cut back to the newest whole checkpoint, and the task goes on from
    /// there. A log line or an output without that is made again. What others answered stays, since the same is asked again.
    pub(crate) fn begin(mut self, info: TaskInfo, keep: usize) -> Result<TaskFolder, StoreError> {
        let mut warnings = std::mem::take(&mut self.warnings);
        files::sweep(&self.path)?;
        for folder in [CHECKPOINTS, OUTPUTS] {
            files::sweep(&self.path.join(folder))?;
        }
        let mut finished = self.status.as_ref().filter(|s| s.state == State::Finished).and_then(|s| s.problem(&self.path));
        let kept: &[&str] = if self.answers_hold() { &[ANSWERS] } else { &[] };
        if let Some(problem) = self.problem()? {
            warnings.push(format!("`{}` is damaged: {problem}; it begins anew", self.path.display()));
            self.clear_but(kept)?;
            finished = None;
        }
        let (checkpoint, damaged) = checkpoint::latest(&self.path, &self.path.join(CHECKPOINTS))?;
        let goes_on = match &checkpoint {
            Some(checkpoint) => format!("going on from iteration {}", checkpoint.iteration),
            None => "beginning anew".into(),
        };
        warnings.extend(finished.map(|problem| format!("`{}` is damaged: {problem}; {goes_on}", self.path.display())));
        warnings.extend(damaged.into_iter().map(|line| format!("{line}; {goes_on}")));
        if checkpoint.is_none() {
            self.clear_but(kept)?;
        }
        let status = Status {
            format: FORMAT,
            state: State::Running,
            name: info.name,
            by: info.by,
            key: info.key,
            outputs: BTreeMap::new(),
            logs: BTreeMap::new(),
            error: None,
        };
        // Before the logs are cut: a finished task must no longer look finished.
        files::write_json(&self.path.join(STATUS), &status)?;
        fault::point();
        let open = |name: &str| Log::open(&self.path.join(name), checkpoint.as_ref().and_then(|c| c.manifest.logs.get(name)));
        let (metrics, episodes) = (open(METRICS)?, open(EPISODES)?);
        Ok(TaskFolder { path: self.path, status, keep, metrics, episodes, checkpoint, warnings, lock: Some(self.lock) })
    }

    /// Whether the answers are this task's, and, where it was finished, those that it was finished with.
    fn answers_hold(&self) -> bool {
        let Some(status) = &self.status else { return true };
        let mark = status.logs.get(ANSWERS);
        status.foreign(&self.path).is_none() && mark.is_none_or(|mark| log::problem(&self.path.join(ANSWERS), mark).is_none())
    }

    /// Why nothing here may be gone on from: it is another task's, or an output is damaged. Outputs are written before their checkpoint, and what was
    /// written before is not made again.
    fn problem(&self) -> Result<Option<String>, StoreError> {
        if let Some(problem) = self.status.as_ref().and_then(|status| status.foreign(&self.path)) {
            return Ok(Some(problem));
        }
        let mut wanted: BTreeMap<String, Option<&Digest>> =
            files::names(&self.path.join(OUTPUTS))?.into_iter().map(|name| (name, None)).collect();
        if let Some(status) = &self.status {
            wanted.extend(status.outputs.iter().map(|(name, digest)| (name.clone(), Some(digest))));
        }
        Ok(wanted.iter().find_map(|(name, digest)| output_problem(&self.path, name, *digest)))
    }
}

/// The folder of one task, open for writing by this process alone.
///
/// ```text
/// status.json  metrics.jsonl  episodes.jsonl  answers.jsonl
/// checkpoints/iteration-0005/{manifest.json, files of the stage}
/// outputs/<name>/{manifest.json, files of the stage}
/// ```
#[derive(Debug)]
pub struct TaskFolder {
    path: PathBuf,
    status: Status,
    keep: usize,
    metrics: Log,
    episodes: Log,
    checkpoint: Option<Checkpoint>,
    warnings: Vec<String>,
    /// None where another process writes: then nothing is written here.
    lock: Option<Lock>,
}

impl TaskFolder {
    /// The folder of a task that another process has opened, and from which of its checkpoints that goes on. What would be written is forgotten.
    pub(crate) fn beside(path: PathBuf, checkpoint: Option<u64>) -> Result<Self, StoreError> {
        let elsewhere = || {
            StoreError::Refused(format!("`{}` is not there as the first rank has it; all ranks need the same run folder", path.display()))
        };
        let status = Status::read(&path)?.ok_or_else(elsewhere)?;
        let checkpoint = checkpoint.map(|iteration| checkpoint::at(&path, &path.join(CHECKPOINTS), iteration)).transpose()?;
        let (metrics, episodes) = (Log::elsewhere(&path.join(METRICS)), Log::elsewhere(&path.join(EPISODES)));
        Ok(Self { path, status, keep: 0, metrics, episodes, checkpoint, warnings: Vec::new(), lock: None })
    }

    /// Fails where another machine has taken the folder over; `often`: of what is called for every line.
    fn check(&self, often: bool) -> Result<(), StoreError> {
        self.lock.as_ref().map_or(Ok(()), |lock| lock.check(often))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where to go on from; `None`: begin at the beginning. The logs already end there.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.checkpoint.as_ref()
    }

    /// Whether another machine took this process for dead and has the folder now.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.check(false), Err(StoreError::Lost { .. }))
    }

    /// What was found damaged when the folder was opened.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Appends to `metrics.jsonl`.
    pub fn metric(&mut self, record: &MetricRecord) -> Result<(), StoreError> {
        self.check(true)?;
        self.metrics.append(record)
    }

    /// Appends one line to `episodes.jsonl`.
    pub fn episode<T: Serialize + ?Sized>(&mut self, episode: &T) -> Result<(), StoreError> {
        self.check(true)?;
        self.episodes.append(episode)
    }

    /// What others have answered, in `answers.jsonl`; `hear` is told the lines that are there already.
    pub(crate) fn answers(&self, hear: &mut dyn FnMut(&[u8])) -> Result<Answers, StoreError> {
        Answers::open(&self.path, hear)
    }

    /// Writes a checkpoint after `iteration` iterations: `fill` puts files into the folder it is given. It becomes the place to go on from only when
    /// everything, the logs included, is on the disk. The newest `keep` remain.
    pub fn save_checkpoint(&mut self, iteration: u64, fill: impl FnOnce(&Path) -> Result<(), Failure>) -> Result<(), StoreError> {
        self.save((iteration, false), fill)
    }

    /// As [`Self::save_checkpoint`], between two of the stage's own, because the user asked to stop.
    pub fn save_before_stop(&mut self, iteration: u64, fill: impl FnOnce(&Path) -> Result<(), Failure>) -> Result<(), StoreError> {
        self.save((iteration, true), fill)
    }

    fn save(&mut self, (iteration, stopped): (u64, bool), fill: impl FnOnce(&Path) -> Result<(), Failure>) -> Result<(), StoreError> {
        if self.lock.is_none() {
            return Ok(());
        }
        let logs = || {
            self.metrics.sync()?;
            self.episodes.sync()?;
            self.check(false)?;
            Ok(self.log_marks())
        };
        let folder = self.path.join(CHECKPOINTS);
        let checkpoint = checkpoint::write(&folder, (iteration, stopped), logs, fill)?;
        checkpoint::prune(&folder, iteration, self.keep, stopped.then_some(iteration))?;
        self.checkpoint = Some(checkpoint);
        Ok(())
    }

    /// Writes the output `name` (`outputs/<name>/`), replacing an earlier one. An output that exists when a checkpoint is written need not be written
    /// again by a run that goes on from it.
    pub fn write_output(&mut self, name: &str, fill: impl FnOnce(&Path) -> Result<(), Failure>) -> Result<(), StoreError> {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
            return Err(StoreError::Refused(format!("`{name}` is no name for an output")));
        }
        if self.lock.is_none() {
            return Ok(());
        }
        files::create_folder(&self.path.join(OUTPUTS))?;
        files::publish_folder(&output_path(&self.path, name), fill, |manifest| self.check(false).map(|()| manifest)).map(drop)
    }

    /// [`Self::write_output`] of one file, `<name>.json`.
    pub fn write_json_output<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), StoreError> {
        self.write_output(name, |folder| Ok(files::write_json(&folder.join(format!("{name}.json")), value)?))
    }

    /// Begins both logs with those of another task, byte by byte. Only where nothing was logged yet.
    pub(crate) fn take_logs(&mut self, other: &Path) -> Result<(), StoreError> {
        for (name, log) in [(METRICS, &mut self.metrics), (EPISODES, &mut self.episodes)] {
            log.take(&other.join(name))?;
        }
        Ok(())
    }

    /// Copies the output `name` of another task.
    pub(crate) fn take_output(&mut self, other: &Path, name: &str) -> Result<(), StoreError> {
        let from = output_path(other, name);
        self.write_output(name, |folder| Ok(super::longer::copy(&from, folder)?))
    }

    pub fn has_output(&self, name: &str) -> bool {
        output_path(&self.path, name).is_dir()
    }

    /// The task is done: its outputs and logs get their digests, and it is never run again.
    pub fn finish(mut self) -> Result<Status, StoreError> {
        self.metrics.sync()?;
        self.episodes.sync()?;
        for name in files::names(&self.path.join(OUTPUTS))? {
            let digest = Manifest::read(&output_path(&self.path, &name))?.digest();
            self.status.outputs.insert(name, digest);
        }
        if let Some(checkpoint) = &self.checkpoint {
            checkpoint::prune(&self.path.join(CHECKPOINTS), checkpoint.iteration, self.keep, None)?;
        }
        self.status.logs = self.log_marks();
        self.status.logs.extend(answers::in_order(&self.path)?.map(|mark| (ANSWERS.to_owned(), mark)));
        self.status.state = State::Finished;
        self.check(false)?;
        fault::point();
        files::write_json(&self.path.join(STATUS), &self.status)?;
        Ok(self.status)
    }

    /// Records why the task ended early. The next run goes on from the last checkpoint.
    pub fn fail(mut self, message: &str) -> Result<(), StoreError> {
        self.check(false)?;
        self.status.state = State::Failed;
        self.status.error = Some(message.to_owned());
        files::write_json(&self.path.join(STATUS), &self.status)
    }

    fn log_marks(&self) -> BTreeMap<String, Mark> {
        BTreeMap::from([(METRICS.to_owned(), self.metrics.mark()), (EPISODES.to_owned(), self.episodes.mark())])
    }
}
