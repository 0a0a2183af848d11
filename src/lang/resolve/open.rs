//! A pipeline whose sweeps are left open: one text for all its instances, for printing.
//!
//! An open sweep, and every mention of a line that depends on one, is a symbol: a quantity of a name that the vocabulary does not have. It goes
//! through calculations as any quantity does.

use super::Resolver;
use super::lines::Body;
use crate::lang::Span;
use crate::lang::ast::{Arg, Expr, ExprKind};
use crate::lang::term::{Argument, LossBlock, Term, TermKind};
use crate::lang::value::{Value, ValueKind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The symbols of sweeps begin with it; no name and no text of a source can.
pub(crate) const SWEEP: char = '\u{1}';

/// One value of an open sweep.
#[derive(Clone, Debug)]
pub(crate) struct SweepValue {
    pub value: Arc<Value>,
    pub span: Span,
    /// It mentions no name, so its own text means the same anywhere.
    pub closed: bool,
    /// It is a name and nothing else.
    pub name: Option<String>,
}

/// A line of an open instance.
#[derive(Clone, Debug)]
pub(crate) struct OpenLine {
    /// Its first part: `lambda`, `stages`, `loss`.
    pub name: String,
    pub name_span: Span,
    pub function: bool,
}

impl<'a> Resolver<'a> {
    /// An instance of a pipeline with its sweeps open. Not to be checked, only to be read.
    pub(crate) fn open(&mut self, pipeline: usize) -> usize {
        let lines = self.pipeline_lines[pipeline].clone();
        let index = self.push_instance(pipeline, Vec::new(), 0, BTreeMap::new(), &lines);
        self.instances[index].open = true;
        index
    }

    /// The top-level lines of an instance, each once, in the order written.
    pub(crate) fn lines(&self, instance: usize) -> Vec<OpenLine> {
        let mut found: Vec<OpenLine> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for (key, line) in self.instances[instance].lines.iter() {
            let name = key.split('.').next().unwrap_or(key);
            if seen.insert(name.to_string()) {
                let function = matches!(line.body, Body::Function(_)) && name == key;
                found.push(OpenLine { name: name.to_string(), name_span: line.name_span, function });
            }
        }
        found
    }

    /// Whether an instance has a line of this name, or lines below it.
    pub(crate) fn has_line(&self, instance: usize, name: &str) -> bool {
        super::lines::mentions(&self.instances[instance].lines, name)
    }

    /// The root file's lines that have a value, in order.
    pub(crate) fn top_level_names(&self) -> Vec<String> {
        let names = &self.files[self.program.root].names;
        names.iter().filter(|(_, (definition, _))| matches!(definition, super::Definition::Line)).map(|(name, _)| name.clone()).collect()
    }

    /// A line of the root file, or of what it imports.
    pub(crate) fn top_level(&self, name: &str) -> Option<Arc<Value>> {
        let span = crate::lang::Span::new(self.program.files[self.program.root].source, 0..0);
        let name = crate::lang::ast::Ident { name: name.to_string(), span };
        match self.lookup(&name, &super::Context { file: self.program.root, ..super::Context::default() }) {
            super::names::Found::Value(value) if !matches!(value.kind, ValueKind::Key(_)) && self.symbol_of(&value).is_none() => {
                Some(value)
            }
            _ => None,
        }
    }

    /// Where a prompt of this name and text is written, in a file or in the instance.
    pub(crate) fn prompt_span(&self, instance: usize, name: &str, text: &str) -> Option<Span> {
        let own = self.instances.get(instance).map(|i| &i.lines);
        let lines = own.into_iter().chain(self.files.iter().map(|f| &f.lines));
        lines.filter_map(|lines| lines.get(name)).find_map(|line| match line.body {
            Body::Prompt(found) if found.value == text => Some(line.name_span),
            _ => None,
        })
    }

    pub(crate) fn pipeline_span(&self, pipeline: usize) -> Span {
        self.pipelines[pipeline].name_span
    }

    /// The values of an open sweep by its symbol.
    pub(crate) fn sweep_values(&self, symbol: &str) -> Option<Vec<SweepValue>> {
        let index: usize = symbol.strip_prefix(SWEEP)?.trim_end_matches(SWEEP).parse().ok()?;
        self.open_sweeps.borrow().get(index).cloned()
    }

    pub(super) fn is_open(&self, instance: usize) -> bool {
        self.instances[instance].open
    }

    pub(super) fn open_sweep(&self, args: &'a [Arg], span: Span, context: &super::Context) -> Arc<Value> {
        let values = args.iter().map(|arg| SweepValue {
            value: self.eval(&arg.value, context),
            span: arg.value.span,
            closed: is_closed(&arg.value),
            name: match &arg.value.kind {
                ExprKind::Path(path) if path.parts.len() == 1 => Some(path.to_string()),
                _ => None,
            },
        });
        let values = values.collect();
        let mut sweeps = self.open_sweeps.borrow_mut();
        sweeps.push(values);
        symbol(&format!("{SWEEP}{}{SWEEP}", sweeps.len() - 1), span)
    }

    /// The name of a symbol; `None` for everything else.
    pub(crate) fn symbol_of<'v>(&self, value: &'v Value) -> Option<&'v str> {
        match &value.kind {
            ValueKind::Term(term) => match &term.kind {
                TermKind::Quantity(name) if !self.words.vocabulary.quantities.contains(&name.as_ref()) => Some(name),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a value depends on an open sweep.
    pub(crate) fn depends_on_sweep(&self, value: &Value) -> bool {
        let mut symbols = BTreeSet::new();
        self.symbols(value, &mut symbols);
        !symbols.is_empty()
    }

    /// Every symbol in a value.
    pub(crate) fn symbols(&self, value: &Value, into: &mut BTreeSet<Arc<str>>) {
        match &value.kind {
            ValueKind::List(items) => items.iter().for_each(|v| self.symbols(v, into)),
            ValueKind::Range(low, high) => [low, high].into_iter().for_each(|v| self.symbols(v, into)),
            ValueKind::Component(component) => {
                if self.words.kind(&component.kind).is_none() {
                    into.insert(Arc::from(component.kind.as_str()));
                }
                component.fields.values().for_each(|f| self.symbols(&f.value, into));
            }
            ValueKind::Term(term) => self.term_symbols(term, &mut BTreeSet::new(), into),
            ValueKind::Loss(block) => self.loss_symbols(block, into),
            _ => {}
        }
    }

    fn loss_symbols(&self, block: &LossBlock, into: &mut BTreeSet<Arc<str>>) {
        let mut seen = BTreeSet::new();
        let terms = block.terms.iter().map(|t| &t.term).chain(&block.minimize);
        terms.for_each(|term| self.term_symbols(term, &mut seen, into));
    }

    /// A term is a DAG: every node is visited once.
    fn term_symbols(&self, term: &Arc<Term>, seen: &mut BTreeSet<*const Term>, into: &mut BTreeSet<Arc<str>>) {
        if !seen.insert(Arc::as_ptr(term)) {
            return;
        }
        match &term.kind {
            TermKind::Quantity(name) if !self.words.vocabulary.quantities.contains(&name.as_ref()) => drop(into.insert(name.clone())),
            TermKind::Named { body, .. } => self.term_symbols(body, seen, into),
            TermKind::Apply { args, .. } => {
                for arg in args {
                    match arg {
                        Argument::Term(term) => self.term_symbols(term, seen, into),
                        Argument::Key(word, _) => into.extend(self.key_symbols(word)),
                        Argument::Text(..) | Argument::Absent => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// The words of a key such as `[group, anchors(k)]` that mean nothing of themselves.
    fn key_symbols<'k>(&self, key: &'k str) -> impl Iterator<Item = Arc<str>> + use<'k, '_, 'a> {
        let vocabulary = self.words.vocabulary;
        let words = key.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
        let known = |word: &&str| vocabulary.keys.contains(word) || vocabulary.counted_keys.contains(word);
        words.filter(move |word| !known(word) && word.parse::<f64>().is_err()).map(Arc::from)
    }
}

pub(super) fn symbol(name: &str, span: Span) -> Arc<Value> {
    let term = Term::new(TermKind::Quantity(Arc::from(name)), span, None);
    Value::new(ValueKind::Term(term), span)
}

fn is_closed(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Bool(_) | ExprKind::Duration(_) | ExprKind::Size(_) => true,
        ExprKind::List(items) => items.iter().all(is_closed),
        ExprKind::Range(a, b) => is_closed(a) && is_closed(b),
        ExprKind::Unary { operand, .. } => is_closed(operand),
        ExprKind::Binary { left, right, .. } => is_closed(left) && is_closed(right),
        ExprKind::Path(_) | ExprKind::Call { .. } | ExprKind::Component { .. } => false,
    }
}
