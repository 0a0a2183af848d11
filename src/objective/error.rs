//! What can go wrong while an objective is evaluated.

use super::levels::Level;
use crate::lang::{Diagnostic, Span};

/// Why an equation has no value on a batch.
#[derive(Debug, thiserror::Error)]
pub enum ObjectiveError {
    /// A quantity that the equation mentions.
    #[error("the batch has no `{quantity}`")]
    Missing {
        /// Its name.
        quantity: &'static str,
        /// Where the equation mentions it.
        place: Span,
    },
    /// A key that the equation reduces by.
    #[error("the batch does not say which row belongs to which `{level}`")]
    NoKey {
        /// What rows would have to be told apart by.
        level: Level,
        /// Where the equation mentions it.
        place: Span,
    },
    /// A past, also where there was none yet.
    #[error("the batch has no past for `{text}`")]
    NoHistory {
        /// The `history(…)`.
        text: String,
        /// Where the equation mentions it.
        place: Span,
    },
    /// One list of past values for several expressions that look back.
    #[error("the batch has one list of past values, but {} expressions look back", texts.len())]
    SeveralHistories {
        /// What they average, as the batch file has to name it.
        texts: Vec<String>,
        /// Where the equation mentions one.
        place: Span,
    },
    /// NaN or infinite.
    #[error("{0}")]
    NonFinite(Box<NonFinite>),
    /// An argument that has to lie in a range.
    #[error("`{text}` must be {range}, but is {value}")]
    OutOfRange {
        /// The argument.
        text: String,
        /// In words.
        range: &'static str,
        /// What it came to.
        value: f64,
        /// Where the equation mentions it.
        place: Span,
    },
    /// candle refused an operation.
    #[error("`{text}` could not be computed: {source}")]
    Tensor {
        /// The expression.
        text: String,
        /// Where it was written.
        place: Span,
        /// What candle says.
        source: candle_core::Error,
    },
}

/// A number that is none, and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct NonFinite {
    /// The named term in which it was seen, `minimize`, or `advantage`.
    pub term: String,
    /// Where the term was written.
    pub term_place: Span,
    /// The innermost expression with this value, of arguments without.
    pub text: String,
    /// Where the user wrote it: the call, if it stems from a function.
    pub place: Span,
    /// Where it was written, also inside a function.
    pub inner: Span,
    /// `NaN`, `infinite` or `-infinite`.
    pub what: &'static str,
    /// `row 3, token 5`: where in the batch, if it is one place.
    pub element: Option<String>,
    /// The value itself is finite, its gradient with respect to this quantity is not.
    pub gradient: Option<&'static str>,
}

impl std::fmt::Display for NonFinite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.gradient {
            Some(quantity) => write!(f, "the gradient of `{}` with respect to `{quantity}` is {}", self.term, self.what)?,
            None if self.text == self.term => write!(f, "`{}` is {}", self.term, self.what)?,
            None => write!(f, "`{}` is not finite: `{}` is {}", self.term, self.text, self.what)?,
        }
        match &self.element {
            Some(element) => write!(f, " at {element}"),
            None => Ok(()),
        }
    }
}

impl ObjectiveError {
    /// The message with the place in the text that asked for it.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::Missing { quantity, place } => {
                let word = match *quantity {
                    "returns" => "; in a batch file it is called `ret`",
                    "reward" => "; in a batch file it is called `step_reward`",
                    "turn_index" => "; in a batch file it is called `turn`",
                    "outcome" | "score" => "; it follows from the batch file's `reward` and `episode`",
                    "iteration" => "; in a batch file it is called `step`",
                    "iterations" => "; in a batch file it is called `steps`",
                    "progress" => "; it follows from the batch file's `step` and `steps`",
                    _ => "",
                };
                Diagnostic::error("E0351", *place, self.to_string()).help(format!("give it, or leave it out of the equation{word}"))
            }
            Self::NoKey { place, .. } => Diagnostic::error("E0351", *place, self.to_string()),
            Self::NoHistory { text, place } => Diagnostic::error("E0351", *place, self.to_string()).help(format!(
                "the batch file's `history` is a list of the values of earlier iterations, or one list by what is averaged: {}; it may be empty",
                lists(&[text.as_str()])
            )),
            Self::SeveralHistories { texts, place } => Diagnostic::error("E0351", *place, self.to_string())
                .help(format!("give each its own in the batch file: {}", lists(texts))),
            Self::OutOfRange { place, .. } => Diagnostic::error("E0308", *place, self.to_string()),
            Self::Tensor { place, .. } => Diagnostic::error("E0352", *place, self.to_string()),
            Self::NonFinite(at) => {
                let mut diagnostic = Diagnostic::error("E0353", at.place, self.to_string());
                for (span, text) in [(at.inner, "inside this function"), (at.term_place, "in this term")] {
                    if diagnostic.labels.iter().all(|label| label.span != span) {
                        diagnostic = diagnostic.also(span, text);
                    }
                }
                diagnostic
            }
        }
    }
}

/// `"history": {"mean(entropy)": […]}`
fn lists<T: AsRef<str>>(texts: &[T]) -> String {
    let each: Vec<String> = texts.iter().map(|text| format!("{}: […]", serde_json::Value::from(text.as_ref()))).collect();
    format!("`\"history\": {{{}}}`", each.join(", "))
}
