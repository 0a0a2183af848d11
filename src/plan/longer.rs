//! A stage that shall repeat more often than it did: it goes on where the shorter run ended, if that is the beginning of the longer one.

use super::Task;
use crate::stage::Length;
use crate::store::{Digest, Lock, Store, StoreError};
use serde_json::Value;

/// A shorter run of the same stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Beginning {
    /// Of the shorter run's task.
    pub digest: Digest,
    /// The field that counts: `iterations`.
    pub field: &'static str,
    /// How many it had.
    pub count: u64,
    /// The checkpoint to go on from, and the outputs that belong to it; an error: why a longer run begins anew.
    pub start: Result<(u64, Vec<&'static str>), String>,
}

/// The longest shorter run in a store that is at rest, if there is one. A task of equal digest is another matter.
pub(crate) fn beginning(task: &Task, store: &Store) -> Result<Option<Beginning>, StoreError> {
    let Some(Length { field, count }) = task.stage.length() else { return Ok(None) };
    let mut longest: Option<(u64, Digest)> = None;
    let own = without(&task.key, field);
    for digest in store.tasks()?.into_iter().filter(|digest| *digest != task.digest) {
        let Ok(Some(status)) = store.status(&digest) else { continue };
        let Some(found) = status.key["identity"][field].as_u64().filter(|found| *found < count) else { continue };
        if own == without(&status.key, field)
            && longest.as_ref().is_none_or(|(most, _)| found > *most)
            && Lock::holder(&store.task_path(&digest)).is_none()
        {
            longest = Some((found, digest));
        }
    }
    let Some((shorter, digest)) = longest else { return Ok(None) };
    let start = match store.resumes_at(&digest)? {
        Some(checkpoint) => task.stage.continues(&store.task_path(&digest), checkpoint).map(|outputs| (checkpoint, outputs)),
        None => Err("the shorter run has no checkpoint".into()),
    };
    Ok(Some(Beginning { digest, field, count: shorter, start }))
}

fn without(key: &Value, field: &str) -> Value {
    let mut key = key.clone();
    key["identity"].as_object_mut().map(|fields| fields.remove(field));
    key
}
