use super::FORMAT;
use super::digest::Digest;
use super::error::StoreError;
use super::{fault, files, plain, read};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Component, Path, PathBuf};

pub(crate) const MANIFEST: &str = "manifest.json";

/// Length and hash of a file, or of the beginning of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub bytes: u64,
    pub blake3: Digest,
}

/// What a checkpoint or an output holds: `manifest.json` beside its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub format: u32,
    /// Of a checkpoint: iterations done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iteration: Option<u64>,
    /// Of a checkpoint that was written because the user asked to stop: it goes when there is another.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
    /// Of a checkpoint: how much of each log belongs to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub logs: BTreeMap<String, Mark>,
    /// Every file, by its path inside the folder with `/` between the parts.
    pub files: BTreeMap<String, Mark>,
}

impl Manifest {
    /// Hashes and syncs every file below `folder`.
    pub(super) fn of(folder: &Path) -> Result<Self, StoreError> {
        let mut files = BTreeMap::new();
        walk(folder, "", &mut files)?;
        if files.contains_key(MANIFEST) {
            return Err(StoreError::Refused(format!(
                "`{}` is written by the store, a stage must not write it",
                folder.join(MANIFEST).display()
            )));
        }
        Ok(Self { format: FORMAT, iteration: None, stopped: false, logs: BTreeMap::new(), files })
    }

    pub(crate) fn read(folder: &Path) -> Result<Self, StoreError> {
        plain::no_link(folder)?;
        let path = folder.join(MANIFEST);
        read::check_format(&path)?;
        read::document(&path)
    }

    /// Names the content of the folder.
    pub(crate) fn digest(&self) -> Digest {
        let files = self.files.iter().map(|(name, mark)| (name.clone(), json!({ "bytes": mark.bytes, "blake3": mark.blake3.hex() })));
        Digest::of(&Value::Object(files.collect()))
    }

    /// Says what is wrong with the files of a folder: absent, of another length, of another content. `content = false` looks at lengths alone.
    pub(crate) fn problem(&self, folder: &Path, content: bool) -> Option<String> {
        self.files.iter().find_map(|(name, mark)| {
            let path = match inside(folder, name) {
                Ok(path) => path,
                Err(problem) => return Some(problem),
            };
            let bytes = match path.symlink_metadata() {
                Ok(data) if !data.is_file() => return Some(format!("`{name}` is no regular file")),
                Ok(data) => data.len(),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Some(format!("`{name}` is missing")),
                Err(e) => return Some(format!("`{name}` cannot be read: {e}")),
            };
            if bytes != mark.bytes {
                return Some(format!("`{name}` has {bytes} bytes instead of {}", mark.bytes));
            }
            if !content {
                return None;
            }
            match Digest::of_file(&path) {
                Ok((digest, _)) if digest == mark.blake3 => None,
                Ok(_) => Some(format!("the content of `{name}` does not have the hash it was written with")),
                Err(e) => Some(e.to_string()),
            }
        })
    }
}

/// Where a file of a manifest lies; no manifest leads out of its folder, by its words or by links.
fn inside(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let mut path = folder.to_path_buf();
    for part in Path::new(name).components() {
        let Component::Normal(part) = part else { return Err(format!("`{name}` does not lie in the folder")) };
        if path.is_symlink() {
            return Err(format!("`{name}` lies behind a link"));
        }
        path.push(part);
    }
    Ok(path)
}

fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Mark>) -> Result<(), StoreError> {
    for name in files::names(folder)? {
        let path = folder.join(&name);
        let kind = path.symlink_metadata().map_err(StoreError::io("read", &path))?.file_type();
        if kind.is_dir() {
            walk(&path, &format!("{prefix}{name}/"), found)?;
            files::sync_folder(&path)?;
        } else if kind.is_file() {
            let file = File::open(&path).map_err(StoreError::io("open", &path))?;
            let (blake3, bytes) = Digest::of_reader(&file).map_err(StoreError::io("read", &path))?;
            fault::sync_file(&file).map_err(StoreError::io("write", &path))?;
            found.insert(format!("{prefix}{name}"), Mark { bytes, blake3 });
        } else {
            return Err(StoreError::Refused(format!("`{}` is neither a file nor a folder", path.display())));
        }
    }
    Ok(())
}
