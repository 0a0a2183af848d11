//! Names that a pipeline defines and nothing reads.

use super::lines::{Body, Lines};
use super::{Definition, Resolver};
use crate::lang::diagnostic::closest;
use crate::lang::value::Value;
use crate::lang::{Diagnostic, Span};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

/// The first part of a dotted path: of `stages.warm.epochs`, the stage.
fn changed(path: &str) -> Option<&str> {
    let parts = if path.starts_with("stages.") { 2 } else { 1 };
    path.match_indices('.').nth(parts - 1).and_then(|(at, _)| path.get(..at))
}

/// Whether a dotted line is for something that the pipeline does not have.
fn changes_nothing(lines: &Lines<'_>, path: &str) -> bool {
    changed(path).is_some_and(|whole| !matches!(whole, "loss" | "stages") && !lines.contains_key(whole))
}

/// A line for a field of `whole`, which the pipeline does not have.
pub(super) fn nothing_to_change(lines: &Lines<'_>, whole: &str, place: Span) -> Diagnostic {
    let name = whole.strip_prefix("stages.").unwrap_or(whole);
    let known = lines.keys().map(|key| key.strip_prefix("stages.").unwrap_or(key)).filter(|key| !key.contains('.'));
    Diagnostic::error("E0114", place, format!("there is no `{name}` whose field could be changed")).did_you_mean(name, known)
}

impl Resolver<'_> {
    /// Like [`Self::line`], but reading the line does not count as use.
    pub(super) fn line_unread(&self, instance: usize, path: &str) -> Arc<Value> {
        let this = &self.instances[instance];
        if let Some(value) = this.memo.borrow().get(path) {
            return value.clone();
        }
        let guard = format!("{instance}:{path}");
        let span = this.lines.get(path).map(|l| l.name_span);
        let value = self.guarded(guard, path, span, || self.entry(&this.lines, path, Some(Rc::from(path))));
        this.memo.borrow_mut().insert(path.to_string(), value.clone());
        value
    }

    /// [`Self::line`] without use: for what is known before the run.
    pub(crate) fn line_quietly(&self, instance: usize, path: &str) -> Option<Arc<Value>> {
        super::lines::mentions(&self.instances[instance].lines, path).then(|| self.line_unread(instance, path))
    }

    /// To be called when everything has been read: reports each pipeline's own lines that nothing read. Inherited ones are exempt: a child
    /// may leave part of its parent unused. A name close to one that would have been read is an error, any other a warning.
    pub(crate) fn report_unused(&self, pipelines: &[usize]) {
        // after an error it may be the mistaken line that would have read them
        if !pipelines.is_empty() && !self.diagnostics.borrow().has_errors() {
            self.report_unused_in_file();
        }
        let (blamed, suggested) = self.said_so_far();
        for &pipeline in pipelines {
            let Some(&instance) = self.find_instances(pipeline).first() else { continue };
            let lines = &self.instances[instance].lines;
            for (path, line) in lines.iter() {
                if line.written_in == pipeline && !blamed.contains(&line.name_span) && changes_nothing(lines, path) {
                    self.report(nothing_to_change(lines, changed(path).unwrap_or(path), line.name_span));
                    continue;
                }
                let term = path.strip_prefix("loss.").filter(|_| lines.contains_key("loss.minimize"));
                let other = path == "stages" || path == "loss" || (path.contains('.') && term.is_none());
                if line.written_in != pipeline || other || self.used.borrow().contains(&line.name_span) || blamed.contains(&line.name_span)
                {
                    continue;
                }
                // a loss that nobody evaluated says nothing about its terms
                if term.is_some_and(|name| {
                    name == "minimize" || name.contains('.') || !self.instances[instance].memo.borrow().contains_key("loss")
                }) {
                    continue;
                }
                let before = self.diagnostics.borrow().0.len();
                if term.is_none() && !matches!(line.body, Body::Function(_)) {
                    // its own mistakes are shown even if nobody reads it, at whatever point of a sweep
                    self.find_instances(pipeline).into_iter().for_each(|instance| drop(self.line_unread(instance, path)));
                }
                let own_mistake =
                    self.diagnostics.borrow().0.iter().skip(before).any(|d| d.labels.first().is_some_and(|l| l.span == line.name_span));
                let name = term.unwrap_or(path);
                if own_mistake || suggested.contains(name) {
                    continue;
                }
                let known: &[&str] = if term.is_some() { &["minimize"] } else { &[] };
                let fields = self.words.inherited.iter().chain(&self.words.settings).copied().filter(|_| term.is_none());
                let message = match term {
                    Some(name) => format!("nothing reads the term `{name}`"),
                    None => format!("nothing reads `{path}`"),
                };
                let diagnostic = match closest(name, known.iter().copied().chain(fields)) {
                    Some(close) => Diagnostic::error("E0110", line.name_span, message).help(format!("did you mean `{close}`?")),
                    None => match (self.words.foreign)(name).filter(|_| !matches!(line.body, Body::Function(_))) {
                        Some(foreign) => Diagnostic::error("E0110", line.name_span, message).help(foreign),
                        None => Diagnostic::warning("W0110", line.name_span, message),
                    },
                };
                self.report(diagnostic);
            }
        }
    }

    /// The names at the top of the root file. A file without pipelines is a library: its names are for others.
    fn report_unused_in_file(&self) {
        let (blamed, suggested) = self.said_so_far();
        let root = self.program.root;
        for (name, (definition, span)) in &self.files[root].names {
            let told = blamed.contains(span) || suggested.contains(name);
            if matches!(definition, Definition::Pipeline(_)) || self.used.borrow().contains(span) || told {
                continue;
            }
            if let Definition::Line = definition {
                // its own mistakes are shown even if nobody reads it
                let _ = self.file_line(root, name);
            }
            self.report(Diagnostic::warning("W0110", *span, format!("nothing reads `{name}`")));
        }
    }
    /// The places of all messages, and the names that they suggest: where a name was misspelt, that nothing reads the right one is no news.
    fn said_so_far(&self) -> (HashSet<Span>, HashSet<String>) {
        let diagnostics = self.diagnostics.borrow();
        let suggestion = |help: &String| Some(help.strip_prefix("did you mean `")?.split('`').next()?.to_string());
        (
            diagnostics.0.iter().filter_map(|d| Some(d.labels.first()?.span)).collect(),
            diagnostics.0.iter().flat_map(|d| &d.help).filter_map(suggestion).collect(),
        )
    }

    /// Runs a part of the check of an instance. Where it finds a mistake in a line that the pipeline has from another, both places are shown.
    pub(crate) fn blaming<T>(&self, instance: usize, work: impl FnOnce() -> T) -> T {
        let before = self.diagnostics.borrow().0.len();
        let result = work();
        let mut diagnostics = self.diagnostics.borrow_mut();
        let found = diagnostics.0.split_off(before);
        let own = &self.pipelines[self.instances[instance].pipeline];
        for diagnostic in found {
            let Some(place) = diagnostic.labels.first().map(|l| l.span) else {
                diagnostics.push(diagnostic);
                continue;
            };
            let known = diagnostics.0.iter().any(|d| {
                d.code == diagnostic.code && d.message == diagnostic.message && d.labels.first().is_some_and(|label| label.span == place)
            });
            let mentions_own = diagnostic.labels.iter().any(|label| within(label.span, own.span));
            match self.ancestors(self.instances[instance].pipeline).any(|p| within(place, self.pipelines[p].span)) {
                true if known => {}
                true if !mentions_own => diagnostics.push(diagnostic.also(own.name_span, format!("`{}` inherits this", own.name))),
                _ => diagnostics.push(diagnostic),
            }
        }
        result
    }

    /// Whether there is a message about an equation, so that looking at it again would repeat it.
    pub(crate) fn said_of_equations(&self) -> bool {
        self.diagnostics.borrow().0.iter().any(|d| d.code.starts_with("E03"))
    }

    fn ancestors(&self, pipeline: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.pipelines[pipeline].parent, |&p| self.pipelines[p].parent)
    }

    /// The whole text of a pipeline.
    pub(crate) fn pipeline_extent(&self, pipeline: usize) -> Span {
        self.pipelines[pipeline].span
    }
}

fn within(inner: Span, outer: Span) -> bool {
    inner.source == outer.source && outer.start <= inner.start && inner.end <= outer.end
}
