//! The canonical layout of a file. Never changes meaning; formatting twice is formatting once.
//!
//! - Two spaces a level, one space around `=` and operators but `..`, none inside `( )` and `[ ]`, one inside `{ }`.
//! - Lines stay as the author divided them: a line of its own, or several in a row with commas. A row, or a `{ }` on one line, that
//!   reaches beyond column 120 is divided into one line each. `( )` and `[ ]` over several lines keep their line breaks.
//! - At most one empty line between two lines, none at the beginning and the end of `{ }`.
//! - Alignment is the author's choice: where the `=` of neighbouring lines stand in one column, they do so afterwards; a comment behind a
//!   line stays in its column if there is room.
//! - Numbers, strings, prompts and comments are kept as written.

mod align;
mod flow;

use super::diagnostic::Diagnostics;
use super::layout::{Layout, NONE};
use super::lexer::{Token, TokenKind};
use super::parser;
use super::source::SourceId;
use unicode_width::UnicodeWidthStr;

/// Nothing is put on one line beyond this column.
pub const MAX_COLUMNS: usize = 120;

/// The text in canonical layout.
///
/// # Errors
/// The syntax errors of the text; their spans are those of a text added first to an empty [`SourceMap`](super::SourceMap).
pub fn format(text: &str) -> Result<String, Diagnostics> {
    let (_, messages, layout) = parser::parse_text(SourceId(0), text);
    match layout {
        Some(layout) if !messages.has_errors() => Ok(Printer { text, layout: &layout }.file()),
        _ => Err(messages),
    }
}

struct Printer<'a> {
    text: &'a str,
    layout: &'a Layout,
}

/// What stands in a body, in order.
struct Entry {
    kind: EntryKind,
    /// An empty line stands before it.
    blank_before: bool,
    /// Only a comma stands between it and the line before.
    same_row: bool,
    /// The comment behind it, on its last line.
    trailing: Option<usize>,
}

#[derive(Clone, Copy)]
enum EntryKind {
    Comment(usize),
    /// Its first and last token.
    Line(usize, usize),
}

fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The columns used by the last line of a text.
fn column(text: &str) -> usize {
    width(text.rsplit('\n').next().unwrap_or(""))
}

impl<'a> Printer<'a> {
    fn file(&self) -> String {
        let mut out = String::new();
        self.entries(&mut out, 0, self.layout.tokens.len(), 0);
        if !out.is_empty() {
            out.push('\n');
        }
        out
    }

    fn kind(&self, index: usize) -> Option<TokenKind> {
        self.layout.tokens.get(index).map(|t| t.kind)
    }

    fn word(&self, index: usize) -> &'a str {
        self.layout.tokens.get(index).map_or("", |t: &Token| t.text(self.text))
    }

    fn partner(&self, opener: usize) -> Option<usize> {
        self.layout.partner.get(opener).filter(|p| **p != NONE).map(|p| *p as usize)
    }

    /// The lines and comments among some tokens that are all inside the same braces.
    fn collect(&self, from: usize, to: usize) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        let (mut newlines, mut comma) = (0, false);
        let mut index = from;
        while index < to {
            let next = match self.kind(index) {
                Some(TokenKind::Newline) => {
                    newlines += 1;
                    index += 1;
                    continue;
                }
                Some(TokenKind::Comma) => {
                    comma = true;
                    index += 1;
                    continue;
                }
                Some(TokenKind::Comment) => {
                    let last =
                        entries.last_mut().filter(|e| newlines == 0 && e.trailing.is_none() && matches!(e.kind, EntryKind::Line(..)));
                    match last {
                        Some(line) => line.trailing = Some(index),
                        None => {
                            let blank_before = newlines > 1 && !entries.is_empty();
                            entries.push(Entry { kind: EntryKind::Comment(index), blank_before, same_row: false, trailing: None });
                        }
                    }
                    index + 1
                }
                _ => {
                    let segment = self.layout.segment_of.get(index).and_then(|s| self.layout.segments.get(*s as usize));
                    let last = segment.map_or(index, |s| s.last as usize);
                    let blank_before = newlines > 1 && !entries.is_empty();
                    let same_row = comma && newlines == 0;
                    entries.push(Entry { kind: EntryKind::Line(index, last), blank_before, same_row, trailing: None });
                    last + 1
                }
            };
            (newlines, comma) = (0, false);
            index = next;
        }
        entries
    }

    /// Writes the lines of a body; the first one begins where `out` ends, at column `indent`.
    fn entries(&self, out: &mut String, from: usize, to: usize, indent: usize) {
        let entries = self.collect(from, to);
        let padding = align::padding(self, &entries);
        let margin = " ".repeat(indent);
        let mut index = 0;
        while index < entries.len() {
            let count = 1 + entries.iter().skip(index + 1).take_while(|e| e.same_row).count();
            let row = entries.get(index..index + count).unwrap_or(&[]);
            if index > 0 {
                out.push('\n');
                if row.first().is_some_and(|e| e.blank_before) {
                    out.push('\n');
                }
                *out += &margin;
            }
            self.row(out, row, padding.get(index).copied().unwrap_or(0), indent);
            index += count;
        }
    }

    fn row(&self, out: &mut String, row: &[Entry], padding: usize, indent: usize) {
        let mut lines = Vec::new();
        for entry in row {
            let mut line = " ".repeat(indent);
            match entry.kind {
                EntryKind::Comment(index) => line += self.word(index).trim_end(),
                EntryKind::Line(first, last) => self.line(&mut line, first, last, padding, indent),
            }
            lines.push(line.split_off(indent));
        }
        let together = lines.join(", ");
        let fits = lines.len() == 1 || !together.contains('\n') && indent + width(&together) <= MAX_COLUMNS;
        *out += &if fits { together } else { lines.join(&format!("\n{}", " ".repeat(indent))) };
        if let Some(comment) = row.last().and_then(|e| e.trailing) {
            self.trailing(out, comment);
        }
    }

    /// A comment behind code: in its column if there is room, else two spaces on.
    fn trailing(&self, out: &mut String, comment: usize) {
        let start = self.layout.tokens.get(comment).map_or(0, |t| t.start as usize);
        let before = self.text.get(..start).unwrap_or("").rsplit('\n').next().unwrap_or("");
        let wanted = width(before.trim_start());
        let used = width(out.rsplit('\n').next().unwrap_or("").trim_start());
        let gap = if wanted <= MAX_COLUMNS { wanted.saturating_sub(used).max(2) } else { 2 };
        *out += &" ".repeat(gap);
        *out += self.word(comment).trim_end();
    }
}
