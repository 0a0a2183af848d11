//! The runs of a store: listing, finding, removing.

use super::digest::Digest;
use super::error::StoreError;
use super::event::{EVENTS, Event, EventRecord, read_events};
use super::lock::Lock;
use super::metrics::METRICS;
use super::root::Store;
use super::run::{MACHINE, PLAN, RECIPE, RESOLVED, SOURCES, TASKS, not_newer};
use super::task::{STATUS, State, Status};
use super::{files, plain, read};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How a run stands, from its events and its lock. One that died on another machine looks as if it ran, until somebody runs it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// A process is at work on it.
    Running,
    /// Every task is finished.
    Finished,
    /// A task failed; the same command tries it again.
    Failed,
    /// Stopped by the user, or killed: the same command goes on.
    Interrupted,
    /// Written by a newer epo-run, or damaged.
    Unreadable,
}

/// What a list of runs shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunSummary {
    /// `ppo_epo/7f3a9c41`.
    pub id: String,
    /// `ppo_epo`.
    pub name: String,
    /// The run's folder.
    #[serde(serialize_with = "super::files::path_in_words")]
    pub path: PathBuf,
    /// As of the moment of listing.
    pub state: RunState,
    /// Time of the first event; empty where there is none.
    pub first: String,
    /// Time of the last event; empty where there is none.
    pub last: String,
    /// Tasks finished, of how many.
    pub done: usize,
    /// One for each link in the run's `tasks/`, by name.
    pub tasks: Vec<RunTask>,
}

/// A task that a run links to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunTask {
    /// Its name in the run's `tasks/`.
    pub name: String,
    /// Names its folder.
    pub digest: Digest,
    /// `None`: not begun, or removed.
    pub state: Option<State>,
}

/// What a look at a run's files told of them: lengths and times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    busy: bool,
    files: Vec<Option<(u64, Option<SystemTime>)>>,
}

impl RunSummary {
    /// `plan.json`.
    pub fn plan(&self) -> Result<Value, StoreError> {
        read::document(&self.path.join(PLAN))
    }

    /// `recipe.json`; `None` where an earlier epo-run made the run.
    pub(crate) fn recipe<T: DeserializeOwned>(&self) -> Result<Option<T>, StoreError> {
        read::document_if_there(&self.path.join(RECIPE))
    }

    /// `machine.json`.
    pub(crate) fn machine(&self) -> Result<Value, StoreError> {
        read::document(&self.path.join(MACHINE))
    }

    /// What happened in it.
    pub(crate) fn events(&self) -> Result<Vec<EventRecord>, StoreError> {
        read_events(&self.path)
    }

    /// The pipelines flattened to a text that runs alone; `None` where there is none that can be read.
    pub(crate) fn resolved(&self) -> Option<String> {
        read::text(&self.path.join(RESOLVED)).ok().flatten()
    }

    /// The texts that the run was made from, in no order that says anything.
    pub(crate) fn sources(&self) -> Result<Vec<String>, StoreError> {
        let mut texts = Vec::new();
        texts_below(&self.path.join(SOURCES), &mut texts)?;
        Ok(texts)
    }
}

/// What `runs rm` did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Removed {
    /// [`RunSummary::id`].
    pub run: String,
    /// Task folders removed.
    pub tasks: usize,
    /// Freed, by the lengths of the files.
    pub bytes: u64,
    /// Kept because another run links to them.
    pub shared: usize,
    /// Kept because a process is at work on them.
    pub busy: usize,
}

impl Store {
    /// All runs by name, then by plan digest.
    pub fn runs(&self) -> Result<Vec<RunSummary>, StoreError> {
        let mut runs = Vec::new();
        for name in files::names(self.root())? {
            let folder = self.root().join(&name);
            if name.starts_with('.') || name == TASKS || !plain::is_folder(&folder) {
                continue;
            }
            for digest in files::names(&folder)? {
                let path = folder.join(&digest);
                if !digest.starts_with('.') && plain::is_folder(&path) && path.join(PLAN).symlink_metadata().is_ok() {
                    runs.push(self.summary(&name, &digest, path)?);
                }
            }
        }
        Ok(runs)
    }

    /// Other than before when something of a run may have changed.
    pub(crate) fn seen<'d>(&self, run: &RunSummary, tasks: impl Iterator<Item = &'d Digest>) -> Seen {
        let look = |path: PathBuf| path.metadata().ok().map(|data| (data.len(), data.modified().ok()));
        let of_task = |digest: &Digest| [STATUS, METRICS].map(|name| self.task_path(digest).join(name));
        let paths = [run.path.join(EVENTS), run.path.join(PLAN)].into_iter().chain(tasks.flat_map(of_task));
        // Who is killed leaves no word.
        Seen { busy: Lock::holder(&run.path).is_some(), files: paths.map(look).collect() }
    }

    /// The same run as it is now.
    pub(crate) fn again(&self, run: &RunSummary) -> Result<RunSummary, StoreError> {
        if !run.path.join(PLAN).is_file() {
            return Err(StoreError::Refused(format!("the run {} is gone", run.id)));
        }
        let digest = run.id.rsplit('/').next().unwrap_or_default();
        self.summary(&run.name, digest, run.path.clone())
    }

    fn summary(&self, name: &str, digest: &str, path: PathBuf) -> Result<RunSummary, StoreError> {
        let (events, readable) = match read::check_format(&path.join(PLAN)).and_then(|()| read_events(&path)) {
            Ok(events) => (events, true),
            Err(StoreError::Newer { .. } | StoreError::Damaged { .. } | StoreError::Foreign { .. }) => (Vec::new(), false),
            Err(other) => return Err(other),
        };
        let tasks: Vec<RunTask> = links(&path)?
            .into_iter()
            .map(|(name, digest)| RunTask { name, state: self.status(&digest).ok().flatten().map(|s: Status| s.state), digest })
            .collect();
        let state = match events.iter().rev().find(|e| matches!(e.event, Event::RunStarted { .. } | Event::RunFinished | Event::RunFailed))
        {
            _ if !readable => RunState::Unreadable,
            _ if Lock::holder(&path).is_some() => RunState::Running,
            Some(e) if e.event == Event::RunFinished => RunState::Finished,
            Some(e) if e.event == Event::RunFailed => RunState::Failed,
            _ => RunState::Interrupted,
        };
        Ok(RunSummary {
            id: format!("{name}/{digest}"),
            name: name.to_owned(),
            state,
            first: events.first().map(|e| e.time.clone()).unwrap_or_default(),
            last: events.last().map(|e| e.time.clone()).unwrap_or_default(),
            done: tasks.iter().filter(|t| t.state == Some(State::Finished)).count(),
            tasks,
            path,
        })
    }

    /// The run that a user means: `ppo_epo/7f3a9c41`, its path, the beginning of its digest, or a name that but one run has.
    pub fn find_run(&self, text: &str) -> Result<RunSummary, StoreError> {
        let runs = self.runs()?;
        let wanted = text.trim_end_matches('/');
        let exact = |run: &&RunSummary| run.id == wanted || run.path == Path::new(wanted);
        if let Some(run) = runs.iter().find(exact) {
            return Ok(run.clone());
        }
        let digest_of = |run: &RunSummary| run.id.rsplit('/').next().unwrap_or_default().to_owned();
        let close: Vec<&RunSummary> = runs.iter().filter(|run| run.name == wanted || digest_of(run).starts_with(wanted)).collect();
        let ids = |runs: &[&RunSummary]| runs.iter().map(|r| format!("`{}`", r.id)).collect::<Vec<_>>().join(", ");
        match close.as_slice() {
            [run] => Ok((*run).clone()),
            [] if runs.is_empty() => Err(StoreError::Refused(format!("there are no runs in `{}`", self.root().display()))),
            [] => Err(StoreError::Refused(format!("no run is called `{text}`; `epo-run runs` lists them"))),
            several => Err(StoreError::Refused(format!("`{text}` may mean {}; name one", ids(several)))),
        }
    }

    /// Removes a run folder, and the task folders that no other run links to. Nothing that a process is at work on is touched.
    pub fn remove_run(&self, run: &RunSummary) -> Result<Removed, StoreError> {
        not_newer(&run.path)?;
        // Before others have to wait for the guard.
        Lock::free_from_the_dead(&run.path)?;
        for (_, digest) in links(&run.path)? {
            Lock::free_from_the_dead(&self.task_path(&digest))?;
        }
        let _guard = self.guard()?;
        let lock = Lock::take(&run.path)?;
        let mut removed = Removed { run: run.id.clone(), ..Removed::default() };
        let mut elsewhere = BTreeSet::new();
        for other in self.runs()?.iter().filter(|other| other.id != run.id) {
            elsewhere.extend(links(&other.path)?.into_iter().map(|(_, digest)| digest));
        }
        let own: BTreeSet<Digest> = links(&run.path)?.into_iter().map(|(_, digest)| digest).collect();
        for digest in own {
            let path = self.task_path(&digest);
            if elsewhere.contains(&digest) {
                removed.shared += 1;
                continue;
            }
            if !plain::is_folder(&path) {
                files::remove_any(&path)?;
                continue;
            }
            match Lock::take(&path) {
                Err(StoreError::Locked { .. }) => removed.busy += 1,
                Err(other) => return Err(other),
                Ok(_lock) => {
                    removed.bytes += size(&path);
                    removed.tasks += 1;
                    files::remove_any(&path)?;
                }
            }
        }
        removed.bytes += size(&run.path);
        files::remove_any(&run.path)?;
        drop(lock);
        if let Some(parent) = run.path.parent().filter(|p| files::names(p).is_ok_and(|n| n.is_empty())) {
            let _ = std::fs::remove_dir(parent);
        }
        Ok(removed)
    }
}

/// Files that are no text were not written here, and are left alone.
fn texts_below(folder: &Path, texts: &mut Vec<String>) -> Result<(), StoreError> {
    plain::no_link(folder)?;
    for name in files::names(folder)? {
        let path = folder.join(&name);
        if plain::is_folder(&path) {
            texts_below(&path, texts)?;
        } else {
            texts.extend(read::text(&path)?);
        }
    }
    Ok(())
}

/// The tasks that a run links to.
fn links(run: &Path) -> Result<Vec<(String, Digest)>, StoreError> {
    let folder = run.join(TASKS);
    let target = |name: &str| {
        let link = folder.join(name);
        let target = if cfg!(unix) { std::fs::read_link(link).ok()? } else { PathBuf::from(std::fs::read_to_string(link).ok()?) };
        Digest::try_from(target.file_name()?.to_str()?.to_owned()).ok()
    };
    Ok(files::names(&folder)?.into_iter().filter_map(|name| target(&name).map(|digest| (name, digest))).collect())
}

fn size(path: &Path) -> u64 {
    match path.symlink_metadata() {
        Ok(data) if data.is_dir() => files::names(path).unwrap_or_default().iter().map(|name| size(&path.join(name))).sum(),
        Ok(data) => data.len(),
        Err(_) => 0,
    }
}
