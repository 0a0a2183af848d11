use super::digest::Digest;
use super::error::StoreError;
use super::files;
use super::lock::Lock;
use super::plain;
use super::run::{RunFolder, RunRecord, TASKS};
use super::task::{self, Claim, Status};
use std::path::{Path, PathBuf};

/// The folder that holds all tasks and runs (`runs`). Making one touches nothing.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// `root` need not exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// As given, not made absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a task lies, or would.
    pub fn task_path(&self, digest: &Digest) -> PathBuf {
        self.root.join(TASKS).join(digest.hex())
    }

    /// `None`: never begun here.
    pub fn status(&self, digest: &Digest) -> Result<Option<Status>, StoreError> {
        Status::read(&self.task_path(digest))
    }

    /// The iteration from which an unfinished task would go on.
    pub(crate) fn resumes_at(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        task::resumes_at(&self.task_path(digest))
    }

    /// Locks a task's folder.
    pub(crate) fn claim(&self, digest: &Digest) -> Result<Claim, StoreError> {
        Claim::take(self.task_path(digest))
    }

    /// Locks and fills the folder of a run.
    pub(crate) fn open_run(&self, plan: &Digest, record: &RunRecord) -> Result<RunFolder, StoreError> {
        let _guard = self.guard()?;
        plain::no_link(&self.root.join(TASKS))?;
        RunFolder::open(&self.root, plan, record)
    }

    /// Held while links to tasks are made or followed: a task is not removed between the making of a link and the use of it.
    pub(super) fn guard(&self) -> Result<Lock, StoreError> {
        files::create_folder(&self.root)?;
        Lock::wait(&self.root)
    }
}
