//! The tokens of one line: spaces, kept line breaks, brackets.

use super::super::lexer::TokenKind;
use super::{MAX_COLUMNS, Printer, column, width};

/// The indentation of the last line of a text.
fn indentation(text: &str) -> usize {
    let line = text.rsplit('\n').next().unwrap_or("");
    line.len() - line.trim_start_matches(' ').len()
}

fn break_line(out: &mut String, indent: usize) {
    out.push('\n');
    *out += &" ".repeat(indent);
}

/// Where the lines of one line's text begin.
#[derive(Clone, Copy)]
struct Margins {
    /// After a comma.
    row: usize,
    /// At an operator.
    continuation: usize,
}

/// What stands between two tokens.
struct Gap {
    newline: bool,
    comments: Vec<usize>,
    /// The first comment stands on the line of the token before.
    trailing: bool,
}

impl Printer<'_> {
    /// Writes a line. `padding` spaces are added before the `=` that follows its path; `out` holds its indentation.
    pub(super) fn line(&self, out: &mut String, first: usize, last: usize, padding: usize, indent: usize) {
        let margins = Margins { row: indent + 2, continuation: indent + 2 };
        if padding == 0 {
            return self.flow(out, first, last + 1, margins, None);
        }
        let equals = (first..=last).find(|i| self.kind(*i) == Some(TokenKind::Equals)).unwrap_or(first);
        self.flow(out, first, equals, margins, None);
        *out += &" ".repeat(padding);
        self.flow(out, equals, last + 1, margins, equals.checked_sub(1));
    }

    fn gap(&self, from: usize, to: usize) -> (Gap, usize) {
        let mut gap = Gap { newline: false, comments: Vec::new(), trailing: false };
        let mut index = from;
        while index < to {
            match self.kind(index) {
                Some(TokenKind::Newline) => gap.newline = true,
                Some(TokenKind::Comment) => {
                    gap.trailing |= gap.comments.is_empty() && !gap.newline;
                    gap.comments.push(index);
                }
                _ => break,
            }
            index += 1;
        }
        (gap, index)
    }

    /// Writes the tokens from `first` up to `end`; `before` is the token already written.
    fn flow(&self, out: &mut String, first: usize, end: usize, margins: Margins, mut before: Option<usize>) {
        let mut index = first;
        while index < end {
            let (gap, next) = self.gap(index, end);
            if next >= end {
                break;
            }
            if let Some(before) = before {
                let keeps = |i: usize| matches!(self.kind(i), Some(TokenKind::Operator));
                let after_comma = self.kind(before) == Some(TokenKind::Comma);
                if !gap.comments.is_empty() || gap.newline && (after_comma || keeps(before) || keeps(next)) {
                    let indent = if after_comma { margins.row } else { margins.continuation };
                    self.comments(out, &gap, indent);
                    break_line(out, indent);
                } else if self.space(before, next) {
                    out.push(' ');
                }
            }
            if self.kind(next) == Some(TokenKind::Open)
                && let Some(close) = self.partner(next)
            {
                self.bracket(out, next, close);
                before = Some(close);
                index = close + 1;
            } else {
                match self.kind(next) {
                    Some(TokenKind::TripleText) => *out += &self.word(next).replace("\r\n", "\n"),
                    _ => *out += self.word(next),
                }
                before = Some(next);
                index = next + 1;
            }
        }
    }

    fn comments(&self, out: &mut String, gap: &Gap, indent: usize) {
        for (i, comment) in gap.comments.iter().enumerate() {
            if i == 0 && gap.trailing {
                self.trailing(out, *comment);
            } else {
                break_line(out, indent);
                *out += self.word(*comment).trim_end();
            }
        }
    }

    /// Whether a space stands between two tokens of one line.
    fn space(&self, left: usize, right: usize) -> bool {
        use TokenKind::*;
        let (before, after) = (self.word(left), self.word(right));
        match (self.kind(left), self.kind(right)) {
            (Some(Dot), _) | (_, Some(Dot | Comma)) => false,
            (Some(Open), _) | (_, Some(Close)) => false,
            (Some(Word), Some(Open)) if after == "(" => false,
            _ if before == ".." || after == ".." => false,
            (Some(Operator), _) if before == "-" => after == "-" || !self.is_prefix(left),
            _ => true,
        }
    }

    /// Whether a `-` is a sign rather than a difference.
    fn is_prefix(&self, index: usize) -> bool {
        let before = (0..index).rev().map(|i| self.kind(i)).find(|k| !matches!(k, Some(TokenKind::Newline | TokenKind::Comment)));
        matches!(before.flatten(), None | Some(TokenKind::Operator | TokenKind::Equals | TokenKind::Comma | TokenKind::Open))
    }

    fn bracket(&self, out: &mut String, open: usize, close: usize) {
        if self.word(open) == "{" {
            return self.braces(out, open, close);
        }
        *out += self.word(open);
        let base = indentation(out);
        let (gap, first) = self.gap(open + 1, close);
        let opened = gap.newline || !gap.comments.is_empty();
        self.comments(out, &gap, base + 2);
        if first < close {
            let last =
                (first..close).rev().find(|i| !matches!(self.kind(*i), Some(TokenKind::Newline | TokenKind::Comment))).unwrap_or(first);
            let (end_gap, _) = self.gap(last + 1, close);
            let closes_alone = end_gap.newline || !end_gap.comments.is_empty();
            // A comma before a bracket on the same line says nothing.
            let mut between =
                (first..last).rev().map(|i| self.kind(i)).take_while(|k| matches!(k, Some(TokenKind::Newline | TokenKind::Comment)));
            let after_value = !between.any(|k| k == Some(TokenKind::Comment));
            let end = if self.kind(last) == Some(TokenKind::Comma) && !closes_alone && after_value { last } else { last + 1 };
            if opened {
                break_line(out, base + 2);
            }
            let margins = Margins { row: base + 2, continuation: if opened { base + 4 } else { base + 2 } };
            self.flow(out, first, end, margins, if opened { None } else { Some(open) });
            self.comments(out, &end_gap, base + 2);
            if closes_alone {
                break_line(out, base);
            }
        } else if !gap.comments.is_empty() {
            break_line(out, base);
        }
        *out += self.word(close);
    }

    fn braces(&self, out: &mut String, open: usize, close: usize) {
        let inside = || (open + 1..close).map(|i| (self.kind(i), self.word(i)));
        if inside().all(|(kind, _)| matches!(kind, Some(TokenKind::Newline))) {
            *out += "{ }";
            return;
        }
        let splits =
            |(kind, word): (Option<TokenKind>, &str)| matches!(kind, Some(TokenKind::Newline | TokenKind::Comment)) || word.contains('\n');
        if !inside().any(splits) {
            let mut flat = String::new();
            self.flat(&mut flat, open, close);
            if column(out) + width(&flat) <= MAX_COLUMNS {
                *out += &flat;
                return;
            }
        }
        out.push('{');
        let indent = indentation(out);
        let (gap, mut first) = self.gap(open + 1, close);
        if gap.trailing {
            self.comments(out, &Gap { newline: false, comments: gap.comments.iter().take(1).copied().collect(), trailing: true }, indent);
            first = gap.comments.first().map_or(first, |c| c + 1);
        } else {
            first = open + 1;
        }
        if (first..close).any(|i| self.kind(i) != Some(TokenKind::Newline)) {
            break_line(out, indent + 2);
            self.entries(out, first, close, indent + 2);
        }
        break_line(out, indent);
        out.push('}');
    }

    /// Everything between two brackets on one line, however long.
    fn flat(&self, out: &mut String, open: usize, close: usize) {
        *out += self.word(open);
        let is_brace = self.word(open) == "{";
        let mut before = open;
        let mut index = open + 1;
        while index < close {
            let last_comma = self.kind(index) == Some(TokenKind::Comma) && index + 1 == close;
            if last_comma {
                break;
            }
            if before == open && is_brace || before != open && self.space(before, index) {
                out.push(' ');
            }
            match self.partner(index).filter(|_| self.kind(index) == Some(TokenKind::Open)) {
                Some(partner) => {
                    self.flat(out, index, partner);
                    before = partner;
                }
                None => {
                    *out += self.word(index);
                    before = index;
                }
            }
            index = before + 1;
        }
        *out += if is_brace { " }" } else { self.word(close) };
    }
}
