//! Brackets and lines, before any grammar: which newline ends a line, what closes what, and which tokens make one line. One pass
//! without recursion, so that nothing a text holds can exhaust the stack.
//!
//! The innermost bracket decides: inside ( ) and [ ] newlines are space; inside { } and outside of brackets a newline ends a line unless
//! an operator other than `=` stands on either side of it.

mod scan;

use super::diagnostic::Diagnostic;
use super::lexer::{Problem, Token, TokenKind, lex};
use super::source::{SourceId, Span};

/// How deep brackets may nest.
pub(super) const MAX_DEPTH: usize = 64;
/// How many bytes a text may have.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;

/// How many messages about one text are collected.
pub(super) const MAX_PROBLEMS: usize = 100;

pub(super) const NONE: u32 = u32::MAX;

/// One line of the language: a top-level line, or a line inside { }. It may hold further lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// Its first and last token (both included).
    pub first: u32,
    pub last: u32,
    /// The comma that ends it.
    pub comma: u32,
    /// The segment whose braces it stands in; itself at top level.
    pub outer: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub tokens: Vec<Token>,
    /// For every token: the line it belongs to (`NONE` for comments and newlines outside of lines).
    pub segment_of: Vec<u32>,
    /// For every token: the bracket it stands in.
    pub inside: Vec<u32>,
    /// For every bracket: its partner.
    pub partner: Vec<u32>,
    /// For every newline: whether it ends a line.
    pub ends_line: Vec<bool>,
    pub segments: Vec<Segment>,
    /// The top-level lines.
    pub items: Vec<u32>,
    /// In the order of discovery.
    pub problems: Vec<Problem>,
    /// Top-level lines whose braces do not match; they have a problem. (Where only `( )` and `[ ]` do not match, the smallest line around
    /// them can be taken out, so that is no reason to give up the whole.)
    pub broken: Vec<u32>,
    mismatched: bool,
}

impl Layout {
    /// `Err` if the text is too large or too deep to be looked at.
    pub(crate) fn new(source: SourceId, text: &str) -> Result<Self, Diagnostic> {
        if text.len() > MAX_BYTES {
            let message = format!("this text has {} bytes; at most {} MiB are read", text.len(), MAX_BYTES >> 20);
            return Err(Diagnostic::error("E0025", Span::new(source, 0..0), message)
                .help("an experiment is a page of text: data belongs into files of their own"));
        }
        let (tokens, problems) = lex(source, text);
        let layout = Layout::empty(tokens, problems);
        let (problems, tokens) = (layout.problems.clone(), layout.tokens.clone());
        let plain = scan::Scan::new(source, text, layout).run(false)?;
        if !plain.mismatched {
            return Ok(plain);
        }
        // Brackets do not match: look again, and let lines that can only stand at top level end whatever is open.
        let layout = Layout::empty(tokens, problems);
        scan::Scan::new(source, text, layout).run(true)
    }

    fn empty(tokens: Vec<Token>, problems: Vec<Problem>) -> Self {
        let count = tokens.len();
        Self {
            tokens,
            segment_of: vec![NONE; count],
            inside: vec![NONE; count],
            partner: vec![NONE; count],
            ends_line: vec![false; count],
            problems,
            ..Self::default()
        }
    }

    /// The top-level line that holds a segment.
    pub(crate) fn item_of(&self, mut segment: u32) -> u32 {
        while let Some(s) = self.segments.get(segment as usize) {
            if s.outer == segment {
                break;
            }
            segment = s.outer;
        }
        segment
    }

    /// The bytes of a line, without its comma.
    pub(crate) fn range(&self, segment: u32) -> std::ops::Range<usize> {
        let Some(s) = self.segments.get(segment as usize) else { return 0..0 };
        match (self.tokens.get(s.first as usize), self.tokens.get(s.last as usize)) {
            (Some(first), Some(last)) => first.start as usize..last.end as usize,
            _ => 0..0,
        }
    }

    /// The text with comments and newlines that end no line turned into spaces: what the grammar reads.
    pub(crate) fn mask(&self, text: &str) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        if text.starts_with('\u{feff}') {
            blank(&mut bytes, 0..3);
        }
        for (i, token) in self.tokens.iter().enumerate() {
            if token.kind == TokenKind::Comment || token.kind == TokenKind::Newline && !self.ends_line[i] {
                blank(&mut bytes, token.start as usize..token.end as usize);
            }
        }
        bytes
    }
}

pub(super) fn blank(bytes: &mut [u8], range: std::ops::Range<usize>) {
    if let Some(part) = bytes.get_mut(range) {
        part.fill(b' ');
    }
}

pub(super) fn closer_of(opener: &str) -> &'static str {
    match opener {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}
