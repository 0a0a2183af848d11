//! Which expression made a number that is none.

use super::super::error::{NonFinite, ObjectiveError};
use super::super::levels::Level;
use super::super::program::{Node, NodeId, Op};
use super::{Data, Evaluator, Value, Values};
use crate::builtin::Elementwise;
use crate::lang::Span;

fn what(x: f64) -> &'static str {
    if x.is_nan() {
        "NaN"
    } else if x > 0.0 {
        "infinite"
    } else {
        "-infinite"
    }
}

/// The first element that is not finite, of those that `of` holds for.
fn first_bad(value: &Value, of: impl Fn(usize) -> bool) -> Option<(usize, f64)> {
    let Data::Numbers(tensor) = &value.data else { return None };
    let numbers = tensor.to_vec1::<f64>().ok()?;
    let counts = |element: usize| value.presence_of(element) == super::Presence::Here && of(element);
    numbers.into_iter().enumerate().find(|(element, x)| !x.is_finite() && counts(*element))
}

impl Evaluator<'_> {
    /// `Err` with the innermost expression to blame if the value of `id` is not finite where it is used.
    pub(crate) fn check_finite(&self, values: &Values, id: NodeId, term: &str, term_place: Span) -> Result<(), ObjectiveError> {
        let Some((mut element, mut x)) = values.get(id).and_then(|value| first_bad(value, |_| true)) else { return Ok(()) };
        let mut at = id;
        'down: loop {
            let node = &self.program.nodes[at];
            for (position, &arg) in node.args.iter().enumerate() {
                let Some(value) = values.get(arg) else { continue };
                if self.not_taken(values, at, position, element) {
                    continue;
                }
                let mixes = match node.op {
                    Op::Whiten | Op::Top | Op::Quantile | Op::Rank(_) => true,
                    Op::Gae(_) | Op::Discount(_) | Op::SoFar(_) | Op::OnLast(_) | Op::Neighbour { .. } => true,
                    Op::Number(_) | Op::Bool(_) | Op::Quantity(_) | Op::Named(_) => false,
                    Op::Elementwise(..) | Op::Reduce(_) | Op::Noise => false,
                    Op::History(_) | Op::Collected(_) | Op::Carry(_) | Op::OfText(_) => false,
                };
                if let Some((bad, y)) = first_bad(value, |candidate| mixes || self.belongs(node.level, element, value.level, candidate)) {
                    (at, element, x) = (arg, bad, y);
                    continue 'down;
                }
            }
            break;
        }
        let node = &self.program.nodes[at];
        Err(ObjectiveError::NonFinite(Box::new(NonFinite {
            term: term.to_owned(),
            term_place,
            text: node.text(),
            place: node.place(),
            inner: node.span(),
            what: what(x),
            element: self.describe(node.level, element),
            gradient: None,
        })))
    }

    /// `Err` if a value that the batch gave is not finite.
    pub(crate) fn check_given(&self, node: &Node, value: &Value) -> Result<(), ObjectiveError> {
        let Some((element, x)) = first_bad(value, |_| true) else { return Ok(()) };
        Err(ObjectiveError::NonFinite(Box::new(NonFinite {
            term: node.text(),
            term_place: node.place(),
            text: node.text(),
            place: node.place(),
            inner: node.span(),
            what: what(x),
            element: self.describe(node.level, element),
            gradient: None,
        })))
    }

    /// As [`Self::check_finite`] for a gradient of `term`.
    pub(crate) fn check_gradient(
        &self,
        quantity: &'static str,
        gradient: &[f64],
        term: &str,
        term_place: Span,
    ) -> Result<(), ObjectiveError> {
        let Some((element, x)) = gradient.iter().enumerate().find(|(_, g)| !g.is_finite()) else { return Ok(()) };
        Err(ObjectiveError::NonFinite(Box::new(NonFinite {
            term: term.to_owned(),
            term_place,
            text: term.to_owned(),
            place: term_place,
            inner: term_place,
            what: what(*x),
            element: self.describe(Level::Token, element),
            gradient: Some(quantity),
        })))
    }

    /// Whether this argument is the branch of a `where` that does not count for the element.
    fn not_taken(&self, values: &Values, at: NodeId, position: usize, element: usize) -> bool {
        let node = &self.program.nodes[at];
        let (Op::Elementwise(_, Elementwise::Where), Some(condition)) = (&node.op, node.args.first().and_then(|&id| values.get(id))) else {
            return false;
        };
        let Ok(condition) = self.broadcast(node, condition, node.level) else { return false };
        let Ok(taken) = self.conditions(node, &condition) else { return false };
        match taken.get(element) {
            Some(true) => position == 2,
            Some(false) => position == 1,
            None => false,
        }
    }

    /// Whether an element of an argument goes into an element of the result.
    fn belongs(&self, level: Level, element: usize, arg: Level, candidate: usize) -> bool {
        let lies_in = |from: Level, inner: usize, to: Level, outer: usize| {
            from == to && inner == outer
                || self.batch.layout.get_map(from, to).is_some_and(|map| map.to.get(inner).is_some_and(|&to| to as usize == outer))
        };
        if arg.within(level) { lies_in(arg, candidate, level, element) } else { lies_in(level, element, arg, candidate) }
    }

    fn describe(&self, level: Level, element: usize) -> Option<String> {
        let row = |row: usize| format!("row {row}");
        match level {
            Level::Token => {
                let map = self.batch.layout.get_map(Level::Token, Level::Turn)?;
                let of = *map.to.get(element)? as usize;
                Some(format!("{}, token {}", row(of), element - self.batch.tokens(of).start))
            }
            Level::Turn => Some(row(element)),
            Level::Batch => None,
            _ => {
                let map = self.batch.layout.get_map(Level::Turn, level)?;
                let first = map.to.iter().position(|&to| to as usize == element)?;
                Some(format!("the {level} of {}", row(first)))
            }
        }
    }
}
