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
    /// What the grammar read.
    masked: &'a [u8],
    /// The top-level line.
    item: u32,
    /// The token at which reading stopped, if the line has not ended there.
    next: Option<usize>,
    /// The token before.
    previous: Option<usize>,
}

impl<'a> Failure<'a> {
    /// `at` is the furthest place, in bytes of the text.
    pub fn new(id: SourceId, text: &'a str, layout: &'a Layout, masked: &'a [u8], item: u32, at: usize) -> Self {
        let range = layout.segments.get(item as usize).map_or(0..0, |s| s.first as usize..s.last as usize + 1);
        let tokens = layout.tokens.get(range.clone()).unwrap_or(&[]);
        let skip = tokens.partition_point(|t| t.end as usize <= at);
        // Tokens of lines that were taken out are no longer there.
        let there = |i: &usize| layout.tokens.get(*i).is_some_and(|t| masked.get(t.start as usize) != Some(&b' '));
        let next = (range.start + skip..range.end).find(there);
        let previous = (range.start..(range.start + skip).min(range.end)).rev().find(there);
        Self { id, text, layout, masked, item, next, previous }
    }

    fn counts(&self, index: usize) -> bool {
        self.layout.tokens.get(index).is_some_and(|t| self.masked.get(t.start as usize) != Some(&b' '))
    }

    fn segment_of(&self, index: Option<usize>) -> Option<u32> {
        index.and_then(|i| self.layout.segment_of.get(i)).copied().filter(|s| *s != NONE)
    }

    /// The line to take out so that the rest can be read.
    pub fn segment(&self) -> u32 {
        let ended = match self.kind(self.next) {
            Some(TokenKind::Newline) => true,
            Some(TokenKind::Close) => self.word(self.next) == "}",
            _ => false,
        };
        let blamed = if ended { self.previous } else { self.next };
        self.segment_of(blamed).unwrap_or(self.item)
    }

    /// The first token after the end of the failing line, if the line ends with a newline.
    fn after_line(&self) -> Option<usize> {
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
    pub fn orphan(&self) -> Option<u32> {
        let after = self.after_line()?;
        let is_value = self.word(self.previous) == "=" && self.is_lone_value(after);
        if is_value || self.word(Some(after)) == "{" { self.segment_of(Some(after)) } else { None }
    }

    /// Whether the line that begins at a token is a value rather than a line of its own.
    fn is_lone_value(&self, first: usize) -> bool {
        match self.kind(Some(first)) {
            Some(TokenKind::Number | TokenKind::Text | TokenKind::TripleText) => true,
            Some(TokenKind::Open) => true,
            Some(TokenKind::Word) => self.word(Some(first + 1)) == "(" || matches!(self.kind(Some(first + 1)), Some(TokenKind::Newline)),
            _ => false,
        }
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
        match self.kind(index) {
            None | Some(TokenKind::Newline | TokenKind::Close) => true,
            Some(TokenKind::Comma) => self.bracket(index).0.is_some(),
            Some(_) => false,
        }
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
            _ => self.next,
        };
        let segment = self.segment_of(segment).unwrap_or(self.item);
        let Some(s) = self.layout.segments.get(segment as usize) else { return Vec::new() };
        let end = self.previous.map_or(0, |p| p + 1);
        // Only the beginning matters to the messages.
        (s.first as usize..end).filter(|i| self.counts(*i)).take(8).collect()
    }

    fn error(&self, code: &'static str, at: Option<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, self.span(at), message)
    }

    pub fn explain(&self) -> Diagnostic {
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
            Some(Open) | Some(Comma) | Some(Newline) | None if matches!(around, "(" | "[") => self.element(opener),
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
        let last = if self.kind(self.next) == Some(TokenKind::Dot) { self.next.map(|i| i + 1) } else { self.next };
        let word = self.word(last);
        if matches!(word, "and" | "or" | "not") {
            return self.error("E0010", last, format!("`{word}` is an operator and cannot be a name"));
        }
        if self.is_parameters(self.around().0) {
            let help = form("fn").map_or("", |f| f.1);
            return self.error("E0015", self.next, "a parameter is one name, without `.`").help(help);
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
            ("=" | "<" | ">", "{") => diagnostic.help("a component begins with the name of its kind: `kind { … }`"),
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
            Some(TokenKind::Open) if self.word(self.next) == "{" => self
                .error("E0023", self.next, format!("a line begins with a name, found {shown}"))
                .help("`{` stands on the line of the name before it"),
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
            && let Some((expected, place)) = self.expected_in(first, &line)
        {
            let (at, found) = match place {
                Some(place) => (Some(place), format!(", found {}", self.shown(Some(place)))),
                None => (at, found),
            };
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

    /// What a line that begins with a known word lacks, and which token stands in its place if that is not where reading stopped; `None`
    /// if the line is complete as far as it goes.
    fn expected_in(&self, first: &str, line: &[usize]) -> Option<(String, Option<usize>)> {
        let word = |i: usize| self.word(line.get(i).copied());
        let (second, third) = (line.get(1).copied(), line.get(2).copied());
        if second.is_some() && self.kind(second) != Some(TokenKind::Word) && first != "import" {
            return Some((format!("a name after `{first}`"), second));
        }
        if self.word(self.next) == "-" && line.len() == 2 {
            return None;
        }
        let expected = match (first, line.len()) {
            ("import", 1) => "a file's name in quotes after `import`".to_owned(),
            ("import", 2) => format!("`as` or the end of the line after {}", self.shown(second)),
            ("import", 3) => "a name after `as`".to_owned(),
            ("without", 1) => "a path after `without`".to_owned(),
            (_, 1) => format!("a name after `{first}`"),
            ("pipeline", 2) => format!("`{{` or `from` after `{}`", word(1)),
            ("pipeline", _) if !matches!(word(2), "from" | "{") => return Some((format!("`{{` or `from` after `{}`", word(1)), third)),
            ("pipeline", 3) if word(2) == "from" => "the name of a pipeline after `from`".to_owned(),
            ("pipeline", _) if !line.iter().any(|i| self.word(Some(*i)) == "{") => format!("`{{` after `{}`", self.word(self.previous)),
            ("fn", 2) => format!("`(` after `{}`", word(1)),
            ("fn", _) if self.word(self.previous) == ")" && !line.iter().any(|i| self.kind(Some(*i)) == Some(TokenKind::Equals)) => {
                "`=` and a value after `)`".to_owned()
            }
            ("prompt", 2) => format!("`=` and a text after `{}`", word(1)),
            _ => return None,
        };
        Some((expected, None))
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
                if self.after_line().is_some_and(|after| self.word(Some(after)) == "{") {
                    return self
                        .error("E0022", at, format!("expected `{{` after `{name}`"))
                        .help(format!("`{{` stands on the line of `{name}`"));
                }
                let diagnostic = self.error("E0022", at, format!("expected `=` and a value after `{name}`"));
                match closest(name, FORMS.iter().map(|f| f.0)) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic,
                }
            }
            Some(TokenKind::Operator) if next == "==" => {
                self.error("E0022", at, format!("expected `=` after `{name}`{found}")).help("a value is given with a single `=`")
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
        let opener = self.word(self.next);
        let before = if self.kind(self.previous) == Some(TokenKind::Close) { "this value".to_owned() } else { self.shown(self.previous) };
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
