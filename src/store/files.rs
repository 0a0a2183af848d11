//! Files and folders that appear whole or not at all.

use super::error::{Failure, StoreError};
use super::fault;
use super::manifest::{MANIFEST, Manifest};
use serde::Serialize;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Begins the names of what is not finished. The names are fixed, not random: one process at a time writes into a folder.
const TEMPORARY: &str = ".tmp-";
/// Begins the name that a folder has while its successor takes its place.
const REPLACED: &str = ".old-";

/// Writes a file under a temporary name, syncs it, and renames it. After an error or a crash the old content is still there.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = beside(path, TEMPORARY)?;
    let written = write_synced(&temporary, bytes).and_then(|()| {
        fault::point();
        fs::rename(&temporary, path).map_err(StoreError::io("write", path))
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    fault::point();
    sync_parent(path)
}

/// [`write_file`] of indented JSON with a last newline.
pub(crate) fn write_json<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<(), StoreError> {
    write_file(path, &json_bytes(path, value)?)
}

pub(super) fn json_bytes<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<Vec<u8>, StoreError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|e| StoreError::fill(path, e.into()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// For people and programs that are told of a path: one that is no UTF-8 is shown as well as it can be.
pub(super) fn path_in_words<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

/// Lets `fill` write files into a fresh folder, adds a manifest with their hashes, syncs everything, and gives the folder its name; a folder that
/// had the name is replaced. `manifest` receives the hashes and completes the manifest.
pub(super) fn publish_folder(
    target: &Path,
    fill: impl FnOnce(&Path) -> Result<(), Failure>,
    manifest: impl FnOnce(Manifest) -> Result<Manifest, StoreError>,
) -> Result<Manifest, StoreError> {
    let temporary = beside(target, TEMPORARY)?;
    remove_any(&temporary)?;
    create_folder(&temporary)?;
    fault::point();
    let made = fill_folder(target, &temporary, fill, manifest).and_then(|manifest| {
        fault::point();
        replace(&temporary, target).map(|()| manifest)
    });
    if made.is_err() {
        let _ = remove_any(&temporary);
    }
    made
}

fn fill_folder(
    target: &Path,
    temporary: &Path,
    fill: impl FnOnce(&Path) -> Result<(), Failure>,
    manifest: impl FnOnce(Manifest) -> Result<Manifest, StoreError>,
) -> Result<Manifest, StoreError> {
    fill(temporary).map_err(|e| StoreError::fill(target, e))?;
    fault::point();
    let manifest = manifest(Manifest::of(temporary)?)?;
    fault::point();
    let path = temporary.join(MANIFEST);
    write_synced(&path, &json_bytes(&path, &manifest)?)?;
    sync_folder(temporary)?;
    Ok(manifest)
}

/// Gives `temporary` the name `target`. Where something has that name already it steps aside first; [`sweep`] brings it back if we die in between.
fn replace(temporary: &Path, target: &Path) -> Result<(), StoreError> {
    let aside = beside(target, REPLACED)?;
    let had = target.symlink_metadata().is_ok();
    if had {
        remove_any(&aside)?;
        fs::rename(target, &aside).map_err(StoreError::io("replace", target))?;
        fault::point();
    }
    fs::rename(temporary, target).map_err(StoreError::io("write", target))?;
    fault::point();
    sync_parent(target)?;
    if had {
        remove_any(&aside)?;
        fault::point();
    }
    Ok(())
}

/// Removes what a dead process left unfinished in a folder, and undoes a replacement that it did not complete.
pub(super) fn sweep(folder: &Path) -> Result<(), StoreError> {
    for name in names(folder)? {
        let path = folder.join(&name);
        if name.starts_with(TEMPORARY) {
            remove_any(&path)?;
        } else if let Some(final_name) = name.strip_prefix(REPLACED) {
            let target = folder.join(final_name);
            if target.symlink_metadata().is_ok() {
                remove_any(&path)?;
            } else {
                fs::rename(&path, &target).map_err(StoreError::io("restore", &target))?;
                sync_folder(folder)?;
            }
        }
    }
    Ok(())
}

/// The names in a folder, sorted; none where there is no folder.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(StoreError::io("read", folder)(e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::io("read", folder))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

pub(super) fn remove_any(path: &Path) -> Result<(), StoreError> {
    let removed = match path.symlink_metadata() {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => Err(e),
        Ok(data) if data.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    removed.map_err(StoreError::io("remove", path))
}

/// Makes a folder and those above it, each synced into the one that holds it: what is put into it is then not lost with its name.
pub(super) fn create_folder(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() || path.as_os_str().is_empty() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
        create_folder(parent)?;
    }
    match fs::create_dir(path) {
        // Another process may be making the same one.
        Err(error) if error.kind() != ErrorKind::AlreadyExists || !path.is_dir() => Err(StoreError::io("create", path)(error)),
        _ => {
            fault::point();
            sync_parent(path)
        }
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    // What a dead process, or somebody else, left under the name: a link is removed, not followed.
    remove_any(path)?;
    let write = || {
        let mut file = File::create_new(path)?;
        fault::point();
        fault::write_all(&mut file, bytes)?;
        fault::point();
        fault::sync_file(&file)
    };
    write().map_err(StoreError::io("write", path))
}

pub(super) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    // A folder can be opened and synced on Unix alone; elsewhere the rename has to do.
    if cfg!(unix) {
        fault::sync_folder(path).map_err(StoreError::io("sync", path))?;
    }
    Ok(())
}

pub(super) fn sync_parent(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => sync_folder(Path::new(".")),
        Some(parent) => sync_folder(parent),
        None => Ok(()),
    }
}

fn beside(path: &Path, prefix: &str) -> Result<PathBuf, StoreError> {
    let Some(name) = path.file_name() else {
        return Err(StoreError::Refused(format!("`{}` is no name for a file", path.display())));
    };
    Ok(path.with_file_name(format!("{prefix}{}", name.to_string_lossy())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn scratch() -> tempfile::TempDir {
        tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
    }

    /// Dies at each point of `change` in turn, and hands the folder to `check` after a sweep.
    fn die_everywhere(prepare: impl Fn(&Path), change: impl Fn(&Path), check: impl Fn(&Path, bool)) {
        for n in 0.. {
            let folder = scratch();
            prepare(folder.path());
            fault::crash_after(n);
            let through = catch_unwind(AssertUnwindSafe(|| change(folder.path()))).is_ok();
            fault::disarm();
            sweep(folder.path()).unwrap();
            assert!(names(folder.path()).unwrap().iter().all(|name| !name.starts_with('.')));
            check(folder.path(), through);
            if through {
                assert!(n >= 4);
                return;
            }
        }
    }

    #[test]
    fn a_file_is_the_old_one_or_the_new_one() {
        let path = |folder: &Path| folder.join("a.json");
        die_everywhere(
            |folder| fs::write(path(folder), "old").unwrap(),
            |folder| write_file(&path(folder), b"the new text").unwrap(),
            |folder, through| {
                let text = fs::read_to_string(path(folder)).unwrap();
                assert!(text == "the new text" || (text == "old" && !through), "{text}");
            },
        );
    }

    #[test]
    fn a_folder_is_the_old_one_or_the_new_one() {
        let publish = |folder: &Path, text: &'static str| {
            publish_folder(&folder.join("best"), |f| Ok(fs::write(f.join("x"), text)?), Ok).unwrap();
        };
        die_everywhere(
            |folder| publish(folder, "old"),
            |folder| publish(folder, "the new text"),
            |folder, through| {
                let best = folder.join("best");
                assert_eq!(Manifest::read(&best).unwrap().problem(&best, true), None);
                let text = fs::read_to_string(best.join("x")).unwrap();
                assert!(text == "the new text" || (text == "old" && !through), "{text}");
            },
        );
    }

    #[test]
    fn a_failed_fill_leaves_the_old_folder() {
        let folder = scratch();
        let target = folder.path().join("best");
        publish_folder(&target, |f| Ok(fs::write(f.join("x"), "old")?), Ok).unwrap();
        let fill = |f: &Path| {
            fs::write(f.join("x"), "new")?;
            Err("no more".into())
        };
        let error = publish_folder(&target, fill, Ok).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot write `{}`: no more", target.display()));
        assert_eq!(fs::read_to_string(target.join("x")).unwrap(), "old");
        assert_eq!(names(folder.path()).unwrap(), ["best"]);
        let error = publish_folder(&target, |f| Ok(fs::write(f.join(MANIFEST), "mine")?), Ok).unwrap_err();
        assert!(error.to_string().contains("a stage must not write it"), "{error}");
    }
}
