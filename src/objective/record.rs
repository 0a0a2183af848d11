//! What an iteration leaves for the next ones: values for `history`, numbers for `carry`.

use super::batch::Batch;
use super::error::ObjectiveError;
use super::eval::{Evaluator, Moment, Standing};
use super::history::History;
use super::program::{CarryExpr, HistoryExpr, Into, NodeId, Op, Program};
use std::collections::BTreeMap;

/// The `history` expressions that `roots` read, each once.
pub(super) fn histories<'a>(program: &'a Program, roots: &[NodeId]) -> Vec<&'a HistoryExpr> {
    each_once(program, roots, |op| if let Op::History(row) = op { program.histories.get(*row) } else { None }, |history| &history.id)
}

/// The `carry` expressions that `roots` read, each once.
fn carries<'a>(program: &'a Program, roots: &[NodeId]) -> Vec<&'a CarryExpr> {
    each_once(program, roots, |op| if let Op::Carry(row) = op { program.carries.get(*row) } else { None }, |carry| &carry.id)
}

fn each_once<'a, T>(program: &'a Program, roots: &[NodeId], of: impl Fn(&Op) -> Option<&'a T>, id: fn(&T) -> &String) -> Vec<&'a T> {
    let live = program.reachable_into(Into::Everything, roots.iter().copied());
    let mut found: Vec<&T> = Vec::new();
    for (node, _) in program.nodes.iter().zip(live).filter(|(_, live)| *live) {
        let Some(expression) = of(&node.op) else { continue };
        if found.iter().all(|other| id(other) != id(expression)) {
            found.push(expression);
        }
    }
    found
}

/// The `carry` expressions of an equation by name.
pub(super) struct Carried<'a> {
    program: &'a Program,
    carries: Vec<(String, &'a CarryExpr)>,
}

impl<'a> Carried<'a> {
    /// Those that `roots` read, under the names that `named` gives them, the others under that of the equation.
    pub(super) fn of(program: &'a Program, roots: &[NodeId], equation: &str, named: impl Fn(&CarryExpr) -> Option<String>) -> Self {
        let mut unnamed = 0;
        let mut name = |carry: &CarryExpr| {
            named(carry).unwrap_or_else(|| {
                unnamed += 1;
                if unnamed == 1 { equation.to_owned() } else { format!("{equation}_{unnamed}") }
            })
        };
        let carries = carries(program, roots).into_iter().map(|carry| (name(carry), carry)).collect();
        Self { program, carries }
    }

    /// The numbers that this iteration was handed.
    pub(super) fn present(&self, history: &History) -> Vec<(String, f64)> {
        self.carries.iter().map(|(name, carry)| (name.clone(), history.carried(carry))).collect()
    }

    /// Sets those that `number` knows.
    pub(super) fn set(&self, history: &mut History, number: impl Fn(&str) -> Option<f64>) {
        for (name, carry) in &self.carries {
            if let Some(number) = number(name) {
                history.carry(&carry.id, number);
            }
        }
    }

    /// The numbers that the next iteration is handed, without those for which the batch lacks something.
    pub(super) fn next(&self, batch: &Batch, history: &History) -> Result<Vec<(String, f64)>, ObjectiveError> {
        let mut found = Vec::new();
        for (name, carry) in &self.carries {
            match next(self.program, carry, batch, history) {
                Ok(number) => found.push((name.clone(), number)),
                Err(ObjectiveError::Missing { .. } | ObjectiveError::NoKey { .. } | ObjectiveError::NoHistory { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

fn next(program: &Program, carry: &CarryExpr, batch: &Batch, history: &History) -> Result<f64, ObjectiveError> {
    let present = history.carried(carry);
    let mut batch = batch.clone();
    // One number for the batch, which always fits.
    let _ = batch.set("carried", vec![present]);
    let (history, moment, leaves, standing) = (Some(history), Moment::Updated, BTreeMap::new(), Standing::Plain);
    Evaluator { program, batch: &batch, history, moment, leaves, standing }.next_carried(carry, present)
}

/// Adds an iteration: everything is worked out with what earlier ones left.
pub(super) fn record(program: &Program, roots: &[NodeId], batch: &Batch, history: &mut History) -> Result<(), ObjectiveError> {
    let live = program.reachable_into(Into::Everything, roots.iter().copied());
    let (moment, leaves, standing) = (Moment::Collected, BTreeMap::new(), Standing::Plain);
    let remembered = Evaluator { program, batch, history: Some(&*history), moment, leaves, standing }.remember(&live)?;
    let mut handed_on = Vec::new();
    for carry in carries(program, roots) {
        handed_on.push((&carry.id, next(program, carry, batch, history)?));
    }
    for (id, entry) in remembered {
        history.push(&id, entry);
    }
    for (id, number) in handed_on {
        history.carry(id, number);
    }
    Ok(())
}
