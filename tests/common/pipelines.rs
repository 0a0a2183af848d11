//! The pipeline files of the repository.

use std::path::PathBuf;

/// All `.epo` files below these folders, in the order of their names.
pub(crate) fn files(folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").map(|e| e.expect("an entry").path()) {
            match entry.is_dir() {
                true => open.push(entry),
                false if entry.extension().is_some_and(|e| e == "epo") => found.push(entry),
                false => {}
            }
        }
    }
    found.sort();
    found
}
