//! Why the grammar stopped: from the furthest place it reached and the tokens around it to words.

use super::super::diagnostic::{Diagnostic, closest};
use super::super::layout::{Layout, NONE, closer_of};
use super::super::lexer::{Token, TokenKind};
use super::super::source::{SourceId, Span};
use super::build::{FORMS, form};
use super::{begins_value, literal};

pub struct Failure<'a> {
    id: SourceId,
    text: &'a str,
    layout: &'a Layout,
    /// The top-level line.
    item: u32,
    /// The token at which reading stopped, if the line has not ended there.
    next: Option<usize>,
    /// The token before.
    previous: Option<usize>,
}

impl<'a> Failure<'a> {
    /// `at` is the furthest place, in bytes of the text.
    pub fn new(id: SourceId, text: &'a str, layout: &'a Layout, item: u32, at: usize) -> Self {
        let range = layout.segments.get(item as usize).map_or(0..0, |s| s.first as usize..s.last as usize + 1);
        let tokens = layout.tokens.get(range.clone()).unwrap_or(&[]);
        let skip = tokens.partition_point(|t| t.end as usize <= at);
        let next = (range.start + skip..range.end).find(|i| layout.counts(*i));
        let previous = (range.start..(range.start + skip).min(range.end)).rev().find(|i| layout.counts(*i));
        Self { id, text, layout, item, next, previous }
    }

    /// The line to take out so that the rest can be read.
    pub fn segment(&self) -> u32 {
        let of = |i: Option<usize>| i.and_then(|i| self.layout.segment_of.get(i)).copied().filter(|s| *s != NONE);
        // At the end of an inner line the token before tells which line failed.
        match (of(self.next), of(self.previous)) {
            (Some(next), Some(previous)) if self.ends_line(self.next) => self.deeper(previous, next),
            (Some(next), _) => next,
            (None, Some(previous)) => previous,
            (None, None) => self.item,
        }
    }

    /// Of two lines, the one that stands inside the other.
    fn deeper(&self, a: u32, b: u32) -> u32 {
        let size = |s: u32| self.layout.range(s).len();
        if size(a) <= size(b) { a } else { b }
    }

    fn token(&self, index: Option<usize>) -> Option<Token> {
        self.layout.tokens.get(index?).copied()
    }

    fn kind(&self, index: Option<usize>) -> Option<TokenKind> {
        self.token(index).map(|t| t.kind)
    }

    fn word(&self, index: Option<usize>) -> &'a str {
        self.token(index).map_or("", |t| t.text(self.text))
    }

    fn span(&self, index: Option<usize>) -> Span {
        self.token(index).map_or(Span::new(self.id, 0..0), |t| t.span(self.id))
    }

    /// Whether the line ends at this token: newline, comma, closing bracket, end of the text.
    fn ends_line(&self, index: Option<usize>) -> bool {
        matches!(self.kind(index), None | Some(TokenKind::Newline | TokenKind::Comma | TokenKind::Close))
    }

    /// What the user sees of a token.
    fn shown(&self, index: Option<usize>) -> String {
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
    fn bracket(&self, index: Option<usize>) -> (Option<usize>, &'a str) {
        let opener = index.and_then(|i| self.layout.inside.get(i)).copied().filter(|o| *o != NONE).map(|o| o as usize);
        (opener, self.word(opener))
    }

    fn around(&self) -> (Option<usize>, &'a str) {
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
    fn line(&self) -> Vec<usize> {
        let segment = match self.kind(self.next) {
            Some(TokenKind::Newline | TokenKind::Close) | None => self.previous,
            Some(TokenKind::Comma) if self.previous.is_some() => self.previous,
            _ => self.next,
        };
        let segment = segment.and_then(|i| self.layout.segment_of.get(i)).copied().unwrap_or(self.item);
        let Some(s) = self.layout.segments.get(segment as usize) else { return Vec::new() };
        let end = self.previous.map_or(0, |p| p + 1);
        // Only the beginning matters to the messages.
        (s.first as usize..end).filter(|i| self.layout.counts(*i)).take(8).collect()
    }

    fn error(&self, code: &'static str, at: Option<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, self.span(at), message)
    }

    pub fn explain(&self) -> Diagnostic {
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
            Some(Open) | Some(Comma) | Some(Newline) | None if matches!(around, "(" | "[") => self.element(around),
            Some(Open) | Some(Comma) | Some(Newline) | None => self.line_begins(),
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
        let dot = if self.kind(self.next) == Some(TokenKind::Dot) { self.next } else { self.previous };
        self.error("E0029", dot, "a `.` stands between two names, without spaces").help("for example `train.best`")
    }

    /// After `=` or an operator.
    fn expected_value(&self) -> Diagnostic {
        let before = self.word(self.previous);
        if self.ends_line(self.next) {
            return self.error("E0001", self.previous, format!("expected a value after `{before}`"));
        }
        let diagnostic = self.error("E0001", self.next, format!("expected a value after `{before}`, found {}", self.shown(self.next)));
        match (before, self.word(self.next)) {
            ("=", "=") => diagnostic.help("equality is `==`, without a space"),
            ("=" | "<" | ">", "{") => diagnostic.help("a component begins with the name of its kind: `kind { … }`"),
            (_, "+") => diagnostic.help("a number without `-` is positive"),
            _ => diagnostic,
        }
    }

    /// At the place of an argument, a parameter or a list's element.
    fn element(&self, around: &str) -> Diagnostic {
        let shown = self.shown(self.next);
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
            _ if around == "{" => self.line_begins(),
            _ => self.error("E0001", self.next, format!("expected a value before {shown}")),
        }
    }

    /// At the place where a line begins, inside braces or at top level.
    fn line_begins(&self) -> Diagnostic {
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
            _ => self.error("E0023", self.next, format!("a line begins with a name, found {shown}")),
        }
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
                if parameters { diagnostic.help("parameters are names, with or without `= default`") } else { diagnostic }
            }
            _ if self.is_group(opener) => self.error("E0002", self.next, format!("expected `)` before {shown}")),
            _ => self.error("E0002", self.next, format!("expected `,` or `{closer}` before {shown}")),
        }
    }

    /// `30 min`
    fn unit(&self) -> Option<Diagnostic> {
        let (number, unit) = (self.word(self.previous), self.word(self.next));
        let is_unit = self.kind(self.previous) == Some(TokenKind::Number) && literal::is_unit(unit);
        is_unit.then(|| self.error("E0008", self.next, "a unit stands directly after its number").help(format!("write `{number}{unit}`")))
    }

    /// Whether the opener is that of `( expression )`, not of a call.
    fn is_group(&self, opener: Option<usize>) -> bool {
        let Some(opener) = opener else { return false };
        let before = opener.checked_sub(1);
        self.word(Some(opener)) == "("
            && !(self.kind(before) == Some(TokenKind::Word) && self.span(before).end == self.span(Some(opener)).start)
    }

    fn is_parameters(&self, opener: Option<usize>) -> bool {
        let line = self.line();
        self.word(line.first().copied()) == "fn" && line.get(2).copied() == opener
    }

    /// After a complete value or name in a line.
    fn after_value(&self) -> Diagnostic {
        let line = self.line();
        let first = self.word(line.first().copied());
        let second = self.kind(line.get(1).copied());
        let at = if self.ends_line(self.next) { self.previous } else { self.next };
        let found = if self.ends_line(self.next) { String::new() } else { format!(", found {}", self.shown(self.next)) };
        if let (Some((code, help)), false) = (form(first), matches!(second, Some(TokenKind::Equals | TokenKind::Dot | TokenKind::Open)))
            && let Some(expected) = self.expected_in(first, &line)
        {
            return self.error(code, at, format!("expected {expected}{found}")).help(help);
        }
        if line.len() == 1 {
            return self.lone_name(at, &found);
        }
        match self.kind(self.next) {
            Some(TokenKind::Equals) => self.second_equals(&line),
            Some(TokenKind::Open) => self.stray_opener(),
            Some(TokenKind::Operator) if self.word(self.next) == "-" => self.hyphen(),
            _ => self.second_line(),
        }
    }

    /// What a line that begins with a known word lacks; `None` if it is complete as far as it goes.
    fn expected_in(&self, first: &str, line: &[usize]) -> Option<String> {
        let word = |i: usize| self.word(line.get(i).copied());
        let named = self.kind(line.get(1).copied()) == Some(TokenKind::Word);
        if self.word(self.next) == "-" && line.len() == 2 {
            return None;
        }
        match (first, line.len()) {
            ("import", 1) => Some("a file's name in quotes after `import`".to_owned()),
            ("import", 2) => Some(format!("`as` or the end of the line after {}", self.shown(line.get(1).copied()))),
            ("import", 3) => Some("a name after `as`".to_owned()),
            ("without", 1) => Some("a path after `without`".to_owned()),
            (_, 1) => Some(format!("a name after `{first}`")),
            ("pipeline", 2) if named => Some(format!("`{{` or `from` after `{}`", word(1))),
            ("pipeline", 3) if word(2) == "from" => Some("the name of a pipeline after `from`".to_owned()),
            ("pipeline", n) if n >= 4 && word(2) == "from" && !line.iter().any(|i| self.word(Some(*i)) == "{") => {
                Some(format!("`{{` after `{}`", self.word(self.previous)))
            }
            ("fn", 2) if named => Some(format!("`(` after `{}`", word(1))),
            ("fn", _) if self.word(self.previous) == ")" && !line.iter().any(|i| self.kind(Some(*i)) == Some(TokenKind::Equals)) => {
                Some("`=` and a value after `)`".to_owned())
            }
            ("prompt", 2) if named => Some(format!("`=` and a text after `{}`", word(1))),
            _ => None,
        }
    }

    /// A line of which only a name was read.
    fn lone_name(&self, at: Option<usize>, found: &str) -> Diagnostic {
        let name = self.word(self.previous);
        let next = self.word(self.next);
        match self.kind(self.next) {
            Some(TokenKind::Operator) if next == "-" => self.hyphen(),
            Some(TokenKind::Open) if next == "(" => self
                .error("E0022", self.next, format!("expected `=` after `{name}`, found `(`"))
                .help(format!("a function is written `fn {name}(…) = value`")),
            Some(TokenKind::Comma | TokenKind::Newline | TokenKind::Close) | None => {
                let diagnostic = self.error("E0022", at, format!("expected `=` and a value after `{name}`"));
                match closest(name, FORMS.iter().map(|f| f.0)) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic,
                }
            }
            _ => self.error("E0022", at, format!("expected `=` after `{name}`{found}")),
        }
    }

    /// `a = b = c`, `f(x) = 3`, `x[0] = 1`
    fn second_equals(&self, line: &[usize]) -> Diagnostic {
        let has_equals = line.iter().any(|i| self.kind(Some(*i)) == Some(TokenKind::Equals));
        let diagnostic = self.error("E0031", self.next, "`=` gives a value once in a line");
        if has_equals { diagnostic.help("equality is `==`") } else { self.error("E0031", self.next, "only a name can be given a value") }
    }

    fn stray_opener(&self) -> Diagnostic {
        let (before, opener) = (self.shown(self.previous), self.word(self.next));
        match opener {
            "(" => self.error("E0030", self.next, format!("{before} cannot be called")).help("only a name can: `f(x)`"),
            "[" => self.error("E0030", self.next, format!("`[` cannot follow {before}")).help("a value has no numbered parts"),
            _ => self.error("E0030", self.next, format!("{before} cannot have fields")).help("only a name can: `kind { field = value }`"),
        }
    }

    /// `pipeline ppo-epo { … }`, `clip-norm = 1`
    fn hyphen(&self) -> Diagnostic {
        let after = self.next.map(|i| i + 1);
        let joined = format!("{}_{}", self.word(self.previous), self.word(after));
        let diagnostic = self.error("E0029", self.next, "a name cannot contain `-`");
        if self.kind(after) == Some(TokenKind::Word) { diagnostic.help(format!("did you mean `{joined}`?")) } else { diagnostic }
    }

    /// A complete line is followed by more on the same line.
    fn second_line(&self) -> Diagnostic {
        if let Some(unit) = self.unit() {
            return unit;
        }
        let shown = self.shown(self.next);
        let (_, around) = self.around();
        if self.kind(self.next) == Some(TokenKind::Comma) {
            return self.error("E0012", self.next, "a comma ends a line only inside braces").help("remove it");
        }
        let expected = if around == "{" { "expected a new line or `,`" } else { "expected a new line" };
        self.error("E0012", self.next, format!("{expected} before {shown}"))
    }
}
