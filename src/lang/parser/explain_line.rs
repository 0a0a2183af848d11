//! What a line lacks, or has too much of, after a name or a complete value.

use super::super::diagnostic::{Diagnostic, closest};
use super::super::lexer::TokenKind;
use super::build::{FORMS, form, unknown_line};
use super::failure::Failure;

/// With what to write instead of a word that other languages have between values.
pub(super) fn foreign_word(diagnostic: Diagnostic, word: &str) -> Diagnostic {
    match word {
        "if" | "else" | "unless" => diagnostic.help("a choice between values is written `where(condition, yes, no)`"),
        "for" | "in" => {
            diagnostic.help("there are no loops and no lists to go through; `mean`, `sum` and `count` reduce what a batch holds")
        }
        "is" => diagnostic.help("equality is `==`"),
        _ => diagnostic,
    }
}

impl<'a> Failure<'a> {
    /// After a complete value or name in a line.
    pub(super) fn after_value(&self) -> Diagnostic {
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
        if let (Some(TokenKind::Word), Some(TokenKind::Word), None) = (self.kind(line.first().copied()), second, form(first)) {
            return unknown_line(first, self.span(line.first().copied()));
        }
        if let Some(path) = self.lone_path(&line) {
            return self.lone_name(path, at, &found);
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

    /// The text of a line of which only a name or a path was read.
    fn lone_path(&self, line: &[usize]) -> Option<&'a str> {
        let wanted = |i: usize| if i.is_multiple_of(2) { TokenKind::Word } else { TokenKind::Dot };
        let is_path = line.iter().enumerate().all(|(i, token)| self.kind(Some(*token)) == Some(wanted(i)));
        let (first, last) = (self.span(line.first().copied()), self.span(self.previous));
        if is_path { self.text.get(first.start as usize..last.end as usize) } else { None }
    }

    fn lone_name(&self, name: &str, at: Option<usize>, found: &str) -> Diagnostic {
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
            let help = if self.is_value_after(self.next) { "a list is written `[a, b]`" } else { "remove it" };
            return self.error("E0012", self.next, "a comma ends a line only inside braces").help(help);
        }
        let expected = if around == "{" { "expected a new line or `,`" } else { "expected a new line" };
        let diagnostic = self.error("E0012", self.next, format!("{expected} before {shown}"));
        foreign_word(diagnostic, self.word(self.next))
    }
}
