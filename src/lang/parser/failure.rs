//! Where the grammar stopped: the tokens around the place, and the line they belong to.

use super::super::diagnostic::Diagnostic;
use super::super::layout::{Layout, NONE};
use super::super::lexer::{Token, TokenKind};
use super::super::source::{SourceId, Span};

pub(super) struct Failure<'a> {
    pub(super) id: SourceId,
    pub(super) text: &'a str,
    pub(super) layout: &'a Layout,
    /// What the grammar read.
    masked: &'a [u8],
    /// The top-level line.
    item: u32,
    /// The token at which reading stopped, if the line has not ended there.
    pub(super) next: Option<usize>,
    /// The token before.
    pub(super) previous: Option<usize>,
}

impl<'a> Failure<'a> {
    /// `at` is the furthest place, in bytes of the text.
    pub(super) fn new(id: SourceId, text: &'a str, layout: &'a Layout, masked: &'a [u8], item: u32, at: usize) -> Self {
        let range = layout.segments.get(item as usize).map_or(0..0, |s| s.first as usize..s.last as usize + 1);
        let tokens = layout.tokens.get(range.clone()).unwrap_or(&[]);
        let skip = tokens.partition_point(|t| t.end as usize <= at);
        // Tokens of lines that were taken out are no longer there.
        let there = |i: &usize| layout.tokens.get(*i).is_some_and(|t| masked.get(t.start as usize) != Some(&b' '));
        let next = (range.start + skip..range.end).find(there);
        let previous = (range.start..(range.start + skip).min(range.end)).rev().find(there);
        Self { id, text, layout, masked, item, next, previous }
    }

    pub(super) fn counts(&self, index: usize) -> bool {
        self.layout.tokens.get(index).is_some_and(|t| self.masked.get(t.start as usize) != Some(&b' '))
    }

    pub(super) fn segment_of(&self, index: Option<usize>) -> Option<u32> {
        index.and_then(|i| self.layout.segment_of.get(i)).copied().filter(|s| *s != NONE)
    }

    /// The line to take out so that the rest can be read.
    pub(super) fn segment(&self) -> u32 {
        let ended = match self.kind(self.next) {
            Some(TokenKind::Newline) => true,
            Some(TokenKind::Close) => self.word(self.next) == "}",
            _ => false,
        };
        let blamed = if ended { self.previous } else { self.next };
        self.segment_of(blamed).unwrap_or(self.item)
    }

    /// The first token after the end of the failing line, if the line ends with a newline.
    pub(super) fn after_line(&self) -> Option<usize> {
        let from = match self.kind(self.next) {
            Some(TokenKind::Newline) => self.next,
            None => self.previous,
            _ => None,
        }?;
        let rest = self.layout.tokens.get(from + 1..).unwrap_or(&[]);
        let skipped = rest.iter().take_while(|t| matches!(t.kind, TokenKind::Newline | TokenKind::Comment)).count();
        Some(from + 1 + skipped)
    }

    /// A line that only makes sense as the continuation of the failing one, and would be complained about again: a value on the line
    /// after its `=`, a `{` on the line after its name.
    pub(super) fn orphan(&self) -> Option<u32> {
        let after = self.after_line()?;
        let is_value = self.word(self.previous) == "=" && self.is_lone_value(after);
        if is_value || self.word(Some(after)) == "{" { self.segment_of(Some(after)) } else { None }
    }

    /// Whether the line that begins at a token is a value rather than a line of its own.
    pub(super) fn is_lone_value(&self, first: usize) -> bool {
        match self.kind(Some(first)) {
            Some(TokenKind::Number | TokenKind::Text | TokenKind::TripleText) => true,
            Some(TokenKind::Open) => true,
            Some(TokenKind::Word) => self.word(Some(first + 1)) == "(" || matches!(self.kind(Some(first + 1)), Some(TokenKind::Newline)),
            _ => false,
        }
    }

    pub(super) fn token(&self, index: Option<usize>) -> Option<Token> {
        self.layout.tokens.get(index?).copied()
    }

    pub(super) fn kind(&self, index: Option<usize>) -> Option<TokenKind> {
        self.token(index).map(|t| t.kind)
    }

    pub(super) fn word(&self, index: Option<usize>) -> &'a str {
        self.token(index).map_or("", |t| t.text(self.text))
    }

    pub(super) fn span(&self, index: Option<usize>) -> Span {
        self.token(index).map_or(Span::new(self.id, 0..0), |t| t.span(self.id))
    }

    /// Whether the line ends at this token: newline, comma, closing bracket, end of the text.
    pub(super) fn ends_line(&self, index: Option<usize>) -> bool {
        match self.kind(index) {
            None | Some(TokenKind::Newline | TokenKind::Close) => true,
            Some(TokenKind::Comma) => self.bracket(index).0.is_some(),
            Some(_) => false,
        }
    }

    /// What the user sees of a token.
    pub(super) fn shown(&self, index: Option<usize>) -> String {
        match self.kind(index) {
            None => "the end of the text".to_owned(),
            Some(TokenKind::Newline) => "the end of the line".to_owned(),
            Some(TokenKind::Text | TokenKind::TripleText) if self.word(index).chars().count() > 30 || self.word(index).contains('\n') => {
                "a text".to_owned()
            }
            Some(_) => format!("`{}`", self.word(index)),
        }
    }

    /// The bracket around a token: `(`, `[`, `{`, or nothing.
    pub(super) fn bracket(&self, index: Option<usize>) -> (Option<usize>, &'a str) {
        let opener = index.and_then(|i| self.layout.inside.get(i)).copied().filter(|o| *o != NONE).map(|o| o as usize);
        (opener, self.word(opener))
    }

    pub(super) fn around(&self) -> (Option<usize>, &'a str) {
        // A closing bracket belongs to its line; what it closes is around the failure.
        if self.kind(self.next) == Some(TokenKind::Close) {
            let opener = self.next.and_then(|i| self.layout.partner.get(i)).copied().filter(|o| *o != NONE).map(|o| o as usize);
            return (opener, self.word(opener));
        }
        match self.next {
            Some(_) => self.bracket(self.next),
            None => (None, ""),
        }
    }

    /// The tokens of the failing line, from its first up to the one before the failure.
    pub(super) fn line(&self) -> Vec<usize> {
        let segment = match self.kind(self.next) {
            Some(TokenKind::Newline | TokenKind::Close) | None => self.previous,
            _ => self.next,
        };
        let segment = self.segment_of(segment).unwrap_or(self.item);
        let Some(s) = self.layout.segments.get(segment as usize) else { return Vec::new() };
        let end = self.previous.map_or(0, |p| p + 1);
        // Only the beginning matters to the messages.
        (s.first as usize..end).filter(|i| self.counts(*i)).take(8).collect()
    }

    pub(super) fn error(&self, code: &'static str, at: Option<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, self.span(at), message)
    }
}
