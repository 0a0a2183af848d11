//! A model of a disk that loses its power: it keeps of a file what it had when it was last synced, of a folder the names that it had then.
//! A folder or file is known by its inode, so that a rename moves it with its content.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What survives of that which was never synced. A real disk does either, or something in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsynced {
    /// Nothing: no name, no byte.
    Lost,
    /// The names, without what was written under them.
    NamesKept,
}

#[derive(Clone)]
enum Entry {
    File(u64),
    Folder(u64),
    Link(PathBuf),
}

#[derive(Default)]
struct Disk {
    files: BTreeMap<u64, Vec<u8>>,
    folders: BTreeMap<u64, BTreeMap<String, Entry>>,
}

thread_local! {
    static DISK: RefCell<Option<Disk>> = const { RefCell::new(None) };
}

/// From now on syncs of this thread are written down. The folder `root` is on the disk, and is empty.
pub(crate) fn watch(root: &Path) {
    DISK.set(Some(Disk::default()));
    folder_synced(root);
}

pub(super) fn file_synced(file: &File) {
    DISK.with_borrow_mut(|disk| {
        let Some(disk) = disk else { return };
        let data = file.metadata().unwrap();
        // Through the system's own name for the open file: it may have been opened for writing alone.
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file));
        disk.files.insert(data.ino(), fs::read(path).unwrap());
    });
}

pub(super) fn folder_synced(path: &Path) {
    DISK.with_borrow_mut(|disk| {
        let Some(disk) = disk else { return };
        disk.folders.insert(path.metadata().unwrap().ino(), entries(path));
    });
}

fn entries(folder: &Path) -> BTreeMap<String, Entry> {
    let entry = |entry: fs::DirEntry| {
        let path = entry.path();
        let data = path.symlink_metadata().unwrap();
        let found = match data.is_symlink() {
            true => Entry::Link(fs::read_link(&path).unwrap()),
            false if data.is_dir() => Entry::Folder(data.ino()),
            false => Entry::File(data.ino()),
        };
        (entry.file_name().into_string().unwrap(), found)
    };
    fs::read_dir(folder).unwrap().map(|e| entry(e.unwrap())).collect()
}

/// Cuts the power: `to`, a folder that is not there yet, holds what the disk kept of `root`.
pub(crate) fn cut(root: &Path, unsynced: Unsynced, to: &Path) {
    let disk = DISK.take().unwrap();
    let mut now = BTreeMap::new();
    if unsynced == Unsynced::NamesKept {
        look(root, &mut now);
    }
    restore(&disk, &now, root.metadata().unwrap().ino(), to);
}

/// The names in all folders as they are, synced or not.
fn look(folder: &Path, now: &mut BTreeMap<u64, BTreeMap<String, Entry>>) {
    now.insert(folder.metadata().unwrap().ino(), entries(folder));
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_symlink() && path.is_dir() {
            look(&path, now);
        }
    }
}

fn restore(disk: &Disk, now: &BTreeMap<u64, BTreeMap<String, Entry>>, folder: u64, to: &Path) {
    fs::create_dir(to).unwrap();
    let kept = now.get(&folder).or(disk.folders.get(&folder)).cloned().unwrap_or_default();
    for (name, entry) in kept {
        let path = to.join(name);
        match entry {
            Entry::Link(target) => std::os::unix::fs::symlink(target, path).unwrap(),
            Entry::File(node) => fs::write(path, disk.files.get(&node).map_or(&[][..], Vec::as_slice)).unwrap(),
            Entry::Folder(node) => restore(disk, now, node, &path),
        }
    }
}
