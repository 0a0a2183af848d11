//! What can be wrong with a domain, a problem or a grammar, and where.

use crate::env::text::place;
use std::fmt;

/// Which of a game's three texts a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Types, predicates and actions.
    Domain,
    /// One situation and its goal.
    Problem,
    /// The words.
    Grammar,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Domain => "domain",
            Part::Problem => "problem",
            Part::Grammar => "grammar",
        })
    }
}

/// A text that cannot be played, with the place that is to blame (line and column from 1) where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PddlError {
    /// The text it is in.
    pub part: Part,
    /// Line and column.
    pub place: Option<(u32, u32)>,
    /// One sentence without a full stop.
    pub message: String,
}

impl fmt::Display for PddlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(f, "{} {line}:{column}: {}", self.part, self.message),
            None => write!(f, "{}: {}", self.part, self.message),
        }
    }
}

impl std::error::Error for PddlError {}

/// A failure while playing: the grammar makes a text (or searches facts) without end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlayError {
    /// The rule or query that has no end.
    #[error(transparent)]
    Text(#[from] crate::env::text::TextError),
}

/// One of the texts with its name, to turn byte offsets into places.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    pub part: Part,
    pub text: &'a str,
}

impl Text<'_> {
    pub(super) fn error(&self, at: u32, message: impl Into<String>) -> PddlError {
        PddlError { part: self.part, place: Some(place(self.text, at as usize)), message: message.into() }
    }

    pub(super) fn whole(&self, message: impl Into<String>) -> PddlError {
        PddlError { part: self.part, place: None, message: message.into() }
    }
}
