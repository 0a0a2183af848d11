//! A syntax tree as an indented outline: what the parser understood, with the place of every part.

use super::ast::{Arg, Expr, ExprKind, File, Line, LineKind};
use super::source::{SourceMap, Span};
use super::visible::pad;
use crate::builtin::{Builtin, Notation};
use std::fmt::Write;

/// One part a line, two spaces a level, the place at its end.
pub(crate) fn outline(file: &File, sources: &SourceMap) -> String {
    let Some(first) = file.language.map(|(_, span)| span).or(file.lines.first().map(|line| line.span)) else { return String::new() };
    let text = sources.get(first.source).text.as_str();
    let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut out = Outline { text, starts, rows: Vec::new() };
    if let Some((version, span)) = file.language {
        out.row(0, format!("language {version}"), span);
    }
    file.lines.iter().for_each(|line| out.line(line, 0));
    out.finish()
}

struct Outline<'s> {
    text: &'s str,
    /// Where its lines begin, in bytes.
    starts: Vec<usize>,
    rows: Vec<(String, String)>,
}

/// Places are aligned up to this column.
const WIDEST: usize = 120;

/// Longer texts are cut.
const MOST: usize = 60;

impl Outline<'_> {
    fn row(&mut self, depth: usize, text: String, span: Span) {
        let at = span.range().start;
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(start..at).map_or(1, |before| before.chars().count() + 1);
        self.rows.push((format!("{}{text}", "  ".repeat(depth)), format!("{line}:{column}")));
    }

    fn finish(self) -> String {
        let width = self.rows.iter().map(|(text, _)| text.chars().count()).max().unwrap_or(0).min(WIDEST);
        let mut out = String::new();
        for (text, place) in self.rows {
            let _ = writeln!(out, "{}  {place}", pad(&text, width));
        }
        out
    }

    fn line(&mut self, line: &Line, depth: usize) {
        match &line.kind {
            LineKind::Import { file, alias } => {
                let alias = alias.as_ref().map(|a| format!(" as {}", a.name)).unwrap_or_default();
                self.row(depth, format!("import {}{alias}", quoted(&file.value)), line.span);
            }
            LineKind::Assign { path, value } => {
                self.row(depth, format!("assign {path}"), line.span);
                self.expr(value, depth + 1);
            }
            LineKind::Without { path } => self.row(depth, format!("without {path}"), line.span),
            LineKind::Function(function) => {
                self.row(depth, format!("function {}", function.name.name), line.span);
                for param in &function.params {
                    self.row(depth + 1, format!("parameter {}", param.name.name), param.name.span);
                    param.default.iter().for_each(|e| self.expr(e, depth + 2));
                }
                self.expr(&function.body, depth + 1);
            }
            LineKind::Prompt { name, text } => self.row(depth, format!("prompt {} {}", name.name, quoted(&text.value)), line.span),
            LineKind::Block { name, lines } => {
                self.row(depth, format!("block {}", name.name), line.span);
                lines.iter().for_each(|l| self.line(l, depth + 1));
            }
            LineKind::Pipeline { name, from, lines } => {
                let from = from.as_ref().map(|f| format!(" from {f}")).unwrap_or_default();
                self.row(depth, format!("pipeline {}{from}", name.name), line.span);
                lines.iter().for_each(|l| self.line(l, depth + 1));
            }
        }
    }

    fn expr(&mut self, expr: &Expr, depth: usize) {
        let (text, inner): (String, Vec<&Expr>) = match &expr.kind {
            ExprKind::Number(n) => (format!("number {n}"), vec![]),
            ExprKind::Text(text) => (format!("text {}", quoted(text)), vec![]),
            ExprKind::Bool(b) => (format!("boolean {b}"), vec![]),
            ExprKind::Duration(seconds) => (format!("duration {seconds} s"), vec![]),
            ExprKind::Size(bytes) => (format!("size {bytes} bytes"), vec![]),
            ExprKind::List(items) => ("list".into(), items.iter().collect()),
            ExprKind::Range(low, high) => ("range".into(), vec![low, high]),
            ExprKind::Path(path) => (format!("path {path}"), vec![]),
            ExprKind::Call { function, args } => {
                self.row(depth, format!("call {function}"), expr.span);
                return args.iter().for_each(|arg| self.arg(arg, depth + 1));
            }
            ExprKind::Component { kind, lines } => {
                self.row(depth, format!("component {kind}"), expr.span);
                return lines.iter().for_each(|l| self.line(l, depth + 1));
            }
            ExprKind::Unary { op, operand } => (format!("operator {}", sign(*op)), vec![operand]),
            ExprKind::Binary { op, left, right, .. } => (format!("operator {}", sign(*op)), vec![left, right]),
        };
        self.row(depth, text, expr.span);
        inner.into_iter().for_each(|e| self.expr(e, depth + 1));
    }

    fn arg(&mut self, arg: &Arg, depth: usize) {
        match &arg.name {
            Some(name) => {
                self.row(depth, format!("argument {}", name.name), name.span);
                self.expr(&arg.value, depth + 1);
            }
            None => self.expr(&arg.value, depth),
        }
    }
}

fn sign(op: Builtin) -> &'static str {
    match op.row().notation {
        Notation::Prefix { sign, .. } => sign.trim_end(),
        Notation::Infix(_) | Notation::Call => op.name(),
    }
}

fn quoted(text: &str) -> String {
    let short: String = text.chars().take(MOST).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{more}")
}
