//! Files of datasets of the Hugging Face hub, in the cache that its other clients use.

use super::hub::offline;
use crate::model::ModelError;
use hf_hub::api::sync::ApiBuilder;
use hf_hub::{Cache, Repo, RepoType};
use std::path::PathBuf;

/// Where a file of a dataset lies on this machine; with `fetch`, one that is not in the cache is fetched, and without, `None` says that it would be. `say`
/// hears it.
///
/// # Errors
/// If it is not there and cannot be fetched.
pub fn dataset_file(name: &str, revision: &str, path: &str, fetch: bool, say: &mut dyn FnMut(&str)) -> Result<Option<PathBuf>, ModelError> {
    let repo = Repo::with_revision(name.into(), RepoType::Dataset, revision.into());
    if let Some(file) = Cache::from_env().repo(repo.clone()).get(path) {
        return Ok(Some(file));
    }
    let written = format!("hub:{name}@{revision}/{path}");
    if offline() {
        return Err(ModelError::Source(format!("`{written}` is not in the cache, and HF_HUB_OFFLINE forbids to fetch it")));
    }
    if !fetch {
        return Ok(None);
    }
    say(&format!("fetching {written}"));
    let api = ApiBuilder::from_env().with_progress(false).build();
    api.and_then(|api| api.repo(repo).get(path).map(Some)).map_err(|error| {
        ModelError::Source(format!("`{written}` cannot be fetched: {error}; a file on this machine works without the hub"))
    })
}
