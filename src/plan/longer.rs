//! A stage that shall repeat more often than it did: it goes on where the shorter run ended, if that is the beginning of the longer one.

use super::Task;
use crate::stage::Length;
use crate::store::{Digest, Lock, State, Store, StoreError};
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

/// Its own beginning, as a stage that stopped in the middle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Middle {
    /// Of the task that stopped.
    pub digest: Digest,
    /// After how many iterations.
    pub steps: u64,
    /// Its outputs but the state.
    pub outputs: Vec<String>,
}

/// The output that a stage in the middle leaves to go on from.
pub(crate) const STATE: &str = "state";

/// The farthest of the finished beginnings of a task that are whole; they say in their identity `until` when they stopped.
pub(crate) fn middle(task: &Task, store: &Store) -> Result<Option<Middle>, StoreError> {
    const UNTIL: &str = "until";
    if task.stage.length().is_none() && task.stage.stops_after().is_none() {
        return Ok(None);
    }
    let own = without(&task.key, UNTIL);
    let mut farthest: Option<Middle> = None;
    for digest in store.tasks()?.into_iter().filter(|digest| *digest != task.digest) {
        let Ok(Some(status)) = store.status(&digest) else { continue };
        let Some(steps) = status.key["identity"][UNTIL].as_u64() else { continue };
        let earlier = task.stage.stops_after().is_none_or(|end| steps < end) && farthest.as_ref().is_none_or(|found| found.steps < steps);
        let finished = status.state == State::Finished && status.outputs.contains_key(STATE);
        if earlier && finished && own == without(&status.key, UNTIL) && status.problem(&store.task_path(&digest)).is_none() {
            let outputs = status.outputs.into_keys().filter(|name| name != STATE).collect();
            farthest = Some(Middle { digest, steps, outputs });
        }
    }
    Ok(farthest)
}

fn without(key: &Value, field: &str) -> Value {
    let mut key = key.clone();
    key["identity"].as_object_mut().map(|fields| fields.remove(field));
    key
}
