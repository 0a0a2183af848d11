use super::error::{Failure, StoreError};
use super::files::{self, publish_folder};
use super::log;
use super::manifest::{Manifest, Mark};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A whole checkpoint of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Iterations done when it was written: the next one has this number (they are counted from 0).
    pub iteration: u64,
    pub folder: PathBuf,
    pub(super) manifest: Manifest,
}

impl Checkpoint {
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// `iteration-0005`; more digits where needed.
fn name(iteration: u64) -> String {
    format!("iteration-{iteration:04}")
}

/// The checkpoints in a folder by name, whole or not, in order.
fn list(folder: &Path) -> Result<Vec<u64>, StoreError> {
    let mut found: Vec<u64> =
        files::names(folder)?.iter().filter_map(|n| n.strip_prefix("iteration-")?.parse().ok().filter(|i| name(*i) == *n)).collect();
    found.sort_unstable();
    Ok(found)
}

pub(super) fn write(
    folder: &Path,
    (iteration, stopped): (u64, bool),
    logs: impl FnOnce() -> Result<BTreeMap<String, Mark>, StoreError>,
    fill: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<Checkpoint, StoreError> {
    files::create_folder(folder)?;
    let target = folder.join(name(iteration));
    let manifest =
        publish_folder(&target, fill, |manifest| Ok(Manifest { iteration: Some(iteration), stopped, logs: logs()?, ..manifest }))?;
    Ok(Checkpoint { iteration, folder: target, manifest })
}

/// Leaves the newest `keep` of those up to `iteration`. (Later ones can only be damaged ones that will be written again.) One that a stop left is not
/// counted and goes, unless it is `last`: what remains does not depend on how often the task was stopped.
pub(super) fn prune(folder: &Path, iteration: u64, keep: usize, last: Option<u64>) -> Result<(), StoreError> {
    let found: Vec<u64> = list(folder)?.into_iter().filter(|i| *i <= iteration && Some(*i) != last).collect();
    let of_a_stop = |i: &u64| Manifest::read(&folder.join(name(*i))).is_ok_and(|manifest| manifest.stopped);
    let (stopped, regular): (Vec<u64>, Vec<u64>) = found.into_iter().partition(of_a_stop);
    let surplus = regular.len().saturating_sub(keep.max(1));
    let gone: Vec<u64> = stopped.into_iter().chain(regular.into_iter().take(surplus)).collect();
    for iteration in &gone {
        super::fault::point();
        files::remove_any(&folder.join(name(*iteration)))?;
    }
    if gone.is_empty() { Ok(()) } else { files::sync_folder(folder) }
}

/// The newest checkpoint whose files, and whose part of the task's logs, have the hashes they were written with; and a line for each that does not.
pub(super) fn latest(task: &Path, folder: &Path) -> Result<(Option<Checkpoint>, Vec<String>), StoreError> {
    let mut warnings = Vec::new();
    for iteration in list(folder)?.into_iter().rev() {
        let path = folder.join(name(iteration));
        match read(task, &path, iteration) {
            Ok(manifest) => return Ok((Some(Checkpoint { iteration, folder: path, manifest }), warnings)),
            Err(StoreError::Damaged { problem, .. }) => warnings.push(format!("checkpoint `{}` is damaged: {problem}", path.display())),
            Err(other) => return Err(other),
        }
    }
    Ok((None, warnings))
}

/// The one after so many iterations, whole.
pub(super) fn at(task: &Path, folder: &Path, iteration: u64) -> Result<Checkpoint, StoreError> {
    let path = folder.join(name(iteration));
    read(task, &path, iteration).map(|manifest| Checkpoint { iteration, folder: path, manifest })
}

/// A line for each that does not have the hashes it was written with.
pub(super) fn damaged(task: &Path, folder: &Path) -> Result<Vec<String>, StoreError> {
    let problem = |iteration| read(task, &folder.join(name(iteration)), iteration).err().map(|error| error.to_string());
    Ok(list(folder)?.into_iter().filter_map(problem).collect())
}

fn read(task: &Path, folder: &Path, iteration: u64) -> Result<Manifest, StoreError> {
    let damaged = |problem| StoreError::Damaged { path: folder.to_path_buf(), problem };
    let manifest = match Manifest::read(folder) {
        Err(StoreError::Io { source, .. }) => return Err(damaged(format!("`manifest.json` cannot be read: {source}"))),
        Err(foreign @ StoreError::Foreign { .. }) => return Err(damaged(foreign.to_string())),
        Err(StoreError::Damaged { problem, .. }) => return Err(damaged(format!("`manifest.json`: {problem}"))),
        other => other?,
    };
    if manifest.iteration != Some(iteration) {
        return Err(damaged("`manifest.json` speaks of another iteration".into()));
    }
    let in_logs = || manifest.logs.iter().find_map(|(name, mark)| log::problem(&task.join(name), mark));
    match manifest.problem(folder, true).or_else(in_logs) {
        Some(problem) => Err(damaged(problem)),
        None => Ok(manifest),
    }
}

/// As [`latest`], by lengths alone and for a look from outside.
pub(super) fn newest_by_length(folder: &Path) -> Result<Option<u64>, StoreError> {
    let whole = |iteration: &u64| {
        let path = folder.join(name(*iteration));
        Manifest::read(&path).is_ok_and(|m| m.iteration == Some(*iteration) && m.problem(&path, false).is_none())
    };
    Ok(list(folder)?.into_iter().rev().find(whole))
}
