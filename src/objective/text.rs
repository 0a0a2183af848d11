//! Terms as text: what a message or a report calls an expression.

use super::functions;
use crate::lang::term::{Argument, Term, TermKind};

/// Length of a text that is meant to be read in full; an expression of shared parts may be far longer.
pub const FULL: usize = 20_000;

/// The expression as it could have been written, with every function of the library replaced by its meaning and named terms by their names.
/// Longer texts than `limit` characters are cut with `…`.
pub fn describe(term: &Term, limit: usize) -> String {
    let mut out = Text { text: String::new(), left: limit };
    out.term(term, 0);
    out.text
}

struct Text {
    text: String,
    left: usize,
}

/// Binding strength of an operator; calls and names bind strongest.
fn strength(function: &str) -> u8 {
    match function {
        "or" => 1,
        "and" => 2,
        "not" => 3,
        "==" | "!=" | "<" | "<=" | ">" | ">=" => 4,
        "+" | "-" => 5,
        "*" | "/" => 6,
        "neg" => 7,
        "^" => 8,
        _ => 9,
    }
}

impl Text {
    fn push(&mut self, text: &str) {
        let length = text.chars().count();
        if length <= self.left {
            self.left -= length;
            self.text.push_str(text);
        } else if self.left > 0 || !self.text.ends_with('…') {
            self.left = 0;
            self.text.push('…');
        }
    }

    /// Writes `term` where something binding with at least `outer` is expected. Stops descending once the limit is reached, which also
    /// bounds the work on expressions whose text is far larger than they are.
    fn term(&mut self, term: &Term, outer: u8) {
        if self.left == 0 {
            return self.push("…");
        }
        match &term.kind {
            TermKind::Number(value) => {
                let text = format!("{value}");
                if *value < 0.0 && outer > strength("neg") { self.push(&format!("({text})")) } else { self.push(&text) }
            }
            TermKind::Bool(value) => self.push(if *value { "true" } else { "false" }),
            TermKind::Quantity(name) => self.push(name),
            TermKind::Named { name, .. } => self.push(name),
            TermKind::Apply { function, args } => {
                let own = strength(function);
                if own == 9 {
                    return self.call(function, args);
                }
                if own < outer {
                    self.push("(");
                }
                self.operator(function, args, own);
                if own < outer {
                    self.push(")");
                }
            }
        }
    }

    fn operator(&mut self, function: &str, args: &[Argument], own: u8) {
        match args {
            [Argument::Term(x)] => {
                self.push(if function == "neg" { "-" } else { "not " });
                self.term(x, own);
            }
            [Argument::Term(a), Argument::Term(b)] => {
                // `^` groups to the right, comparisons not at all, the rest to the left.
                let (left, right) = match function {
                    "^" => (own + 1, own),
                    "==" | "!=" | "<" | "<=" | ">" | ">=" => (own + 1, own + 1),
                    _ => (own, own + 1),
                };
                self.term(a, left);
                self.push(&if function == "^" { function.to_owned() } else { format!(" {function} ") });
                self.term(b, right);
            }
            _ => self.push(function),
        }
    }

    fn call(&mut self, name: &str, args: &[Argument]) {
        self.push(name);
        self.push("(");
        let params = functions::function(name).map_or(&[][..], |f| f.params);
        // After a parameter that was left out, positions no longer say which one is meant.
        let (mut first, mut skipped) = (true, false);
        for (i, arg) in args.iter().enumerate() {
            let param = params.get(i).map_or("", |p| p.name);
            let separator = if first { "" } else { ", " };
            match arg {
                Argument::Absent => {
                    skipped = true;
                    continue;
                }
                Argument::Key(word, _) => self.push(&format!("{separator}{param} = {word}")),
                Argument::Term(term) => {
                    self.push(separator);
                    if skipped {
                        self.push(&format!("{param} = "));
                    }
                    self.term(term, 0);
                }
            }
            first = false;
        }
        self.push(")");
    }
}
