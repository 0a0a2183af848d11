//! Errors and warnings as data with a place. Rendered only by [`super::render`].

use super::source::Span;
use serde::Serialize;

/// Whether a file can be used in spite of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can.
    Warning,
}

/// A place that takes part in a message. The first label of a diagnostic is the primary one (`^^^`), the others are secondary (`---`).
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// What is marked.
    pub span: Span,
    /// Short words beside the mark; may be empty.
    pub text: String,
}

/// One message: lower case, no full stop, what the user wrote in backticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Errors first.
    pub severity: Severity,
    /// `E0104`, `W0301`: a row of [`super::codes`].
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// The primary one first; none for what has no place in a text.
    pub labels: Vec<Label>,
    /// What to do next, one line each.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// With one place, the primary one.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            labels: vec![Label { span, text: String::new() }],
            help: Vec::new(),
        }
    }

    /// With one place, the primary one.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// An error that has no place in a text (a file that cannot be read, named on the command line).
    pub fn bare(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, message: message.into(), labels: Vec::new(), help: Vec::new() }
    }

    /// Words beside the primary mark.
    pub fn saying(mut self, text: impl Into<String>) -> Self {
        if let Some(label) = self.labels.first_mut() {
            label.text = text.into();
        }
        self
    }

    /// A second place.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds a line about what to do next.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds "did you mean `x`?" if one of `names` is close to `found`.
    pub fn did_you_mean<'a>(self, found: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        match closest(found, names) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }
}

/// The name nearest to `found` (Damerau–Levenshtein, at most a third of its length away, at least one), the first of equals.
pub(crate) fn closest<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = found.chars().count();
    let limit = (length / 3).max(1);
    let lower = found.to_lowercase();
    names
        .into_iter()
        .filter(|name| name.chars().count().abs_diff(length) <= limit)
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= limit && *name != found)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The `count` names that are most like `found` (Jaro and Winkler), the most alike first, and equals in their order.
pub(crate) fn nearest<'a>(found: &str, names: &[&'a str], count: usize) -> Vec<&'a str> {
    let likeness = |name: &str| strsim::jaro_winkler(&found.to_lowercase(), name);
    let mut names = names.to_vec();
    names.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    names.truncate(count);
    names
}

/// Errors, and as many warnings, that are kept.
const MOST: usize = 500;

/// Everything found in one compilation, in the order in which it was found.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds a message unless the same one (code, place, words) is already there. Of a file with very many mistakes not all are kept.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let alike = self.0.iter().filter(|d| d.severity == diagnostic.severity).count();
        if alike >= MOST {
            if alike == MOST {
                let message = format!("there are more than {MOST} messages; the rest is not shown");
                self.0.push(Diagnostic { message, help: Vec::new(), ..diagnostic });
            }
            return;
        }
        // the place first: it tells most messages apart at once
        let place = |d: &Diagnostic| d.labels.first().map(|label| label.span);
        if !self.0.iter().rev().any(|d| place(d) == place(&diagnostic) && *d == diagnostic) {
            self.0.push(diagnostic);
        }
    }

    /// By file and place; messages without a place first, those of one place as they were found.
    pub fn sort(&mut self) {
        self.0.sort_by_key(|d| d.labels.first().map(|label| (label.span.source, label.span.start)));
    }

    /// Warnings are none.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }

    /// Neither errors nor warnings.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
