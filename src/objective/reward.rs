//! A number for each turn, of what is known when an iteration is collected.

use super::batch::Batch;
use super::check::Checker;
use super::context::Scope;
use super::error::ObjectiveError;
use super::eval::{Evaluator, Moment, Presence, Standing};
use super::levels::Level;
use super::needs::{Needs, needs};
use super::program::{Kind, NodeId, Op, Program};
use crate::lang::Diagnostic;
use crate::lang::Diagnostics;
use crate::lang::Span;
use crate::lang::term::Term;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A checked reward: a value of a turn, or a coarser one that each of its turns has.
#[derive(Clone, Debug)]
pub struct Reward {
    program: Program,
    root: NodeId,
    needs: Needs,
    name: String,
    place: Span,
}

impl Reward {
    /// Checks types and levels; `scope` must be of [`super::Place::Reward`]. `name`: what it is called in messages.
    pub fn check(term: &Arc<Term>, name: &str, scope: &Scope, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut checker = Checker::new(scope, diagnostics);
        let root = checker.check(term)?;
        if !checker.nothing_carried_outside(&[root]) {
            return None;
        }
        let program = checker.program;
        let live = program.reachable([root]);
        let other = |op: &Op| matches!(op, Op::History(_) | Op::Carry(_) | Op::Collected(_));
        if let Some((node, _)) = program.nodes.iter().zip(live).find(|(node, live)| *live && other(&node.op)) {
            let message = format!("`{}` is not known here: a reward is of the turns as they were played", node.text());
            let help = "write what looks back into the `advantage` or the `loss`";
            diagnostics.push(Diagnostic::error("E0305", node.place(), message).help(help));
            return None;
        }
        let node = &program.nodes[root];
        if node.kind == Kind::Condition {
            let message = format!("`{name}` must be a number, but this is a condition");
            let help = "`where(condition, 1, 0)` makes a number of a condition";
            diagnostics.push(Diagnostic::error("E0304", term.place(), message).help(help));
            return None;
        }
        if !Level::Turn.within(node.level) {
            let message = format!("`{name}` takes one value a turn, but `{}` has {}", node.text(), node.level.words());
            let help = format!("reduce it: `mean({0}, by = turn)` or `sum({0}, by = turn)`", node.text());
            diagnostics.push(Diagnostic::error("E0311", term.place(), message).help(help));
            return None;
        }
        // No gradient is followed.
        let found = needs(&program, &super::check::flow::flow(&program), &[root]);
        let needs = Needs { gradient: super::Reach::default(), ..found };
        Some(Self { program, root, needs, name: name.to_owned(), place: term.place() })
    }

    /// What a batch has to have.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// For each row of a collected batch; flags are 0 and 1. `None` where it has no value.
    ///
    /// # Errors
    /// When the batch lacks a quantity, or a value is not finite.
    pub fn evaluate(&self, batch: &Batch) -> Result<Vec<Option<f64>>, ObjectiveError> {
        let (moment, leaves, standing) = (Moment::Collected, BTreeMap::new(), Standing::Plain);
        let evaluator = Evaluator { program: &self.program, batch, history: None, moment, leaves, standing };
        let values = evaluator.run(&[self.root])?;
        evaluator.check_finite(&values, self.root, &self.name, self.place)?;
        let Some(value) = values.get(self.root) else { return Ok(Vec::new()) };
        let node = &self.program.nodes[self.root];
        let value = evaluator.broadcast(node, value, Level::Turn)?;
        let numbers = evaluator.host(node, &value)?;
        Ok(numbers.into_iter().enumerate().map(|(row, x)| (value.presence_of(row) == Presence::Here).then_some(x)).collect())
    }
}
