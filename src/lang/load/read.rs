//! Reading one file, and what may go wrong with that.

use super::super::diagnostic::{Diagnostic, closest};
use super::super::layout::MAX_BYTES;
use super::super::source::Span;
use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

pub(super) enum Trouble {
    Missing,
    Folder,
    /// A device, a pipe: reading it might never end.
    NotAFile,
    TooLarge,
    /// Byte offset of the first NUL.
    Binary(usize),
    /// Byte offset of the first byte that is no UTF-8.
    NotUtf8(usize),
    Other(std::io::Error),
}

/// Reads a text of at most [`MAX_BYTES`].
pub(super) fn file(path: &Path) -> Result<String, Trouble> {
    let other = |error: std::io::Error| if error.kind() == std::io::ErrorKind::NotFound { Trouble::Missing } else { Trouble::Other(error) };
    let about = fs::metadata(path).map_err(other)?;
    if about.is_dir() {
        return Err(Trouble::Folder);
    }
    if !about.is_file() {
        return Err(Trouble::NotAFile);
    }
    let mut bytes = Vec::new();
    fs::File::open(path).map_err(other)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(other)?;
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        return Err(Trouble::Binary(at));
    }
    if bytes.len() > MAX_BYTES {
        return Err(Trouble::TooLarge);
    }
    String::from_utf8(bytes).map_err(|error| Trouble::NotUtf8(error.utf8_error().valid_up_to()))
}

impl Trouble {
    /// `span` is the import that asked for the file.
    pub(super) fn diagnostic(&self, shown: &str, span: Option<Span>) -> Diagnostic {
        let (code, message, help) = match self {
            Self::Missing => ("E0040", format!("there is no file `{shown}`"), "the path is taken from the current folder".to_owned()),
            Self::Folder => ("E0040", format!("`{shown}` is a folder"), "name a file in it".to_owned()),
            Self::NotAFile => ("E0040", format!("`{shown}` is no regular file"), "write the text into a file".to_owned()),
            Self::TooLarge => (
                "E0025",
                format!("`{shown}` has more than {} MiB", MAX_BYTES >> 20),
                "an experiment is a page of text: data belongs into files of their own".to_owned(),
            ),
            Self::Binary(at) => {
                ("E0042", format!("`{shown}` is no text: byte {at} is 0"), "an experiment is a text file, usually `NAME.epo`".to_owned())
            }
            Self::NotUtf8(at) => ("E0042", format!("`{shown}` is not written in UTF-8: see byte {at}"), "save it as UTF-8".to_owned()),
            Self::Other(error) => ("E0040", format!("cannot read `{shown}`: {}", reason(error)), "is it readable for you?".to_owned()),
        };
        match span {
            Some(span) => Diagnostic::error(code, span, message).help(help),
            None => Diagnostic::bare(code, message).help(help),
        }
    }
}

/// Without the number that the standard library adds.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

pub(super) fn shown(path: &Path) -> String {
    path.display().to_string().replace('\\', "/")
}

/// Why a name cannot be imported at all.
pub(super) fn refused(wanted: &str) -> Option<&'static str> {
    let path = Path::new(wanted);
    let plain = |c: Component<'_>| matches!(c, Component::Normal(_) | Component::ParentDir | Component::CurDir);
    if wanted.is_empty() {
        Some("write the path of a file, from the folder of this one")
    } else if !path.components().all(plain) {
        Some("a file that can be mailed names other files from its own folder: `lib/file.epo`")
    } else if wanted.contains('\\') {
        Some("folders are separated by `/`")
    } else {
        None
    }
}

/// `pipelines/a.epo` and `../lib/b.epo` give `lib/b.epo`.
pub(super) fn beside(importer: &str, wanted: &str) -> String {
    let folder = importer.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = if importer.starts_with('/') { vec![""] } else { Vec::new() };
    for part in folder.split('/').chain(wanted.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| !p.is_empty() && *p != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The folder that a file lies in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Where the words of an import lead from a folder, whatever lies there.
pub(super) fn joined(mut folder: PathBuf, wanted: &str) -> PathBuf {
    for part in Path::new(wanted).components() {
        match part {
            Component::Normal(name) => folder.push(name),
            Component::ParentDir => {
                folder.pop();
            }
            _ => {}
        }
    }
    folder
}

/// The `.epo` files in the folder where `path` was looked for, written as an import would name them.
pub(super) fn neighbours(path: &Path, wanted: &str) -> Vec<String> {
    let folder = folder_of(path);
    let prefix = wanted.rsplit_once('/').map_or(String::new(), |(prefix, _)| format!("{prefix}/"));
    let entries = fs::read_dir(folder).into_iter().flatten().take(1000).filter_map(Result::ok);
    let mut names: Vec<String> =
        entries.filter_map(|e| e.file_name().into_string().ok()).filter(|n| n.ends_with(".epo")).map(|n| format!("{prefix}{n}")).collect();
    names.sort();
    names
}

/// The known file most like the one wanted: with its ending, in another folder, or with a typing mistake.
pub(super) fn nearest<'n>(wanted: &str, known: &[&'n str]) -> Option<&'n str> {
    let with_ending = format!("{wanted}.epo");
    let last = |name: &str| name.rsplit('/').next().unwrap_or("").trim_end_matches(".epo").to_owned();
    let all = || known.iter().copied();
    all()
        .find(|name| *name == with_ending)
        .or_else(|| closest(wanted, all()))
        .or_else(|| closest(&with_ending, all()))
        .or_else(|| all().find(|name| last(name) == last(wanted)))
}
