//! A shared store in a folder.

use super::objects::{Objects, PART, Reason};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Begins the names of what is not whole.
const UNFINISHED: &str = ".tmp-";

#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder need not exist, but the one that it lies in: a share that is not mounted is no empty store.
    pub(super) fn open(root: &Path) -> Result<Self, Reason> {
        let parent = root.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match root.metadata() {
            Ok(data) if data.is_dir() => {}
            Ok(_) => return Err("it is no folder".into()),
            Err(error) if error.kind() == ErrorKind::NotFound && parent.is_dir() => {}
            Err(error) => return Err(in_words(error)),
        }
        Ok(Self { root: root.to_path_buf() })
    }

    fn path(&self, name: &str) -> PathBuf {
        name.split('/').fold(self.root.clone(), |path, part| path.join(part))
    }
}

impl Objects for Folder {
    fn names(&self, below: &str) -> Result<Vec<String>, Reason> {
        let entries = match fs::read_dir(self.path(below)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(in_words)?,
        };
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let names: io::Result<Vec<String>> = names.filter(|name| !name.as_ref().is_ok_and(|name| name.starts_with('.'))).collect();
        names.map_err(in_words)
    }

    fn length(&self, name: &str) -> Result<Option<u64>, Reason> {
        // Links are followed: the folder is the team's own, and what is read is looked at by its hash.
        there(self.path(name).metadata().map(|data| data.len()))
    }

    fn read(&self, name: &str, from: u64) -> Result<Option<Vec<u8>>, Reason> {
        let read = || {
            let path = self.path(name);
            if !path.metadata()?.is_file() {
                return Err(io::Error::other("it is no file"));
            }
            let (mut file, mut part) = (File::open(path)?, Vec::new());
            file.seek(SeekFrom::Start(from))?;
            file.take(PART as u64).read_to_end(&mut part)?;
            Ok(part)
        };
        there(read())
    }

    fn put(&self, name: &str, bytes: u64, from: &mut dyn Read) -> Result<(), Reason> {
        let mut put = || {
            let path = self.path(name);
            let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
            fs::create_dir_all(folder)?;
            let mut builder = tempfile::Builder::new();
            builder.prefix(UNFINISHED);
            #[cfg(unix)]
            {
                // Others of the team read it: as any new file, by the user's mask.
                use std::os::unix::fs::PermissionsExt;
                builder.permissions(fs::Permissions::from_mode(0o666));
            }
            let mut file = builder.tempfile_in(folder)?;
            if io::copy(&mut from.take(bytes), &mut file)? != bytes {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            file.as_file().sync_all()?;
            file.persist(&path)?;
            if cfg!(unix) {
                File::open(folder)?.sync_all()?;
            }
            Ok(())
        };
        put().map_err(in_words)
    }
}

fn there<T>(result: io::Result<T>) -> Result<Option<T>, Reason> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(Some).map_err(in_words),
    }
}

fn in_words(error: io::Error) -> Reason {
    match error.kind() {
        ErrorKind::StorageFull => "the disk is full".into(),
        ErrorKind::QuotaExceeded => "the disk quota is used up".into(),
        ErrorKind::PermissionDenied => "permission denied".into(),
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only".into(),
        ErrorKind::NotFound => "no such file or folder".into(),
        _ => error.to_string(),
    }
}
