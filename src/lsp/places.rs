//! Places of texts: bytes here, lines and columns in the protocol.

use crate::lang::{Source, SourceId, SourceMap, Span};
use lsp_types::{Position, PositionEncodingKind, Range};
use std::collections::BTreeMap;

/// What a column counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16,
    Utf32,
}

impl Encoding {
    /// The cheapest of those that the client offers; without an offer UTF-16.
    pub(super) fn negotiated(offers: Option<&[PositionEncodingKind]>) -> Self {
        let offered = |kind: &PositionEncodingKind| offers.is_some_and(|offers| offers.contains(kind));
        if offered(&PositionEncodingKind::UTF8) {
            Self::Utf8
        } else if offered(&PositionEncodingKind::UTF32) && !offered(&PositionEncodingKind::UTF16) {
            Self::Utf32
        } else {
            Self::Utf16
        }
    }

    pub(super) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
            Self::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    fn units(self, c: char) -> usize {
        match self {
            Self::Utf8 => c.len_utf8(),
            Self::Utf16 => c.len_utf16(),
            Self::Utf32 => 1,
        }
    }
}

/// Where the lines of a text begin, in bytes. A line ends with `\n`, `\r\n` or `\r`.
#[derive(Clone, Debug)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let ends = |(at, byte): (usize, &u8)| match byte {
            b'\n' => Some(at + 1),
            b'\r' if bytes.get(at + 1) != Some(&b'\n') => Some(at + 1),
            _ => None,
        };
        Self(std::iter::once(0).chain(bytes.iter().enumerate().filter_map(ends)).collect())
    }

    /// The line without its end.
    fn line<'t>(&self, text: &'t str, line: usize) -> (usize, &'t str) {
        let Some(&start) = self.0.get(line) else { return (text.len(), "") };
        let end = self.0.get(line + 1).copied().unwrap_or(text.len());
        (start, text.get(start..end).unwrap_or("").trim_end_matches(['\n', '\r']))
    }

    /// The byte of a position; behind the end of a line it is that end.
    pub(super) fn offset(&self, text: &str, position: Position, encoding: Encoding) -> usize {
        let (start, line) = self.line(text, position.line as usize);
        let mut units = 0;
        for (at, c) in line.char_indices() {
            if units >= position.character as usize {
                return start + at;
            }
            units += encoding.units(c);
        }
        start + line.len()
    }

    /// The position of a byte; behind the end of the text it is that end.
    pub(super) fn position(&self, text: &str, offset: usize, encoding: Encoding) -> Position {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.0.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.0.get(line).copied().unwrap_or(0);
        let before = text.get(start..offset).unwrap_or("");
        let units: usize = before.chars().map(|c| encoding.units(c)).sum();
        Position { line: line as u32, character: units as u32 }
    }

    pub(super) fn range(&self, text: &str, range: std::ops::Range<usize>, encoding: Encoding) -> Range {
        Range { start: self.position(text, range.start, encoding), end: self.position(text, range.end, encoding) }
    }
}

/// Positions in the texts of one compilation.
pub(super) struct Ranges<'s> {
    sources: &'s SourceMap,
    encoding: Encoding,
    lines: BTreeMap<SourceId, Lines>,
}

impl<'s> Ranges<'s> {
    pub(super) fn new(sources: &'s SourceMap, encoding: Encoding) -> Self {
        Self { sources, encoding, lines: BTreeMap::new() }
    }

    pub(super) fn source(&self, span: Span) -> &'s Source {
        self.sources.get(span.source)
    }

    pub(super) fn range(&mut self, span: Span) -> Range {
        let text = &self.sources.get(span.source).text;
        self.lines.entry(span.source).or_insert_with(|| Lines::new(text)).range(text, span.range(), self.encoding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_what_was_negotiated() {
        let text = "a = \"𝛽é\" # x\r\nb\rc\n";
        let lines = Lines::new(text);
        let end = text.find(" #").expect("a comment");
        for (encoding, column) in [(Encoding::Utf8, 12), (Encoding::Utf16, 9), (Encoding::Utf32, 8)] {
            let position = lines.position(text, end, encoding);
            assert_eq!((position.line, position.character), (0, column), "{encoding:?}");
            assert_eq!(lines.offset(text, position, encoding), end, "{encoding:?}");
        }
        assert_eq!(lines.position(text, text.find('c').expect("a line"), Encoding::Utf16), Position { line: 2, character: 0 });
        assert_eq!(lines.offset(text, Position { line: 0, character: 900 }, Encoding::Utf16), text.find('\r').expect("an end"));
        assert_eq!(lines.offset(text, Position { line: 90, character: 0 }, Encoding::Utf16), text.len());
        // in the middle of a pair: the character behind it
        assert_eq!(lines.offset(text, Position { line: 0, character: 6 }, Encoding::Utf16), text.find('é').expect("a letter"));
    }
}
