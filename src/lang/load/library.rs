//! Files that are found from everywhere: compiled into the program, or in a folder of the user's.

use super::read;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Names (`std/losses.epo`) and texts.
#[derive(Clone, Debug)]
pub struct Library {
    texts: Texts,
    /// Texts of elsewhere by their names, or why one cannot be used.
    elsewhere: BTreeMap<String, Result<String, String>>,
}

#[derive(Clone, Debug)]
enum Texts {
    Compiled(&'static [(&'static str, &'static str)]),
    Folder { folder: PathBuf, files: Vec<(String, String)> },
    Pack(Vec<(String, String)>),
}

impl Library {
    /// No file is found.
    pub const EMPTY: Self = Self::compiled(&[]);

    /// Names and texts that are part of the program.
    pub const fn compiled(files: &'static [(&'static str, &'static str)]) -> Self {
        Self { texts: Texts::Compiled(files), elsewhere: BTreeMap::new() }
    }

    /// Names and texts that travel together; nothing else is found, and nothing on a disk is looked at.
    pub fn packed(files: Vec<(String, String)>) -> Self {
        Self { texts: Texts::Pack(files), elsewhere: BTreeMap::new() }
    }

    /// With texts of elsewhere (`hub:…`, `pack:…`), or why one cannot be used.
    pub fn with_elsewhere(self, elsewhere: BTreeMap<String, Result<String, String>>) -> Self {
        Self { elsewhere, ..self }
    }

    /// With further compiled-in files; those that are there already stay as they are.
    pub fn with(&self, files: &'static [(&'static str, &'static str)]) -> Self {
        let Texts::Compiled(own) = &self.texts else { return self.clone() };
        let added = files.iter().filter(|(name, _)| own.iter().all(|(known, _)| known != name));
        let all: Vec<_> = own.iter().chain(added).copied().collect();
        // Once in a program, for as long as it runs.
        Self { texts: Texts::Compiled(all.leak()), elsewhere: self.elsewhere.clone() }
    }

    /// Reads a folder in the place of `whole`: all its files, and what else lies beside them.
    ///
    /// # Errors
    /// Which file is missing or cannot be read.
    pub fn read(folder: &Path, whole: &Self) -> Result<Self, String> {
        if !folder.is_dir() {
            return Err(format!("`{}` is no folder", folder.display()));
        }
        let mut names: Vec<String> = whole.names().map(str::to_owned).collect();
        let mut places: Vec<String> = names.iter().filter_map(|name| Some(name.rsplit_once('/')?.0.to_owned())).collect();
        places.dedup();
        for place in places {
            let beside = read::neighbours(&folder.join(&place).join("any"), &format!("{place}/any"));
            names.extend(beside.into_iter().filter(|name| whole.text(name).is_none()));
        }
        let read = |name: String| match read::file(&folder.join(&name)) {
            Ok(text) => Ok((name, text)),
            Err(trouble) => Err(trouble.diagnostic(&read::shown(&folder.join(&name)), None).message),
        };
        let files = names.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { texts: Texts::Folder { folder: folder.to_owned(), files }, elsewhere: BTreeMap::new() })
    }

    /// The text of a file by its name in the library.
    pub fn text(&self, name: &str) -> Option<&str> {
        let elsewhere = || Some(self.elsewhere.get(name)?.as_ref().ok()?.as_str());
        self.files().find(|(known, _)| *known == name).map(|(_, text)| text).or_else(elsewhere)
    }

    /// Why a text of elsewhere cannot be used, if somebody looked for it.
    pub(super) fn problem(&self, name: &str) -> Option<&str> {
        self.elsewhere.get(name)?.as_ref().err().map(String::as_str)
    }

    /// What there is, the files of the program in their order first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files().map(|(name, _)| name)
    }

    /// Names and texts.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let (compiled, read) = match &self.texts {
            Texts::Compiled(files) => (*files, [].as_slice()),
            Texts::Folder { files, .. } | Texts::Pack(files) => ([].as_slice(), files.as_slice()),
        };
        compiled.iter().copied().chain(read.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// The text of a file that is part of the program.
    pub(super) fn compiled_in(&self, name: &str) -> Option<&'static str> {
        let Texts::Compiled(files) = &self.texts else { return None };
        files.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// Where a file of the library lies on the disk.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        match &self.texts {
            Texts::Compiled(_) | Texts::Pack(_) => None,
            Texts::Folder { folder, .. } => Some(folder.join(name)),
        }
    }

    /// Where its files are looked for, in words.
    pub(super) fn place(&self) -> String {
        match &self.texts {
            Texts::Compiled(_) => "among the compiled-in files".into(),
            Texts::Folder { folder, .. } => format!("in the library `{}`", folder.display()),
            Texts::Pack(_) => "in the pack".into(),
        }
    }
}
