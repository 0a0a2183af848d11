//! What a swept value is called in the name of its instance: the same for every way to lay it out, since the digest of a run covers the name.

use crate::lang::SourceMap;
use crate::lang::ast::{Expr, ExprKind};
use crate::lang::lexer::{TokenKind, lex};
use crate::lang::value::number_text;

/// A calculation by its result, anything else by its signs.
pub(super) fn name(value: &Expr, sources: &SourceMap) -> String {
    match (&value.kind, constant(value)) {
        (ExprKind::Binary { .. }, Some(number)) => number_text(number),
        _ => signs(value, sources),
    }
}

/// Of numbers alone.
fn constant(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Number(n) => Some(*n),
        ExprKind::Unary { op, operand } => op.of_numbers(&[constant(operand)?]),
        ExprKind::Binary { op, left, right, .. } => op.of_numbers(&[constant(left)?, constant(right)?]),
        _ => None,
    }
}

fn signs(value: &Expr, sources: &SourceMap) -> String {
    let text = sources.slice(value.span);
    let (tokens, _) = lex(value.span.source, text);
    let mut out = String::new();
    for token in tokens.iter().filter(|token| !matches!(token.kind, TokenKind::Newline | TokenKind::Comment)) {
        let sign = token.text(text);
        let of_word = |c: char| c.is_alphanumeric() || c == '_' || c == '"';
        if out.ends_with(',') || (out.ends_with(of_word) && sign.starts_with(of_word)) {
            out.push(' ');
        }
        out.push_str(sign);
    }
    out
}
