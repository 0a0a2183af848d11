//! Files that are found from everywhere: compiled into the program, or in a folder of the user's.

use super::read;
use std::path::{Path, PathBuf};

/// Names (`std/losses.epo`) and texts.
#[derive(Clone, Debug)]
pub struct Library(Texts);

#[derive(Clone, Debug)]
enum Texts {
    Compiled(&'static [(&'static str, &'static str)]),
    Folder { folder: PathBuf, files: Vec<(String, String)> },
}

impl Library {
    /// No file is found.
    pub const EMPTY: Self = Self::compiled(&[]);

    /// Names and texts that are part of the program.
    pub const fn compiled(files: &'static [(&'static str, &'static str)]) -> Self {
        Self(Texts::Compiled(files))
    }

    /// With further compiled-in files; those that are there already stay as they are.
    pub fn with(&self, files: &'static [(&'static str, &'static str)]) -> Self {
        let Texts::Compiled(own) = &self.0 else { return self.clone() };
        let added = files.iter().filter(|(name, _)| own.iter().all(|(known, _)| known != name));
        let all: Vec<_> = own.iter().chain(added).copied().collect();
        // Once in a program, for as long as it runs.
        Self(Texts::Compiled(all.leak()))
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
        Ok(Self(Texts::Folder { folder: folder.to_owned(), files }))
    }

    /// The text of a file by its name in the library.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.files().find(|(known, _)| *known == name).map(|(_, text)| text)
    }

    /// What there is, the files of the program in their order first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files().map(|(name, _)| name)
    }

    /// Names and texts.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let (compiled, read) = match &self.0 {
            Texts::Compiled(files) => (*files, [].as_slice()),
            Texts::Folder { files, .. } => ([].as_slice(), files.as_slice()),
        };
        compiled.iter().copied().chain(read.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// The text of a file that is part of the program.
    pub(super) fn compiled_in(&self, name: &str) -> Option<&'static str> {
        let Texts::Compiled(files) = &self.0 else { return None };
        files.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// Where a file of the library lies on the disk.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        match &self.0 {
            Texts::Compiled(_) => None,
            Texts::Folder { folder, .. } => Some(folder.join(name)),
        }
    }

    /// Where its files are looked for, in words.
    pub(super) fn place(&self) -> String {
        match &self.0 {
            Texts::Compiled(_) => "among the compiled-in files".into(),
            Texts::Folder { folder, .. } => format!("in the library `{}`", folder.display()),
        }
    }
}
