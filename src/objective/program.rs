//! A checked expression: typed nodes in an order in which every node stands after those it uses.

use super::levels::Level;
use super::quantities::QuantityInfo;
use super::text::TextQuestion;
use crate::builtin::{Builtin, Elementwise, GradientRule, Reduction};
use crate::lang::Span;
use crate::lang::print::shortened;
use crate::lang::term::Term;
use std::sync::Arc;

/// A node by its position in [`Program::nodes`].
pub(super) type NodeId = usize;

#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    pub nodes: Vec<Node>,
    pub histories: Vec<HistoryExpr>,
    pub collected: Vec<CollectedExpr>,
    pub carries: Vec<CarryExpr>,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub op: Op,
    pub args: Vec<NodeId>,
    pub level: Level,
    pub kind: Kind,
    /// Which arguments the gradient goes to.
    pub gradient: GradientRule,
    /// Its value, if it is the same whatever the batch.
    pub constant: Option<f64>,
    /// Longest way down to a leaf.
    pub depth: usize,
    /// Whether the node or one below it is a `history`.
    pub past: bool,
    /// What the node computes, whatever it is called and wherever it stands.
    pub digest: blake3::Hash,
    /// As it was written.
    pub term: Arc<Term>,
}

/// Characters to which expressions are cut in messages.
pub(super) const SHORT: usize = 48;

impl Node {
    /// The expression in short, for messages: few nodes are ever spoken of.
    pub(super) fn text(&self) -> String {
        shortened(&self.term, SHORT)
    }

    /// Where it was written, possibly inside a library function.
    pub(super) fn span(&self) -> Span {
        self.term.span
    }

    /// Where to point first.
    pub(super) fn place(&self) -> Span {
        self.term.place()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Condition,
    /// 0 or 1; serves as a number and as a condition.
    Flag,
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    Number(f64),
    Bool(bool),
    Quantity(&'static QuantityInfo),
    Named(Arc<str>),
    /// Each element by itself.
    Elementwise(Builtin, &'static Elementwise),
    Reduce(Reduction),
    /// Argument: numbers of tokens that mean nothing, of which each coarser element has its first, and 0 if it has no token.
    Noise,
    Whiten,
    /// Arguments: what, and the fraction.
    Top,
    /// Arguments: what, and which.
    Quantile,
    /// Arguments: what, and what is added up of the smaller ones. Each element among those of the same element of a coarser or another level.
    Rank(Level),
    /// Arguments: reward, value, gamma, lambda.
    Gae(Time),
    /// Arguments: reward, gamma.
    Discount(Time),
    /// Arguments: what, gamma.
    SoFar(Time),
    /// What it remembers is row `.0` of [`Program::histories`]; its argument, if there is one, is what it is without a past.
    History(usize),
    /// Argument: what is put on the last step of what it belongs to.
    OnLast(Time),
    /// Arguments: what, and what stands beyond the end. The step after each, or the one before.
    Neighbour {
        time: Time,
        after: bool,
    },
    /// What it is on the whole collected batch: row `.0` of [`Program::collected`].
    Collected(usize),
    /// What is carried: row `.0` of [`Program::carries`].
    Carry(usize),
    /// What is asked of a text of each turn.
    OfText(Arc<TextQuestion>),
}

/// `by` and `per` of a function along time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time {
    /// Turn or episode: where time begins and ends.
    pub by: Level,
    /// Token or turn: its steps.
    pub per: Level,
}

/// What one `history(…)` remembers.
#[derive(Clone, Debug)]
pub struct HistoryExpr {
    /// The same for the same argument and key in the same place (loss or advantage), whatever else changes.
    pub id: String,
    pub(super) argument: NodeId,
    /// How many iterations it looks back; `None`: all.
    pub window: Option<usize>,
    /// Each element of this level has a past of its own.
    pub by: Option<Level>,
    /// How much less each value counts than the one after it; `None`: all alike.
    pub(super) decay: Option<f64>,
    /// Which quantile of all values it is; `None`: their mean.
    pub(super) quantile: Option<f64>,
    /// For how many values before the first it counts what it is without a past.
    pub(super) prior: f64,
    /// In full.
    pub text: String,
    /// Where the equation mentions it.
    pub place: Span,
}

/// What one `collected(…)` is on the whole batch.
#[derive(Clone, Debug)]
pub(super) struct CollectedExpr {
    /// The same for the same argument.
    pub id: String,
    pub argument: NodeId,
}

/// What one `carry(…)` hands on.
#[derive(Clone, Debug)]
pub(super) struct CarryExpr {
    /// The same for the same numbers and the same `next` in the same place (loss or advantage).
    pub id: String,
    pub start: f64,
    pub next: NodeId,
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// In full.
    pub text: String,
    /// Where the equation mentions it.
    pub place: Span,
}

/// What besides arguments belongs to what is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Into {
    /// Nothing: what must be computed on a batch.
    Arguments,
    /// What `collected` expressions are made of: what must be computed in an iteration before its updates.
    Collected,
    /// Also what is remembered and what is handed on.
    Everything,
}

impl Program {
    /// Which nodes must be computed for `roots`. Arguments of `history`, `collected` and `carry` are not: they belong to other batches.
    pub(super) fn reachable(&self, roots: impl IntoIterator<Item = NodeId>) -> Vec<bool> {
        self.reachable_into(Into::Arguments, roots)
    }

    pub(super) fn reachable_into(&self, into: Into, roots: impl IntoIterator<Item = NodeId>) -> Vec<bool> {
        let mut live = vec![false; self.nodes.len()];
        for root in roots {
            if let Some(flag) = live.get_mut(root) {
                *flag = true;
            }
        }
        for (id, node) in self.nodes.iter().enumerate().rev() {
            if live[id] {
                let other = match node.op {
                    Op::Collected(row) if into != Into::Arguments => self.collected.get(row).map(|expression| expression.argument),
                    Op::History(row) if into == Into::Everything => self.histories.get(row).map(|expression| expression.argument),
                    Op::Carry(row) if into == Into::Everything => self.carries.get(row).map(|expression| expression.next),
                    _ => None,
                };
                for &below in node.args.iter().chain(&other) {
                    live[below] = true;
                }
            }
        }
        live
    }
}
