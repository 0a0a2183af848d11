//! A stranger's pack.

use super::archive::Archive;
use super::description::Description;
use super::{DESCRIPTION, ELSEWHERE, LIBRARY, PLAN, Recipe, SOURCE, names};
use crate::lang::MAX_BYTES;
use crate::store::{Digest, Mark};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// What describes a pack takes some twenty times as much memory as it has bytes.
const LONGEST_DESCRIPTION: u64 = 64 << 20;

/// The results of one evaluation have a line or so for each of its tasks.
const LONGEST_RESULTS: u64 = 256 << 20;

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

    /// Its plan, and the `results.json` of every evaluation that it has, by their tasks.
    ///
    /// # Errors
    /// Which file is missing, damaged or too long.
    pub(crate) fn results(&mut self) -> Result<(Value, BTreeMap<Digest, Vec<u8>>), String> {
        let plan = self.whole(PLAN, LONGEST_RESULTS)?;
        let plan = serde_json::from_slice(&plan).map_err(|error| format!("`{PLAN}`: {error}"))?;
        let evaluated = self.description.tasks.iter().filter(|task| task.kind == "evaluate");
        let names: Vec<(Digest, String)> =
            evaluated.map(|task| (task.digest.clone(), format!("{}/outputs/results/results.json", task.folder))).collect();
        let mut results = BTreeMap::new();
        for (digest, name) in names.into_iter().filter(|(_, name)| self.archive.has(name)).collect::<Vec<_>>() {
            results.insert(digest, self.whole(&name, LONGEST_RESULTS)?);
        }
        Ok((plan, results))
    }

    /// A file with the hash that it was packed with.
    fn whole(&mut self, name: &str, most: u64) -> Result<Vec<u8>, String> {
        let bytes = self.archive.read(name, most)?;
        let mark = Mark { bytes: bytes.len() as u64, blake3: Digest::of_bytes(&bytes) };
        match self.description.files.get(name) == Some(&mark) {
            true => Ok(bytes),
            false => Err(format!("`{}`: it does not have the hash that it was packed with", names::shown(name))),
        }
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
        for name in self.description.files.keys().filter(is_text).cloned().collect::<Vec<_>>() {
            let bytes = self.whole(&name, MAX_BYTES as u64)?;
            let text = String::from_utf8(bytes).map_err(|_| format!("`{}` is no text in UTF-8", names::shown(&name)))?;
            recipe.texts.insert(name, text);
        }
        // The first text is one of the user's own: what it imports lies beside it.
        if !recipe.texts.contains_key(&recipe.root) || !recipe.root.starts_with(SOURCE) {
            return Err(format!("`{DESCRIPTION}` names `{}` as the first text, and it is not there", names::shown(&recipe.root)));
        }
        Ok(recipe)
    }
}
