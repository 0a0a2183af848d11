//! Models from the Hugging Face hub, in the cache that its other clients use.

use crate::model::ModelError;
use hf_hub::api::sync::{ApiBuilder, ApiRepo};
use hf_hub::{Cache, CacheRepo, Repo, RepoType};
use std::path::PathBuf;

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const OPTIONAL: &[&str] =
    &["tokenizer.json", "tokenizer_config.json", "generation_config.json", "special_tokens_map.json", "chat_template.jinja"];

/// Set by users of the hub's clients who want no network.
fn offline() -> bool {
    std::env::var("HF_HUB_OFFLINE").is_ok_and(|v| !["", "0", "false", "no"].contains(&v.to_lowercase().as_str()))
}

/// The folder of the snapshot, with all that is needed of it.
pub(super) fn fetch(name: &str, revision: &str, say: &mut dyn FnMut(&str)) -> Result<PathBuf, ModelError> {
    let repo = Repo::with_revision(name.into(), RepoType::Model, revision.into());
    let cached = Cache::from_env().repo(repo.clone());
    if let Some(folder) = whole(&cached) {
        return Ok(folder);
    }
    if offline() {
        let message = format!("`hub:{name}@{revision}` is not in the cache, and HF_HUB_OFFLINE forbids to fetch it");
        return Err(ModelError::Source(message));
    }
    say(&format!("fetching hub:{name}@{revision}"));
    let wrong = |error: &dyn std::fmt::Display| {
        ModelError::Source(format!("`hub:{name}@{revision}` cannot be fetched: {error}; a folder on this machine works without the hub"))
    };
    let api = ApiBuilder::from_env().with_progress(false).build().map_err(|e| wrong(&e))?;
    let remote = api.repo(repo);
    let config = remote.get(CONFIG).map_err(|e| wrong(&e))?;
    for file in OPTIONAL {
        // Not every model has them; what is missed is said when it is needed.
        let _ = remote.get(file);
    }
    weights(&remote).map_err(|e| wrong(&e))?;
    config.parent().map(PathBuf::from).ok_or_else(|| wrong(&"its cache has no folder"))
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
