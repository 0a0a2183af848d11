//! Whether what lies in a store is what was written there.

use super::digest::Digest;
use super::error::StoreError;
use super::lock::Lock;
use super::manifest::{Manifest, Mark};
use super::root::Store;
use super::run::TASKS;
use super::runs::RunSummary;
use super::task::{self, State, Status};
use super::{files, plain};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What [`Store::verify`] found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verified {
    /// Runs looked at.
    pub runs: usize,
    /// Task folders looked at.
    pub tasks: usize,
    /// Task folders left out, because a process is at work on them.
    pub busy: usize,
    /// By place.
    pub faults: Vec<Fault>,
}

/// Something in a store that is not as it was written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fault {
    /// The task or run it belongs to.
    #[serde(serialize_with = "super::files::path_in_words")]
    pub path: PathBuf,
    /// In words.
    pub problem: String,
}

impl Store {
    /// Reads everything, of one run or of all: each task's key and the hashes of its files, each run's links and pages. Changes nothing.
    pub fn verify(&self, only: Option<&RunSummary>) -> Result<Verified, StoreError> {
        let runs = match only {
            Some(run) => vec![run.clone()],
            None => self.runs()?,
        };
        let names: BTreeSet<String> = match only {
            Some(run) => run.tasks.iter().map(|task| task.digest.hex().to_owned()).collect(),
            None => files::names(&self.root().join(TASKS))?.into_iter().collect(),
        };
        let mut verified = Verified { runs: runs.len(), tasks: names.len(), ..Verified::default() };
        for name in names {
            let path = self.root().join(TASKS).join(&name);
            if Lock::holder(&path).is_some() {
                verified.busy += 1;
                continue;
            }
            let problems = task_problems(&path, &name);
            verified.faults.extend(problems.into_iter().map(|problem| Fault { path: path.clone(), problem }));
        }
        for run in runs {
            let problems = self.run_problems(&run);
            verified.faults.extend(problems.into_iter().map(|problem| Fault { path: run.path.clone(), problem }));
        }
        Ok(verified)
    }

    fn run_problems(&self, run: &RunSummary) -> Vec<String> {
        let mut problems = Vec::new();
        if let Err(error) = run.plan() {
            problems.push(error.to_string());
        }
        let links = run.path.join(TASKS);
        for name in files::names(&links).unwrap_or_default() {
            match run.tasks.iter().find(|task| task.name == name) {
                None => problems.push(format!("`{TASKS}/{name}` is no link to a task")),
                Some(task) if !plain::is_folder(&self.task_path(&task.digest)) => {
                    problems.push(format!("the task of `{TASKS}/{name}` is not there"));
                }
                Some(_) => {}
            }
        }
        let pages = files::names(&run.path).unwrap_or_default().into_iter().filter(|name| name.starts_with("report."));
        problems.extend(pages.filter_map(|page| self.page_problem(run, &page)));
        problems
    }

    /// Why a page in a run's folder (`report.json`) is not the one that a task of the run wrote.
    pub fn page_problem(&self, run: &RunSummary, page: &str) -> Option<String> {
        let path = run.path.join(page);
        let length = match plain::no_other_than_a_file(&path).and_then(|()| path.metadata().map_err(StoreError::io("read", &path))) {
            Ok(data) => data.len(),
            Err(error) => return Some(error.to_string()),
        };
        // Of the length first: one that somebody else wrote may be too long to be read.
        let mut alike =
            run.tasks.iter().flat_map(|task| outputs(&self.task_path(&task.digest))).filter(|mark| mark.bytes == length).peekable();
        let ours = match alike.peek().map(|_| Digest::of_file(&path)) {
            None => false,
            Some(Ok((digest, _))) => alike.any(|mark| mark.blake3 == digest),
            Some(Err(error)) => return Some(error.to_string()),
        };
        (!ours).then(|| format!("`{page}` is not what a task of this run wrote"))
    }
}

/// The files of all outputs that a task was finished with.
fn outputs(task: &Path) -> Vec<Mark> {
    let status = Status::read(task).ok().flatten().filter(|status| status.foreign(task).is_none());
    let manifest =
        |(name, digest): (&String, &Digest)| Manifest::read(&task::output_path(task, name)).ok().filter(|m| m.digest() == *digest);
    let manifests: Vec<Manifest> = status.iter().flat_map(|status| &status.outputs).filter_map(manifest).collect();
    manifests.into_iter().flat_map(|manifest| manifest.files.into_values()).collect()
}

fn task_problems(path: &Path, name: &str) -> Vec<String> {
    if !plain::is_folder(path) || Digest::try_from(name.to_owned()).is_err() {
        return vec!["is no folder of a task".into()];
    }
    match Status::read(path) {
        Err(error) => vec![error.to_string()],
        Ok(Some(status)) if status.state == State::Finished => status.problem(path).into_iter().collect(),
        Ok(status) => {
            let mut problems: Vec<String> = status.and_then(|status| status.foreign(path)).into_iter().collect();
            match task::damaged_checkpoints(path) {
                Ok(damaged) => problems.extend(damaged),
                Err(error) => problems.push(error.to_string()),
            }
            problems
        }
    }
}
