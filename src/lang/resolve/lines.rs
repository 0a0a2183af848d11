//! Lines by dotted path: what a block, a component or a pipeline with its parents comes to before anything is evaluated.

use super::scope::Context;
use crate::lang::ast::{self, Expr, Function, Line, LineKind, Text};
use crate::lang::{Diagnostic, Diagnostics, Span};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::ops::Deref;

/// A line and the scope that its names are looked up in.
#[derive(Clone, Debug)]
pub(crate) struct ScopedLine<'a> {
    pub name_span: Span,
    pub body: Body<'a>,
    pub context: Context,
    /// The pipeline whose text it stands in; empty for components.
    pub written_in: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Body<'a> {
    Expr(&'a Expr),
    Function(&'a Function),
    Prompt(&'a Text),
    /// `loss { … }`: its lines stand beside it under its name.
    Block,
}

/// In the order written; `loss.minimize` stands under that very key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines<'a> {
    lines: IndexMap<String, ScopedLine<'a>>,
    /// How many keys lie below a path, so that asking takes no walk over all lines.
    below: HashMap<String, usize>,
}

impl<'a> Deref for Lines<'a> {
    type Target = IndexMap<String, ScopedLine<'a>>;

    fn deref(&self) -> &Self::Target {
        &self.lines
    }
}

impl<'a> IntoIterator for Lines<'a> {
    type Item = (String, ScopedLine<'a>);
    type IntoIter = indexmap::map::IntoIter<String, ScopedLine<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.lines.into_iter()
    }
}

impl<'a> Lines<'a> {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn insert(&mut self, key: String, line: ScopedLine<'a>) {
        if !self.lines.contains_key(&key) {
            parents(&key).for_each(|parent| *self.below.entry(parent.to_string()).or_default() += 1);
        }
        self.lines.insert(key, line);
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut ScopedLine<'a>> {
        self.lines.values_mut()
    }

    fn remove(&mut self, key: &str) {
        if self.lines.shift_remove(key).is_some() {
            self.forget(key);
        }
    }

    /// Removes the lines below a path, not the path's own.
    pub(super) fn remove_below(&mut self, path: &str) {
        if self.has_below(path) {
            let gone: Vec<String> = self.lines.keys().filter(|key| is_below(key, path)).cloned().collect();
            self.lines.retain(|key, _| !is_below(key, path));
            gone.iter().for_each(|key| self.forget(key));
        }
    }

    fn forget(&mut self, key: &str) {
        for parent in parents(key) {
            if let Some(count) = self.below.get_mut(parent) {
                *count -= 1;
            }
        }
    }

    pub(super) fn has_below(&self, path: &str) -> bool {
        self.below.get(path).is_some_and(|count| *count > 0)
    }
}

/// `a`, `a.b` of `a.b.c`.
fn parents(key: &str) -> impl Iterator<Item = &str> {
    key.match_indices('.').map(|(at, _)| &key[..at])
}

fn is_below(key: &str, path: &str) -> bool {
    key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
}

/// The lines below a path, without it.
pub(crate) fn below<'a>(lines: &Lines<'a>, path: &str) -> Lines<'a> {
    let mut found = Lines::new();
    if lines.has_below(path) {
        for (key, line) in lines.iter() {
            if let Some(rest) = key.strip_prefix(path).and_then(|rest| rest.strip_prefix('.')) {
                found.insert(rest.to_string(), line.clone());
            }
        }
    }
    found
}

/// Whether a path has a line of its own or lines below it.
pub(crate) fn mentions(lines: &Lines<'_>, path: &str) -> bool {
    lines.contains_key(path) || lines.has_below(path)
}

/// Adds source lines to what is inherited. A later whole assignment drops the inherited lines below it; a dotted one replaces one leaf.
pub(crate) fn extend<'a>(
    into: &mut Lines<'a>,
    source: &'a [Line],
    prefix: &str,
    context: &Context,
    written_in: usize,
    own: &mut IndexMap<String, Span>,
    diagnostics: &mut Diagnostics,
) {
    for line in source {
        let (path, span, body) = match &line.kind {
            LineKind::Assign { path, value } => (stage_path(into, prefix, path), path.span, Body::Expr(value)),
            LineKind::Function(function) => (function.name.name.clone(), function.name.span, Body::Function(function)),
            LineKind::Prompt { name, text } => (name.name.clone(), name.span, Body::Prompt(text)),
            LineKind::Block { name, lines } => {
                let key = join(prefix, &name.name);
                if let Some(first) = own.get(&key) {
                    diagnostics.push(twice(&key, name.span, *first));
                    continue;
                }
                own.insert(key.clone(), name.span);
                if !into.contains_key(&key) {
                    into.insert(key.clone(), ScopedLine { name_span: name.span, body: Body::Block, context: context.clone(), written_in });
                } else if !matches!(into[&key].body, Body::Block) {
                    into.remove_below(&key);
                    into.insert(key.clone(), ScopedLine { name_span: name.span, body: Body::Block, context: context.clone(), written_in });
                }
                extend(into, lines, &key, context, written_in, own, diagnostics);
                continue;
            }
            LineKind::Without { path } => {
                let key = join(prefix, &path.to_string());
                let before = into.len();
                into.remove(&key);
                into.remove_below(&key);
                if into.len() == before {
                    let known: Vec<String> = into.keys().cloned().collect();
                    diagnostics.push(
                        Diagnostic::error("E0112", path.span, format!("there is no `{path}` to leave out"))
                            .did_you_mean(&key, known.iter().map(String::as_str)),
                    );
                }
                own.retain(|k, _| *k != key);
                continue;
            }
            LineKind::Import { .. } => {
                diagnostics.push(Diagnostic::error("E0116", line.span, "an import stands at the top of a file, not inside braces"));
                continue;
            }
            LineKind::Pipeline { name, .. } => {
                diagnostics.push(Diagnostic::error("E0116", name.span, "a pipeline cannot stand inside another"));
                continue;
            }
        };
        let key = join(prefix, &path);
        if let Some(first) = own.get(&key) {
            diagnostics.push(twice(&key, span, *first));
            continue;
        }
        own.insert(key.clone(), span);
        into.remove_below(&key);
        into.insert(key, ScopedLine { name_span: span, body, context: context.clone(), written_in });
    }
}

/// `train.groups = 8` means the stage `train` where the pipeline has no line of that name: `stages.train.groups`.
fn stage_path(lines: &Lines<'_>, prefix: &str, path: &ast::Path) -> String {
    let first = path.parts[0].name.as_str();
    let stage = format!("stages.{first}");
    if prefix.is_empty() && !mentions(lines, first) && mentions(lines, &stage) { format!("stages.{path}") } else { path.to_string() }
}

fn twice(key: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::error("E0106", span, format!("`{key}` is given twice")).also(first, "given here first")
}

fn join(prefix: &str, path: &str) -> String {
    if prefix.is_empty() { path.to_string() } else { format!("{prefix}.{path}") }
}
