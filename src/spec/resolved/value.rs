//! Values as text of the language.

use super::doc::{Doc, DocLine};
use super::{Prompt, Shared, Uses};
use crate::kind::{FieldInfo, KindInfo};
use crate::lang::print::{by_name, canonical, quoted};
use crate::lang::resolve::Resolver;
use crate::lang::term::{LossBlock, Term};
use crate::lang::value::{Component, Owner, StageRef, Value, ValueKind, number_text};
use crate::lang::{SourceMap, Span};
use crate::play::Games;
use crate::registry::{all_kinds, shared_fields};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) struct Printer<'p, 'a> {
    pub resolver: &'p Resolver<'a>,
    pub sources: &'p SourceMap,
    /// The names in the text, by pipeline.
    pub names: BTreeMap<usize, String>,
    pub prompts: IndexMap<String, Prompt>,
    pub shared: IndexMap<String, Shared>,
    /// Lines that the pipeline being printed needs, by name.
    pub local: IndexMap<String, DocLine>,
    /// Names that mean something in some pipeline.
    pub taken: BTreeSet<String>,
    pub instance: usize,
    /// What the part being printed needs.
    pub uses: Uses,
}

impl Printer<'_, '_> {
    pub(super) fn value(&mut self, value: &Arc<Value>) -> Doc {
        let inline = match &value.kind {
            ValueKind::Component(component) => match &value.owner {
                Some(owner) if component.kind == Games::INFO.name => self.member(owner),
                _ => return self.component(component, false),
            },
            ValueKind::Number(n) => number_text(*n),
            ValueKind::Text(text) => quoted(text),
            ValueKind::Bool(b) => b.to_string(),
            ValueKind::Duration(seconds) => format!("{}s", number_text(*seconds)),
            ValueKind::Size(bytes) => format!("{bytes}B"),
            ValueKind::List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.value(item).inline()).collect();
                format!("[{}]", items.join(", "))
            }
            ValueKind::Range(low, high) => format!("{}..{}", self.end(low), self.end(high)),
            ValueKind::Key(word) => word.to_string(),
            ValueKind::Word { name, .. } => name.clone(),
            ValueKind::Prompt { name, text, .. } => self.prompt(name, text, value.span),
            ValueKind::Stage(stage) => self.stage(stage),
            ValueKind::Term(term) => self.term(term, canonical(term)),
            ValueKind::Loss(block) => return Doc::Block { head: String::new(), lines: self.loss(block) },
            ValueKind::Poison => String::new(),
        };
        Doc::Inline(inline)
    }

    /// An end of a range.
    fn end(&mut self, value: &Arc<Value>) -> String {
        match &value.kind {
            ValueKind::Term(_) => format!("({})", self.value(value).inline()),
            _ => self.value(value).inline(),
        }
    }

    fn term(&mut self, term: &Arc<Term>, text: String) -> String {
        let value = Value::new(ValueKind::Term(term.clone()), term.span);
        self.uses.local |= self.resolver.depends_on_sweep(&value);
        text
    }

    pub(super) fn loss(&mut self, block: &LossBlock) -> Vec<DocLine> {
        let named = block.terms.iter().map(|t| (t.name.to_string(), &t.term, t.name_span));
        let lines: Vec<(String, &Arc<Term>, Span)> =
            named.chain(block.minimize.iter().map(|m| ("minimize".to_string(), m, m.place()))).collect();
        let mut written = Vec::new();
        for (name, term, span) in lines {
            let text = self.term(term, by_name(term));
            written.push(DocLine::field(&name, Doc::Inline(text), self.origin(span)));
        }
        written
    }

    /// `house.train`, and the environment itself at the top of the text.
    fn member(&mut self, owner: &Arc<Owner>) -> String {
        let (before, last) = owner.path.rsplit_once('.').unwrap_or(("", &owner.path));
        if let Some(symbol) = self.resolver.symbol_of(&owner.value) {
            self.uses.local = true;
            return format!("{symbol}.{last}");
        }
        let wanted = before.rsplit('.').next().unwrap_or(before);
        let name = self.define(wanted, &owner.value);
        format!("{name}.{last}")
    }

    /// Gives a value a line of its own, at the top of the text, or in the pipeline if it speaks of it. Returns its name.
    pub(super) fn define(&mut self, wanted: &str, value: &Arc<Value>) -> String {
        let outer = std::mem::take(&mut self.uses);
        let doc = self.value(value);
        let uses = std::mem::replace(&mut self.uses, outer);
        let origin = self.origin(value.span);
        let line = |name: &str| DocLine::field(name, doc.clone(), origin.clone());
        if uses.local {
            self.uses.add(uses);
            self.local.insert(wanted.to_string(), line(wanted));
            return wanted.to_string();
        }
        for name in candidates(wanted) {
            match self.shared.get(&name) {
                Some(known) if known.line.doc.inline() == doc.inline() => {
                    self.uses.shared.insert(name.clone());
                    return name;
                }
                None if !self.taken.contains(&name) && !self.prompts.contains_key(&name) => {
                    self.shared.insert(name.clone(), Shared { line: line(&name), uses });
                    self.uses.shared.insert(name.clone());
                    return name;
                }
                _ => {}
            }
        }
        wanted.to_string()
    }

    fn prompt(&mut self, wanted: &str, text: &str, span: Span) -> String {
        let span = self.resolver.prompt_span(self.instance, wanted, text).unwrap_or(span);
        let prompt = Prompt { text: text.to_string(), origin: self.origin(span) };
        for name in candidates(wanted) {
            match self.prompts.get(&name) {
                Some(known) if known.text == prompt.text => {
                    self.uses.prompts.insert(name.clone());
                    return name;
                }
                None if !self.taken.contains(&name) && !self.shared.contains_key(&name) => {
                    self.prompts.insert(name.clone(), prompt);
                    self.uses.prompts.insert(name.clone());
                    return name;
                }
                _ => {}
            }
        }
        wanted.to_string()
    }

    fn stage(&mut self, stage: &StageRef) -> String {
        let pipeline = stage.pipeline.as_ref().and_then(|name| self.resolver.pipeline_seen_from(self.instance, name));
        let mut text = match pipeline {
            Some(pipeline) => {
                self.uses.pipelines.insert(pipeline);
                let name = self.names.get(&pipeline).cloned();
                format!("{}.{}", name.or_else(|| stage.pipeline.clone()).unwrap_or_default(), stage.stage)
            }
            None => {
                self.uses.local = true;
                stage.stage.clone()
            }
        };
        if let Some((output, _)) = &stage.output {
            text.push('.');
            text.push_str(output);
        }
        if let Some((number, _)) = &stage.at {
            text.push_str(&format!(".at({number})"));
        }
        text
    }

    /// `stage`: a stage, which takes over lines of its pipeline.
    pub(super) fn component(&mut self, component: &Component, stage: bool) -> Doc {
        let info = info(&component.kind);
        if info.is_none() {
            self.uses.local = true;
        }
        let mut lines = Vec::new();
        for (name, field) in &component.fields {
            let origin = self.origin(field.name_span);
            match &field.value.kind {
                ValueKind::Loss(block) => lines.push(DocLine::block(format!("{name} "), self.loss(block), origin)),
                _ => {
                    let doc = self.value(&field.value);
                    lines.push(DocLine::field(name, doc, origin));
                }
            }
        }
        if let Some((category, info)) = info {
            let shared = shared_fields(category).filter(|_| !stage);
            for field in info.fields.iter().chain(shared.into_iter().flat_map(|s| s.fields)) {
                lines.extend(self.default(component, info, field, stage));
            }
        }
        match lines.is_empty() && !self.taken.contains(&component.kind) {
            true => Doc::Inline(component.kind.clone()),
            false => Doc::Block { head: component.kind.clone(), lines },
        }
    }

    /// A field that was left out, with what it then is.
    fn default(&self, component: &Component, info: &KindInfo, field: &FieldInfo, stage: bool) -> Option<DocLine> {
        let inherited = stage && field.inherited && self.resolver.has_line(self.instance, field.name);
        let needs = NEEDS.iter().find(|(kind, name, _)| *kind == info.name && *name == field.name);
        let pointless = needs.is_some_and(|(_, _, other)| !component.fields.contains_key(*other));
        if component.fields.contains_key(field.name) || inherited || pointless {
            return None;
        }
        let text = (field.default)()?;
        Some(match text.contains('…') {
            true => DocLine::comment(format!("{} = {text}  (default)", field.name)),
            false => DocLine::field(field.name, Doc::Inline(text), "default"),
        })
    }

    /// `pipelines/epo.epo:12`
    pub(super) fn origin(&self, span: Span) -> String {
        let name = &self.sources.get(span.source).name;
        match name.starts_with('<') {
            true => name.clone(),
            false => format!("{name}:{}", self.sources.position(span.source, span.start).line),
        }
    }
}

/// Fields that may only be written beside another one.
const NEEDS: [(&str, &str, &str); 1] = [("rl", "evaluate_every", "select_on")];

fn info(kind: &str) -> Option<(&'static str, &'static KindInfo)> {
    all_kinds().find(|(_, info)| info.name == kind)
}

/// `house`, `house_2`, …
fn candidates(wanted: &str) -> impl Iterator<Item = String> {
    (1..10_000).map(move |n| if n == 1 { wanted.to_string() } else { format!("{wanted}_{n}") })
}
