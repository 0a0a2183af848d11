//! Models from the Hugging Face hub, in the cache that its other clients use.

use crate::model::ModelError;
use hf_hub::api::sync::{ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Cache, CacheRepo, Repo, RepoType};
use std::path::{Path, PathBuf};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const OPTIONAL: &[&str] =
    &["tokenizer.json", "tokenizer_config.json", "generation_config.json", "special_tokens_map.json", "chat_template.jinja"];

/// Set by users of the hub's clients who want no network.
pub(super) fn offline() -> bool {
    std::env::var("HF_HUB_OFFLINE").is_ok_and(|v| !["", "0", "false", "no"].contains(&v.to_lowercase().as_str()))
}

fn repo(name: &str, revision: &str) -> Repo {
    Repo::with_revision(name.into(), RepoType::Model, revision.into())
}

/// The folder of a snapshot in the cache that has at least its configuration and all weights.
pub(super) fn cached(name: &str, revision: &str) -> Option<PathBuf> {
    whole(&Cache::from_env().repo(repo(name, revision)))
}

/// The folder of the snapshot, with all that is needed of it. One in the cache that lacks files is completed; where that is not possible, they
/// are named.
pub(super) fn fetch(name: &str, revision: &str, say: &mut dyn FnMut(&str)) -> Result<PathBuf, ModelError> {
    let cache = Cache::from_env().repo(repo(name, revision));
    let Some(folder) = whole(&cache) else {
        if offline() {
            let lacks = cache.get(CONFIG).map_or("is not in the cache".to_string(), |_| "lacks weights in the cache".to_string());
            return Err(ModelError::Source(format!("`hub:{name}@{revision}` {lacks}, and HF_HUB_OFFLINE forbids to fetch it")));
        }
        say(&format!("fetching hub:{name}@{revision}"));
        return complete(name, revision);
    };
    let missing: Vec<&str> = OPTIONAL.iter().copied().filter(|file| cache.get(file).is_none() && !is_known_absent(&folder, file)).collect();
    if missing.is_empty() {
        return Ok(folder);
    }
    let completed = match offline() {
        true => Err(ModelError::Source("HF_HUB_OFFLINE forbids to ask for them".into())),
        false => complete_snapshot(name, &folder),
    };
    if let Err(error) = &completed {
        say(&format!("`hub:{name}@{revision}` may lack {} in the cache ({error}); it is used as it is", missing.join(", ")));
    }
    Ok(completed.unwrap_or(folder))
}

/// Where the hub's clients note that a revision does not have a file: `.no_exist/<commit>/<file>` beside `snapshots/<commit>`.
fn absent(snapshot: &Path, file: &str) -> Option<PathBuf> {
    Some(snapshot.parent()?.parent()?.join(".no_exist").join(snapshot.file_name()?).join(file))
}

fn is_known_absent(snapshot: &Path, file: &str) -> bool {
    absent(snapshot, file).is_some_and(|note| note.exists())
}

/// Only a note for later: where it cannot be written, the file is asked for again.
fn note_absent(snapshot: &Path, file: &str) {
    if let Some(note) = absent(snapshot, file)
        && let Some(folder) = note.parent()
    {
        let _ = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&note, ""));
    }
}

fn says_not_found(error: &ApiError) -> bool {
    error.to_string() == "request error: http status: 404"
}

/// What a snapshot lacks comes from its own commit: a branch may have moved on.
fn complete_snapshot(name: &str, snapshot: &Path) -> Result<PathBuf, ModelError> {
    let commit = snapshot.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // So that what is there is found under the commit too.
    Cache::from_env().repo(repo(name, &commit)).create_ref(&commit).map_err(|e| ModelError::file(snapshot, e))?;
    complete(name, &commit)
}

fn complete(name: &str, revision: &str) -> Result<PathBuf, ModelError> {
    let wrong = |error: &dyn std::fmt::Display| {
        ModelError::Source(format!("`hub:{name}@{revision}` cannot be fetched: {error}; a folder on this machine works without the hub"))
    };
    let api = ApiBuilder::from_env().with_progress(false).build().map_err(|e| wrong(&e))?;
    let remote = api.repo(repo(name, revision));
    let config = remote.get(CONFIG).map_err(|e| wrong(&e))?;
    let folder = config.parent().map(PathBuf::from).ok_or_else(|| wrong(&"its cache has no folder"))?;
    for file in OPTIONAL {
        // Not every model has them.
        match remote.get(file) {
            Err(error) if says_not_found(&error) => note_absent(&folder, file),
            other => drop(other.map_err(|e| wrong(&e))?),
        }
    }
    weights(&remote).map_err(|e| wrong(&e))?;
    Ok(folder)
}

fn weights(remote: &ApiRepo) -> Result<(), Box<dyn std::error::Error>> {
    match remote.get(INDEX) {
        Ok(index) => {
            for shard in super::tensors::shards(&index)? {
                remote.get(&shard)?;
            }
        }
        Err(_) => drop(remote.get(WEIGHTS)?),
    }
    Ok(())
}

/// The folder of a snapshot that has its configuration and all weights.
fn whole(cached: &CacheRepo) -> Option<PathBuf> {
    let folder = cached.get(CONFIG)?.parent()?.to_path_buf();
    let there = match cached.get(INDEX) {
        Some(index) => super::tensors::shards(&index).ok()?.iter().all(|shard| cached.get(shard).is_some()),
        None => cached.get(WEIGHTS).is_some(),
    };
    there.then_some(folder)
}
