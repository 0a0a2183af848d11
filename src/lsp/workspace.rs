//! The files of the folders that the editor has open, and the addresses of sources.

use super::Pinned;
use super::documents::Documents;
use crate::lang::Source;
use crate::lang::load::Library;
use crate::lang::load::elsewhere::is_elsewhere;
use lsp_types::Url;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Files that are looked at, and folders within one another.
const MOST_FILES: usize = 5000;
const DEEPEST: usize = 12;

/// Folders, and where the texts of the library can be shown.
#[derive(Debug)]
pub(super) struct Workspace {
    pub folders: Vec<PathBuf>,
    pub library: Cow<'static, Library>,
    pinned: Pinned,
    /// By folder: its lock, and the library with the texts that it names.
    locks: BTreeMap<PathBuf, (String, Library)>,
    /// The texts of the library are written below it when one of them is to be shown.
    texts: PathBuf,
}

impl Workspace {
    pub(super) fn new(folders: Vec<PathBuf>, library: Cow<'static, Library>, pinned: Pinned, texts: PathBuf) -> Self {
        Self { folders, library, pinned, locks: BTreeMap::new(), texts }
    }

    /// Looks at the lock beside a document. The texts that it names are read when it says something else than before.
    pub(super) fn read_lock(&mut self, document: Option<&Path>) {
        if let Some(folder) = document.and_then(Path::parent) {
            self.read_lock_of(folder);
        }
    }

    /// Looks at the locks beside all files: for what looks into files that nobody opened.
    pub(super) fn read_all_locks(&mut self) {
        let folders: BTreeSet<PathBuf> = self.files().iter().filter_map(|file| Some(file.parent()?.to_path_buf())).collect();
        folders.iter().for_each(|folder| self.read_lock_of(folder));
    }

    fn read_lock_of(&mut self, folder: &Path) {
        match (self.pinned.lock)(folder) {
            None => drop(self.locks.remove(folder)),
            Some(lock) if self.locks.get(folder).is_some_and(|(known, _)| *known == lock) => {}
            Some(lock) => {
                let texts = (self.pinned.texts)(&lock, folder);
                let library = self.library.clone().into_owned().with_elsewhere(texts);
                self.locks.insert(folder.to_path_buf(), (lock, library));
            }
        }
    }

    /// What a lock names may be another text now.
    pub(super) fn forget_locks(&mut self) {
        self.locks.clear();
    }

    /// The library for a file: with what the lock beside it pins, if that was looked at.
    pub(super) fn library_of(&self, file: Option<&Path>) -> &Library {
        file.and_then(Path::parent).and_then(|folder| self.locks.get(folder)).map_or(&self.library, |(_, library)| library)
    }

    /// All `.epo` files of the folders, in the order of their names. Hidden folders and those of builds are left out.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open: Vec<(PathBuf, usize)> = self.folders.iter().map(|folder| (folder.clone(), 0)).collect();
        while let Some((folder, depth)) = open.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
                let name = entry.file_name().to_string_lossy().into_owned();
                let Ok(kind) = entry.file_type() else { continue };
                let path = entry.path();
                if kind.is_dir() && depth < DEEPEST && !name.starts_with('.') && !matches!(name.as_str(), "target" | "node_modules") {
                    open.push((path, depth + 1));
                } else if kind.is_file() && name.ends_with(".epo") && found.len() < MOST_FILES {
                    found.push(path);
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// Where a source can be looked at. `root`: the document that is the root of the compilation, for a text that is in no file.
    pub(super) fn url(&self, source: &Source, root: &Url, documents: &Documents) -> Option<Url> {
        match source.path.as_deref().or(source.library.as_deref()) {
            Some(path) => file_url(path, documents),
            None if self.is_compiled_in(source) => self.shown(&source.name, &source.text).and_then(|path| file_url(&path, documents)),
            None => Some(root.clone()),
        }
    }

    /// Whether a place is of the compiled-in library or of elsewhere, whose texts cannot be changed.
    pub(super) fn is_compiled_in(&self, source: &Source) -> bool {
        let known = is_elsewhere(&source.name) || self.library.text(&source.name).is_some();
        known && source.path.is_none() && source.library.is_none()
    }

    /// A file with a text of the library. It is written anew where it says something else: it is for reading only.
    fn shown(&self, name: &str, text: &str) -> Option<PathBuf> {
        // `hub:` and `pack:` are folders then: not every system has a `:` in its names.
        let path = self.texts.join(name.replacen(':', "/", 1));
        if std::fs::read_to_string(&path).ok().as_deref() == Some(text) {
            return Some(path);
        }
        let folder = path.parent()?;
        std::fs::create_dir_all(folder).ok()?;
        let mut file = tempfile::NamedTempFile::new_in(folder).ok()?;
        std::io::Write::write_all(&mut file, text.as_bytes()).ok()?;
        file.persist(&path).ok()?;
        Some(path)
    }
}

/// The address by which the editor knows a file.
pub(super) fn file_url(path: &Path, documents: &Documents) -> Option<Url> {
    if let Some(url) = documents.of_file(path) {
        return Some(url.clone());
    }
    let path = path.canonicalize().or_else(|_| std::path::absolute(path)).ok()?;
    Url::from_file_path(path).ok()
}
