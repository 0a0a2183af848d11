//! Closed expressions: what is left of an expression after every name a user or a library defined has been replaced by its meaning.
//! Only built-in functions, quantities, keys and constants remain. A term is a DAG: what is named once and used twice is one node, so
//! evaluation may remember results by the address of the node.

use super::source::Span;
use crate::builtin::Builtin;
use std::sync::Arc;

/// How much a value comes to when everything that is mentioned twice is written twice, and how deeply it is nested. Bounded while names are
/// resolved, so that whoever walks or prints a value needs no bound of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Weight {
    pub size: u64,
    pub depth: u32,
}

impl Weight {
    pub(crate) const ONE: Self = Self { size: 1, depth: 1 };

    /// Of something with these parts.
    pub(crate) fn around(parts: impl IntoIterator<Item = Self>) -> Self {
        let add =
            |sum: Self, part: Self| Self { size: sum.size.saturating_add(part.size), depth: sum.depth.max(part.depth.saturating_add(1)) };
        parts.into_iter().fold(Self::ONE, add)
    }
}

/// A node with its place.
#[derive(Clone, Debug)]
pub struct Term {
    /// What it computes.
    pub kind: TermKind,
    pub(crate) weight: Weight,
    /// Where the node was written, possibly inside a library function.
    pub span: Span,
    /// If the node stems from the body of a function: where the user called it (the outermost call).
    pub via: Option<Span>,
}

/// What a term computes.
#[derive(Clone, Debug)]
pub enum TermKind {
    /// A constant, folded as far as it goes.
    Number(f64),
    /// A constant condition.
    Bool(bool),
    /// `logp`, `iteration`, …: a row of [`Vocabulary::quantities`].
    Quantity(Arc<str>),
    /// A built-in operator or function with an argument for each of its parameters.
    Apply {
        /// What is applied.
        builtin: Builtin,
        /// One for each parameter, defaults filled in.
        args: Vec<Argument>,
    },
    /// A named line of a `loss` block; evaluates to its body.
    Named {
        /// Of the line.
        name: Arc<str>,
        /// Its meaning, shared by all that mention it.
        body: Arc<Term>,
    },
}

/// What is given to a parameter.
#[derive(Clone, Debug)]
pub enum Argument {
    /// A value of the batch.
    Term(Arc<Term>),
    /// `by = turn`; several keys are one text: `[group, turn_index]`.
    Key(Arc<str>, Span),
    /// `"please"`
    Text(Arc<str>, Span),
    /// An optional argument that was left out and has no default.
    Absent,
}

impl Term {
    /// `via`: the user's call, if it stems from a function.
    pub fn new(kind: TermKind, span: Span, via: Option<Span>) -> Arc<Self> {
        let weight = match &kind {
            TermKind::Number(_) | TermKind::Bool(_) | TermKind::Quantity(_) => Weight::ONE,
            TermKind::Named { body, .. } => Weight::around([body.weight]),
            TermKind::Apply { args, .. } => Weight::around(args.iter().map(|arg| match arg {
                Argument::Term(term) => term.weight,
                Argument::Key(..) | Argument::Text(..) | Argument::Absent => Weight::ONE,
            })),
        };
        Arc::new(Self { kind, weight, span, via })
    }

    /// A constant that was written at `span`.
    pub fn number(value: f64, span: Span) -> Arc<Self> {
        Self::new(TermKind::Number(value), span, None)
    }

    /// Where to point first: the user's own call if the node stems from a function, else the node itself.
    pub fn place(&self) -> Span {
        self.via.unwrap_or(self.span)
    }
}

/// A `loss { … }` block: named terms in the order written, and what is minimised.
#[derive(Clone, Debug)]
pub struct LossBlock {
    /// The block.
    pub span: Span,
    /// Without `minimize`.
    pub terms: Vec<LossTerm>,
    /// Absent is an error of the objective's check, not of name resolution.
    pub minimize: Option<Arc<Term>>,
}

/// A named line of a `loss` block.
#[derive(Clone, Debug)]
pub struct LossTerm {
    /// `drift`.
    pub name: Arc<str>,
    /// Where it was written.
    pub name_span: Span,
    /// The same `Arc` as the `body` of the `Named` nodes that mention it.
    pub term: Arc<Term>,
}

/// What the words of an expression may mean besides built-ins and what the user defined. The language knows nothing of RL: it is told.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary {
    /// Names of quantities.
    pub quantities: &'static [&'static str],
    /// Words for `by =` and `per =`.
    pub keys: &'static [&'static str],
    /// Words for `by =` that take a number: `anchors(2)`.
    pub counted_keys: &'static [&'static str],
}
