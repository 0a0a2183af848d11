//! `seeds` and `sweep(…)`: one pipeline in the text, several to run.

use super::lines::{Body, Lines};
use super::{MAX_INSTANCES, Resolver};
use crate::lang::ast::{Expr, ExprKind, Line, LineKind};
use crate::lang::value::ValueKind;
use crate::lang::{Diagnostic, SourceMap, Span};
use std::collections::BTreeMap;

/// `("lambda", "0.003")`
pub(crate) type Label = (String, String);

/// A pipeline with a seed and a choice for every sweep.
pub(crate) struct Instance<'a> {
    pub pipeline: usize,
    pub name: String,
    pub name_span: Span,
    pub label: Vec<Label>,
    pub seed: u64,
    /// By the place of the `sweep(…)` call: which of its values.
    pub(super) choices: BTreeMap<Span, usize>,
    /// Its sweeps are left open; see [`super::open`].
    pub(super) open: bool,
    pub(super) lines: Lines<'a>,
    pub(super) memo: std::cell::RefCell<std::collections::HashMap<String, std::sync::Arc<crate::lang::value::Value>>>,
}

struct Sweep<'a> {
    path: String,
    span: Span,
    values: Vec<&'a Expr>,
}

impl<'a> Resolver<'a> {
    /// The pipelines of the root file, in order.
    pub fn root_pipelines(&self) -> Vec<usize> {
        (0..self.pipelines.len()).filter(|&p| self.pipelines[p].file == self.program.root).collect()
    }

    pub(crate) fn pipeline_name(&self, pipeline: usize) -> &str {
        &self.pipelines[pipeline].name
    }

    pub(crate) fn find_instances(&self, pipeline: usize) -> Vec<usize> {
        (0..self.instances.len()).filter(|&i| self.instances[i].pipeline == pipeline).collect()
    }

    /// A pipeline that an instance may speak of: of its own file or of its imports.
    pub(crate) fn pipeline_seen_from(&self, instance: usize, name: &str) -> Option<usize> {
        let file = self.pipelines[self.instances[instance].pipeline].file;
        let own = self.pipelines.iter().position(|p| p.file == file && p.name == name);
        own.or_else(|| self.pipelines.iter().position(|p| p.name == name))
    }

    /// Unfolds a pipeline once; later calls return the same instances.
    pub fn unfold(&mut self, pipeline: usize, sources: &SourceMap) -> Vec<usize> {
        let known = self.find_instances(pipeline);
        if !known.is_empty() {
            return known;
        }
        let lines = self.pipeline_lines[pipeline].clone();
        let first = self.push_instance(pipeline, Vec::new(), 0, BTreeMap::new(), &lines);
        let seeds = self.seeds(first);
        let sweeps = sweeps(&lines);
        let count = sweeps.iter().map(|s| s.values.len()).try_fold(seeds.len(), usize::checked_mul);
        if count.is_none_or(|c| c > MAX_INSTANCES) {
            let name = &self.pipelines[pipeline];
            let message = format!("`{}` unfolds into more than {MAX_INSTANCES} pipelines", name.name);
            self.diagnostics
                .borrow_mut()
                .push(Diagnostic::error("E0122", name.name_span, message).help("use fewer seeds or sweep fewer values"));
            return vec![first];
        }
        self.instances.truncate(first);
        let mut points: Vec<(Vec<Label>, BTreeMap<Span, usize>)> = vec![(Vec::new(), BTreeMap::new())];
        for sweep in &sweeps {
            let mut next = Vec::new();
            for (label, choices) in &points {
                for (index, value) in sweep.values.iter().enumerate() {
                    let (mut label, mut choices) = (label.clone(), choices.clone());
                    label.push((sweep.path.clone(), super::swept::name(value, sources)));
                    choices.insert(sweep.span, index);
                    next.push((label, choices));
                }
            }
            points = next;
        }
        let mut made = Vec::new();
        for (label, choices) in points {
            for &seed in &seeds {
                let mut label = label.clone();
                if seeds.len() > 1 {
                    label.insert(0, ("seed".to_string(), seed.to_string()));
                }
                made.push(self.push_instance(pipeline, label, seed, choices.clone(), &lines));
            }
        }
        made
    }

    pub(super) fn push_instance(
        &mut self,
        pipeline: usize,
        label: Vec<Label>,
        seed: u64,
        choices: BTreeMap<Span, usize>,
        lines: &Lines<'a>,
    ) -> usize {
        let index = self.instances.len();
        let mut lines = lines.clone();
        for line in lines.values_mut() {
            line.context.instance = Some(index);
        }
        let (name, name_span) = (self.pipelines[pipeline].name.clone(), self.pipelines[pipeline].name_span);
        self.instances.push(Instance {
            pipeline,
            name,
            name_span,
            label,
            seed,
            choices,
            open: false,
            lines,
            memo: std::cell::RefCell::default(),
        });
        index
    }

    fn seeds(&self, instance: usize) -> Vec<u64> {
        let Some(value) = self.line(instance, "seeds") else { return vec![0] };
        let mut seeds = Vec::new();
        let items = match &value.kind {
            ValueKind::List(items) => items.clone(),
            ValueKind::Poison => return vec![0],
            ValueKind::Number(n) => {
                let message = format!("`seeds` is a list: `{n}` may be one seed or a number of seeds");
                let mut diagnostic =
                    Diagnostic::error("E0123", value.span, message).help(format!("write `seeds = [{n}]` for the seed {n}"));
                if *n >= 2.0 && n.fract() == 0.0 {
                    let first: Vec<String> = (0..n.min(3.0) as u64).map(|seed| seed.to_string()).collect();
                    let more = if *n > 3.0 { ", …" } else { "" };
                    diagnostic = diagnostic.help(format!("write `seeds = [{}{more}]` for {n} of them", first.join(", ")));
                }
                self.report(diagnostic);
                return vec![0];
            }
            _ => vec![value.clone()],
        };
        for item in &items {
            match item.kind {
                ValueKind::Number(n) if n >= 0.0 && n.fract() == 0.0 && n < 9e15 => {
                    if seeds.contains(&(n as u64)) {
                        let first = items.iter().find(|i| matches!(i.kind, ValueKind::Number(m) if m == n)).map_or(item.span, |i| i.span);
                        self.report(
                            Diagnostic::error("E0202", item.span, format!("the seed {n} is given twice")).also(first, "given here first"),
                        );
                    } else {
                        seeds.push(n as u64);
                    }
                }
                ValueKind::Poison => {}
                ValueKind::Number(n) => {
                    self.report(Diagnostic::error("E0202", item.span, format!("expected a whole number of 0 or more, found {n}")));
                }
                ValueKind::Word { .. } => self.report(Self::unknown_word(item, &[])),
                _ => self.report(
                    Diagnostic::error("E0201", item.span, format!("expected a whole number of 0 or more, found {}", item.words()))
                        .help("seeds are a list of numbers: `seeds = [0, 1, 2]`"),
                ),
            }
        }
        if seeds.is_empty() {
            if items.is_empty() {
                self.report(Diagnostic::error("E0202", value.span, "`seeds` needs at least one seed"));
            }
            return vec![0];
        }
        seeds
    }
}

/// Every `sweep(…)` in the lines of a pipeline, with the path of the line it stands in.
fn sweeps<'a>(lines: &Lines<'a>) -> Vec<Sweep<'a>> {
    let mut found = Vec::new();
    for (path, line) in lines.iter() {
        let path = path.strip_prefix("stages.").unwrap_or(path);
        if let Body::Expr(expr) = line.body {
            walk(expr, path, &mut found);
        }
    }
    found
}

fn walk<'a>(expr: &'a Expr, path: &str, found: &mut Vec<Sweep<'a>>) {
    match &expr.kind {
        ExprKind::Call { function, args } => {
            if function.parts.len() == 1 && function.parts[0].name == "sweep" && !args.is_empty() {
                found.push(Sweep { path: path.to_string(), span: expr.span, values: args.iter().map(|a| &a.value).collect() });
            } else {
                args.iter().for_each(|a| walk(&a.value, path, found));
            }
        }
        ExprKind::List(items) => items.iter().for_each(|e| walk(e, path, found)),
        ExprKind::Range(a, b) => [a, b].into_iter().for_each(|e| walk(e, path, found)),
        ExprKind::Unary { operand, .. } => walk(operand, path, found),
        ExprKind::Binary { left, right, .. } => [left, right].into_iter().for_each(|e| walk(e, path, found)),
        ExprKind::Component { lines, .. } => walk_lines(lines, path, found),
        ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Bool(_) | ExprKind::Duration(_) | ExprKind::Size(_) | ExprKind::Path(_) => {}
    }
}

fn walk_lines<'a>(lines: &'a [Line], path: &str, found: &mut Vec<Sweep<'a>>) {
    for line in lines {
        match &line.kind {
            LineKind::Assign { path: field, value } => walk(value, &format!("{path}.{field}"), found),
            LineKind::Block { name, lines } => walk_lines(lines, &format!("{path}.{}", name.name), found),
            _ => {}
        }
    }
}
