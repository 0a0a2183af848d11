//! A number that changes over the run: a learning rate, a coefficient.

use super::FULL;
use super::check::Checker;
use super::context::{Place, Scope};
use super::error::{NonFinite, ObjectiveError};
use super::program::{NodeId, Op, Program};
use super::quantities::When;
use crate::builtin::Builtin;
use crate::lang::print::shortened;
use crate::lang::term::Term;
use crate::lang::{Diagnostics, Span};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An expression over `iteration`, `iterations` and `progress`.
#[derive(Clone, Debug)]
pub struct Schedule {
    program: Program,
    root: NodeId,
    /// What it is made of, each node after those it uses.
    timely: Vec<NodeId>,
    place: Span,
    text: String,
}

/// Where a run is. `progress` in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Now {
    /// From 0.
    pub iteration: f64,
    /// Of the whole run.
    pub iterations: f64,
    /// How much of the run is done; moves within an iteration.
    pub progress: f64,
}

impl Now {
    fn quantity(self, name: &str) -> Option<f64> {
        match name {
            "iteration" => Some(self.iteration),
            "iterations" => Some(self.iterations),
            "progress" => Some(self.progress),
            _ => None,
        }
    }
}

impl Schedule {
    /// Checks a term that may change over the run; `field` is what it is given to.
    pub fn check(term: &Arc<Term>, field: &str, diagnostics: &mut Diagnostics) -> Option<Self> {
        let scope = Scope::new(Place::Schedule);
        let mut checker = Checker::new(&scope, diagnostics);
        let root = checker.check(term)?;
        if !checker.is_one_number(root, field) {
            return None;
        }
        let program = checker.program;
        // What needs a batch was refused.
        let timely = timely(&program, root).unwrap_or_default();
        Some(Self { program, root, timely, place: term.place(), text: shortened(term, FULL) })
    }

    /// The same for schedules that compute the same.
    pub fn digest(&self) -> String {
        self.program.nodes[self.root].digest.to_hex().to_string()
    }

    /// In full, with library functions replaced by their meaning.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its value, if it is always the same.
    pub fn constant(&self) -> Option<f64> {
        self.program.nodes[self.root].constant
    }

    /// The value at a moment of the run. Conditions are 0 and 1 on the way.
    pub fn at(&self, now: Now) -> Result<f64, ObjectiveError> {
        let value = value(&self.program, &self.timely, now).unwrap_or(f64::NAN);
        if value.is_finite() {
            return Ok(value);
        }
        Err(ObjectiveError::NonFinite(Box::new(NonFinite {
            term: self.text.clone(),
            term_place: self.place,
            text: self.text.clone(),
            place: self.place,
            inner: self.place,
            what: if value.is_nan() { "NaN" } else { "infinite" },
            element: Some(format!("iteration {}", now.iteration)),
            gradient: None,
        })))
    }
}

/// A number with three digits, for messages.
pub(crate) fn short(x: f64) -> String {
    let rounded: f64 = format!("{x:.2e}").parse().unwrap_or(x);
    if rounded == 0.0 || (1e-4..1e6).contains(&rounded.abs()) { rounded.to_string() } else { format!("{rounded:e}") }
}

/// Moments of the run at which something is looked at before it begins, at most.
const MOMENTS: usize = 200;

/// Iterations that are assumed where nothing says how many there are.
pub(crate) const ASSUMED_ITERATIONS: usize = 100;

/// `progress` and the value of an expression of nothing but the time, at moments all over the run; `None` if it needs a batch.
pub(super) fn over_the_run(program: &Program, root: NodeId, iterations: Option<usize>) -> Option<Vec<(f64, f64)>> {
    let timely = timely(program, root)?;
    let iterations = iterations.unwrap_or(ASSUMED_ITERATIONS).max(1);
    let moments = iterations.min(MOMENTS);
    let at = |moment: usize| {
        let iteration = moment * iterations / moments;
        let progress = iteration as f64 / iterations as f64;
        let now = Now { iteration: iteration as f64, iterations: iterations as f64, progress };
        Some((progress, value(program, &timely, now)?))
    };
    (0..moments).map(at).collect()
}

fn needs_a_batch(op: &Op) -> bool {
    match op {
        Op::Number(_) | Op::Bool(_) | Op::Named(_) | Op::Quantity(_) | Op::Elementwise(..) => false,
        Op::Reduce(_) | Op::Noise | Op::Whiten | Op::Top | Op::Quantile | Op::Rank(_) => true,
        Op::Gae(_) | Op::Discount(_) | Op::SoFar(_) | Op::OnLast(_) | Op::Neighbour { .. } => true,
        Op::History(_) | Op::Collected(_) | Op::Carry(_) | Op::OfText(_) => true,
    }
}

/// The nodes of an expression of nothing but the time, each after those it uses; `None` if there is another. Work is bounded by its own size.
fn timely(program: &Program, root: NodeId) -> Option<Vec<NodeId>> {
    let (mut found, mut pending) = (BTreeSet::new(), vec![root]);
    while let Some(id) = pending.pop() {
        let node = &program.nodes[id];
        let timely = match &node.op {
            Op::Quantity(info) => info.when == When::Always,
            Op::Elementwise(builtin, _) => *builtin != Builtin::Only,
            _ if needs_a_batch(&node.op) => false,
            _ => true,
        };
        if !timely {
            return None;
        }
        if found.insert(id) {
            pending.extend(&node.args);
        }
    }
    Some(found.into_iter().collect())
}

/// The value of the last of the given nodes.
fn value(program: &Program, timely: &[NodeId], now: Now) -> Option<f64> {
    let last = *timely.last()?;
    let (mut values, mut args) = (vec![f64::NAN; last + 1], Vec::new());
    for &id in timely {
        let node = &program.nodes[id];
        args.clear();
        args.extend(node.args.iter().map(|arg| values[*arg]));
        let value = match &node.op {
            Op::Number(x) => *x,
            Op::Bool(x) => f64::from(u8::from(*x)),
            Op::Quantity(info) => now.quantity(info.name)?,
            Op::Named(_) => *args.first()?,
            Op::Elementwise(_, how) => how.of_numbers(&args)?,
            _ => return None,
        };
        values[id] = value;
    }
    Some(values[last])
}
