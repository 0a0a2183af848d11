//! Why the grammar stopped: from the furthest place it reached and the tokens around it to words.

use super::super::diagnostic::Diagnostic;
use super::super::layout::closer_of;
use super::super::lexer::TokenKind;
use super::build::form;
use super::explain_line::foreign_word;
use super::failure::Failure;
use super::{begins_value, literal};

impl Failure<'_> {
    pub(super) fn explain(&self) -> Diagnostic {
        let diagnostic = self.words();
        match self.carried_over() {
            Some(operator) => {
                diagnostic.also(self.span(Some(operator)), format!("after this `{}` the line goes on", self.word(Some(operator))))
            }
            None => diagnostic,
        }
    }

    /// The operator at the end of an earlier line that made the failing one its continuation.
    fn carried_over(&self) -> Option<usize> {
        let next = self.next?;
        let first = self.layout.segments.get(self.segment_of(self.next)? as usize)?.first as usize;
        let newline = (first..next).rev().find(|i| self.kind(Some(*i)) == Some(TokenKind::Newline))?;
        if self.layout.ends_line.get(newline).copied().unwrap_or(true) || self.bracket(Some(newline)) != self.bracket(self.next) {
            return None;
        }
        let before = (first..newline).rev().find(|i| self.counts(*i))?;
        (self.kind(Some(before)) == Some(TokenKind::Operator) && self.previous != Some(before)).then_some(before)
    }

    fn words(&self) -> Diagnostic {
        use TokenKind::*;
        let (opener, around) = self.around();
        let previous = self.kind(self.previous);
        if let Some(diagnostic) = self.reserved() {
            return diagnostic;
        }
        if self.kind(self.next) == Some(Dot) || previous == Some(Dot) {
            return self.dot();
        }
        match previous {
            Some(Equals | Operator) => self.expected_value(),
            Some(Open | Comma | Newline) | None if matches!(around, "(" | "[") => self.element(opener),
            Some(Open | Comma | Newline) | None => self.line_begins(),
            Some(_) if matches!(around, "(" | "[") => self.after_element(opener, around),
            Some(_) => self.after_value(),
        }
    }

    /// `and = 3`, `fn not(x) = 1`
    fn reserved(&self) -> Option<Diagnostic> {
        let word = self.word(self.next);
        if self.kind(self.next) != Some(TokenKind::Operator) && !matches!(self.kind(self.previous), Some(TokenKind::Dot)) {
            return None;
        }
        if !matches!(word, "and" | "or" | "not") {
            return None;
        }
        let line = self.line();
        let names =
            matches!(self.kind(self.previous), None | Some(TokenKind::Open | TokenKind::Comma | TokenKind::Newline | TokenKind::Dot))
                || line.len() == 1 && form(self.word(line.first().copied())).is_some();
        names.then(|| self.error("E0010", self.next, format!("`{word}` is an operator and cannot be a name")))
    }

    fn dot(&self) -> Diagnostic {
        let touching = |a: Option<usize>, b: Option<usize>| self.span(a).end == self.span(b).start;
        if self.kind(self.previous) == Some(TokenKind::Number)
            && self.kind(self.next) == Some(TokenKind::Dot)
            && touching(self.previous, self.next)
        {
            let number = self.word(self.previous);
            return self
                .error("E0007", self.next, "expected a digit after the decimal point")
                .help(format!("write `{number}` or `{number}.0`"));
        }
        let last = if self.kind(self.next) == Some(TokenKind::Dot) { self.next.map(|i| i + 1) } else { self.next };
        let word = self.word(last);
        if matches!(word, "and" | "or" | "not") {
            return self.error("E0010", last, format!("`{word}` is an operator and cannot be a name"));
        }
        if self.is_parameters(self.around().0) {
            let help = form("fn").map_or("", |f| f.1);
            return self.error("E0015", self.next, "a parameter is one name, without `.`").help(help);
        }
        let after_value = self.kind(self.previous) == Some(TokenKind::Close) && self.kind(self.next) == Some(TokenKind::Dot);
        if after_value && self.kind(last) == Some(TokenKind::Word) {
            return self
                .error("E0029", self.next, format!("a value has no functions of its own, so no `.{word}`"))
                .help("a function stands before its value: `mean(x)`, not `x.mean()`");
        }
        let dot = if self.kind(self.next) == Some(TokenKind::Dot) { self.next } else { self.previous };
        self.error("E0029", dot, "a `.` stands between two names, without spaces").help("for example `train.best`")
    }

    /// After `=` or an operator.
    fn expected_value(&self) -> Diagnostic {
        let before = self.word(self.previous);
        if self.ends_line(self.next) {
            let diagnostic = self.error("E0001", self.previous, format!("expected a value after `{before}`"));
            return match self.after_line() {
                Some(after) if before == "=" && self.is_lone_value(after) => diagnostic.help("the value begins on the line of its `=`"),
                _ => diagnostic,
            };
        }
        let diagnostic = self.error("E0001", self.next, format!("expected a value after `{before}`, found {}", self.shown(self.next)));
        match (before, self.word(self.next)) {
            ("=", "=") => diagnostic.help("equality is `==`, without a space"),
            ("=" | "<" | ">", "{") => {
                diagnostic.help("a component begins with the name of its kind, `kind { … }`; a block, like `loss { … }`, has no `=`")
            }
            (_, "+") => diagnostic.help("a number without `-` is positive"),
            _ => diagnostic,
        }
    }

    /// At the place of an argument, a parameter or a list's element.
    fn element(&self, opener: Option<usize>) -> Diagnostic {
        let shown = self.shown(self.next);
        if self.is_parameters(opener) {
            let help = form("fn").map_or("", |f| f.1);
            return self.error("E0015", self.next, format!("expected a parameter's name, found {shown}")).help(help);
        }
        match self.kind(self.next) {
            Some(TokenKind::Equals) => self.error("E0031", self.next, "expected a name before `=`"),
            Some(TokenKind::Close) => {
                let message = if self.kind(self.previous) == Some(TokenKind::Comma) {
                    "one comma is enough"
                } else {
                    "expected a value between the brackets"
                };
                self.error("E0001", self.next, message)
            }
            _ => self.error("E0001", self.next, format!("expected a value before {shown}")),
        }
    }

    /// At the place where a line begins, inside braces or at top level.
    pub(super) fn line_begins(&self) -> Diagnostic {
        let shown = self.shown(self.next);
        match self.kind(self.next) {
            Some(TokenKind::Comma) => self.error("E0023", self.next, "nothing stands before this comma").help("remove it"),
            Some(TokenKind::Text) => {
                let name = self.word(self.next).trim_matches('"');
                let diagnostic = self.error("E0023", self.next, format!("a line begins with a name, found {shown}"));
                if super::super::lexer::is_name(name) {
                    diagnostic.help(format!("names are written without quotes: `{name}`"))
                } else {
                    diagnostic
                }
            }
            Some(TokenKind::Open) if self.word(self.next) == "{" => self
                .error("E0023", self.next, format!("a line begins with a name, found {shown}"))
                .help("`{` stands on the line of the name before it"),
            _ => {
                let diagnostic = self.error("E0023", self.next, format!("a line begins with a name, found {shown}"));
                let in_list = self.kind(self.previous) == Some(TokenKind::Comma) && self.is_value_after(self.previous);
                if in_list { diagnostic.help("a list is written `[a, b]`") } else { diagnostic }
            }
        }
    }

    /// Whether a comma is followed by a plain value, as in `seeds = 0, 1`.
    pub(super) fn is_value_after(&self, comma: Option<usize>) -> bool {
        matches!(self.kind(comma.map(|i| i + 1)), Some(TokenKind::Number | TokenKind::Text))
    }

    /// After a complete value inside ( ) or [ ].
    fn after_element(&self, opener: Option<usize>, around: &str) -> Diagnostic {
        let shown = self.shown(self.next);
        let closer = closer_of(around);
        match self.kind(self.next) {
            Some(TokenKind::Equals) if around == "[" => self.error("E0031", self.next, "`=` cannot stand in a list"),
            Some(TokenKind::Equals) => {
                self.error("E0031", self.next, "only a plain name can be given a value inside `( )`").help("equality is `==`")
            }
            Some(kind) if begins_value(kind, self.word(self.next)) => {
                if let Some(unit) = self.unit() {
                    return unit;
                }
                let parameters = self.is_parameters(opener);
                let diagnostic = self.error("E0002", self.next, format!("expected `,` between {} and {shown}", self.shown(self.previous)));
                if parameters {
                    diagnostic.help("parameters are names, with or without `= default`")
                } else {
                    foreign_word(diagnostic, self.word(self.next))
                }
            }
            _ if self.is_group(opener) => self.error("E0002", self.next, format!("expected `)` before {shown}")),
            _ => self.error("E0002", self.next, format!("expected `,` or `{closer}` before {shown}")),
        }
    }

    /// `30 min`
    pub(super) fn unit(&self) -> Option<Diagnostic> {
        let (number, unit) = (self.word(self.previous), self.word(self.next));
        let is_unit = self.kind(self.previous) == Some(TokenKind::Number) && literal::is_unit(unit);
        is_unit.then(|| self.error("E0008", self.next, "a unit stands directly after its number").help(format!("write `{number}{unit}`")))
    }

    /// Whether the opener is that of `( expression )`, not of a call.
    pub(super) fn is_group(&self, opener: Option<usize>) -> bool {
        let Some(opener) = opener else { return false };
        let before = opener.checked_sub(1);
        self.word(Some(opener)) == "("
            && !(self.kind(before) == Some(TokenKind::Word) && self.span(before).end == self.span(Some(opener)).start)
    }

    pub(super) fn is_parameters(&self, opener: Option<usize>) -> bool {
        let line = self.line();
        self.word(line.first().copied()) == "fn" && line.get(2).copied() == opener
    }
}
