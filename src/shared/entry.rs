use super::error::SharedError;
use crate::store::{Digest, Mark};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of everything written here.
pub(super) const FORMAT: u32 = 1;

/// A finished task in a shared store, `tasks/DIGEST.json`. It is put when all its files are there, so that a task that is half there has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub format: u32,
    /// The task's digest again: an object may have been copied to another name.
    pub task: Digest,
    /// By their path in the task's folder; each is the object `blobs/HA/HASH`.
    pub files: BTreeMap<String, Mark>,
}

/// All entries.
pub(super) const TASKS: &str = "tasks";

pub(super) fn name(task: &Digest) -> String {
    format!("{TASKS}/{task}.json")
}

/// The task of an object below [`TASKS`].
pub(super) fn task_of(object: &str) -> Option<Digest> {
    Digest::try_from(object.strip_suffix(".json")?.to_owned()).ok()
}

/// Where a file of this content lies.
pub(super) fn blob(content: &Digest) -> String {
    let hash = content.hex();
    format!("blobs/{}/{hash}", hash.get(..2).unwrap_or(hash))
}

impl Entry {
    pub(super) fn read(bytes: &[u8], task: &Digest, object: &str) -> Result<Self, SharedError> {
        #[derive(Deserialize)]
        struct Format {
            format: u64,
        }
        let damaged = |problem: String| SharedError::damaged(object.to_owned(), problem);
        let Format { format: found } = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        if found != u64::from(FORMAT) {
            return Err(SharedError::Outdated { object: object.to_owned(), found, known: FORMAT });
        }
        let entry: Self = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        match entry.task == *task {
            true => Ok(entry),
            false => Err(damaged(format!("it is that of the task {}", entry.task.short()))),
        }
    }

    pub(super) fn bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_meant() {
        let (task, content) = (Digest::of_bytes(b"task"), Digest::of_bytes(b"x"));
        let files = BTreeMap::from([("status.json".into(), Mark { bytes: 1, blake3: content.clone() })]);
        let entry = Entry { format: FORMAT, task: task.clone(), files };
        let bytes = entry.bytes().unwrap();
        assert_eq!(Entry::read(&bytes, &task, "x").unwrap(), entry);
        assert_eq!(task_of(&format!("{task}.json")), Some(task.clone()));
        assert_eq!(blob(&content), format!("blobs/{}/{content}", &content.hex()[..2]));
        let said = |bytes: &[u8], task: &Digest| Entry::read(bytes, task, "s3://b/x").unwrap_err().to_string();
        assert!(said(&bytes, &content).starts_with("`s3://b/x` is damaged: it is that of the task "));
        let text = String::from_utf8(bytes).unwrap();
        let other = text.replace("\"format\": 1", "\"format\": 2");
        assert_eq!(said(other.as_bytes(), &task), "`s3://b/x` has format 2, which this epo-run does not know (it knows 1)");
        for end in [0, 10, text.len() / 2] {
            assert!(said(&text.as_bytes()[..end], &task).starts_with("`s3://b/x` is damaged: "));
        }
    }
}
