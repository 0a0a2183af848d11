//! A condition on episodes, as they were played.

use super::FULL;
use super::batch::Batch;
use super::check::Checker;
use super::context::{Place, Scope};
use super::error::ObjectiveError;
use super::eval::{Evaluator, Moment, Presence, Standing};
use super::levels::Level;
use super::program::{Kind, NodeId, Op, Program};
use super::text::TextQuestion;
use crate::lang::print::shortened;
use crate::lang::term::Term;
use crate::lang::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Holds of an episode or does not; each episode is looked at by itself.
#[derive(Clone, Debug)]
pub struct Condition {
    program: Program,
    root: NodeId,
    text: String,
}

impl Condition {
    /// Checks that a term is a condition of one episode; `field` is what it is given to.
    pub fn check(term: &Arc<Term>, field: &str, diagnostics: &mut Diagnostics) -> Option<Self> {
        Self::check_in(&Scope::new(Place::Condition), term, field, diagnostics)
    }

    /// As [`Condition::check`], of episodes of which less is known.
    pub(crate) fn check_in(scope: &Scope, term: &Arc<Term>, field: &str, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut checker = Checker::new(scope, diagnostics);
        let root = checker.check(term)?;
        let program = checker.program;
        let node = &program.nodes[root];
        let mut refuse = |code: &'static str, message: String, help: String| {
            diagnostics.push(Diagnostic::error(code, term.place(), message).help(help));
            None
        };
        if node.kind == Kind::Number {
            let help = "compare it, as in `score > 0.5`".to_string();
            return refuse("E0304", format!("`{field}` must be a condition, but `{}` is a number", node.text()), help);
        }
        // Each of these looks at more than an episode, if it does not say otherwise.
        let live = program.reachable([root]);
        for other in program.nodes.iter().zip(live).filter(|(_, live)| *live).map(|(other, _)| other) {
            let wide = match other.op {
                Op::Reduce(_) => !other.level.within(Level::Episode),
                Op::Whiten | Op::Top | Op::Noise | Op::History(_) => true,
                _ => false,
            };
            if wide {
                let message = format!("`{}` is not known here: each episode is looked at by itself", other.text());
                let help = "a statistic of its turns says `by = episode`".to_string();
                let diagnostic = Diagnostic::error("E0305", other.place(), message).help(help);
                diagnostics.push(diagnostic);
                return None;
            }
        }
        if !Level::Episode.within(node.level) {
            let message = format!("`{field}` takes one value an episode, but `{}` has {}", node.text(), node.level.words());
            let help = format!("`count({}, by = episode) > 0` asks for one turn of which it holds", node.text());
            return refuse("E0311", message, help);
        }
        Some(Self { root, text: shortened(term, FULL), program })
    }

    /// What it asks of the texts of the turns.
    pub fn questions(&self) -> impl Iterator<Item = &TextQuestion> {
        let live = self.program.reachable([self.root]);
        let live = self.program.nodes.iter().zip(live).filter(|(_, live)| *live);
        live.filter_map(|(node, _)| if let Op::OfText(question) = &node.op { Some(&**question) } else { None })
    }

    /// In full, with library functions replaced by their meaning.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds of each episode of a batch, in their order. Where it has no value it does not hold.
    ///
    /// # Errors
    /// When the batch lacks a quantity, or tensors cannot be made.
    pub fn holds(&self, batch: &Batch) -> Result<Vec<bool>, ObjectiveError> {
        let evaluator = Evaluator {
            program: &self.program,
            batch,
            history: None,
            moment: Moment::Collected,
            leaves: BTreeMap::new(),
            standing: Standing::Plain,
        };
        let values = evaluator.run(&[self.root])?;
        let Some(value) = values.get(self.root) else { return Ok(Vec::new()) };
        let node = &self.program.nodes[self.root];
        let value = evaluator.broadcast(node, value, Level::Episode)?;
        let numbers = evaluator.host(node, &value)?;
        Ok(numbers.iter().enumerate().map(|(i, x)| *x != 0.0 && value.presence_of(i) == Presence::Here).collect())
    }
}
