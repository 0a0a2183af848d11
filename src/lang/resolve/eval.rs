//! Expressions to values.

use super::lines::{Body, Lines, below, extend, mentions};
use super::names::MAX_ROUTE;
use super::scope::Context;
use super::unused::nothing_to_change;
use super::{LossScope, MAX_DEPTH, MAX_NESTING, MAX_SIZE, MAX_STEPS, Resolver, Template};
use crate::builtin::{Builtin, Type};
use crate::lang::ast::{Expr, ExprKind, Line, Path};
use crate::lang::term::{Argument, LossBlock, LossTerm, Term, TermKind};
use crate::lang::value::{Component, FieldValue, Value, ValueKind};
use crate::lang::{Diagnostic, Diagnostics, Span};
use indexmap::IndexMap;
use std::rc::Rc;
use std::sync::Arc;

/// The branch of a `where` whose condition is a constant: a switch of a function that is set.
fn settled(builtin: Builtin, args: &[Argument]) -> Option<Arc<Term>> {
    let (Builtin::Where, [Argument::Term(condition), Argument::Term(a), Argument::Term(b)]) = (builtin, args) else { return None };
    match condition.kind {
        TermKind::Bool(c) => Some(if c { a } else { b }.clone()),
        _ => None,
    }
}

impl<'a> Resolver<'a> {
    /// The value of a line and of the lines below it.
    pub(super) fn entry(&self, lines: &Lines<'a>, path: &str, defining: Option<Rc<str>>) -> Arc<Value> {
        let changes = below(lines, path);
        match lines.get(path) {
            Some(line) => {
                let context = Context { defining, ..line.context.clone() };
                match line.body {
                    Body::Expr(expr) => self.eval_changed(expr, &context, changes),
                    Body::Prompt(text) => {
                        let kind = ValueKind::Prompt { name: path.to_string(), text: text.value.clone(), defined: line.name_span };
                        Value::new(kind, text.span)
                    }
                    Body::Function(function) => {
                        self.report(Diagnostic::error("E0115", line.name_span, format!("`{path}` is a function, not a value")));
                        Value::poison(function.name.span)
                    }
                    Body::Block if path == "loss" || path.ends_with(".loss") => self.loss(changes, line.name_span),
                    Body::Block => {
                        let message = format!("the block `{path}` means nothing here");
                        self.report(
                            Diagnostic::error("E0116", line.name_span, message)
                                .did_you_mean(path, ["loss", "stages"])
                                .help(format!("write `{path} = kind {{ … }}`; only `loss` and `stages` are blocks")),
                        );
                        Value::poison(line.name_span)
                    }
                }
            }
            None => {
                let span = changes.values().next().map_or(Span::new(crate::lang::SourceId(0), 0..0), |l| l.name_span);
                if path == "loss" || path.ends_with(".loss") {
                    return self.loss(changes, span);
                }
                self.report(nothing_to_change(lines, path, span));
                Value::poison(span)
            }
        }
    }

    /// Evaluates an expression with some of its fields replaced.
    fn eval_changed(&self, expr: &'a Expr, context: &Context, changes: Lines<'a>) -> Arc<Value> {
        if changes.is_empty() {
            return self.eval(expr, context);
        }
        match &expr.kind {
            ExprKind::Component { kind, lines } => self.component(kind, lines, context, Some(changes)),
            ExprKind::Path(path) => {
                let value = self.path(path, context);
                match &value.kind {
                    ValueKind::Component(_) => self.component(path, &[], context, Some(changes)),
                    _ if self.symbol_of(&value).is_some() => self.component(path, &[], context, Some(changes)),
                    ValueKind::Poison => value,
                    _ => self.no_fields(&value, &changes),
                }
            }
            _ => {
                let value = self.eval(expr, context);
                self.no_fields(&value, &changes)
            }
        }
    }

    fn no_fields(&self, value: &Value, changes: &Lines<'a>) -> Arc<Value> {
        for (key, line) in changes.iter() {
            self.report(
                Diagnostic::error("E0114", line.name_span, format!("{} has no field `{key}` to change", value.words()))
                    .also(value.span, "written here"),
            );
        }
        Value::poison(value.span)
    }

    pub(super) fn eval(&self, expr: &'a Expr, context: &Context) -> Arc<Value> {
        self.steps.set(self.steps.get() + 1);
        if self.exhausted.get() {
            return Value::poison(expr.span);
        }
        if self.steps.get() > MAX_STEPS || self.depth.get() > MAX_DEPTH {
            let (what, most) = match self.steps.get() > MAX_STEPS {
                true => ("too long a", format!("{MAX_STEPS} steps")),
                false => ("too deep a", format!("{MAX_DEPTH} names and calls within one another")),
            };
            return self.too_much(expr.span, format!("this leads to {what} calculation: more than {most}"), context);
        }
        self.depth.set(self.depth.get() + 1);
        let value = self.eval_kind(expr, context);
        self.depth.set(self.depth.get() - 1);
        if value.weight.size > MAX_SIZE || value.weight.depth > MAX_NESTING {
            let message = format!("written out, this has more than {MAX_SIZE} parts or is nested more than {MAX_NESTING} deep");
            return self.too_much(expr.span, message, context);
        }
        value
    }

    /// A bound was reached. Said once: whatever uses the line would reach it as well.
    fn too_much(&self, span: Span, message: String, context: &Context) -> Arc<Value> {
        if !self.exhausted.replace(true) {
            let place = context.via.unwrap_or(span);
            let diagnostic = Diagnostic::error("E0118", place, message);
            self.report(if place == span { diagnostic } else { diagnostic.also(span, "inside this function") });
        }
        Value::poison(span)
    }

    fn eval_kind(&self, expr: &'a Expr, context: &Context) -> Arc<Value> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Number(n) => Value::new(ValueKind::Number(*n), span),
            ExprKind::Text(text) => Value::new(ValueKind::Text(text.clone()), span),
            ExprKind::Bool(b) => Value::new(ValueKind::Bool(*b), span),
            ExprKind::Duration(seconds) => Value::new(ValueKind::Duration(*seconds), span),
            ExprKind::Size(bytes) => Value::new(ValueKind::Size(*bytes), span),
            ExprKind::List(items) => Value::new(ValueKind::List(items.iter().map(|e| self.eval(e, context)).collect()), span),
            ExprKind::Range(low, high) => Value::new(ValueKind::Range(self.eval(low, context), self.eval(high, context)), span),
            ExprKind::Path(path) => self.path(path, context),
            ExprKind::Call { function, args } => self.call(function, args, span, context),
            ExprKind::Component { kind, lines } => self.component(kind, lines, context, None),
            ExprKind::Unary { op, operand } => {
                let value = self.eval(operand, context);
                self.operate(*op, &[value], span, context)
            }
            ExprKind::Binary { op, left, right, .. } => {
                let operands = [self.eval(left, context), self.eval(right, context)];
                if let (Builtin::Mul, [ValueKind::Number(n), ValueKind::Duration(d)] | [ValueKind::Duration(d), ValueKind::Number(n)]) =
                    (op, [&operands[0].kind, &operands[1].kind])
                {
                    return Value::new(ValueKind::Duration(n * d), span);
                }
                self.operate(*op, &operands, span, context)
            }
        }
    }

    /// An operator on values: a number if all are, else a term.
    fn operate(&self, operator: Builtin, operands: &[Arc<Value>], span: Span, context: &Context) -> Arc<Value> {
        // Of all of them, so that every mistake in them is reported.
        let terms: Vec<Option<Arc<Term>>> = operands.iter().map(|operand| self.as_term(operand)).collect();
        match terms.into_iter().map(|term| term.map(Argument::Term)).collect::<Option<Vec<_>>>() {
            Some(args) => self.apply(operator, args, span, context),
            None => Value::poison(span),
        }
    }

    /// A built-in applied to its arguments, folded where all are constants.
    pub(super) fn apply(&self, builtin: Builtin, args: Vec<Argument>, span: Span, context: &Context) -> Arc<Value> {
        let constants: Option<Vec<f64>> = args
            .iter()
            .filter(|a| !matches!(a, Argument::Absent))
            .map(|arg| match arg {
                Argument::Term(term) => match term.kind {
                    TermKind::Number(n) => Some(n),
                    TermKind::Bool(b) => Some(f64::from(u8::from(b))),
                    _ => None,
                },
                Argument::Key(..) | Argument::Text(..) | Argument::Absent => None,
            })
            .collect();
        if let Some(folded) = constants.and_then(|c| builtin.of_numbers(&c)) {
            if !folded.is_finite() {
                let found = if folded.is_nan() { "not a number" } else { "infinite" };
                self.report(Diagnostic::error("E0204", context.via.unwrap_or(span), format!("the value of this expression is {found}")));
                return Value::poison(span);
            }
            return if builtin.row().result == Type::Condition {
                Value::new(ValueKind::Bool(folded != 0.0), span)
            } else {
                Value::new(ValueKind::Number(folded), span)
            };
        }
        if let Some(taken) = settled(builtin, &args) {
            return match taken.kind {
                TermKind::Number(n) => Value::new(ValueKind::Number(n), span),
                TermKind::Bool(b) => Value::new(ValueKind::Bool(b), span),
                _ => Value::new(ValueKind::Term(taken), span),
            };
        }
        let kind = TermKind::Apply { builtin, args };
        Value::new(ValueKind::Term(Term::new(kind, span, context.via)), span)
    }

    /// A value as an operand; reports what cannot be one.
    pub(super) fn as_term(&self, value: &Arc<Value>) -> Option<Arc<Term>> {
        let kind = match &value.kind {
            ValueKind::Number(n) => TermKind::Number(*n),
            ValueKind::Bool(b) => TermKind::Bool(*b),
            ValueKind::Term(term) => return Some(term.clone()),
            ValueKind::Poison => return None,
            ValueKind::Word { .. } => {
                self.report(Self::unknown_word(value, &[]));
                return None;
            }
            _ => {
                self.report(Diagnostic::error("E0203", value.span, format!("cannot calculate with {}", value.words())));
                return None;
            }
        };
        Some(Term::new(kind, value.span, None))
    }

    /// `kind { lines }`, or a value with some fields changed. `changes` come on top.
    pub(super) fn component(&self, path: &Path, source: &'a [Line], context: &Context, changes: Option<Lines<'a>>) -> Arc<Value> {
        let name = path.to_string();
        let (kind, kind_span, mut lines) = if path.parts.len() == 1 && self.words.kind(&name).is_some() {
            (name, path.span, Lines::new())
        } else {
            let base = self.path(path, context);
            match &base.kind {
                ValueKind::Component(component) => {
                    let lines = self.templates.borrow()[component.template].lines.clone();
                    (component.kind.clone(), component.kind_span, lines)
                }
                ValueKind::Poison => return base,
                _ if self.symbol_of(&base).is_some() => (self.symbol_of(&base).unwrap_or_default().to_string(), path.span, Lines::new()),
                ValueKind::Word { close, .. } => {
                    let diagnostic = Diagnostic::error("E0107", path.span, format!("there is no kind `{path}`"));
                    let close = self.near_kind(&path.to_string()).map(str::to_string).or_else(|| close.clone());
                    self.report(match close {
                        Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
                        None => diagnostic.help("`epo-run kinds` lists all kinds"),
                    });
                    return Value::poison(path.span);
                }
                _ => {
                    self.report(Diagnostic::error("E0114", path.span, format!("{} has no fields to change", base.words())));
                    return Value::poison(path.span);
                }
            }
        };
        let mut own = IndexMap::new();
        let mut diagnostics = Diagnostics::default();
        let inner = Context { defining: context.defining.clone(), ..context.clone() };
        extend(&mut lines, source, "", &inner, usize::MAX, &mut own, &mut diagnostics);
        for (key, line) in changes.into_iter().flatten() {
            lines.remove_below(&key);
            lines.insert(key, line);
        }
        diagnostics.0.into_iter().for_each(|d| self.report(d));
        self.build(kind, kind_span, lines, source.last().map_or(path.span, |l| path.span.to(l.span)))
    }

    /// A component from its flattened lines.
    pub(super) fn build(&self, kind: String, kind_span: Span, lines: Lines<'a>, span: Span) -> Arc<Value> {
        let mut fields: IndexMap<String, FieldValue> = IndexMap::new();
        for (key, line) in lines.iter() {
            let first = key.split('.').next().unwrap_or(key);
            if !fields.contains_key(first) {
                let value = self.entry(&lines, first, line.context.defining.clone());
                fields.insert(first.to_string(), FieldValue { name_span: lines.get(first).unwrap_or(line).name_span, value });
            }
        }
        let mut templates = self.templates.borrow_mut();
        templates.push(Template { lines });
        let template = templates.len() - 1;
        drop(templates);
        Value::new(ValueKind::Component(Component { kind, kind_span, fields, template }), span)
    }

    /// A `loss` block: every line becomes a named term.
    fn loss(&self, lines: Lines<'a>, span: Span) -> Arc<Value> {
        let block = {
            let mut blocks = self.blocks.borrow_mut();
            let index = blocks.len();
            let mut lines = lines;
            lines.values_mut().for_each(|l| l.context.block = Some(index));
            blocks.push(LossScope { lines, done: std::collections::HashMap::new(), open: indexmap::IndexSet::new() });
            index
        };
        let names: Vec<(String, Span, bool)> = self.blocks.borrow()[block]
            .lines
            .iter()
            .map(|(key, line)| (key.clone(), line.name_span, matches!(line.body, Body::Function(_))))
            .collect();
        let (mut terms, mut minimize) = (Vec::new(), None);
        for (name, name_span, function) in names {
            if function {
                continue;
            }
            let function = Builtin::called(&name).is_some();
            if name != "minimize" && (self.words.vocabulary.quantities.contains(&name.as_str()) || function) {
                let what = if function { "a function" } else { "a quantity" };
                self.report(
                    Diagnostic::error("E0113", name_span, format!("a term cannot be called `{name}`: that is {what}"))
                        .help("choose another name"),
                );
                continue;
            }
            if name.contains('.') {
                self.report(Diagnostic::error("E0114", name_span, format!("a term has no fields, so no `{name}`")));
                continue;
            }
            let value = self.block_term(block, &name, name_span);
            let body = match &value.kind {
                ValueKind::Poison => continue,
                _ => match self.as_term(&value) {
                    Some(term) => term,
                    None => continue,
                },
            };
            let body = match &body.kind {
                TermKind::Named { name: own, body } if **own == *name => body.clone(),
                _ => body,
            };
            if name == "minimize" {
                minimize = Some(body);
            } else {
                terms.push(LossTerm { name: Arc::from(name), name_span, term: body });
            }
        }
        let failed = self.blocks.borrow()[block].lines.contains_key("minimize") && minimize.is_none();
        if failed {
            return Value::poison(span);
        }
        Value::new(ValueKind::Loss(LossBlock { span, terms, minimize }), span)
    }

    /// A line of a loss by its name, as a `Named` term (`minimize`: as it is).
    pub(super) fn block_term(&self, block: usize, name: &str, span: Span) -> Arc<Value> {
        if let Some(value) = self.blocks.borrow()[block].done.get(name) {
            return value.clone();
        }
        if !self.blocks.borrow_mut()[block].open.insert(name.to_string()) {
            let mut diagnostic = Diagnostic::error("E0103", span, format!("`{name}` is defined in terms of itself"));
            let scope = &self.blocks.borrow()[block];
            for between in scope.open.iter().skip_while(|open| *open != name).skip(1).take(MAX_ROUTE) {
                let place = scope.lines.get(between).map_or(span, |line| line.name_span);
                diagnostic = diagnostic.also(place, format!("through `{between}`"));
            }
            self.report(diagnostic);
            return Value::poison(span);
        }
        let line = self.blocks.borrow()[block].lines.get(name).cloned();
        let value = match line.map(|l| (l.body, l.context)) {
            Some((Body::Expr(expr), context)) => self.eval(expr, &context),
            _ => {
                self.report(Diagnostic::error("E0116", span, format!("`{name}` must be an expression here")));
                Value::poison(span)
            }
        };
        let value = match (&value.kind, name) {
            (_, "minimize") | (ValueKind::Poison | ValueKind::Word { .. }, _) => value,
            _ => match self.as_term(&value) {
                Some(body) => {
                    let (at, kind) = (body.span, TermKind::Named { name: Arc::from(name), body });
                    Value::new(ValueKind::Term(Term::new(kind, at, None)), value.span)
                }
                None => Value::poison(span),
            },
        };
        let mut blocks = self.blocks.borrow_mut();
        blocks[block].open.shift_remove(name);
        blocks[block].done.insert(name.to_string(), value.clone());
        value
    }

    /// The stages of an instance in the order written: name, place, value.
    pub fn stages(&self, instance: usize) -> Vec<(String, Span, Arc<Value>)> {
        let lines = &self.instances[instance].lines;
        let mut stages: Vec<(String, Span)> = Vec::new();
        for (key, line) in lines.iter() {
            let Some(rest) = key.strip_prefix("stages.") else { continue };
            let name = rest.split('.').next().unwrap_or(rest);
            if !stages.iter().any(|(known, _)| known == name) {
                let span = lines.get(&format!("stages.{name}")).unwrap_or(line).name_span;
                stages.push((name.to_string(), span));
            }
        }
        stages
            .into_iter()
            .map(|(name, span)| {
                let path = format!("stages.{name}");
                let value = if mentions(lines, &path) { self.line_unread(instance, &path) } else { Value::poison(span) };
                (name, span, value)
            })
            .collect()
    }
}
