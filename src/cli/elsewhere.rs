//! Texts that a file imports from elsewhere: those that its lock names, where they lie on this machine.

use super::{Settings, compiled, complain_with, input};
use crate::lang::MAX_BYTES;
use crate::lang::load::Library;
use crate::lang::load::elsewhere::{LOCK, Lock, Place, hash, place};
use crate::lsp::{Pinned, Texts};
use crate::model::pretrained::dataset_file;
use crate::pack::Pack;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// The library for a file: that of the settings, and the texts that the lock beside the file names. Nothing is fetched.
///
/// # Errors
/// The exit code.
pub(super) fn library(file: &Path, settings: &Settings) -> Result<Cow<'static, Library>, u8> {
    let library = compiled::library(settings)?;
    let lock = read(file)?;
    if lock.0.is_empty() {
        return Ok(library);
    }
    Ok(Cow::Owned(library.into_owned().with_elsewhere(pinned(&lock, &folder(file)))))
}

/// For an editor, which shows a file whatever its lock is worth.
pub(super) const FOR_EDITORS: Pinned = Pinned {
    lock: |folder| input::read(&folder.join(LOCK), MAX_BYTES).ok(),
    texts: |lock, folder| pinned(&Lock::read(lock).unwrap_or_default(), folder),
};

/// The texts of a lock, or why one of them cannot be used.
fn pinned(lock: &Lock, folder: &Path) -> Texts {
    let texts = lock.0.iter().map(|(name, pinned)| {
        let text = find(name, folder, false, &mut |_| ()).and_then(|text| match hash(&text) == *pinned {
            true => Ok(text),
            false => Err(format!("it has the hash {}, and `{LOCK}` says {pinned}", hash(&text))),
        });
        (name.clone(), text)
    });
    texts.collect()
}

/// The lock beside a file; empty where there is none.
///
/// # Errors
/// The exit code.
pub(super) fn read(file: &Path) -> Result<Lock, u8> {
    let path = folder(file).join(LOCK);
    if path.symlink_metadata().is_err() {
        return Ok(Lock::default());
    }
    let help = "`epo-run lock FILE` writes it";
    let text = input::read(&path, MAX_BYTES).map_err(|message| complain_with(&message, Some(help)))?;
    Lock::read(&text).map_err(|line| complain_with(&format!("{}: line {line} is none of a lock", path.display()), Some(help)))
}

pub(super) fn folder(file: &Path) -> PathBuf {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf()
}

/// A text of elsewhere on this machine; with `fetch` one that is not in the hub's cache is fetched into it, and `say` hears it.
///
/// # Errors
/// Why it cannot be used.
pub(super) fn find(name: &str, folder: &Path, fetch: bool, say: &mut dyn FnMut(&str)) -> Result<String, String> {
    match place(name)? {
        Place::Hub { name, revision, path } => {
            let found = dataset_file(&name, &revision, &path, fetch, say).map_err(|error| error.to_string())?;
            input::read(&found.ok_or("it is not in the cache of the hub's files")?, MAX_BYTES)
        }
        Place::Pack { pack, path } => {
            let file = folder.join(&pack);
            let inside = |file: &Path| Some(file.canonicalize().ok()?.starts_with(folder.canonicalize().ok()?));
            match inside(&file) {
                None => Err(format!("there is no pack `{pack}` beside the first file")),
                Some(false) => Err(format!("the pack `{pack}` lies outside the folder of the first file")),
                Some(true) => Pack::open(&file)?.text(&path),
            }
        }
    }
}
