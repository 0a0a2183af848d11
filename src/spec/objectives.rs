//! The equations of a file by themselves: for `show --objective` and for `probe`, which need no stages.

use super::Request;
use super::compile::with_resolver;
use crate::lang::resolve::Resolver;
use crate::lang::term::{LossBlock, Term};
use crate::lang::value::{Value, ValueKind};
use crate::lang::{Diagnostic, Diagnostics, SourceMap, Span};
use crate::objective::{ASSUMED_ITERATIONS, Advantage, Objective, Scope};
use std::sync::Arc;

/// What one pipeline, or one of its stages, says of its objective.
#[derive(Clone, Debug)]
pub struct Equations {
    /// Its name.
    pub pipeline: String,
    /// What tells the points of a sweep apart: `lambda=0.003`. Seeds change no equation.
    pub label: String,
    /// Where the stage has a loss or an advantage of its own.
    pub stage: Option<String>,
    /// The pipeline's name, or the stage's, where it was written.
    pub span: Span,
    /// With its terms in the order written.
    pub loss: Option<LossBlock>,
    /// `None` where the loss needs none, or it is broken.
    pub advantage: Option<Arc<Term>>,
    /// The pipeline's number of iterations, if it is a plain number.
    pub iterations: Option<f64>,
    /// What is wrong with the lines themselves: then `loss` or `advantage` may be absent though written.
    pub broken: bool,
}

impl Equations {
    /// `ppo_epo[lambda=0.003]`, `ppo_epo.train`.
    pub fn name(&self) -> String {
        let label = if self.label.is_empty() { String::new() } else { format!("[{}]", self.label) };
        let stage = self.stage.as_ref().map(|s| format!(".{s}")).unwrap_or_default();
        format!("{}{label}{stage}", self.pipeline)
    }
}

/// The equations of every pipeline of the root file that has any, and the messages about them alone.
pub fn equations(request: &Request<'_>) -> (SourceMap, Vec<Equations>, Diagnostics) {
    let found = with_resolver(request, |resolver, sources| {
        let mut found: Vec<Equations> = Vec::new();
        for pipeline in resolver.root_pipelines() {
            for instance in resolver.unfold(pipeline, sources) {
                for equations in of_instance(resolver, instance) {
                    if found.iter().all(|f| f.name() != equations.name()) {
                        found.push(equations);
                    }
                }
            }
        }
        found
    });
    match found {
        Ok((found, sources, diagnostics)) => (sources, found, diagnostics),
        Err((sources, diagnostics)) => (sources, Vec::new(), diagnostics),
    }
}

impl Equations {
    /// Names and terms: the advantage, the named terms, what is minimised.
    pub fn lines(&self) -> Vec<(String, Arc<Term>)> {
        let advantage = self.advantage.iter().map(|t| ("advantage".to_string(), t.clone()));
        let terms = self.loss.iter().flat_map(|l| l.terms.iter().map(|t| (t.name.to_string(), t.term.clone())));
        let minimize = self.loss.iter().filter_map(|l| Some(("minimize".to_string(), l.minimize.clone()?)));
        advantage.chain(terms).chain(minimize).collect()
    }

    /// As [`Self::check`], and warns of what is only likely to be wrong in it.
    pub(super) fn check_and_warn(&self, diagnostics: &mut Diagnostics) {
        if let (Some(loss), _) = self.check(diagnostics) {
            loss.warn_of_signs(self.iterations.map_or(ASSUMED_ITERATIONS, |n| n as usize), diagnostics);
        }
    }

    /// The checked loss and advantage; mistakes go to `diagnostics`. Without a stage around them, every quantity may be mentioned.
    pub fn check(&self, diagnostics: &mut Diagnostics) -> (Option<Objective>, Option<Advantage>) {
        let advantage = self.advantage.as_ref().map(|term| Advantage::check(term, diagnostics));
        let scope = match &advantage {
            Some(Some(advantage)) => Scope::loss().with_advantage(advantage),
            _ => Scope::loss(),
        };
        let loss = self.loss.as_ref().and_then(|block| Objective::check(block, &scope, diagnostics));
        (loss, advantage.flatten())
    }
}

pub(super) fn of_instance(resolver: &Resolver<'_>, instance: usize) -> Vec<Equations> {
    let this = &resolver.instances[instance];
    let label: Vec<String> = this.label.iter().filter(|(key, _)| key != "seed").map(|(k, v)| format!("{k}={v}")).collect();
    let iterations = match resolver.line_quietly(instance, "iterations").map(|v| v.kind.clone()) {
        Some(ValueKind::Number(n)) => Some(n),
        _ => None,
    };
    let before = resolver.diagnostics.borrow().0.len();
    let mut own = Equations {
        pipeline: this.name.clone(),
        label: label.join(", "),
        stage: None,
        span: this.name_span,
        loss: resolver.line(instance, "loss").and_then(|v| loss(resolver, &v)),
        advantage: resolver.line(instance, "advantage").and_then(|v| advantage(resolver, &v)),
        iterations,
        broken: false,
    };
    own.broken = resolver.diagnostics.borrow().0.len() > before;
    // stages are looked at for their own equations; what is wrong with the rest of them does not matter here
    let said = resolver.diagnostics.take();
    let mut found = Vec::new();
    for (name, span, value) in resolver.stages(instance) {
        let ValueKind::Component(component) = &value.kind else { continue };
        let field = |name: &str| component.fields.get(name).map(|f| f.value.clone());
        let (loss, advantage) = (field("loss").and_then(|v| loss(resolver, &v)), field("advantage").and_then(|v| advantage(resolver, &v)));
        if loss.is_some() || advantage.is_some() {
            let (loss, advantage) = (loss.or_else(|| own.loss.clone()), advantage.or_else(|| own.advantage.clone()));
            found.push(Equations { stage: Some(name), span, loss, advantage, ..own.clone() });
        }
    }
    resolver.diagnostics.replace(said);
    if own.loss.is_some() || own.advantage.is_some() || own.broken {
        found.insert(0, own);
    }
    found
}

fn loss(resolver: &Resolver<'_>, value: &Value) -> Option<LossBlock> {
    match &value.kind {
        ValueKind::Loss(block) => Some(block.clone()),
        ValueKind::Poison => None,
        _ => {
            let message = format!("expected a block `loss {{ … minimize = … }}`, found {}", value.words());
            resolver.report_at(Diagnostic::error("E0201", value.span, message));
            None
        }
    }
}

fn advantage(resolver: &Resolver<'_>, value: &Value) -> Option<Arc<Term>> {
    match &value.kind {
        ValueKind::Term(term) => Some(term.clone()),
        ValueKind::Number(n) => Some(Term::number(*n, value.span)),
        ValueKind::Poison => None,
        _ => {
            let message = format!("expected an expression over the collected batch, found {}", value.words());
            resolver.report_at(Diagnostic::error("E0201", value.span, message));
            None
        }
    }
}
