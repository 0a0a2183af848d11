//! The texts that an experiment is made of, by names that mean the same on every machine.

use super::{ELSEWHERE, LIBRARY, SOURCE};
use crate::lang::load::elsewhere::is_elsewhere;
use crate::lang::load::{Library, Root};
use crate::lang::{Source, SourceMap};
use crate::spec::{Compiled, Request, compile};
use crate::store::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// A recipe with all that it imports; it compiles without looking at a disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Recipe {
    /// The name of the first text: `source/quickstart.epo`.
    pub root: String,
    /// Below `source/` the user's own, by their paths from the folder of the first; below `library/` those that are found from everywhere,
    /// below `imports/` those of elsewhere.
    pub texts: BTreeMap<String, String>,
    /// `--set`.
    pub set: Vec<String>,
    /// `--only`.
    pub only: Vec<String>,
}

/// What a run folder keeps of its recipe, beside the texts: `recipe.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Recorded {
    format: u32,
    root: String,
    set: Vec<String>,
    only: Vec<String>,
    /// The hash of each text, by its name in a pack.
    texts: BTreeMap<String, Digest>,
}

impl Recipe {
    /// Of what was compiled, lines of the command line included, and the names of the pipelines that were chosen.
    pub(crate) fn of(sources: &SourceMap, only: &[String]) -> Self {
        let is_said = |source: &&Source| source.name.starts_with('<');
        let set = sources.iter().map(|(_, source)| source).filter(is_said).map(|line| line.text.clone()).collect();
        let mut sources = sources.iter().map(|(_, source)| source).filter(|source| !is_said(source)).peekable();
        let folder = sources.peek().and_then(|root| root.name.rsplit_once('/')).map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let mut recipe = Self { set, only: only.to_vec(), ..Self::default() };
        for source in sources {
            let name = name(source, &folder);
            if recipe.root.is_empty() {
                recipe.root.clone_from(&name);
            }
            recipe.texts.insert(name, source.text.clone());
        }
        recipe
    }

    /// For the folder of a run, which has the texts already.
    pub(crate) fn recorded(&self) -> Value {
        let texts = self.texts.iter().map(|(name, text)| (name.clone(), Digest::of_bytes(text.as_bytes()))).collect();
        json!(Recorded { format: super::FORMAT, root: self.root.clone(), set: self.set.clone(), only: self.only.clone(), texts })
    }

    /// From the folder of a run.
    ///
    /// # Errors
    /// Which text is not there as it was.
    pub(crate) fn found(recorded: Recorded, texts: Vec<String>) -> Result<Self, String> {
        let by_hash: BTreeMap<Digest, String> = texts.into_iter().map(|text| (Digest::of_bytes(text.as_bytes()), text)).collect();
        let mut recipe = Self { root: recorded.root, set: recorded.set, only: recorded.only, ..Self::default() };
        for (name, hash) in recorded.texts {
            let text = by_hash.get(&hash).ok_or_else(|| format!("the text `{name}` is not in the run's folder as it was read"))?;
            recipe.texts.insert(name, text.clone());
        }
        Ok(recipe)
    }

    /// Compiles it from its own texts alone, with more lines of a command line.
    pub(crate) fn compile(&self, more: &[String]) -> Compiled {
        let as_imported = |name: &String| match name.strip_prefix(ELSEWHERE) {
            Some(name) => name.replacen('/', ":", 1),
            None => name.strip_prefix(LIBRARY).unwrap_or(name).to_owned(),
        };
        let library = Library::packed(self.texts.iter().map(|(name, text)| (as_imported(name), text.clone())).collect());
        let text = self.texts.get(&self.root).map_or("", String::as_str);
        let overrides: Vec<String> = self.set.iter().chain(more).cloned().collect();
        compile(&Request { root: Root::Text { name: &self.root, text }, overrides: &overrides, library: &library })
    }
}

/// What a run folder calls a text: as it was named; out of a pack, by its path from the first one's folder.
pub(crate) fn shown(source: &Source) -> String {
    let packed = source.path.is_none().then(|| source.name.strip_prefix(SOURCE)).flatten();
    packed.unwrap_or(&source.name).to_owned()
}

/// `folder`: that of the first text, as messages call it, with its `/`.
fn name(source: &Source, folder: &str) -> String {
    match &source.path {
        Some(_) => format!("{SOURCE}{}", own(&source.name, folder)),
        // It came out of a pack.
        None if source.name.starts_with(SOURCE) => source.name.clone(),
        None if is_elsewhere(&source.name) => format!("{ELSEWHERE}{}", source.name.replacen(':', "/", 1)),
        None => format!("{LIBRARY}{}", source.name),
    }
}

/// The path of a user's text from the folder of the first one.
fn own(name: &str, folder: &str) -> String {
    let (name, folder) = (plain(name), plain(folder));
    name.strip_prefix(&folder).map_or_else(|| name.clone(), str::to_owned)
}

/// Without `.`, and without `..` behind a folder.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            (".", _) => {}
            ("..", Some(last)) if !["", ".."].contains(last) => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// What a run of a file is called: the stem of the first text.
pub(crate) fn stem(sources: &SourceMap) -> String {
    let name = sources.iter().next().map(|(_, source)| source.name.clone()).unwrap_or_default();
    Path::new(&name).file_stem().map_or_else(|| "run".into(), |stem| stem.to_string_lossy().into_owned())
}
