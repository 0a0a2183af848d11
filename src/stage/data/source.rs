//! Where a dataset lies: the setting `data.NAME`, or a file of the Hugging Face hub.

use crate::kind::{Field, Identity, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::{Value, ValueKind};
use crate::model::pretrained::dataset_file;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// What the setting `data.NAME` names, or a file in it.
    Data { name: String, path: Option<String> },
    /// A file of a dataset's repository.
    Hub { name: String, revision: String, path: String },
}

/// A file of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DataFile {
    pub path: PathBuf,
    /// Its name, where it is one of a folder's.
    pub name: Option<String>,
}

/// A path that leads out of no folder.
fn stays_inside(path: &str) -> bool {
    !path.is_empty() && !path.contains('\\') && path.split('/').all(|part| !["", ".", ".."].contains(&part))
}

impl Source {
    /// # Errors
    /// What is wrong, and what to write.
    fn parse(text: &str) -> Result<Self, (String, String)> {
        if let Some(rest) = text.strip_prefix("data:") {
            let (name, path) = rest.split_once('/').map_or((rest, None), |(name, path)| (name, Some(path)));
            let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if !named || path.is_some_and(|path| !stays_inside(path)) {
                let help = "`data:NAME` is what the setting `data.NAME` says, a file or a folder, and `data:NAME/PATH` a file in it; a NAME has small letters, digits and `_`";
                return Err((format!("`{text}` names no data"), help.into()));
            }
            return Ok(Self::Data { name: name.into(), path: path.map(String::from) });
        }
        if let Some(rest) = text.strip_prefix("hub:") {
            let parts = rest.split_once('@').and_then(|(name, rest)| Some((name, rest.split_once('/')?)));
            return match parts {
                Some((name, (revision, path))) if stays_inside(name) && !revision.is_empty() && stays_inside(path) => {
                    Ok(Self::Hub { name: name.into(), revision: revision.into(), path: path.into() })
                }
                _ => Err((
                    format!("`{text}` names no file of a dataset"),
                    "of the hub a file is named with its revision: `hub:OWNER/NAME@REVISION/PATH`".into(),
                )),
            };
        }
        Err((format!("expected {}, found {text:?}", Self::expects()), "the setting `data.NAME` says where it lies on a machine".into()))
    }

    /// As it is written.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::Data { name, path: None } => format!("data:{name}"),
            Self::Data { name, path: Some(path) } => format!("data:{name}/{path}"),
            Self::Hub { name, revision, path } => format!("hub:{name}@{revision}/{path}"),
        }
    }

    /// Its files on this machine, in the order in which they are read: of a folder that of their names. `data` is what the settings say; with `fetch`,
    /// what is not in the hub's cache is fetched, and without, `None` says that it would be.
    ///
    /// # Errors
    /// What is missing.
    pub(crate) fn files(
        &self,
        data: impl Fn(&str) -> Option<PathBuf>,
        fetch: bool,
        say: &mut dyn FnMut(&str),
    ) -> Result<Option<Vec<DataFile>>, String> {
        match self {
            Self::Hub { name, revision, path } => {
                let path = dataset_file(name, revision, path, fetch, say).map_err(|error| error.to_string())?;
                Ok(path.map(|path| vec![DataFile { path, name: None }]))
            }
            Self::Data { name, path } => {
                let missing = || {
                    format!(
                        "no setting `data.{name}` says where it lies\nset `EPO_DATA__{}`, or write `{name} = \"…\"` below `[data]` in `epo.toml`",
                        name.to_uppercase()
                    )
                };
                let place = data(name).ok_or_else(missing)?;
                let place = path.iter().fold(place, |place, path| place.join(path));
                let at = |error: std::io::Error| format!("`{}`: {error}", place.display());
                match place.metadata().map_err(at)? {
                    what if what.is_file() => Ok(Some(vec![DataFile { path: place, name: None }])),
                    what if what.is_dir() => in_folder(&place).map(Some),
                    _ => Err(format!("`{}` is no file and no folder", place.display())),
                }
            }
        }
    }
}

/// All files of a folder; those that begin with a dot are not spoken of.
fn in_folder(folder: &Path) -> Result<Vec<DataFile>, String> {
    let at = |error: std::io::Error| format!("`{}`: {error}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(at)? {
        let path = entry.map_err(at)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(format!("`{}` has a name that is no UTF-8", path.display()));
        };
        if name.starts_with('.') {
            continue;
        }
        if !path.metadata().map_err(|error| format!("`{}`: {error}", path.display()))?.is_file() {
            return Err(format!("`{}` is no file; a folder of data holds files alone", path.display()));
        }
        files.push(DataFile { name: Some(name.to_string()), path });
    }
    if files.is_empty() {
        return Err(format!("`{}` has no file", folder.display()));
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

impl Identity for Source {
    fn identity(&self) -> serde_json::Value {
        self.written().into()
    }
}

impl Field for Source {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let ValueKind::Text(text) = &value.kind else {
            reader.mismatch(value, &Self::expects());
            return None;
        };
        let wrong = |(message, help): (String, String)| reader.report(Diagnostic::error("E0202", value.span, message).help(help));
        Self::parse(text).map_err(wrong).ok()
    }

    fn expects() -> String {
        "`\"data:NAME\"` or `\"hub:OWNER/NAME@REVISION/PATH\"`".into()
    }

    fn shown(&self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_comes_back() {
        for text in ["data:shown", "data:shown_2/a/b.jsonl.gz", "hub:someone/talks@v1/data/train.jsonl"] {
            assert_eq!(Source::parse(text).unwrap().written(), text);
        }
        let wrong = [
            "data:",
            "data:Shown",
            "data:a/../b",
            "data:a//b",
            "data:a/",
            "hub:a/b",
            "hub:a/b@main",
            "hub:a/b@/x",
            "hub:@v1/x",
            "shown",
            "",
        ];
        for text in wrong {
            assert!(Source::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn files_of_a_folder_are_in_order_and_nothing_else_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let source = Source::parse("data:x").unwrap();
        let files = || source.files(|_| Some(folder.path().into()), false, &mut |_| ());
        let place = folder.path().display().to_string();
        assert_eq!(files().unwrap_err(), format!("`{place}` has no file"));
        for name in ["b.jsonl", "a.jsonl.gz", ".notes"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let names: Vec<Option<String>> = files().unwrap().unwrap().into_iter().map(|file| file.name).collect();
        assert_eq!(names, [Some("a.jsonl.gz".to_string()), Some("b.jsonl".to_string())]);
        std::fs::create_dir(folder.path().join("more")).unwrap();
        assert_eq!(files().unwrap_err(), format!("`{place}/more` is no file; a folder of data holds files alone"));
        let one = Source::parse("data:x/b.jsonl").unwrap().files(|_| Some(folder.path().into()), false, &mut |_| ()).unwrap();
        assert_eq!(one.unwrap(), [DataFile { path: folder.path().join("b.jsonl"), name: None }]);
        let none = source.files(|_| None, false, &mut |_| ()).unwrap_err();
        assert_eq!(none, "no setting `data.x` says where it lies\nset `EPO_DATA__X`, or write `x = \"…\"` below `[data]` in `epo.toml`");
    }
}
