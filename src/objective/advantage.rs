//! A checked `advantage` line.

use super::FULL;
use super::batch::Batch;
use super::check::{Checker, flow, sum};
use super::context::{Place, Scope};
use super::error::ObjectiveError;
use super::eval::{Evaluator, Moment, Presence, Standing};
use super::history::History;
use super::levels::Level;
use super::needs::{Needs, needs};
use super::program::{HistoryExpr, Kind, NodeId, Op, Program};
use super::record::{self, Carried};
use crate::lang::print::shortened;
use crate::lang::term::Term;
use crate::lang::{Diagnostic, Diagnostics, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Evaluated once an iteration on the whole collected batch, without gradient.
#[derive(Clone, Debug)]
pub struct Advantage {
    program: Program,
    root: NodeId,
    /// Every `gae` of the line, equal ones once.
    gae: Vec<NodeId>,
    needs: Needs,
    place: Span,
    text: String,
}

/// One value for each token, row after row; `None` for a token that is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// What the loss reads under this name.
    pub advantage: Vec<Option<f64>>,
    /// The unwhitened `gae` of the line plus `old_value`, if the line has exactly one and the batch has the values.
    pub returns: Option<Vec<Option<f64>>>,
}

impl Advantage {
    /// Checks types and levels, and that only what is known at collection time is mentioned. A coarser value than one a token is given to every token.
    pub fn check(term: &Arc<Term>, diagnostics: &mut Diagnostics) -> Option<Self> {
        Self::check_in(term, &Scope::new(Place::Advantage), diagnostics)
    }

    /// As [`Self::check`], where the stage lacks something; `scope` must be of [`Place::Advantage`].
    pub fn check_in(term: &Arc<Term>, scope: &Scope, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut checker = Checker::new(scope, diagnostics);
        let root = checker.check(term)?;
        if !checker.nothing_carried_outside(&[root]) {
            return None;
        }
        let program = checker.program;
        if program.nodes[root].kind == Kind::Condition {
            let message = "`advantage` must be a number, but this is a condition";
            diagnostics
                .push(Diagnostic::error("E0304", term.place(), message).help("`where(condition, 1, 0)` makes a number of a condition"));
            return None;
        }
        sum::check_sum(&program, root, scope.iterations, diagnostics);
        let live = program.reachable([root]);
        let mut gae: Vec<NodeId> = Vec::new();
        for (id, node) in program.nodes.iter().enumerate() {
            let known = gae.iter().any(|&other| program.nodes[other].digest == node.digest);
            if live[id] && matches!(node.op, Op::Gae(_)) && !known {
                gae.push(id);
            }
        }
        // Nothing is learned from an advantage: no gradient is followed.
        let needs = needs(&program, &flow::flow(&program), &[root]);
        let needs = Needs { gradient: flow::Reach::default(), ..needs };
        Some(Self { program, root, gae, needs, place: term.place(), text: shortened(term, FULL) })
    }

    /// How many different `gae` the line has; `returns` is known if it is one.
    pub fn gae_count(&self) -> usize {
        self.gae.len()
    }

    /// What a batch has to have.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// The same for lines that compute the same.
    pub fn digest(&self) -> String {
        self.program.nodes[self.root].digest.to_hex().to_string()
    }

    /// In full, with library functions replaced by their meaning.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is remembered of each iteration, in the order of the text.
    pub fn histories(&self) -> Vec<&HistoryExpr> {
        record::histories(&self.program, &[self.root])
    }

    /// Every `carry` of the line with its present number, under the name by which it is logged.
    pub fn carried(&self, history: &History) -> Vec<(String, f64)> {
        self.carries().present(history)
    }

    pub(super) fn carries(&self) -> Carried<'_> {
        Carried::of(&self.program, &[self.root], "advantage", |_| None)
    }

    /// Adds one iteration to `history`: see [`super::Objective::record`].
    pub fn record(&self, batch: &Batch, history: &mut History) -> Result<(), ObjectiveError> {
        record::record(&self.program, &[self.root], batch, history)
    }

    /// On the whole collected batch. A summand that needs a past that is not there counts as 0; what `only` leaves out has no value.
    pub fn evaluate(&self, batch: &Batch, history: &History) -> Result<Estimate, ObjectiveError> {
        self.evaluate_given(batch, Some(history))
    }

    /// As [`Self::evaluate`]; without a history, an expression that looks back is an error.
    pub(super) fn evaluate_given(&self, batch: &Batch, history: Option<&History>) -> Result<Estimate, ObjectiveError> {
        let evaluator = Evaluator {
            program: &self.program,
            batch,
            history,
            moment: Moment::Collected,
            leaves: BTreeMap::new(),
            standing: Standing::Summand,
        };
        let values = evaluator.run(&[self.root])?;
        evaluator.check_finite(&values, self.root, "advantage", self.place)?;
        let tokens = |id: NodeId| {
            let node = &self.program.nodes[id];
            let Some(value) = values.get(id) else { return Ok(vec![]) };
            let value = evaluator.broadcast(node, value, Level::Token)?;
            let numbers = evaluator.host(node, &value)?;
            let proper = |(element, x)| match value.presence_of(element) {
                Presence::Here => Some(x),
                Presence::NoPast => Some(0.0),
                Presence::Void => None,
            };
            Ok::<_, ObjectiveError>(numbers.into_iter().enumerate().map(proper).collect::<Vec<Option<f64>>>())
        };
        let values_then = batch.get("old_value").or_else(|| batch.get("value"));
        let returns = match (&self.gae[..], values_then) {
            ([gae], Some(then)) => Some(tokens(*gae)?.into_iter().zip(then).map(|(a, v)| Some(a? + v)).collect()),
            _ => None,
        };
        Ok(Estimate { advantage: tokens(self.root)?, returns })
    }
}
