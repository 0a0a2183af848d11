//! What a folder or file of a model holds, in one hash: a name on a disk says nothing of it.

use super::tensors;
use crate::model::ModelError;
use crate::model::tokenizer_file::LARGEST;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Endings of the files that a model is read from. Beside them lie pages and pictures, which change nothing.
const READ: [&str; 6] = ["json", "jinja", "safetensors", "gguf", "model", "txt"];

/// A file that was changed a moment ago may change again within what its time can tell.
const SETTLED: Duration = Duration::from_secs(2);

/// The content of a folder or file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Over names and bytes of all files that a model is read from: the same on every machine.
    pub hash: String,
    /// What the file system says of them: while it is the same, so are the bytes.
    stamp: String,
}

impl Content {
    /// Reads all of it.
    ///
    /// # Errors
    /// If there is no such folder or file, or it cannot be read.
    pub fn read(path: &Path) -> Result<Content, ModelError> {
        Ok(Content { stamp: stamp(path)?, hash: hash(path)? })
    }

    /// Whether this is still what lies there. Reads it again only where the file system says that it changed.
    ///
    /// # Errors
    /// As [`Content::read`].
    pub fn is_still(&self, path: &Path) -> Result<bool, ModelError> {
        Ok(stamp(path)? == self.stamp || hash(path)? == self.hash)
    }
}

/// Files of a folder by name, or the file alone.
fn files(path: &Path) -> Result<BTreeMap<String, PathBuf>, ModelError> {
    let wrong = |error: std::io::Error| ModelError::file(path, error);
    let mut found = BTreeMap::new();
    let (folder, split) = match (path.is_file(), path.parent().zip(split(path))) {
        (true, None) => return Ok([(String::new(), path.to_path_buf())].into()),
        (true, Some((parent, split))) => (parent, Some(split)),
        (false, _) => (path, None),
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let file = entry.map_err(wrong)?.path();
        let read = match &split {
            Some(_) => self::split(&file) == split,
            None => file.extension().is_some_and(|e| READ.iter().any(|known| e.eq_ignore_ascii_case(known))),
        };
        if let (true, Some(name)) = (read && file.is_file(), file.file_name()) {
            found.insert(name.to_string_lossy().into_owned(), file);
        }
    }
    Ok(found)
}

/// Of a file that is one of several, `model-00001-of-00003.gguf`: what the names of all of them have in common.
fn split(path: &Path) -> Option<(String, String)> {
    let name = path.file_name()?.to_str()?.strip_suffix(".gguf")?;
    let (rest, count) = name.rsplit_once("-of-")?;
    let (stem, number) = rest.rsplit_once('-')?;
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
    (digits(number) && digits(count)).then(|| (stem.to_string(), count.to_string()))
}

fn hash(path: &Path) -> Result<String, ModelError> {
    let mut all = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    for (name, file) in files(path)?.into_iter().filter(|(_, file)| may_be_read(file)) {
        let mut reader = std::fs::File::open(&file).map_err(|e| ModelError::file(&file, e))?;
        let mut one = blake3::Hasher::new();
        loop {
            let count = reader.read(&mut buffer).map_err(|e| ModelError::file(&file, e))?;
            if count == 0 {
                break;
            }
            one.update(&buffer[..count]);
        }
        all.update(&(name.len() as u64).to_le_bytes());
        all.update(name.as_bytes());
        all.update(one.finalize().as_bytes());
    }
    Ok(all.finalize().to_hex().to_string())
}

/// Whether whoever reads the model may use this file: one that is too long is refused or left alone. Its bytes need not be there, and to hash it may take hours.
fn may_be_read(file: &Path) -> bool {
    let length = std::fs::metadata(file).map_or(0, |about| about.len());
    let ends_with = |ending: &str| file.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending));
    length <= LARGEST || ends_with("gguf") || ends_with("safetensors") && tensors::length(file) == Some(length)
}

fn stamp(path: &Path) -> Result<String, ModelError> {
    let mut text = String::new();
    for (name, file) in files(path)? {
        let about = std::fs::metadata(&file).map_err(|e| ModelError::file(&file, e))?;
        text.push_str(&format!("{name}\0{}\0{}\n", about.len(), times(&about)));
    }
    Ok(blake3::hash(text.as_bytes()).to_hex().to_string())
}

/// On Unix the time of the last change of any kind as well, which no copying tool can set.
#[cfg(unix)]
fn times(about: &std::fs::Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    format!("{} {}.{} {}.{}", about.ino(), about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec())
}

#[cfg(not(unix))]
fn times(about: &std::fs::Metadata) -> String {
    format!("{:?}", about.modified().ok())
}

/// The newest change of any of the files.
fn newest(path: &Path) -> Option<SystemTime> {
    #[cfg(unix)]
    let changed = |about: &std::fs::Metadata| {
        use std::os::unix::fs::MetadataExt;
        let seconds = u64::try_from(about.ctime()).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    };
    #[cfg(not(unix))]
    let changed = |about: &std::fs::Metadata| about.modified().ok();
    files(path).ok()?.values().filter_map(|file| changed(&std::fs::metadata(file).ok()?)).max()
}

/// Contents that were read before, in a file of the user's own: so a model is hashed once.
#[derive(Debug, Default)]
pub struct Contents {
    file: PathBuf,
    known: BTreeMap<String, Content>,
}

impl Contents {
    /// What is remembered in a folder. A file that cannot be read is as good as none.
    pub fn remembered(folder: &Path) -> Contents {
        let file = folder.join("contents.json");
        let known = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Contents { file, known }
    }

    /// The content of a folder or file; of one that is no longer there, what it was when it was last seen.
    pub fn of(&mut self, path: &Path) -> Option<Content> {
        let name = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).to_string_lossy().into_owned();
        let known = self.known.get(&name);
        let Ok(stamp) = stamp(path) else { return known.cloned().filter(|_| !path.exists()) };
        if let Some(known) = known.filter(|known| known.stamp == stamp) {
            return Some(known.clone());
        }
        let content = Content::read(path).ok()?;
        let settled = newest(path).and_then(|at| SystemTime::now().duration_since(at).ok()).is_some_and(|age| age > SETTLED);
        // What may still change is known by its hash alone.
        let kept = if settled { content.clone() } else { Content { stamp: String::new(), ..content.clone() } };
        if self.known.insert(name, kept.clone()).as_ref() != Some(&kept) {
            self.keep();
        }
        Some(content)
    }

    /// A file that cannot be written only costs time later.
    fn keep(&self) {
        let Some(folder) = self.file.parent() else { return };
        let written = || -> std::io::Result<()> {
            std::fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, &self.known)?;
            file.persist(&self.file)?;
            Ok(())
        };
        let _ = written();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(folder: &Path, weights: &str) -> PathBuf {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("config.json"), "{}").unwrap();
        std::fs::write(folder.join("model.safetensors"), weights).unwrap();
        folder.to_path_buf()
    }

    #[test]
    fn content_is_what_lies_there_and_not_where_or_since_when() {
        let place = tempfile::tempdir().unwrap();
        let first = model(&place.path().join("a"), "one");
        let same = model(&place.path().join("b/c"), "one");
        let other = model(&place.path().join("d"), "two");
        let hash = |path: &Path| Content::read(path).unwrap().hash;
        assert_eq!(hash(&first), hash(&same));
        assert_ne!(hash(&first), hash(&other));
        std::fs::write(first.join("README.md"), "a page").unwrap();
        assert_eq!(hash(&first), hash(&same));
        std::fs::write(first.join("chat_template.jinja"), "").unwrap();
        assert_ne!(hash(&first), hash(&same));
        assert!(Content::read(&place.path().join("none")).is_err());
    }

    #[test]
    fn a_file_of_several_stands_for_all_of_them() {
        let place = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            std::fs::write(place.path().join(name), content).unwrap();
            place.path().join(name)
        };
        let (first, whole) = (file("m-00001-of-00002.gguf", "one"), file("whole.gguf", "one"));
        let hash = |path: &Path| Content::read(path).unwrap().hash;
        let (alone, single) = (hash(&first), hash(&whole));
        file("m-00002-of-00002.gguf", "two");
        file("m-00002-of-00003.gguf", "of others");
        assert_ne!(hash(&first), alone);
        assert_eq!(hash(&whole), single);
        let both = hash(&first);
        file("m-00003-of-00003.gguf", "of others");
        assert_eq!(hash(&first), both);
    }

    #[test]
    fn what_is_replaced_is_noticed_and_what_is_gone_is_remembered() {
        let (place, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = model(&place.path().join("a"), "one");
        let first = Contents::remembered(cache.path()).of(&folder).unwrap();
        assert!(first.is_still(&folder).unwrap());
        // Of equal length, and at once.
        std::fs::write(folder.join("model.safetensors"), "two").unwrap();
        assert!(!first.is_still(&folder).unwrap());
        let second = Contents::remembered(cache.path()).of(&folder).unwrap();
        assert_ne!(first.hash, second.hash);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(Contents::remembered(cache.path()).of(&folder).unwrap().hash, second.hash);
        std::fs::write(cache.path().join("contents.json"), "{").unwrap();
        assert_eq!(Contents::remembered(cache.path()).of(&folder), None);
    }
}
