//! Lines by dotted path: what a block, a component or a pipeline with its parents comes to before anything is evaluated.

use super::scope::Context;
use crate::lang::ast::{self, Expr, Function, Line, LineKind, Text};
use crate::lang::{Diagnostic, Diagnostics, Span};
use indexmap::IndexMap;

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
pub(crate) type Lines<'a> = IndexMap<String, ScopedLine<'a>>;

/// The lines below a path, without it.
pub(crate) fn below<'a>(lines: &Lines<'a>, path: &str) -> Lines<'a> {
    lines.iter().filter_map(|(key, line)| Some((key.strip_prefix(path)?.strip_prefix('.')?.to_string(), line.clone()))).collect()
}

/// Whether a path has a line of its own or lines below it.
pub(crate) fn mentions(lines: &Lines<'_>, path: &str) -> bool {
    lines.contains_key(path) || lines.keys().any(|key| key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
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
                    remove_below(into, &key);
                    into.insert(key.clone(), ScopedLine { name_span: name.span, body: Body::Block, context: context.clone(), written_in });
                }
                extend(into, lines, &key, context, written_in, own, diagnostics);
                continue;
            }
            LineKind::Without { path } => {
                let key = join(prefix, &path.to_string());
                let before = into.len();
                into.shift_remove(&key);
                remove_below(into, &key);
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
        remove_below(into, &key);
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

fn remove_below(lines: &mut Lines<'_>, path: &str) {
    lines.retain(|key, _| !key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')));
}

fn join(prefix: &str, path: &str) -> String {
    if prefix.is_empty() { path.to_string() } else { format!("{prefix}.{path}") }
}
