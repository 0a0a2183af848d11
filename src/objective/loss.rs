//! A checked `loss` block.

use super::FULL;
use super::batch::Batch;
use super::check::flow::{self, Reach};
use super::check::{Checker, sum};
use super::context::Scope;
use super::error::ObjectiveError;
use super::eval::{Evaluator, Moment, Standing, Value};
use super::gradient::{Gradient, Norms};
use super::history::History;
use super::levels::Level;
use super::needs::{Needs, needs};
use super::program::{CarryExpr, HistoryExpr, Into, Kind, NodeId, Op, Program};
use super::quantities::quantity_info;
use super::record::{self, Carried};
use crate::builtin::Builtin;
use crate::lang::print::shortened;
use crate::lang::term::LossBlock;
use crate::lang::{Diagnostic, Diagnostics, Span};
use candle_core::{Tensor, Var};
use indexmap::IndexMap;
use std::collections::BTreeMap;

/// A checked `loss` block.
#[derive(Clone, Debug)]
pub struct Objective {
    program: Program,
    minimize: NodeId,
    terms: Vec<NamedTerm>,
    needs: Needs,
    reach: Reach,
    span: Span,
    digest: String,
}

/// A named line of the block.
#[derive(Clone, Debug)]
pub struct NamedTerm {
    /// `drift`.
    pub name: String,
    /// Its name, where it was written.
    pub place: Span,
    /// Whether `minimize` depends on it; the others are only evaluated on request.
    pub reached: bool,
    /// In full, with library functions replaced by their meaning.
    pub text: String,
    /// Which learned quantities its gradient reaches.
    pub reach: Reach,
    node: NodeId,
}

/// An equation on one batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The loss.
    pub minimize: f64,
    /// Named terms in the order written. A term that is no single number has the mean over its elements here.
    pub terms: IndexMap<String, f64>,
    /// Of `minimize`.
    pub gradient: Gradient,
    /// By term, if asked for.
    pub term_gradients: IndexMap<String, Norms>,
}

/// What to compute beyond `minimize`, the terms it reaches and its gradient.
#[derive(Clone, Copy, Debug, Default)]
pub struct Detail {
    /// Also the terms that `minimize` does not reach, as far as the batch has what they mention.
    pub all_terms: bool,
    /// Also each term's own gradient, as [`Norms`].
    pub term_gradients: bool,
}

impl Objective {
    /// Checks types, levels and gradient flow of a block; all mistakes are reported at once. `None` if there was any.
    pub fn check(block: &LossBlock, scope: &Scope, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut checker = Checker::new(scope, diagnostics);
        let mut terms = Vec::new();
        let mut sound = true;
        for term in &block.terms {
            sound &= name_is_free(term, checker.diagnostics);
            match checker.check(&term.term) {
                Some(node) => terms.push(NamedTerm {
                    name: term.name.to_string(),
                    place: term.name_span,
                    reached: false,
                    text: shortened(&term.term, FULL),
                    reach: Reach::default(),
                    node,
                }),
                None => sound = false,
            }
        }
        let Some(minimize) = &block.minimize else {
            let message = "the loss does not say what to minimise";
            if let Some((term, help)) = block.terms.iter().find_map(|term| Some((term, meant_to_be_minimized(&term.name)?))) {
                diagnostics.push(Diagnostic::error("E0301", term.name_span, message).help(help));
                return None;
            }
            let names: Vec<&str> = block.terms.iter().map(|term| &*term.name).collect();
            let example = if names.is_empty() { "mean(…)".to_owned() } else { names.join(" + ") };
            diagnostics.push(Diagnostic::error("E0301", block.span, message).help(format!("add a line such as `minimize = {example}`")));
            return None;
        };
        let root = checker.check(minimize)?;
        sound &= checker.is_one_number(root, "minimize");
        sound &= checker.nothing_carried_outside(&[root]);
        let program = checker.program;
        let flow = flow::flow(&program);
        let definition = |name: &str| block.terms.iter().find(|term| &*term.name == name).map(|term| term.name_span);
        sound = sound && flow::check_flow(&program, &flow, root, definition, diagnostics);
        if !sound {
            return None;
        }
        sum::check_sum(&program, root, scope.iterations, diagnostics);
        let live = program.reachable([root]);
        for term in &mut terms {
            let is_mention = |node: &super::program::Node| matches!(&node.op, Op::Named(name) if **name == *term.name);
            term.reach = flow.reach[term.node];
            term.reached = program.nodes.iter().zip(&live).any(|(node, live)| *live && is_mention(node));
        }
        let mut hasher = blake3::Hasher::new();
        for term in terms.iter().filter(|term| term.reached) {
            hasher.update(term.name.as_bytes()).update(&[0]).update(program.nodes[term.node].digest.as_bytes());
        }
        hasher.update(program.nodes[root].digest.as_bytes());
        let needs = needs(&program, &flow, &[root]);
        let digest = hasher.finalize().to_hex().to_string();
        let reach = flow.reach[root];
        Some(Self { program, minimize: root, terms, needs, reach, span: minimize.place(), digest })
    }

    /// Of `minimize`.
    pub(super) fn place(&self) -> Span {
        self.span
    }

    /// What a batch has to have.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// In the order written.
    pub fn terms(&self) -> &[NamedTerm] {
        &self.terms
    }

    /// Which learned quantities the gradient of `minimize` reaches.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// The same for equations that compute and log the same, whatever else was written around them.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The `history` expressions of the equation, each once.
    pub fn histories(&self) -> Vec<&HistoryExpr> {
        record::histories(&self.program, &[self.minimize])
    }

    /// Those too that only terms mention which `minimize` does not reach.
    pub(super) fn mentioned_histories(&self) -> Vec<&HistoryExpr> {
        let roots: Vec<NodeId> = self.terms.iter().map(|term| term.node).chain([self.minimize]).collect();
        record::histories(&self.program, &roots)
    }

    /// Every `carry` of the equation with its present number, under the name by which it is logged.
    pub fn carried(&self, history: &History) -> Vec<(String, f64)> {
        self.carries().present(history)
    }

    /// A `carry` that is a named term has its name.
    pub(super) fn carries(&self) -> Carried<'_> {
        let named = |carry: &CarryExpr| {
            let row = |node: NodeId| if let Op::Carry(row) = self.program.nodes[node].op { self.program.carries.get(row) } else { None };
            self.terms.iter().find(|term| row(term.node).is_some_and(|own| own.id == carry.id)).map(|term| term.name.clone())
        };
        Carried::of(&self.program, &[self.minimize], "loss", named)
    }

    /// Sets on the whole collected batch what `collected` expressions are on it, so that its minibatches have that too.
    pub fn collect(&self, batch: &mut Batch, history: &History) -> Result<(), ObjectiveError> {
        let live = self.program.reachable_into(Into::Collected, [self.minimize]);
        for (node, _) in self.program.nodes.iter().zip(live).filter(|(_, live)| *live) {
            let Op::Collected(row) = node.op else { continue };
            let Some(expression) = self.program.collected.get(row) else { continue };
            if batch.kept(&expression.id).is_none() {
                let kept = self.evaluator(batch, Some(history)).keep(node, expression.argument)?;
                batch.keep(&expression.id, kept);
            }
        }
        Ok(())
    }

    /// Adds one iteration to `history`: what its expressions are on the whole collected batch, which has `old_logp`, `old_value` and the collected `entropy`, and
    /// what each `carry` hands on; for the latter `logp` is that of the updated policy, if the equation [needs](Needs::updated) it.
    pub fn record(&self, batch: &Batch, history: &mut History) -> Result<(), ObjectiveError> {
        record::record(&self.program, &[self.minimize], batch, history)
    }

    /// The equation, its terms and its gradient on a minibatch.
    pub fn evaluate(&self, batch: &Batch, history: &History) -> Result<Evaluation, ObjectiveError> {
        self.evaluate_in(batch, history, Detail::default())
    }

    /// As [`Self::evaluate`], with more detail.
    pub fn evaluate_in(&self, batch: &Batch, history: &History, detail: Detail) -> Result<Evaluation, ObjectiveError> {
        self.evaluate_given(batch, Some(history), detail)
    }

    /// As [`Self::evaluate_in`]; without a history, an expression that looks back is an error.
    pub(super) fn evaluate_given(&self, batch: &Batch, history: Option<&History>, detail: Detail) -> Result<Evaluation, ObjectiveError> {
        let evaluator = self.evaluator(batch, history);
        // Its named terms are among what it needs, with the values that they have in it.
        let values = evaluator.run(&[self.minimize])?;
        let number = |evaluator: &Evaluator, values: &super::eval::Values, id: NodeId, name: &str, place: Span| {
            evaluator.check_finite(values, id, name, place)?;
            let Some(value) = values.get(id) else { return Ok(None) };
            let number = evaluator.scalar(&self.program.nodes[id], value)?.unwrap_or(0.0);
            Ok::<_, ObjectiveError>(Some(number))
        };
        let mut terms = IndexMap::new();
        let mut term_gradients = IndexMap::new();
        for term in &self.terms {
            let number = if term.reached {
                number(&evaluator, &values, term.node, &term.name, term.place)?
            } else if detail.all_terms {
                self.unreached(batch, history, term)?
            } else {
                None
            };
            if let Some(number) = number {
                terms.insert(term.name.clone(), number);
            }
            if detail.term_gradients && term.reached {
                let gradient = self.gradient(&evaluator, values.get(term.node), term.node, &term.name, term.place)?;
                term_gradients.insert(term.name.clone(), gradient.norms());
            }
        }
        let minimize = number(&evaluator, &values, self.minimize, "minimize", self.span)?.unwrap_or(0.0);
        let gradient = self.gradient(&evaluator, values.get(self.minimize), self.minimize, "minimize", self.span)?;
        Ok(Evaluation { minimize, terms, gradient, term_gradients })
    }

    fn evaluator<'a>(&'a self, batch: &'a Batch, history: Option<&'a History>) -> Evaluator<'a> {
        let leaves = self
            .needs
            .gradient
            .through()
            .filter_map(|name| Some((name, Var::from_tensor(batch.column(name)?).ok()?)))
            .collect::<BTreeMap<&'static str, Var>>();
        Evaluator { program: &self.program, batch, history, moment: Moment::Learning, leaves, standing: Standing::Outermost }
    }

    /// A term that is not part of the equation; `None` if the batch lacks something it mentions.
    fn unreached(&self, batch: &Batch, history: Option<&History>, term: &NamedTerm) -> Result<Option<f64>, ObjectiveError> {
        let evaluator = self.evaluator(batch, history);
        let values = match evaluator.run(&[term.node]) {
            Err(ObjectiveError::Missing { .. } | ObjectiveError::NoKey { .. } | ObjectiveError::NoHistory { .. }) => return Ok(None),
            values => values?,
        };
        evaluator.check_finite(&values, term.node, &term.name, term.place)?;
        let node = &self.program.nodes[term.node];
        values.get(term.node).map(|value| Ok(evaluator.scalar(node, value)?.unwrap_or(0.0))).transpose()
    }

    fn gradient(
        &self,
        evaluator: &Evaluator,
        value: Option<&Value>,
        id: NodeId,
        name: &str,
        place: Span,
    ) -> Result<Gradient, ObjectiveError> {
        let node = &self.program.nodes[id];
        let failed = |source| ObjectiveError::Tensor { text: node.text(), place, source };
        let tensor = match value {
            // Conditions, and what has no value, have no gradient.
            Some(value) if node.kind != Kind::Condition => {
                let whole = evaluator.whole(node, value)?;
                (whole.presence.is_none()).then(|| whole.tensor()).flatten()
            }
            _ => None,
        };
        let store = tensor.filter(Tensor::track_op).map(|tensor| tensor.backward()).transpose().map_err(failed)?;
        let mut gradient = Gradient::default();
        for (quantity, leaf) in &evaluator.leaves {
            let found = match store.as_ref().and_then(|store| store.get(leaf)) {
                Some(tensor) => tensor.to_vec1::<f64>().map_err(failed)?,
                None => vec![0.0; evaluator.batch.token_count()],
            };
            evaluator.check_gradient(quantity, &found, name, place)?;
            match *quantity {
                "logp" => gradient.logp = Some(found),
                "entropy" => gradient.entropy = Some(found),
                "value" => gradient.value = Some(found),
                figure => drop(gradient.figures.insert(figure, found)),
            }
        }
        Ok(gradient)
    }
}

/// What to write in the place of a term that was meant to be `minimize`.
fn meant_to_be_minimized(name: &str) -> Option<String> {
    match name {
        "maximize" | "maximise" | "objective" | "max" => {
            Some(format!("what is to grow is minimised with its sign turned: `minimize = -(…)` in the place of `{name} = …`"))
        }
        "loss" | "total_loss" | "total" => Some(format!("write `minimize = …` in the place of `{name} = …`")),
        _ => crate::lang::diagnostic::closest(name, ["minimize"]).map(|close| format!("did you mean `{close}`?")),
    }
}

fn name_is_free(term: &crate::lang::term::LossTerm, diagnostics: &mut Diagnostics) -> bool {
    let taken = match (quantity_info(&term.name), Builtin::called(&term.name)) {
        (Some(_), _) => "quantity",
        (_, Some(_)) => "function",
        _ => return true,
    };
    let message = format!("a term cannot be called `{}`: that is a {taken}", term.name);
    diagnostics.push(Diagnostic::error("E0113", term.name_span, message).help("choose another name"));
    false
}

impl Checker<'_> {
    /// Reports an equation that is no single number: where, and which part of it has the finer level.
    pub(super) fn is_one_number(&mut self, root: NodeId, what: &str) -> bool {
        let node = &self.program.nodes[root];
        let (place, inner) = (node.place(), node.span());
        if node.kind == Kind::Condition {
            let message = format!("`{what}` must be a number, but this is a condition");
            let diagnostic = super::check::placed(Diagnostic::error("E0304", place, message), place, inner);
            self.diagnostics.push(diagnostic.help("`where(condition, 1, 0)` makes a number of a condition"));
            return false;
        }
        if node.level == Level::Batch {
            return true;
        }
        let level = node.level;
        // Down to the part that brings the level in.
        let mut part = root;
        while !matches!(self.program.nodes[part].op, Op::Named(_) | Op::Quantity(_)) {
            match self.program.nodes[part].args.iter().find(|&&arg| self.program.nodes[arg].level == level) {
                Some(&arg) => part = arg,
                None => break,
            }
        }
        let culprit = &self.program.nodes[part];
        let message = format!("`{what}` must be one number for the whole batch, but this has {}", level.words());
        let mut diagnostic = super::check::placed(Diagnostic::error("E0302", place, message), place, inner);
        if culprit.place() != place {
            diagnostic = diagnostic.also(culprit.place(), level.words());
        }
        // what a library function is made of is not what the user would write
        let text = if culprit.place() == culprit.span() { &culprit.text() } else { "…" };
        let mut help = vec![format!("`mean({text})` counts every {level} alike", level = level.name().replace('_', " "))];
        if level == Level::Token {
            help.push(format!("`mean(mean({text}, by = turn))` counts every turn alike"));
        }
        for line in help {
            diagnostic = diagnostic.help(line);
        }
        self.diagnostics.push(diagnostic);
        false
    }
}
