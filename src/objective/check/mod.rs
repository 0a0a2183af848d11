//! From closed terms to programs: types, levels, and what can be known where.

mod apply;
mod digest;
pub(super) mod flow;
mod levels;
mod noise;
mod past;
mod reduce;
pub(super) mod sum;
mod text;
mod time;

use super::context::Scope;
use super::levels::Level;
use super::program::{Kind, Node, NodeId, Op, Program};
use super::quantities::{QuantityInfo, quantity_info};
use crate::builtin::GradientRule;
use crate::lang::term::{Argument, Term, TermKind};
use crate::lang::{Diagnostic, Diagnostics, Span};
use std::collections::HashMap;
use std::sync::Arc;

/// Deepest nesting that is evaluated: the tensors' automatic differentiation recurses along the expression.
pub(super) const MAX_DEPTH: usize = 300;

pub(super) struct Checker<'a> {
    pub scope: &'a Scope,
    pub diagnostics: &'a mut Diagnostics,
    pub program: Program,
    /// By the address of the term, `None` after a mistake that was reported.
    memo: HashMap<*const Term, Option<NodeId>>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(scope: &'a Scope, diagnostics: &'a mut Diagnostics) -> Self {
        Self { scope, diagnostics, program: Program::default(), memo: HashMap::new() }
    }

    /// Checks a term and all below it, each node once. `None` if there was a mistake in it.
    pub(super) fn check(&mut self, root: &Arc<Term>) -> Option<NodeId> {
        // An own stack: terms may be nested more deeply than the thread's stack allows.
        let mut pending = vec![(root, false)];
        while let Some((term, entered)) = pending.pop() {
            if self.memo.contains_key(&Arc::as_ptr(term)) {
                continue;
            }
            if entered {
                let id = self.node(term);
                self.memo.insert(Arc::as_ptr(term), id);
                continue;
            }
            pending.push((term, true));
            match &term.kind {
                TermKind::Named { body, .. } => pending.push((body, false)),
                TermKind::Apply { args, .. } => {
                    // Reversed, so that the leftmost mistake is reported first.
                    pending.extend(args.iter().rev().filter_map(|arg| match arg {
                        Argument::Term(term) => Some((term, false)),
                        Argument::Key(..) | Argument::Text(..) | Argument::Absent => None,
                    }));
                }
                TermKind::Number(_) | TermKind::Bool(_) | TermKind::Quantity(_) => {}
            }
        }
        self.checked(root)
    }

    fn checked(&self, term: &Arc<Term>) -> Option<NodeId> {
        self.memo.get(&Arc::as_ptr(term)).copied().flatten()
    }

    fn node(&mut self, term: &Arc<Term>) -> Option<NodeId> {
        match &term.kind {
            TermKind::Number(value) => self.push(term, Op::Number(*value), vec![], Level::Batch, Kind::Number, GradientRule::None),
            TermKind::Bool(value) => self.push(term, Op::Bool(*value), vec![], Level::Batch, Kind::Condition, GradientRule::None),
            TermKind::Quantity(name) => {
                let Some(info) = quantity_info(name) else {
                    self.report("E0305", term, format!("there is no quantity `{name}`"), |d| d);
                    return None;
                };
                self.quantity(term, info)
            }
            TermKind::Named { name, body } => {
                let body = self.checked(body)?;
                let Node { level, kind, .. } = self.program.nodes[body];
                self.push(term, Op::Named(name.clone()), vec![body], level, kind, GradientRule::All)
            }
            TermKind::Apply { builtin, args } => self.apply(term, *builtin, args),
        }
    }

    fn quantity(&mut self, term: &Arc<Term>, info: &'static QuantityInfo) -> Option<NodeId> {
        if let Some(lack) = self.scope.refusal(info) {
            let message = format!("`{}` is not known here: {}", info.name, lack.reason);
            self.report(lack.code, term, message, |d| d.help(lack.help.clone()));
            return None;
        }
        let kind = if info.flag { Kind::Flag } else { Kind::Number };
        self.push(term, Op::Quantity(info), vec![], info.level, kind, GradientRule::None)
    }

    /// Appends a node; `None` if it is nested too deeply.
    fn push(&mut self, term: &Arc<Term>, op: Op, args: Vec<NodeId>, level: Level, kind: Kind, gradient: GradientRule) -> Option<NodeId> {
        let below = args.iter().map(|&arg| &self.program.nodes[arg]);
        let depth = below.clone().map(|node| node.depth + 1).max().unwrap_or(0);
        if depth > MAX_DEPTH {
            // Once is enough: what contains this one is not looked at.
            self.report("E0312", term, format!("this expression is nested more than {MAX_DEPTH} deep"), |d| {
                d.help("split it over several named terms of the loss, or shorten it")
            });
            return None;
        }
        let collected = if let Op::Collected(row) = op { self.program.collected.get(row).map(|e| e.argument) } else { None };
        let past = matches!(op, Op::History(_)) || below.clone().chain(collected.map(|id| &self.program.nodes[id])).any(|node| node.past);
        let node = Node {
            digest: self.digest(&op, &args, level),
            constant: fold(&op, &args.iter().map(|&arg| self.program.nodes[arg].constant).collect::<Vec<_>>()),
            term: Arc::clone(term),
            op,
            args,
            level,
            kind,
            depth,
            past,
            gradient,
        };
        self.program.nodes.push(node);
        Some(self.program.nodes.len() - 1)
    }

    /// Reports a mistake at a term: first where the user wrote it, then, if that is a call of a library function, where inside it.
    fn report(&mut self, code: &'static str, term: &Term, message: impl Into<String>, more: impl FnOnce(Diagnostic) -> Diagnostic) {
        let diagnostic = more(placed(Diagnostic::error(code, term.place(), message), term.place(), term.span));
        // One call of a library function may make the same mistake in several places of its body.
        let said = |other: &Diagnostic| {
            let place = |d: &Diagnostic| d.labels.first().map(|label| label.span);
            let alike =
                other.message == diagnostic.message || (term.via.is_some() && !other.help.is_empty() && other.help == diagnostic.help);
            other.code == code && alike && place(other) == place(&diagnostic)
        };
        if !self.diagnostics.0.iter().any(said) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// As [`Self::report`], where a part of the term is to blame: it is shown first if the user wrote it.
    fn report_at(&mut self, code: &'static str, term: &Term, part: Span, message: impl Into<String>) {
        match term.via {
            Some(_) => self.report(code, term, message, |d| d.also(part, "")),
            None => self.diagnostics.push(Diagnostic::error(code, part, message)),
        }
    }

    /// As [`Self::report`], for what is only likely to be a mistake; one call of a library function is warned of once.
    fn warn(&mut self, code: &'static str, term: &Term, message: impl Into<String>, help: &str) {
        let place = term.place();
        let said = |d: &Diagnostic| d.code == code && d.labels.first().is_some_and(|label| label.span == place);
        if !self.diagnostics.0.iter().any(said) {
            self.diagnostics.push(placed(Diagnostic::warning(code, place, message), place, term.span).help(help));
        }
    }

    /// A place that belongs to `node`, as a second label.
    fn about(&self, id: NodeId) -> (Span, String) {
        let node = &self.program.nodes[id];
        (node.place(), node.level.words().into_owned())
    }
}

/// Adds the place inside a library function as a second label.
pub(super) fn placed(diagnostic: Diagnostic, place: Span, inner: Span) -> Diagnostic {
    if place == inner { diagnostic } else { diagnostic.also(inner, "inside this function") }
}

/// The value of an operation whose arguments are constants.
fn fold(op: &Op, args: &[Option<f64>]) -> Option<f64> {
    match op {
        Op::Elementwise(_, how) => how.of_numbers(&args.iter().copied().collect::<Option<Vec<f64>>>()?),
        Op::Number(value) => Some(*value),
        Op::Named(_) => args.first().copied().flatten(),
        Op::Bool(_) | Op::Quantity(_) | Op::Reduce(_) | Op::Whiten | Op::Top | Op::Quantile | Op::Rank(_) => None,
        Op::Gae(_) | Op::Discount(_) | Op::SoFar(_) | Op::OnLast(_) | Op::Neighbour { .. } => None,
        Op::Noise | Op::History(_) | Op::Collected(_) | Op::Carry(_) | Op::OfText(_) => None,
    }
}
