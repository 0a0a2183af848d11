//! From pest's pairs to lines of the syntax tree. What the grammar reads liberally is refused here, by name.

use super::super::ast::{Function, Ident, Line, LineKind, Param, Path, Text};
use super::super::diagnostic::Diagnostic;
use super::super::source::{SourceId, Span};
use super::{Rule, literal};
use pest::iterators::{Pair, Pairs};

/// The words that a line may begin with, the code of mistakes in such a line, and how it is written.
pub(super) const FORMS: &[(&str, &str, &str)] = &[
    ("import", "E0016", "an import is written `import \"file.epo\"` or `import \"file.epo\" as name`"),
    ("fn", "E0015", "a function is written `fn name(a, b = 1) = value`"),
    ("prompt", "E0017", "a prompt is written `prompt name = \"\"\"…\"\"\"`"),
    ("without", "E0018", "a removal is written `without path.of.line`"),
    ("pipeline", "E0014", "a pipeline is written `pipeline name { … }` or `pipeline name from other { … }`"),
];

pub(super) fn form(word: &str) -> Option<(&'static str, &'static str)> {
    FORMS.iter().find(|(w, ..)| *w == word).map(|(_, code, help)| (*code, *help))
}

/// Where a line stands.
#[derive(Clone, Copy)]
enum Place<'a> {
    File,
    Pipeline,
    Block,
    Component(&'a Path),
}

pub(super) struct Builder<'a> {
    id: SourceId,
    pub(super) text: &'a str,
    /// Where the parsed part begins in the text.
    offset: usize,
    pub messages: Vec<Diagnostic>,
    /// Operators and brackets around the expression being built.
    pub(super) depth: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(id: SourceId, text: &'a str, offset: usize) -> Self {
        Self { id, text, offset, messages: Vec::new(), depth: 0 }
    }

    /// The one line of a successful parse by rule `item`; `None` if it has mistakes.
    pub(super) fn item(&mut self, pairs: Pairs<'_, Rule>) -> Option<Line> {
        let item = pairs.into_iter().next()?;
        let line = item.into_inner().next()?;
        self.line(line, Place::File)
    }

    /// Without the space that pest leaves behind optional parts.
    pub(super) fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let start = self.offset + pair.as_span().start();
        Span::new(self.id, start..start + pair.as_str().trim_end().len())
    }

    pub(super) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.messages.push(Diagnostic::error(code, span, message));
        let last = self.messages.len() - 1;
        &mut self.messages[last]
    }

    pub(super) fn ident(&mut self, pair: &Pair<'_, Rule>) -> Option<Ident> {
        let ident = Ident { name: pair.as_str().to_owned(), span: self.span(pair) };
        self.usable(&ident).then_some(ident)
    }

    fn usable(&mut self, ident: &Ident) -> bool {
        let reserved = matches!(ident.name.as_str(), "true" | "false");
        if reserved {
            self.error("E0010", ident.span, format!("`{}` is a value and cannot be a name", ident.name));
        }
        !reserved
    }

    pub(super) fn path(&mut self, pair: &Pair<'_, Rule>) -> Option<Path> {
        let span = self.span(pair);
        let mut parts = Vec::new();
        let mut start = span.start;
        for name in pair.as_str().trim_end().split('.') {
            let end = start + name.len() as u32;
            parts.push(Ident { name: name.to_owned(), span: Span { start, end, ..span } });
            start = end + 1;
        }
        let mut usable = true;
        for part in &parts {
            usable &= self.usable(part);
        }
        usable.then_some(Path { parts, span })
    }

    fn lines(&mut self, body: Pair<'_, Rule>, place: Place<'_>) -> Vec<Line> {
        let is_line = |r: Rule| !matches!(r, Rule::open_brace | Rule::close_brace | Rule::nl | Rule::comma);
        body.into_inner().filter(|p| is_line(p.as_rule())).filter_map(|p| self.line(p, place)).collect()
    }

    /// The lines of a component, which may only be assignments and blocks.
    pub(super) fn fields(&mut self, kind: &Path, body: Pair<'_, Rule>) -> Vec<Line> {
        self.lines(body, Place::Component(kind))
    }

    fn line(&mut self, pair: Pair<'_, Rule>, place: Place<'_>) -> Option<Line> {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let mut inner = pair.into_inner();
        let kind = match rule {
            Rule::assign => {
                let path = inner.next().and_then(|p| self.path(&p));
                let value = inner.nth(1).and_then(|p| self.expr(p));
                LineKind::Assign { path: path?, value: value? }
            }
            Rule::section => self.section(inner, place)?,
            rule => {
                let word = inner.next()?;
                let wanted = match rule {
                    Rule::function => "fn",
                    Rule::prompt => "prompt",
                    Rule::import => "import",
                    _ => "without",
                };
                self.expect_word(&word, wanted, &inner, place)?;
                let allowed = self.allow(wanted, self.span(&word), place);
                let kind = match rule {
                    Rule::function => self.function(inner),
                    Rule::prompt => self.prompt(inner),
                    Rule::import => self.import(inner),
                    _ => inner.next().and_then(|p| self.path(&p)).map(|path| LineKind::Without { path }),
                };
                allowed?;
                kind?
            }
        };
        Some(Line { kind, span })
    }

    /// `loss { … }` or `pipeline name from other { … }`.
    fn section(&mut self, mut inner: Pairs<'_, Rule>, place: Place<'_>) -> Option<LineKind> {
        let word = inner.next()?;
        let body = inner.clone().last()?;
        let is_named = inner.peek().is_some_and(|p| p.as_rule() == Rule::name);
        if !is_named && word.as_str() != "pipeline" {
            let inside = if let Place::Component(kind) = place { Place::Component(kind) } else { Place::Block };
            let name = self.ident(&word);
            let lines = self.lines(body, inside);
            return Some(LineKind::Block { name: name?, lines });
        }
        if !is_named {
            let help = form("pipeline").map_or("", |f| f.1);
            self.error("E0014", self.span(&word), "expected a name after `pipeline`").help.push(help.to_owned());
            return None;
        }
        self.expect_word(&word, "pipeline", &inner, place)?;
        let allowed = self.allow("pipeline", self.span(&word), place);
        let name = inner.next().and_then(|p| self.ident(&p));
        let from = inner.find(|p| p.as_rule() == Rule::path).map(|p| self.path(&p));
        let lines = self.lines(body, Place::Pipeline);
        allowed?;
        let from = match from {
            Some(path) => Some(path?),
            None => None,
        };
        Some(LineKind::Pipeline { name: name?, from, lines })
    }

    fn function(&mut self, mut inner: Pairs<'_, Rule>) -> Option<LineKind> {
        let name = inner.next().and_then(|p| self.ident(&p));
        let params = inner.next()?;
        let body = inner.nth(1).and_then(|p| self.expr(p));
        let mut all: Vec<Param> = Vec::new();
        let mut good = true;
        for pair in params.into_inner().filter(|p| p.as_rule() == Rule::param) {
            let mut inner = pair.into_inner();
            let name = inner.next().and_then(|p| self.ident(&p));
            let default = inner.nth(1).map(|p| self.expr(p));
            let (Some(name), true) = (name, !matches!(default, Some(None))) else {
                good = false;
                continue;
            };
            if let Some(first) = all.iter().find(|p| p.name.name == name.name).map(|p| p.name.span) {
                let message = format!("the parameter `{}` is given twice", name.name);
                self.messages.push(Diagnostic::error("E0106", name.span, message).also(first, "given here first"));
                good = false;
            }
            all.push(Param { name, default: default.flatten() });
        }
        if !good {
            return None;
        }
        Some(LineKind::Function(Function { name: name?, params: all, body: body? }))
    }

    fn prompt(&mut self, mut inner: Pairs<'_, Rule>) -> Option<LineKind> {
        let name = inner.next().and_then(|p| self.ident(&p));
        let value = inner.nth(1)?;
        let text = value.clone().into_inner().next().filter(|p| p.as_rule() == Rule::text && p.as_str() == value.as_str().trim_end());
        let Some(text) = text else {
            let span = self.span(&value);
            let help = form("prompt").map_or("", |f| f.1);
            self.error("E0017", span, "the text of a prompt is one string").help.push(help.to_owned());
            return None;
        };
        let text = self.text(&text);
        Some(LineKind::Prompt { name: name?, text })
    }

    fn import(&mut self, mut inner: Pairs<'_, Rule>) -> Option<LineKind> {
        let file = inner.next().map(|p| self.text(&p))?;
        let alias = match inner.nth(1) {
            Some(name) => Some(self.ident(&name)?),
            None => None,
        };
        Some(LineKind::Import { file, alias })
    }

    pub(super) fn text(&mut self, pair: &Pair<'_, Rule>) -> Text {
        let span = self.span(pair);
        Text { value: literal::text(pair.as_str(), span, &mut self.messages), span }
    }

    /// Refuses a line whose first word is none, or another one than its form wants.
    fn expect_word(&mut self, word: &Pair<'_, Rule>, wanted: &str, rest: &Pairs<'_, Rule>, at: Place<'_>) -> Option<()> {
        let found = word.as_str();
        if found == wanted {
            return Some(());
        }
        let span = self.span(word);
        if let Some((code, help)) = form(found) {
            let rest: Vec<_> = rest.clone().collect();
            let diagnostic = misshapen(found, code, span, &rest, |p| self.span(p)).help(help);
            self.messages.push(diagnostic);
            return None;
        }
        let diagnostic = unknown_line(found, span);
        if !diagnostic.help.is_empty() {
            self.messages.push(diagnostic);
            return None;
        }
        let second = rest.peek().map(|p| p.as_str().trim_end().to_owned()).unwrap_or_default();
        let help = match wanted {
            "fn" => "a function's line begins with `fn`".to_owned(),
            "prompt" => format!("a value is given with `{second} = …`, without a word before it"),
            "import" if second.ends_with(".epo\"") => {
                format!("for a value write `{found} = {second}`, for another file `import {second}`")
            }
            "import" if second.len() <= 40 => format!("for a value write `{found} = {second}`"),
            "import" => format!("for a value write `{found} = \"…\"`"),
            "pipeline" if !matches!(at, Place::File) => format!("for a value write `{found} = {second} {{ … }}`"),
            "pipeline" => format!("for a value write `{found} = {second} {{ … }}`, for a pipeline `pipeline {second} {{ … }}`"),
            _ => format!("for a value write `{found} = {second}`"),
        };
        self.messages.push(diagnostic.help(help));
        None
    }

    fn allow(&mut self, word: &str, span: Span, place: Place<'_>) -> Option<()> {
        let (message, help) = match (word, place) {
            ("import", Place::Pipeline | Place::Block | Place::Component(_)) => {
                ("`import` cannot stand inside braces".to_owned(), "move it to the top of the file")
            }
            ("pipeline", Place::Pipeline | Place::Block | Place::Component(_)) => {
                ("a pipeline cannot stand inside braces".to_owned(), "is a `}` missing before it?")
            }
            ("without", Place::File) => (
                "`without` cannot stand outside of a pipeline".to_owned(),
                "it removes a line that a pipeline has from another: `pipeline a from b { without x }`",
            ),
            ("fn" | "prompt" | "without", Place::Component(kind)) => {
                (format!("`{word}` cannot stand inside `{kind} {{ … }}`"), "move it out, to the pipeline or the file")
            }
            _ => return Some(()),
        };
        self.error("E0021", span, message).help.push(help.to_owned());
        None
    }
}

/// A line that begins with none of the known words. Words that are nearly known, or known from other languages, get help.
pub(super) fn unknown_line(found: &str, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::error("E0011", span, format!("no kind of line begins with `{found}`"));
    match found {
        "if" | "else" | "elif" | "unless" => diagnostic.help("a choice between values is written `where(condition, yes, no)`"),
        "for" | "while" | "repeat" | "loop" => diagnostic.help("there are no loops; `sweep(a, b)` and `seeds = [0, 1]` unfold a pipeline"),
        "def" | "func" | "function" | "lambda" => diagnostic.help("a function is written `fn name(a, b = 1) = value`"),
        "use" | "include" | "require" => diagnostic.help("other files are read with `import \"file.epo\"`"),
        "del" | "delete" | "remove" => diagnostic.help("an inherited line is removed with `without path`"),
        _ => diagnostic.did_you_mean(found, FORMS.iter().map(|f| f.0)),
    }
}

/// A line that begins with a known word but has the form of another kind of line.
fn misshapen<'i>(
    word: &str,
    code: &'static str,
    span: Span,
    rest: &[Pair<'i, Rule>],
    place: impl Fn(&Pair<'i, Rule>) -> Span,
) -> Diagnostic {
    let first = rest.first();
    let named = first.filter(|p| matches!(p.as_rule(), Rule::name | Rule::path));
    let third = rest.get(1).or(first).map_or(span, &place);
    match (word, named) {
        ("import", Some(p)) => Diagnostic::error(code, place(p), "the name of an imported file stands in quotes"),
        ("fn", Some(p)) => Diagnostic::error(code, third, format!("expected `(` after `{}`", p.as_str().trim_end())),
        ("prompt", Some(p)) => Diagnostic::error(code, third, format!("expected `=` and a text after `{}`", p.as_str().trim_end())),
        ("without", Some(p)) => Diagnostic::error(code, third, format!("expected the end of the line after `{}`", p.as_str().trim_end())),
        ("pipeline", Some(p)) => Diagnostic::error(code, third, format!("expected `{{` after `{}`", p.as_str().trim_end())),
        _ => match first {
            Some(p) => Diagnostic::error(code, place(p), format!("expected a name after `{word}`")),
            None => Diagnostic::error(code, span, format!("this line cannot begin with `{word}`")),
        },
    }
}
