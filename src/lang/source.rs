//! Source texts and places in them.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// Names one text of a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A half-open range of bytes in one source text. `Copy`, so that a plan and a running task can still point at their lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub source: SourceId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// Of what was never written in any text, such as a default.
    pub(crate) const NONE: Span = Span { source: SourceId(0), start: 0, end: 0 };

    pub fn new(source: SourceId, range: Range<usize>) -> Self {
        Self { source, start: range.start as u32, end: range.end as u32 }
    }

    /// The smallest span over both. Both must lie in the same source; otherwise `self` is returned.
    pub fn to(self, other: Span) -> Span {
        if self.source != other.source {
            return self;
        }
        Span { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One text: a file, a compiled-in library file, or `<command line>`.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as the user gave it, `std/losses.epo`, or `<command line>`.
    pub name: String,
    /// Where it was read from, if it is a file on the disk that a user names by its path.
    pub path: Option<PathBuf>,
    /// Where it was read from, if it is a file of the library that is not compiled in.
    pub library: Option<PathBuf>,
    pub text: String,
}

impl Source {
    /// What messages call it: for a file of the library that lies on the disk, its path there.
    pub fn shown(&self) -> String {
        self.library.as_ref().map_or_else(|| self.name.clone(), |path| path.display().to_string())
    }
}

/// Line and column, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// Every text that took part in a compilation. Texts are only ever added.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    sources: Vec<Source>,
}

impl SourceMap {
    pub fn add(&mut self, name: impl Into<String>, path: Option<&Path>, text: impl Into<String>) -> SourceId {
        self.push(Source { name: name.into(), path: path.map(Path::to_path_buf), library: None, text: text.into() })
    }

    pub(super) fn push(&mut self, source: Source) -> SourceId {
        let id = SourceId(self.sources.len() as u32);
        self.sources.push(source);
        id
    }

    pub fn get(&self, id: SourceId) -> &Source {
        &self.sources[id.0 as usize]
    }

    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.sources.iter().enumerate().map(|(i, s)| (SourceId(i as u32), s))
    }

    /// The text that a span covers; empty if the span does not fit its source.
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.source).text.get(span.range()).unwrap_or("")
    }

    pub fn position(&self, source: SourceId, offset: u32) -> Position {
        let text = &self.get(source).text;
        let mut offset = (offset as usize).min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Position { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }

    /// `file:line:column` of a span's start.
    pub fn place(&self, span: Span) -> String {
        let at = self.position(span.source, span.start);
        format!("{}:{}:{}", self.get(span.source).shown(), at.line, at.column)
    }
}
