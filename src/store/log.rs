use super::digest::Digest;
use super::error::StoreError;
use super::manifest::Mark;
use super::{fault, files, plain};
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// A file of JSON lines that only grows, and is cut back to a checkpoint's position when a task goes on.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    /// None where another process writes it.
    file: Option<File>,
    bytes: u64,
    hasher: blake3::Hasher,
}

impl Log {
    /// Opens the file cut back to `mark`, or emptied. The mark must have been checked with [`problem`].
    pub(super) fn open(path: &Path, mark: Option<&Mark>) -> Result<Self, StoreError> {
        let bytes = mark.map_or(0, |m| m.bytes);
        plain::no_other_than_a_file(path)?;
        let file = OpenOptions::new().create(true).append(true).read(true).open(path).map_err(StoreError::io("open", path))?;
        if file.metadata().map_err(StoreError::io("read", path))?.len() != bytes {
            file.set_len(bytes).map_err(StoreError::io("truncate", path))?;
        }
        files::sync_parent(path)?;
        let mut hasher = blake3::Hasher::new();
        if bytes > 0 {
            hasher.update_reader(File::open(path).map_err(StoreError::io("open", path))?).map_err(StoreError::io("read", path))?;
        }
        Ok(Self { path: path.to_path_buf(), file: Some(file), bytes, hasher })
    }

    /// One that another process writes: what is appended here is forgotten.
    pub(super) fn elsewhere(path: &Path) -> Self {
        Self { path: path.to_path_buf(), file: None, bytes: 0, hasher: blake3::Hasher::new() }
    }

    pub(super) fn append<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), StoreError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut line = serde_json::to_vec(value).map_err(|e| StoreError::fill(&self.path, e.into()))?;
        line.push(b'\n');
        fault::point();
        if let Err(e) = fault::write_all(file, &line) {
            // No half line stays behind.
            let _ = file.set_len(self.bytes);
            return Err(StoreError::io("write", &self.path)(e));
        }
        self.bytes += line.len() as u64;
        self.hasher.update(&line);
        fault::point();
        Ok(())
    }

    /// Begins with the content of another log.
    pub(super) fn take(&mut self, other: &Path) -> Result<(), StoreError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        if self.bytes > 0 {
            return Err(StoreError::Refused(format!("`{}` has begun already", self.path.display())));
        }
        plain::no_other_than_a_file(other)?;
        let mut part = vec![0; 1 << 16];
        let mut from = File::open(other).map_err(StoreError::io("open", other))?;
        loop {
            let read = from.read(&mut part).map_err(StoreError::io("read", other))?;
            let Some(part) = part.get(..read).filter(|part| !part.is_empty()) else { return Ok(()) };
            fault::point();
            if let Err(e) = fault::write_all(file, part) {
                let _ = file.set_len(self.bytes);
                return Err(StoreError::io("write", &self.path)(e));
            }
            self.bytes += read as u64;
            self.hasher.update(part);
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { bytes: self.bytes, blake3: Digest::finish(&self.hasher) }
    }

    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let Some(file) = &self.file else { return Ok(()) };
        // Not a regular file (a device in a test): nothing to sync.
        match fault::sync_file(file) {
            Err(e) if e.kind() != ErrorKind::InvalidInput => Err(StoreError::io("write", &self.path)(e)),
            _ => Ok(()),
        }
    }
}

/// Says why a file does not begin with what a mark describes.
pub(super) fn problem(path: &Path, mark: &Mark) -> Option<String> {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    if let Err(error) = plain::no_other_than_a_file(path) {
        return Some(error.to_string());
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return (mark.bytes > 0).then(|| format!("`{name}` is missing")),
        Err(e) => return Some(format!("`{name}` cannot be read: {e}")),
    };
    match Digest::of_reader(file.take(mark.bytes)) {
        Ok((_, bytes)) if bytes < mark.bytes => Some(format!("`{name}` has {bytes} bytes, fewer than the {} it had", mark.bytes)),
        Ok((digest, _)) if digest != mark.blake3 => Some(format!("the content of `{name}` does not have the hash it was written with")),
        Ok(_) => None,
        Err(e) => Some(format!("`{name}` cannot be read: {e}")),
    }
}
