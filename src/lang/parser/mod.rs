//! From a text to its syntax tree.
//!
//! ```text
//! text ──lexer──▶ tokens ──layout──▶ lines, brackets ──grammar/epo.pest──▶ pairs ──build──▶ ast
//!                                                                    └─explain──▶ message
//! ```
//! A line that cannot be read is reported, taken out, and its surroundings are read again: one mistake does not hide others.

mod build;
mod explain;
mod explain_line;
mod expr;
mod failure;
mod literal;

use super::ast;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::layout::{Layout, MAX_PROBLEMS, NONE, blank};
use super::lexer::{Problem, TokenKind};
use super::source::{SourceId, SourceMap, Span};
use grammar::{Grammar, Rule};
use pest::Parser as _;
use pest::error::InputLocation;
use std::collections::BTreeSet;

/// What pest makes of `grammar/epo.pest`.
mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/epo.pest"]
    pub(super) struct Grammar;
}

/// The version of the language that this crate reads.
pub const LANGUAGE: u32 = 1;

/// How many bytes may be read again after mistakes, so that a hostile text costs no more than a few readings.
const RETRY_BYTES: usize = 1024 * 1024;

/// Reads one text. `None` if it cannot be looked at (too large, nested too deep, another version of the language); otherwise the tree
/// without the lines that have mistakes. Errors are in the order of the text.
pub fn parse(sources: &SourceMap, id: SourceId) -> (Option<ast::File>, Diagnostics) {
    let (file, messages, _) = parse_text(id, &sources.get(id).text);
    (file, messages)
}

/// Reads `path=value` as it is given to `--set`: one assignment, in a source called `<command line>`.
pub fn parse_override(sources: &mut SourceMap, text: &str) -> (Option<ast::Line>, Diagnostics) {
    let id = sources.add("<command line>", None, text);
    let (file, mut messages) = parse(sources, id);
    let mut lines = file.map(|f| f.lines).unwrap_or_default();
    if !messages.has_errors() {
        let one_assignment = lines.len() == 1 && matches!(lines[0].kind, ast::LineKind::Assign { .. });
        if !one_assignment {
            let span = Span::new(id, 0..text.len());
            messages
                .push(Diagnostic::error("E0121", span, "expected PIPELINE.PATH=VALUE").help("for example `--set ppo_epo.lambda=0.003`"));
            return (None, messages);
        }
    }
    (lines.pop().filter(|_| !messages.has_errors()), messages)
}

/// [`parse`] for a text that need not be in a [`SourceMap`]; also gives the tokens.
pub(crate) fn parse_text(id: SourceId, text: &str) -> (Option<ast::File>, Diagnostics, Option<Layout>) {
    let layout = match Layout::new(id, text) {
        Ok(layout) => layout,
        Err(fatal) => return (None, Diagnostics(vec![fatal]), None),
    };
    let mut reader = Reader { id, text, masked: layout.mask(text), layout: &layout, messages: Vec::new(), retries: RETRY_BYTES };
    let mut lines = reader.read();
    let mut messages = reader.messages;
    let language = match language_line(&mut lines, &mut messages) {
        Ok(language) => language,
        Err(fatal) => return (None, Diagnostics(vec![fatal]), Some(layout)),
    };
    messages.sort_by_key(|m| m.labels.first().map(|l| l.span.start));
    let mut all = Diagnostics::default();
    let more = messages.len() > MAX_PROBLEMS;
    messages.into_iter().take(MAX_PROBLEMS).for_each(|m| all.push(m));
    if more {
        all.push(Diagnostic::bare("E0032", format!("more mistakes follow; only the first {MAX_PROBLEMS} are shown")));
    }
    (Some(ast::File { language, lines }), all, Some(layout))
}

/// Takes `language = 1` off the first line.
fn language_line(lines: &mut Vec<ast::Line>, messages: &mut Vec<Diagnostic>) -> Result<Option<(u32, Span)>, Diagnostic> {
    let is_language = |line: &ast::Line| matches!(&line.kind, ast::LineKind::Assign { path, .. } if path.parts.len() == 1 && path.parts[0].name == "language");
    let mut found = None;
    if lines.first().is_some_and(is_language)
        && let ast::LineKind::Assign { value, .. } = lines.remove(0).kind
    {
        match value.kind {
            ast::ExprKind::Number(n) if n == f64::from(LANGUAGE) => found = Some((LANGUAGE, value.span)),
            ast::ExprKind::Number(n) if n.fract() == 0.0 && n >= 0.0 => {
                let message = format!("this file is written in version {n} of the language; this program reads version {LANGUAGE}");
                return Err(
                    Diagnostic::error("E0027", value.span, message).help("use a newer `epo-run`, or the file that belongs to this one")
                );
            }
            _ => messages.push(
                Diagnostic::error("E0028", value.span, "the version of the language is a plain number")
                    .help(format!("write `language = {LANGUAGE}`")),
            ),
        }
    }
    for line in lines.iter().filter(|l| is_language(l)) {
        messages.push(Diagnostic::error("E0028", line.span, "`language` must be the first line of the file").help("move it to the top"));
    }
    lines.retain(|l| !is_language(l));
    Ok(found)
}

struct Reader<'a> {
    id: SourceId,
    text: &'a str,
    /// What the grammar reads; lines with mistakes are blanked as they are found.
    masked: Vec<u8>,
    layout: &'a Layout,
    messages: Vec<Diagnostic>,
    retries: usize,
}

impl Reader<'_> {
    fn read(&mut self) -> Vec<ast::Line> {
        self.take_layout_problems();
        let mut lines = Vec::new();
        let mut messages_before = self.messages.len();
        let mut broken = self.layout.broken.iter().peekable();
        for item in &self.layout.items {
            let failed_before = self.messages.len() > messages_before;
            messages_before = self.messages.len();
            // A `{` on the line after the header it belongs to, about which something was just said.
            if broken.next_if_eq(&item).is_some() || failed_before && self.masked.get(self.layout.range(*item).start) == Some(&b'{') {
                continue;
            }
            if self.messages.len() > MAX_PROBLEMS {
                break;
            }
            lines.extend(self.item(*item));
        }
        lines
    }

    /// One message a line; of a line whose brackets do not match, only the first one found in it.
    fn take_layout_problems(&mut self) {
        let broken: BTreeSet<u32> = self.layout.broken.iter().copied().collect();
        let mut seen = BTreeSet::new();
        let mut string_end = None;
        for problem in &self.layout.problems {
            let segment = self.layout.segment_of.get(problem.token).copied().unwrap_or(NONE);
            let item = self.layout.item_of(segment);
            let line = if broken.contains(&item) { item } else { segment };
            if !seen.insert(line) {
                continue;
            }
            self.remove(segment);
            // A string over two lines is open on both; the second is its end.
            let place = problem.diagnostic.labels.first().map_or(0..0, |l| l.span.range());
            let is_end = problem.diagnostic.code == "E0005"
                && string_end.is_some_and(|end| self.newlines(end..place.start) == 1)
                && !self.text.get(place.end..).is_some_and(|rest| rest.lines().next().unwrap_or("").contains(char::is_alphanumeric));
            if is_end {
                string_end = None;
                continue;
            }
            string_end = (problem.diagnostic.code == "E0005").then_some(place.end);
            self.messages.push(self.foreign_form(segment, problem).unwrap_or_else(|| problem.diagnostic.clone()));
        }
    }

    /// What is said of a line of another language in the place of one of its signs: `def f(x): …`, `for x in y: …`, `lambda x: …`.
    fn foreign_form(&self, segment: u32, problem: &Problem) -> Option<Diagnostic> {
        let sign = self.layout.tokens.get(problem.token).filter(|t| t.text(self.text) == ":")?;
        let first = self.layout.segments.get(segment as usize)?.first as usize;
        let words = self.layout.tokens.get(first..problem.token)?.iter().filter(|t| t.kind == TokenKind::Word && t.end <= sign.start);
        let mut words = words.peekable();
        let opening = words.peek()?;
        if matches!(opening.text(self.text), "def" | "for" | "while" | "if" | "elif" | "else" | "class" | "with" | "try") {
            return Some(build::unknown_line(opening.text(self.text), opening.span(self.id)));
        }
        let lambda = words.find(|t| t.text(self.text) == "lambda")?;
        let message = "a function has a name and a line of its own";
        Some(
            Diagnostic::error("E0013", lambda.span(self.id), message)
                .help("write `fn name(x) = …` and call it, or the expression itself without `lambda`"),
        )
    }

    fn newlines(&self, range: std::ops::Range<usize>) -> usize {
        self.text.get(range).map_or(0, |part| part.matches('\n').count())
    }

    /// Blanks a line with its comma; says whether there was anything left of it.
    fn remove(&mut self, segment: u32) -> bool {
        let range = self.layout.range(segment);
        let some = self.masked.get(range.clone()).is_some_and(|part| part.iter().any(|b| *b != b' '));
        blank(&mut self.masked, range);
        if let Some(s) = self.layout.segments.get(segment as usize)
            && let Some(comma) = self.layout.tokens.get(s.comma as usize)
        {
            blank(&mut self.masked, comma.start as usize..comma.end as usize);
        }
        some
    }

    /// Whether a message says again of the same line of text that it holds values without names: `seeds = 0, 1, 2` in braces.
    fn repeats(&self, message: &Diagnostic) -> bool {
        let place = |m: &Diagnostic| m.labels.first().map_or(0..0, |l| l.span.range());
        let similar = |m: &&Diagnostic| m.code == "E0023" && message.code == "E0023" && m.help == message.help;
        self.messages.last().filter(similar).is_some_and(|m| self.newlines(place(m).end..place(message).start) == 0)
    }

    fn item(&mut self, item: u32) -> Option<ast::Line> {
        let range = self.layout.range(item);
        loop {
            let masked = std::str::from_utf8(self.masked.get(range.clone())?).ok()?;
            if masked.bytes().all(|b| b == b' ') {
                return None;
            }
            let at = match Grammar::parse(Rule::item, masked) {
                Ok(pairs) => {
                    let mut builder = build::Builder::new(self.id, self.text, range.start);
                    let line = builder.item(pairs);
                    self.messages.append(&mut builder.messages);
                    return line;
                }
                Err(error) => match error.location {
                    InputLocation::Pos(at) | InputLocation::Span((at, _)) => range.start + at,
                },
            };
            let failure = failure::Failure::new(self.id, self.text, self.layout, &self.masked, item, at);
            let message = failure.explain();
            if !self.repeats(&message) {
                self.messages.push(message);
            }
            let (segment, orphan) = (failure.segment(), failure.orphan());
            if let Some(orphan) = orphan {
                self.remove(orphan);
            }
            if segment == item || self.messages.len() > MAX_PROBLEMS || self.retries < range.len() {
                return None;
            }
            self.retries -= range.len();
            if !self.remove(segment) {
                return None;
            }
        }
    }
}

/// Whether a token can begin a value.
fn begins_value(kind: TokenKind, text: &str) -> bool {
    match kind {
        TokenKind::Word | TokenKind::Number | TokenKind::Text | TokenKind::TripleText => true,
        TokenKind::Open => text != "{",
        TokenKind::Operator => matches!(text, "-" | "not"),
        _ => false,
    }
}
