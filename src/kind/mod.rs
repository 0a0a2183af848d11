//! Kinds: what stands before `{ … }` in a pipeline. One declaration (`kind!`) gives a struct, its reading with messages, its
//! reference page and its part of a digest.

mod category;
mod field;
mod identity;
mod macros;
mod number;
mod reader;

pub(crate) use category::{Category, Part};
pub use category::{Entry, ReadKind};
pub use field::Field;
pub use identity::Identity;
pub(crate) use macros::words;
pub use number::{BelowOne, Count, Fraction, NonNegative, Positive, Share, Temperature};
pub use reader::Reader;
pub(crate) use reader::Reference;
#[doc(hidden)]
pub use serde_json;

use serde::Serialize;

/// The type of an edge between stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Artifact {
    /// What makes tokens of texts.
    Tokenizer,
    /// Played games, turn by turn, for demonstrations and reports.
    Episodes,
    /// Weights with a tokenizer and a way of decoding.
    Policy,
    /// Weights that estimate returns.
    Critic,
    /// Numbers by iteration.
    Metrics,
    /// Success and score by split.
    Results,
    /// A report.
    Page,
    /// Files for other programs.
    Folder,
    /// All that the next iteration of a training depends on.
    State,
}

impl Artifact {
    /// With its article, for messages: `expected a policy, found metrics`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Tokenizer => "a tokenizer",
            Self::Episodes => "episodes",
            Self::Policy => "a policy",
            Self::Critic => "a critic",
            Self::Metrics => "metrics",
            Self::Results => "results",
            Self::Page => "a page",
            Self::Folder => "a folder",
            Self::State => "the state of a training in the middle",
        }
    }
}

/// What is said of a kind to people, and checked of its fields.
#[derive(Debug)]
pub struct KindInfo {
    /// The word it is written with: `rl`.
    pub name: &'static str,
    /// The doc comment of its struct: first line the summary; an indented or fenced `epo` block is an example that is checked by a test.
    pub doc: &'static str,
    /// In the order of the reference page.
    pub fields: &'static [FieldInfo],
}

/// A field of a kind.
#[derive(Debug)]
pub struct FieldInfo {
    /// As it is written: `groups`.
    pub name: &'static str,
    /// Its doc comment: the first sentence is the summary.
    pub doc: &'static str,
    /// What its type takes, in words: `a number above 0`.
    pub expects: fn() -> String,
    /// Taken from the pipeline's line of that name when left out.
    pub inherited: bool,
    /// Must be given, here or (where it is inherited) there.
    pub required: bool,
    /// Changes no number, only how fast or how often something is done: no part of a digest.
    pub untouched: bool,
    /// The default, as it would be written; `None` where the field must be given (or inherited).
    pub default: fn() -> Option<String>,
}

impl KindInfo {
    /// The first line of its documentation.
    pub fn summary(&self) -> &'static str {
        self.doc.trim().lines().next().unwrap_or("").trim()
    }
}

/// The name of a field as it is written: `r#else` is `else`.
#[doc(hidden)]
pub const fn field_name(name: &'static str) -> &'static str {
    let bytes = name.as_bytes();
    if bytes.len() > 2 && bytes[0] == b'r' && bytes[1] == b'#' { name.split_at(2).1 } else { name }
}
