//! Beginning a task with what a shorter one of its kind has left.

use super::digest::Digest;
use super::error::StoreError;
use super::files;
use super::log::Log;
use super::manifest::MANIFEST;
use super::metrics::METRICS;
use super::root::Store;
use super::run::TASKS;
use super::task::{self, Claim, EPISODES};
use super::{checkpoint, fault};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

impl Store {
    /// The digests of all tasks that were begun here.
    pub(crate) fn tasks(&self) -> Result<Vec<Digest>, StoreError> {
        let names = files::names(&self.root().join(TASKS))?;
        Ok(names.into_iter().filter_map(|name| Digest::try_from(name).ok()).collect())
    }
}

impl Claim {
    /// Fills an empty task folder with the checkpoint, the logs up to it, and these outputs of another task, whole and checked. Gives whether there was
    /// such a checkpoint.
    pub(crate) fn take_over(&mut self, from: &Path, iteration: u64, outputs: &[&'static str]) -> Result<bool, StoreError> {
        let (Some(found), _) = checkpoint::latest(from, &from.join(task::CHECKPOINTS))? else { return Ok(false) };
        if found.iteration != iteration {
            return Ok(false);
        }
        for (name, mark) in &found.manifest.logs {
            let path = from.join(name);
            let mut part = Vec::new();
            if mark.bytes > 0 {
                let read = File::open(&path).and_then(|file| file.take(mark.bytes).read_to_end(&mut part));
                read.map_err(StoreError::io("read", &path))?;
            }
            files::write_file(&self.path.join(name), &part)?;
            fault::point();
        }
        for name in outputs {
            let (old, new) = (task::output_path(from, name), task::output_path(&self.path, name));
            files::create_folder(&self.path.join(task::OUTPUTS))?;
            files::publish_folder(&new, |folder| Ok(copy(&old, folder)?), Ok)?;
        }
        let logs = found.manifest.logs.clone();
        checkpoint::write(
            &self.path.join(task::CHECKPOINTS),
            (iteration, found.manifest.stopped),
            || Ok(logs),
            |folder| Ok(copy(&found.folder, folder)?),
        )?;
        Ok(true)
    }
}

impl Claim {
    /// Fills an empty task folder with what a finished one left that stopped in the middle: its state as the checkpoint, its logs, and these outputs.
    pub(crate) fn take_state(&mut self, from: &Path, iteration: u64, state: &str, outputs: &[&str]) -> Result<(), StoreError> {
        let mut logs = BTreeMap::new();
        for name in [METRICS, EPISODES] {
            let mut log = Log::open(&self.path.join(name), None)?;
            log.take(&from.join(name))?;
            log.sync()?;
            logs.insert(name.to_owned(), log.mark());
        }
        for name in outputs {
            let (old, new) = (task::output_path(from, name), task::output_path(&self.path, name));
            files::create_folder(&self.path.join(task::OUTPUTS))?;
            files::publish_folder(&new, |folder| Ok(copy(&old, folder)?), Ok)?;
        }
        let state = task::output_path(from, state);
        checkpoint::write(&self.path.join(task::CHECKPOINTS), (iteration, false), || Ok(logs), |folder| Ok(copy(&state, folder)?))?;
        Ok(())
    }
}

/// All files of a folder but its manifest, which is made anew.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    for name in files::names(from)?.into_iter().filter(|name| name != MANIFEST) {
        let (old, new) = (from.join(&name), to.join(&name));
        if old.is_dir() {
            fs::create_dir(&new).map_err(StoreError::io("create", &new))?;
            copy(&old, &new)?;
        } else {
            fs::copy(&old, &new).map_err(StoreError::io("write", &new))?;
        }
    }
    Ok(())
}
