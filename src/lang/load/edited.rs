//! Texts of an editor that are not on the disk yet.

use super::identity;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Texts by their files, read in the place of what lies on the disk.
#[derive(Clone, Debug, Default)]
pub struct Edited(BTreeMap<PathBuf, String>);

impl Edited {
    /// What the file says from now on.
    pub fn set(&mut self, path: &Path, text: String) {
        self.0.insert(identity(path), text);
    }

    /// From now on the file says what the disk says.
    pub fn forget(&mut self, path: &Path) {
        self.0.remove(&identity(path));
    }

    /// The text of a file, if it is one that is being edited.
    pub fn text(&self, path: &Path) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&identity(path)).map(String::as_str)
    }
}
