//! A pipeline as text of the language.

use super::doc::{Doc, DocLine};
use super::value::Printer;
use super::{Flat, Uses};
use crate::builtin::Builtin;
use crate::lang::SourceMap;
use crate::lang::resolve::Resolver;
use crate::lang::resolve::open::SWEEP;
use crate::lang::value::{Value, ValueKind};
use crate::objective::VOCABULARY;
use crate::registry::all_kinds;
use crate::spec::compile::{SETTINGS, inherited};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The pipelines whose stages an instance uses.
pub(super) fn mentioned(resolver: &Resolver<'_>, instance: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut note = |value: &Value| walk(value, &mut |name| found.extend(resolver.pipeline_seen_from(instance, name)));
    resolver.stages(instance).iter().for_each(|(_, _, value)| note(value));
    for line in inherited() {
        resolver.line_quietly(instance, line).iter().for_each(|value| note(value));
    }
    found
}

/// Every other pipeline that a value names.
fn walk(value: &Value, found: &mut dyn FnMut(&str)) {
    match &value.kind {
        ValueKind::Stage(stage) => stage.pipeline.iter().for_each(|name| found(name)),
        ValueKind::List(items) => items.iter().for_each(|v| walk(v, found)),
        ValueKind::Component(component) => component.fields.values().for_each(|f| walk(&f.value, found)),
        _ => {}
    }
}

impl<'p, 'a> Printer<'p, 'a> {
    pub(super) fn new(resolver: &'p Resolver<'a>, sources: &'p SourceMap, pipelines: &[usize], instances: &[usize]) -> Self {
        let mut names: BTreeMap<usize, String> = BTreeMap::new();
        for &pipeline in pipelines {
            let wanted = resolver.pipeline_name(pipeline);
            let name = (1..).map(|n| if n == 1 { wanted.to_string() } else { format!("{wanted}_{n}") });
            let free = name.into_iter().find(|name| names.values().all(|other| other != name));
            names.insert(pipeline, free.unwrap_or_default());
        }
        let mut taken: BTreeSet<String> = names.values().cloned().collect();
        let inherited = inherited();
        let words = VOCABULARY.quantities.iter().chain(VOCABULARY.keys).chain(&inherited).chain(&SETTINGS);
        taken.extend(words.map(|w| w.to_string()));
        taken.extend(Builtin::functions().map(|f| f.name().to_string()));
        for &instance in instances {
            taken.extend(resolver.stages(instance).into_iter().map(|(name, ..)| name));
            taken.extend(open_lines(resolver, instance));
        }
        let (prompts, shared, local) = (IndexMap::new(), IndexMap::new(), IndexMap::new());
        Self { resolver, sources, names, prompts, shared, local, taken, instance: 0, uses: Uses::default() }
    }

    pub(super) fn pipeline(&mut self, pipeline: usize, instance: usize) -> Flat {
        self.instance = instance;
        self.uses = Uses::default();
        self.local.clear();
        let open = open_lines(self.resolver, instance);
        let stages = self.resolver.stages(instance);
        let read = lines_read(&stages);
        let mut lines = Vec::new();
        for line in self.resolver.lines(instance) {
            let origin = self.origin(line.name_span);
            let name = line.name.as_str();
            if name == "stages" {
                let stages: Vec<DocLine> = stages.iter().map(|(name, span, value)| self.stage_line(name, *span, value)).collect();
                lines.push(DocLine::block("stages ", stages, origin));
                continue;
            }
            let wanted = SETTINGS.contains(&name) || open.contains(name) || read.contains(name);
            if line.function || !wanted {
                continue;
            }
            let Some(value) = self.resolver.line_quietly(instance, name) else { continue };
            match &value.kind {
                ValueKind::Loss(block) => lines.push(DocLine::block(format!("{name} "), self.loss(block), origin)),
                ValueKind::Poison => {}
                _ => {
                    let doc = self.value(&value);
                    lines.push(DocLine::field(name, doc, origin));
                }
            }
        }
        self.close_sweeps(&mut lines);
        let name = self.resolver.pipeline_name(pipeline).to_string();
        let shown = self.names.get(&pipeline).unwrap_or(&name);
        let origin = self.origin(self.resolver.pipeline_span(pipeline));
        let line = DocLine::block(format!("pipeline {shown} "), lines, origin);
        Flat { index: pipeline, name, line, uses: std::mem::take(&mut self.uses) }
    }

    fn stage_line(&mut self, name: &str, span: crate::lang::Span, value: &Arc<Value>) -> DocLine {
        let doc = match &value.kind {
            ValueKind::Component(component) => self.component(component, true),
            _ => self.value(value),
        };
        DocLine::field(name, doc, self.origin(span))
    }

    /// Writes every sweep where it stands; one that stands in several places gets a line of its own.
    fn close_sweeps(&mut self, lines: &mut Vec<DocLine>) {
        // the values of a sweep may themselves need lines, and those may hold sweeps
        for round in 0..100 {
            for (_, line) in std::mem::take(&mut self.local) {
                lines.retain(|l| l.lead != line.lead);
                lines.insert(0, line);
            }
            let Some(symbol) = lines.iter().find_map(first_symbol) else { return };
            let Some(values) = self.resolver.sweep_values(&symbol) else { return };
            let mut texts = Vec::new();
            for value in values {
                let symbolic = self.resolver.symbol_of(&value.value).is_some();
                texts.push(match &value.name {
                    _ if value.closed => self.sources.slice(value.span).to_string(),
                    Some(name) if !symbolic && has_own_line(&value.value) => self.define(name, &value.value),
                    _ => self.value(&value.value).inline(),
                });
            }
            let text = format!("sweep({})", texts.join(", "));
            let count: usize = lines.iter().map(|l| l.count(&symbol)).sum();
            if count > 1 {
                let name = format!("swept_{}", round + 1);
                for line in lines.iter_mut() {
                    line.replace(&symbol, &name);
                }
                lines.insert(0, DocLine::field(&name, Doc::Inline(text), ""));
            } else {
                for line in lines.iter_mut() {
                    line.replace(&symbol, &text);
                }
            }
        }
    }
}

/// A name in a sweep is its label: it is kept for what can have a line.
fn has_own_line(value: &Value) -> bool {
    !matches!(value.kind, ValueKind::Word { .. } | ValueKind::Key(_) | ValueKind::Stage(_) | ValueKind::Prompt { .. })
        && !matches!(&value.kind, ValueKind::Component(c) if c.fields.is_empty() || value.owner.is_some())
}

fn first_symbol(line: &DocLine) -> Option<String> {
    let within = |text: &str| {
        let rest = &text[text.find(SWEEP)?..];
        let end = rest[1..].find(SWEEP)? + 2;
        Some(rest[..end].to_string())
    };
    match &line.doc {
        Doc::Inline(text) => within(text),
        Doc::Block { head, lines } => within(head).or_else(|| lines.iter().find_map(first_symbol)),
    }
}

/// Lines of a pipeline that depend on a sweep.
fn open_lines(resolver: &Resolver<'_>, instance: usize) -> BTreeSet<String> {
    let lines = resolver.lines(instance).into_iter().filter(|l| !l.function && l.name != "stages" && l.name != "loss");
    lines.filter(|l| resolver.line_quietly(instance, &l.name).is_some_and(|v| resolver.depends_on_sweep(&v))).map(|l| l.name).collect()
}

/// The lines that stages take over. Without stages, all that could be.
fn lines_read(stages: &[(String, crate::lang::Span, Arc<Value>)]) -> BTreeSet<&'static str> {
    if stages.is_empty() {
        return inherited().into_iter().collect();
    }
    let mut read = BTreeSet::from(["iterations"]);
    for (_, _, value) in stages {
        let ValueKind::Component(component) = &value.kind else { continue };
        let Some((_, info)) = all_kinds().find(|(_, info)| info.name == component.kind) else { continue };
        read.extend(info.fields.iter().filter(|f| f.inherited && !component.fields.contains_key(f.name)).map(|f| f.name));
    }
    read
}
