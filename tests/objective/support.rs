//! From text of the language to checked objectives, and from the golden batches to batches.

use super::places::without_library_lines;
use crate::repository::REPOSITORY;
use epo::lang::load::{Root, load};
use epo::lang::resolve::{Resolver, Words};
use epo::lang::term::{LossBlock, Term};
use epo::lang::value::ValueKind;
use epo::lang::{Diagnostics, SourceMap, render};
use epo::objective::{Advantage, Objective, Scope, VOCABULARY};
use epo::spec::PRELUDE;
use std::sync::Arc;

/// A text, its messages, and what its one pipeline says.
pub(crate) struct Compiled {
    sources: SourceMap,
    pub diagnostics: Diagnostics,
    pub loss: Option<LossBlock>,
    pub advantage: Option<Arc<Term>>,
    /// The pipeline's line `schedule`.
    pub schedule: Option<Arc<Term>>,
}

/// Resolves the lines of a pipeline with the standard library at hand.
pub(crate) fn compile(lines: &str) -> Compiled {
    compile_file(&format!("import \"std/losses.epo\"\nimport \"std/advantages.epo\"\npipeline p {{\n{lines}\n}}\n"))
}

pub(crate) fn compile_file(text: &str) -> Compiled {
    let mut sources = SourceMap::default();
    let (program, mut diagnostics) = load(Root::Text { name: "test.epo", text }, &REPOSITORY, &mut sources);
    let (mut loss, mut advantage, mut schedule) = (None, None, None);
    if let Some(mut program) = program {
        let (prelude, _) = program.add_library(PRELUDE, &REPOSITORY, &mut sources);
        let words = Words {
            vocabulary: &VOCABULARY,
            kinds: vec![],
            inherited: vec!["advantage", "iterations", "loss"],
            settings: vec!["title"],
            library: [].into(),
            foreign: |_| None,
        };
        let mut resolver = Resolver::new(&program, &[], &words, prelude);
        let pipeline = *resolver.root_pipelines().last().expect("a pipeline");
        let instance = resolver.unfold(pipeline, &sources)[0];
        let term = |name: &str| match &resolver.line(instance, name)?.kind {
            ValueKind::Term(term) => Some(term.clone()),
            ValueKind::Number(n) => Some(Term::number(*n, epo::lang::Span::new(epo::lang::SourceId(0), 0..0))),
            _ => None,
        };
        advantage = term("advantage");
        schedule = term("schedule");
        loss = match resolver.line(instance, "loss").map(|value| value.kind.clone()) {
            Some(ValueKind::Loss(block)) => Some(block),
            _ => None,
        };
        diagnostics.0.extend(resolver.diagnostics.into_inner().0);
    }
    Compiled { sources, diagnostics, loss, advantage, schedule }
}

impl Compiled {
    pub(crate) fn messages(&self) -> String {
        without_library_lines(&render::render_all(&self.sources, &self.diagnostics, false))
    }

    pub(crate) fn check_loss(&mut self) -> Option<Objective> {
        self.check_loss_in(&Scope::loss())
    }

    pub(crate) fn check_loss_in(&mut self, scope: &Scope) -> Option<Objective> {
        let block = self.loss.as_ref()?;
        Objective::check(block, scope, &mut self.diagnostics)
    }

    pub(crate) fn check_advantage(&mut self) -> Option<Advantage> {
        let term = self.advantage.as_ref()?;
        Advantage::check(term, &mut self.diagnostics)
    }
}

/// The loss that minimises one expression; anything but warnings is a failure.
pub(crate) fn loss(expression: &str) -> Objective {
    loss_block(&format!("minimize = {expression}"))
}

pub(crate) fn loss_block(lines: &str) -> Objective {
    let mut compiled = compile(&format!("loss {{\n{lines}\n}}"));
    let objective = compiled.check_loss();
    objective.unwrap_or_else(|| panic!("{lines}\n{}", compiled.messages()))
}

pub(crate) fn advantage(expression: &str) -> Advantage {
    let mut compiled = compile(&format!("advantage = {expression}"));
    let advantage = compiled.check_advantage();
    advantage.unwrap_or_else(|| panic!("{expression}\n{}", compiled.messages()))
}

/// An advantage that leaves no token out.
pub(crate) fn all_there(advantage: Option<Vec<Vec<Option<f64>>>>) -> Vec<Vec<f64>> {
    let row = |row: Vec<Option<f64>>| row.into_iter().map(|a| a.expect("a value")).collect();
    advantage.expect("an advantage").into_iter().map(row).collect()
}

/// The messages about the lines of a pipeline.
pub(crate) fn messages(lines: &str) -> String {
    let mut compiled = compile(lines);
    let advantage = compiled.check_advantage();
    let scope = advantage.map_or(Scope::loss(), |advantage| Scope::loss().with_advantage(&advantage));
    compiled.check_loss_in(&scope);
    compiled.messages()
}
