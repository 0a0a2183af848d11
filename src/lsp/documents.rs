//! The texts that the editor holds.

use super::places::{Encoding, Lines};
use crate::lang::load::Edited;
use lsp_types::{TextDocumentContentChangeEvent, Url};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A text and where its lines begin.
#[derive(Debug)]
pub(super) struct Document {
    pub text: String,
    pub lines: Lines,
    pub version: i32,
    /// `None` of a text that is in no file.
    pub path: Option<PathBuf>,
}

/// All of them, by their addresses.
#[derive(Debug, Default)]
pub(super) struct Documents {
    open: BTreeMap<Url, Document>,
    pub edited: Edited,
}

impl Documents {
    pub(super) fn get(&self, url: &Url) -> Option<&Document> {
        self.open.get(url)
    }

    pub(super) fn urls(&self) -> impl Iterator<Item = &Url> {
        self.open.keys()
    }

    pub(super) fn open(&mut self, url: Url, version: i32, text: String) {
        let path = url.to_file_path().ok();
        if let Some(path) = &path {
            self.edited.set(path, text.clone());
        }
        self.open.insert(url, Document { lines: Lines::new(&text), text, version, path });
    }

    pub(super) fn close(&mut self, url: &Url) {
        if let Some(path) = self.open.remove(url).and_then(|document| document.path) {
            self.edited.forget(&path);
        }
    }

    /// Makes the changes in their order; places beyond the text are its end.
    pub(super) fn change(&mut self, url: &Url, version: i32, changes: Vec<TextDocumentContentChangeEvent>, encoding: Encoding) {
        let Some(document) = self.open.get_mut(url) else { return };
        for change in changes {
            match change.range {
                Some(range) => {
                    let offset = |position| document.lines.offset(&document.text, position, encoding);
                    let (start, end) = (offset(range.start), offset(range.end));
                    document.text.replace_range(start..end.max(start), &change.text);
                }
                None => document.text = change.text,
            }
            document.lines = Lines::new(&document.text);
        }
        document.version = version;
        if let Some(path) = &document.path {
            self.edited.set(path, document.text.clone());
        }
    }

    /// The open document that is this file, whatever links lead to it.
    pub(super) fn of_file(&self, path: &std::path::Path) -> Option<&Url> {
        let real = |path: &std::path::Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let wanted = real(path);
        self.open
            .iter()
            .find(|(_, document)| document.path.as_deref().is_some_and(|own| own == path || real(own) == wanted))
            .map(|(url, _)| url)
    }
}
