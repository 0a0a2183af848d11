//! Weights that are decided before an iteration is played, by what earlier ones came to.

use super::batch::Batch;
use super::check::Checker;
use super::context::{Place, Scope};
use super::error::ObjectiveError;
use super::eval::{Evaluator, Moment, Standing};
use super::history::History;
use super::levels::Level;
use super::program::{NodeId, Op, Program};
use super::quantities::When;
use super::record;
use crate::lang::term::Term;
use crate::lang::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One number for each of some splits.
#[derive(Clone, Debug)]
pub struct Mixture {
    program: Program,
    roots: Vec<NodeId>,
}

impl Mixture {
    /// Checks that each term is a number that is known before an iteration is played; `field` is what they are given to.
    pub fn check(terms: &[&Arc<Term>], field: &str, diagnostics: &mut Diagnostics) -> Option<Self> {
        let scope = Scope::new(Place::Weight);
        let mut checker = Checker::new(&scope, diagnostics);
        let mut roots = Vec::with_capacity(terms.len());
        for term in terms {
            let root = checker.check(term)?;
            if !checker.is_one_number(root, field) {
                return None;
            }
            roots.push(root);
        }
        let program = checker.program;
        let live = program.reachable(roots.iter().copied());
        for (node, _) in program.nodes.iter().zip(live).filter(|(_, live)| *live) {
            let of_now = match node.op {
                Op::Quantity(info) => info.when != When::Always,
                Op::Collected(_) | Op::Carry(_) => true,
                Op::History(_) => node.level != Level::Batch,
                _ => false,
            };
            if of_now {
                let message = format!("`{}` is not known here: a weight is decided before the iteration is played", node.text());
                let diagnostic = Diagnostic::error("E0305", node.place(), message);
                diagnostics.push(diagnostic.help("earlier iterations are asked by `history(mean(success), first = 0)`, one number each"));
                return None;
            }
        }
        Some(Self { program, roots })
    }

    /// The numbers for an iteration that begins, 0 for one that needs a past where there is none. `batch` says when that is
    /// ([`Batch::set_time`]), and nothing else.
    ///
    /// # Errors
    /// If one is not finite.
    pub fn at(&self, batch: &Batch, history: &History) -> Result<Vec<f64>, ObjectiveError> {
        let evaluator = Evaluator {
            program: &self.program,
            batch,
            history: Some(history),
            moment: Moment::Collected,
            leaves: BTreeMap::new(),
            standing: Standing::Outermost,
        };
        let values = evaluator.run(&self.roots)?;
        let number = |root: &NodeId| {
            let node = &self.program.nodes[*root];
            evaluator.check_finite(&values, *root, &node.text(), node.place())?;
            let found = values.get(*root).map(|value| evaluator.scalar(node, value)).transpose()?;
            Ok(found.flatten().unwrap_or(0.0))
        };
        self.roots.iter().map(number).collect()
    }

    /// Adds an iteration to what is remembered: the episodes that it played.
    ///
    /// # Errors
    /// If what is remembered is not finite, or the batch lacks something.
    pub fn record(&self, played: &Batch, history: &mut History) -> Result<(), ObjectiveError> {
        record::record(&self.program, &self.roots, played, history)
    }
}
