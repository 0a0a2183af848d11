//! What the program finds in its own folders must be what it puts there: files and folders. A link leads to what belongs to somebody
//! else, and reading a pipe may never end.

use super::error::StoreError;
use std::io::ErrorKind;
use std::path::Path;

/// Refuses a link. What is not there may be made.
pub(super) fn no_link(path: &Path) -> Result<(), StoreError> {
    match path.symlink_metadata() {
        Ok(data) if data.is_symlink() => Err(foreign(path, "a link")),
        _ => Ok(()),
    }
}

/// Refuses all but a file. What is not there may be made.
pub(super) fn no_other_than_a_file(path: &Path) -> Result<(), StoreError> {
    no_link(path)?;
    match path.symlink_metadata() {
        Ok(data) if !data.is_file() => Err(foreign(path, "no regular file")),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::io("read", path)(error)),
        _ => Ok(()),
    }
}

/// Whether there is a folder, and not a link to one.
pub(super) fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|data| data.is_dir())
}

fn foreign(path: &Path, what: &'static str) -> StoreError {
    StoreError::Foreign { path: path.to_path_buf(), what }
}
