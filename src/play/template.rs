//! Prompt texts with `{placeholders}`.

use crate::kind::{Field, Identity, Reader};
use crate::lang::value::{Value, ValueKind};
use crate::lang::{Diagnostic, Span};
use crate::model::Prompt;
use std::sync::Arc;

/// A prompt text, split at its placeholders. `{{` and `}}` stand for braces.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    pub name: String,
    pub text: String,
    parts: Vec<Piece>,
    pub span: Option<Span>,
    /// Of a prompt with a name: where it was written.
    defined: Option<Span>,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Hole { name: String, start: usize, end: usize },
}

impl Template {
    /// # Errors
    /// The byte offset of a brace that does not belong to a placeholder.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, usize> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text.char_indices().peekable();
        while let Some((at, c)) = rest.next() {
            match c {
                '{' if rest.next_if(|(_, c)| *c == '{').is_some() => plain.push('{'),
                '}' if rest.next_if(|(_, c)| *c == '}').is_some() => plain.push('}'),
                '{' => {
                    let mut hole = String::new();
                    let end = loop {
                        match rest.next() {
                            Some((end, '}')) => break end + 1,
                            Some((_, c)) if c.is_ascii_alphanumeric() || c == '_' => hole.push(c),
                            _ => return Err(at),
                        }
                    };
                    if hole.is_empty() {
                        return Err(at);
                    }
                    if !plain.is_empty() {
                        parts.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Piece::Hole { name: hole, start: at, end });
                }
                '}' => return Err(at),
                c => plain.push(c),
            }
        }
        if !plain.is_empty() {
            parts.push(Piece::Text(plain));
        }
        Ok(Self { name: name.to_string(), text: text.to_string(), parts, span: None, defined: None })
    }

    /// One placeholder and nothing else.
    pub(super) fn of(hole: &str) -> Self {
        let text = format!("{{{hole}}}");
        let parts = vec![Piece::Hole { name: hole.into(), start: 0, end: text.len() }];
        Self { name: "this text".into(), text, parts, span: None, defined: None }
    }

    /// The placeholders with their byte ranges in the text.
    pub(crate) fn holes(&self) -> impl Iterator<Item = (&str, std::ops::Range<usize>)> {
        self.parts.iter().filter_map(|p| match p {
            Piece::Hole { name, start, end } => Some((name.as_str(), *start..*end)),
            Piece::Text(_) => None,
        })
    }

    pub(crate) fn uses(&self, hole: &str) -> bool {
        self.holes().any(|(name, _)| name == hole)
    }

    /// Fills every placeholder; one that `fill` does not know becomes empty (the check has refused those).
    pub(crate) fn render(&self, mut fill: impl FnMut(&str) -> Option<Prompt>) -> Prompt {
        let mut out = Prompt::default();
        for part in &self.parts {
            match part {
                Piece::Text(text) => out.push_own(text),
                Piece::Hole { name, .. } => out.append(&fill(name).unwrap_or_default()),
            }
        }
        out
    }

    /// Reports placeholders that are known elsewhere; true if there are any.
    pub(super) fn refuse_holes(&self, known: &[&str], message: &str, help: &str, reader: &mut Reader<'_, '_>) -> bool {
        let found: Vec<&str> = self.holes().map(|(hole, _)| hole).filter(|hole| known.contains(hole)).collect();
        for hole in &found {
            let message = format!("the placeholder `{{{hole}}}` of {} {message}", self.name);
            let span = self.span.unwrap_or(Span::NONE);
            reader.report(at_prompt(Diagnostic::error("E0206", span, message), self.defined).help(help));
        }
        !found.is_empty()
    }

    /// Reports placeholders that nobody fills.
    pub(crate) fn check_holes(&self, known: &[&str], reader: &mut Reader<'_, '_>) {
        let Some(span) = self.span else { return };
        for (hole, _) in self.holes() {
            if !known.contains(&hole) {
                let list = known.iter().map(|k| format!("`{{{k}}}`")).collect::<Vec<_>>().join(", ");
                let message = format!("the placeholder `{{{hole}}}` of {} is unknown here", self.name);
                let diagnostic = at_prompt(Diagnostic::error("E0206", span, message), self.defined);
                reader.report(diagnostic.did_you_mean(hole, known.iter().copied()).help(format!("there are {list}")));
            }
        }
    }
}

fn at_prompt(diagnostic: Diagnostic, defined: Option<Span>) -> Diagnostic {
    match defined {
        Some(span) => diagnostic.also(span, "the prompt"),
        None => diagnostic,
    }
}

/// The text alone: under another name it asks the same of a model.
impl Identity for Template {
    fn identity(&self) -> serde_json::Value {
        self.text.as_str().into()
    }
}

impl Field for Template {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let (name, text, defined) = match &value.kind {
            ValueKind::Prompt { name, text, defined } => (format!("`{name}`"), text, Some(*defined)),
            ValueKind::Text(text) => ("this text".to_string(), text, None),
            _ => {
                reader.mismatch(value, &Self::expects());
                return None;
            }
        };
        match Self::parse(&name, text) {
            Ok(template) => Some(Self { span: Some(value.span), defined, ..template }),
            Err(at) => {
                let line = text[..at].matches('\n').count() + 1;
                reader.report(
                    at_prompt(
                        Diagnostic::error("E0206", value.span, format!("line {line} of {name} has a brace that is no placeholder")),
                        defined,
                    )
                    .help("a placeholder is a name in braces, `{task}`; for a brace itself write `{{` or `}}`"),
                );
                None
            }
        }
    }

    fn expects() -> String {
        "a prompt or a string".into()
    }

    fn shown(&self) -> Option<String> {
        Some(format!("{:?}", self.text))
    }
}
