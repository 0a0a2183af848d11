//! A stranger's pack.

use super::archive::Archive;
use super::description::Description;
use super::{DESCRIPTION, ELSEWHERE, LIBRARY, Recipe, SOURCE, names};
use crate::lang::MAX_BYTES;
use crate::store::{Digest, Mark};
use std::io::Read;
use std::path::Path;

/// What describes a pack takes some twenty times as much memory as it has bytes.
const LONGEST_DESCRIPTION: u64 = 64 << 20;

/// A pack that can be read: its names lead nowhere else, and its description is what it was packed with. Its other files are looked at when they are read.
pub(crate) struct Pack {
    pub(super) archive: Archive,
    description: Description,
}

/// Whether a path is meant as a pack: an archive, or a folder into which one was unpacked.
pub(crate) fn is_pack(path: &Path) -> bool {
    if path.is_dir() {
        return path.join(DESCRIPTION).symlink_metadata().is_ok_and(|about| about.is_file());
    }
    let mut begin = [0; 4];
    let regular = path.metadata().is_ok_and(|about| about.is_file());
    regular && std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut begin)).is_ok() && begin == *b"PK\x03\x04"
}

impl Pack {
    /// # Errors
    /// A sentence: what of it is not as a pack is.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let mut archive = Archive::open(path)?;
        let refused = |problem: String| format!("`{}` is refused: {problem}", path.display());
        if !archive.has(DESCRIPTION) {
            return Err(refused(format!("it has no `{DESCRIPTION}`")));
        }
        let text = archive.read(DESCRIPTION, LONGEST_DESCRIPTION).map_err(refused)?;
        let description = Description::read(&text).map_err(refused)?;
        Ok(Self { archive, description })
    }

    /// One of the user's own texts, by its path from the first one's folder.
    ///
    /// # Errors
    /// As [`Pack::recipe`]; that there is none of this name.
    pub(crate) fn text(&mut self, path: &str) -> Result<String, String> {
        let name = format!("{SOURCE}{path}");
        self.recipe()?.texts.remove(&name).ok_or_else(|| format!("the pack has no `{}`", names::shown(&name)))
    }

    pub(crate) fn description(&self) -> &Description {
        &self.description
    }

    /// Its texts, each with the hash that it was packed with.
    ///
    /// # Errors
    /// Which text is missing, damaged, too long or no text.
    pub(crate) fn recipe(&mut self) -> Result<Recipe, String> {
        let command = &self.description.recipe;
        let mut recipe = Recipe { root: command.root.clone(), set: command.set.clone(), only: command.only.clone(), ..Recipe::default() };
        let is_text = |name: &&String| [SOURCE, LIBRARY, ELSEWHERE].iter().any(|begin| name.starts_with(begin));
        for name in self.description.files.keys().filter(is_text) {
            let shown = names::shown(name);
            let bytes = self.archive.read(name, MAX_BYTES as u64)?;
            let mark = Mark { bytes: bytes.len() as u64, blake3: Digest::of_bytes(&bytes) };
            if self.description.files.get(name) != Some(&mark) {
                return Err(format!("`{shown}`: it does not have the hash that it was packed with"));
            }
            let text = String::from_utf8(bytes).map_err(|_| format!("`{shown}` is no text in UTF-8"))?;
            recipe.texts.insert(name.clone(), text);
        }
        // The first text is one of the user's own: what it imports lies beside it.
        if !recipe.texts.contains_key(&recipe.root) || !recipe.root.starts_with(SOURCE) {
            return Err(format!("`{DESCRIPTION}` names `{}` as the first text, and it is not there", names::shown(&recipe.root)));
        }
        Ok(recipe)
    }
}
