//! A finished task as a list of files: to be copied elsewhere, and to be received from there.

use super::answers::ANSWERS;
use super::digest::Digest;
use super::error::StoreError;
use super::manifest::{MANIFEST, Manifest, Mark};
use super::metrics::METRICS;
use super::root::Store;
use super::task::{self, Claim, EPISODES, OUTPUTS, STATUS, State, Status};
use super::{fault, files, plain};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Component, Path};

/// What is received lies here until it is whole.
const RECEIVED: &str = ".tmp-received";

impl Store {
    /// The files of a finished task by their paths in its folder, with `/` between the parts; `None` where it is not finished or a file is not what it was finished with.
    /// Checkpoints are none of them.
    pub(crate) fn finished_files(&self, task: &Digest) -> Result<Option<BTreeMap<String, Mark>>, StoreError> {
        let path = self.task_path(task);
        match self.status(task)? {
            Some(status) if status.state == State::Finished && status.problem(&path).is_none() => files_of(&path, &status).map(Some),
            _ => Ok(None),
        }
    }
}

fn files_of(folder: &Path, status: &Status) -> Result<BTreeMap<String, Mark>, StoreError> {
    let mut found = BTreeMap::new();
    let mut mark = |name: String| {
        let (blake3, bytes) = Digest::of_file(&folder.join(&name))?;
        found.insert(name, Mark { bytes, blake3 });
        Ok::<_, StoreError>(())
    };
    mark(STATUS.into())?;
    for output in status.outputs.keys() {
        mark(format!("{OUTPUTS}/{output}/{MANIFEST}"))?;
    }
    for output in status.outputs.keys() {
        let manifest = Manifest::read(&task::output_path(folder, output))?;
        found.extend(manifest.files.into_iter().map(|(name, mark)| (format!("{OUTPUTS}/{output}/{name}"), mark)));
    }
    found.extend(status.logs.clone());
    Ok(found)
}

impl Claim {
    /// Fills the folder with a finished task from elsewhere. `fetch` writes the file of a mark, and sees to it that it has its hash. What is there stays until everything is
    /// received and is this task; the inner error says why it is not.
    pub(crate) fn receive<E: From<StoreError>>(
        &mut self,
        marks: &BTreeMap<String, Mark>,
        mut fetch: impl FnMut(&Mark, &mut File) -> Result<(), E>,
    ) -> Result<Result<Status, String>, E> {
        let place = self.path.join(RECEIVED);
        files::remove_any(&place)?;
        let received = self.fill(&place, marks, &mut fetch);
        if !matches!(received, Ok(Ok(_))) {
            let _ = files::remove_any(&place);
        }
        let status = match received? {
            Ok(status) => status,
            Err(problem) => return Ok(Err(problem)),
        };
        self.install(&place)?;
        self.set_status(status.clone());
        Ok(Ok(status))
    }

    fn fill<E: From<StoreError>>(
        &self,
        place: &Path,
        marks: &BTreeMap<String, Mark>,
        fetch: &mut dyn FnMut(&Mark, &mut File) -> Result<(), E>,
    ) -> Result<Result<Status, String>, E> {
        if let Some(name) = marks.keys().find(|name| !is_of_a_task(name)) {
            return Ok(Err(format!("`{name}` is no file of a finished task")));
        }
        files::create_folder(place)?;
        for (name, mark) in marks {
            let path = place.join(name);
            if let Some(parent) = path.parent() {
                files::create_folder(parent)?;
            }
            let mut file = File::create_new(&path).map_err(StoreError::io("write", &path))?;
            fault::point();
            fetch(mark, &mut file)?;
            fault::sync_file(&file).map_err(StoreError::io("write", &path))?;
        }
        sync_all(place)?;
        Ok(self.problem_of(place, marks)?)
    }

    /// The status of what lies there; or why it is not this task, finished.
    fn problem_of(&self, place: &Path, marks: &BTreeMap<String, Mark>) -> Result<Result<Status, String>, StoreError> {
        let status = match Status::read(place) {
            Ok(Some(status)) => status,
            Ok(None) => return Ok(Err(format!("it has no `{STATUS}`"))),
            Err(error @ StoreError::Io { .. }) => return Err(error),
            Err(error) => return Ok(Err(error.to_string())),
        };
        if self.path.file_name().is_none_or(|name| *name != *Digest::of(&status.key).hex()) {
            return Ok(Err(format!("its `{STATUS}` is that of another task")));
        }
        if status.state != State::Finished {
            return Ok(Err("it is not finished".into()));
        }
        if let Some(problem) = status.content_problem(place) {
            return Ok(Err(problem));
        }
        match files_of(place, &status)? == *marks {
            true => Ok(Ok(status)),
            false => Ok(Err("it has files that are none of the task's".into())),
        }
    }

    /// Nothing is lost where the process dies in between but what can be received, or made, again: without a status the folder is empty to everybody.
    fn install(&mut self, place: &Path) -> Result<(), StoreError> {
        self.clear_but(&[RECEIVED])?;
        let rename = |name: &str| {
            fault::point();
            let to = self.path.join(name);
            fs::rename(place.join(name), &to).map_err(StoreError::io("write", &to))
        };
        for name in files::names(place)?.iter().filter(|name| *name != STATUS) {
            rename(name)?;
        }
        files::sync_folder(&self.path)?;
        rename(STATUS)?;
        files::sync_folder(&self.path)?;
        fault::point();
        files::remove_any(place)
    }
}

/// Whether a path leads to where a finished task has its files, and nowhere else.
fn is_of_a_task(name: &str) -> bool {
    let parts: Vec<Component> = Path::new(name).components().collect();
    let normal = |part: &Component| matches!(part, Component::Normal(_));
    // As it was written: no part twice, nothing that another system reads otherwise.
    let as_written = name.split('/').count() == parts.len() && !name.contains(['\\', ':']);
    let in_place = [STATUS, METRICS, EPISODES, ANSWERS].contains(&name)
        || (name.strip_prefix(OUTPUTS).is_some_and(|rest| rest.starts_with('/') && !rest.starts_with("/.")) && parts.len() >= 3);
    parts.iter().all(normal) && as_written && in_place
}

fn sync_all(folder: &Path) -> Result<(), StoreError> {
    for name in files::names(folder)? {
        let path = folder.join(name);
        if plain::is_folder(&path) {
            sync_all(&path)?;
        }
    }
    files::sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_files_may_lie() {
        for name in ["status.json", "metrics.jsonl", "outputs/best/manifest.json", "outputs/best/sub/weights"] {
            assert!(is_of_a_task(name), "{name}");
        }
        for name in [
            "",
            "/etc/passwd",
            "../x",
            "outputs",
            "outputs/x",
            "outputs/../x/y",
            "outputs/./x/y",
            "outputs//x/y",
            "checkpoints/a/b",
            ".lock",
            "outputs/.tmp-x/y",
            "outputs/a\\b/c",
            "C:/x",
            "status.json/x",
        ] {
            assert!(!is_of_a_task(name), "{name}");
        }
    }
}
