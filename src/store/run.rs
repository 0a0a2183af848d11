use super::digest::Digest;
use super::error::StoreError;
use super::event::{Event, EventLog, EventRecord, plain_name};
use super::jobs::Journal;
use super::lock::Lock;
use super::{files, plain, read};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

pub(super) const PLAN: &str = "plan.json";
pub(super) const TASKS: &str = "tasks";
pub(super) const RESOLVED: &str = "resolved.epo";
pub(super) const RECIPE: &str = "recipe.json";
pub(super) const SOURCES: &str = "source";
pub(super) const MACHINE: &str = "machine.json";

/// What a run folder records of the run that is about to begin.
#[derive(Clone, Debug, Default)]
pub struct RunRecord {
    /// The pipeline's name, or the file's where it holds several: the folder above this run's.
    pub name: String,
    /// `plan.json`; has a `format`.
    pub plan: Value,
    /// The pipelines flattened to a text that runs alone.
    pub resolved: String,
    /// The texts as read, by the names messages give them: `pipelines/epo.epo`, `std/losses.epo`, `<command line>`.
    pub sources: Vec<(String, String)>,
    /// `recipe.json`: which of the sources is the first, and what was said on the command line; `null`: not known.
    pub recipe: Value,
    /// `machine.json`: version, features, device, settings with their origin; of the process that was at work last.
    pub machine: Value,
    /// Name in the run's `tasks/` (`ppo_epo.train.seed-0`) and task, for every stage of every instance.
    pub tasks: Vec<(String, Digest)>,
}

/// The folder of one run, open for writing by this process alone: `runs/<name>/<first 8 of the plan's digest>/`.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    id: String,
    events: EventLog,
    /// What `machine.json` is to say once something is done here: whoever only looks did not compute it.
    machine: Option<Value>,
    _lock: Lock,
}

impl RunFolder {
    pub(super) fn open(root: &Path, plan: &Digest, record: &RunRecord) -> Result<Self, StoreError> {
        let name = run_name(&record.name);
        let id = format!("{name}/{}", plan.short());
        let path = root.join(&name).join(plan.short());
        for place in [&root.join(&name), &path, &path.join(TASKS)] {
            plain::no_link(place)?;
        }
        not_newer(&path)?;
        files::create_folder(&path)?;
        let lock = Lock::take(&path)?;
        not_newer(&path)?;
        files::sweep(&path)?;
        link_tasks(&path.join(TASKS), &record.tasks)?;
        files::write_json(&path.join(PLAN), &record.plan)?;
        files::write_file(&path.join(RESOLVED), record.resolved.as_bytes())?;
        write_sources(&path.join(SOURCES), &record.sources)?;
        if !record.recipe.is_null() {
            files::write_json(&path.join(RECIPE), &record.recipe)?;
        }
        let events = EventLog::open(&path)?;
        let known = read::document::<Value>(&path.join(MACHINE)).is_ok();
        let mut run = Self { path, id, events, machine: Some(record.machine.clone()), _lock: lock };
        if !known {
            run.write_machine()?;
        }
        Ok(run)
    }

    fn write_machine(&mut self) -> Result<(), StoreError> {
        match self.machine.take() {
            Some(machine) => files::write_json(&self.path.join(MACHINE), &machine),
            None => Ok(()),
        }
    }

    fn note_machine(&mut self, event: &Event) -> Result<(), StoreError> {
        match event {
            Event::TaskStarted { .. } | Event::TaskResumed { .. } => self.write_machine(),
            _ => Ok(()),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends what a job wrote down elsewhere, with its time.
    pub(crate) fn copy_event(&mut self, record: &EventRecord) -> Result<(), StoreError> {
        self.note_machine(&record.event)?;
        self.events.copy(record)
    }

    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.events.sync()
    }

    /// Copies a file into the run folder, whole or not at all.
    pub(crate) fn copy(&self, from: &Path, name: &str) -> Result<PathBuf, StoreError> {
        let bytes = std::fs::read(from).map_err(StoreError::io("read", from))?;
        let to = self.path.join(plain_name(name));
        files::write_file(&to, &bytes)?;
        Ok(to)
    }
}

impl Journal for RunFolder {
    fn id(&self) -> &str {
        &self.id
    }

    fn event(&mut self, event: Event) -> Result<(), StoreError> {
        self.note_machine(&event)?;
        self.events.append(event)
    }
}

/// Refuses the folder of a newer epo-run. A plan that cannot be read is written anew: all that it says is known without it.
pub(super) fn not_newer(run: &Path) -> Result<(), StoreError> {
    match read::check_format(&run.join(PLAN)) {
        Err(StoreError::Damaged { .. } | StoreError::Foreign { .. }) => Ok(()),
        other => other,
    }
}

/// A pipeline may be called `tasks`; the folder of that name is taken.
fn run_name(name: &str) -> String {
    match plain_name(name) {
        name if name == TASKS => format!("{name}-run"),
        name => name,
    }
}

/// One symbolic link for each task, relative, so that the whole folder can be moved.
fn link_tasks(folder: &Path, tasks: &[(String, Digest)]) -> Result<(), StoreError> {
    files::create_folder(folder)?;
    let mut wanted = BTreeSet::new();
    for (name, digest) in tasks {
        let mut name = plain_name(name);
        if !wanted.insert(name.clone()) {
            name = format!("{name}.{}", digest.short());
            wanted.insert(name.clone());
        }
        let link = folder.join(&name);
        let target = Path::new("../../..").join(TASKS).join(digest.hex());
        if std::fs::read_link(&link).is_ok_and(|t| t == target) {
            continue;
        }
        files::remove_any(&link)?;
        symlink(&target, &link).map_err(StoreError::io("write", &link))?;
    }
    for name in files::names(folder)? {
        if !wanted.contains(&name) {
            files::remove_any(&folder.join(name))?;
        }
    }
    files::sync_folder(folder)
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Elsewhere links need rights that users do not have: a text file with the path says as much.
#[cfg(not(unix))]
fn symlink(target: &Path, link: &Path) -> std::io::Result<()> {
    std::fs::write(link, target.to_string_lossy().as_bytes())
}

fn write_sources(folder: &Path, sources: &[(String, String)]) -> Result<(), StoreError> {
    files::remove_any(folder)?;
    files::create_folder(folder)?;
    let mut used = BTreeSet::new();
    for (name, text) in sources {
        let mut path = inside(name);
        let mut n = 2;
        while !used.insert(path.clone()) {
            path = inside(&format!("{name}-{n}"));
            n += 1;
        }
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            files::create_folder(parent)?;
        }
        files::write_file(&path, text.as_bytes())?;
    }
    Ok(())
}

/// A path that stays inside the folder it is joined to: `../x/<a>.epo` → `up/x/a-.epo`.
fn inside(name: &str) -> PathBuf {
    let path: PathBuf = Path::new(name)
        .components()
        .filter_map(|part| match part {
            Component::Normal(part) => Some(plain_name(&part.to_string_lossy())),
            Component::ParentDir => Some("up".into()),
            _ => None,
        })
        .collect();
    if path.as_os_str().is_empty() { PathBuf::from("unnamed") } else { path }
}
