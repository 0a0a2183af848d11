//! Writes terms as text of the language. With every name replaced by its meaning, the text is the canonical form of an equation: it is what a
//! digest covers.

use crate::lang::term::{Argument, Term, TermKind};
use crate::lang::value::number_text;
use std::fmt::Write;

/// The most characters that are written out; shared subterms could make the full text exponentially long.
const LIMIT: usize = 200_000;

/// In full: named terms are replaced by their bodies.
pub fn term_text(term: &Term) -> String {
    let mut out = String::new();
    write(term, 0, true, &mut out);
    out
}

/// As a reader wants it: named terms of the loss stand by their names.
pub fn term_text_shallow(term: &Term) -> String {
    let mut out = String::new();
    write(term, 0, false, &mut out);
    out
}

/// How tightly an operator binds; a call binds tightest.
fn precedence(function: &str) -> u8 {
    match function {
        "or" => 1,
        "and" => 2,
        "not" => 3,
        "==" | "!=" | "<" | "<=" | ">" | ">=" => 4,
        "+" | "-" => 6,
        "*" | "/" => 7,
        "neg" => 8,
        "^" => 9,
        _ => 10,
    }
}

fn write(term: &Term, outer: u8, deep: bool, out: &mut String) {
    if out.len() > LIMIT {
        return;
    }
    match &term.kind {
        TermKind::Number(n) if *n < 0.0 && outer > 8 => {
            let _ = write!(out, "({})", number_text(*n));
        }
        TermKind::Number(n) => {
            out.push_str(&number_text(*n));
        }
        TermKind::Bool(b) => {
            let _ = write!(out, "{b}");
        }
        TermKind::Quantity(name) => out.push_str(name),
        TermKind::Named { name, body } => match deep {
            true => write(body, outer, deep, out),
            false => out.push_str(name),
        },
        TermKind::Apply { function, args } => apply(function, args, outer, deep, out),
    }
}

fn apply(function: &str, args: &[Argument], outer: u8, deep: bool, out: &mut String) {
    let own = precedence(function);
    let operands: Vec<&Term> = args.iter().filter_map(|a| if let Argument::Term(t) = a { Some(t.as_ref()) } else { None }).collect();
    if own == 10 {
        call(function, args, deep, out);
        return;
    }
    let paren = own < outer;
    if paren {
        out.push('(');
    }
    match operands.as_slice() {
        [operand] => {
            out.push_str(if function == "neg" { "-" } else { "not " });
            write(operand, own, deep, out);
        }
        [left, right] => {
            // `^` associates to the right, the others to the left, comparisons not at all
            let (l, r) = match function {
                "^" => (own + 1, own),
                "==" | "!=" | "<" | "<=" | ">" | ">=" => (own + 1, own + 1),
                _ => (own, own + 1),
            };
            write(left, l, deep, out);
            let _ = write!(out, " {function} ");
            write(right, r, deep, out);
        }
        _ => call(function, args, deep, out),
    }
    if paren {
        out.push(')');
    }
}

fn call(function: &str, args: &[Argument], deep: bool, out: &mut String) {
    let names: Vec<&str> =
        crate::objective::VOCABULARY.function(function).map(|s| s.params.iter().map(|p| p.name).collect()).unwrap_or_default();
    let _ = write!(out, "{function}(");
    let mut first = true;
    let mut skipped = false;
    for (index, arg) in args.iter().enumerate() {
        if matches!(arg, Argument::Absent) {
            skipped = true;
            continue;
        }
        if !first {
            out.push_str(", ");
        }
        first = false;
        let named = skipped || matches!(arg, Argument::Key(..));
        if let (true, Some(name)) = (named, names.get(index)) {
            let _ = write!(out, "{name} = ");
        }
        match arg {
            Argument::Term(term) => write(term, 0, deep, out),
            Argument::Key(word, _) => out.push_str(word),
            Argument::Absent => {}
        }
    }
    out.push(')');
}
