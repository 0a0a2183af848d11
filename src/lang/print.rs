//! Terms as text of the language.

use super::is_hidden;
use super::term::{Argument, Term, TermKind};
use super::value::number_text;
use crate::builtin::{Binding, Builtin, Default, Notation};

/// In full: named terms are replaced by their bodies. The text is the canonical form of an equation: it is what a digest covers.
pub fn canonical(term: &Term) -> String {
    written(term, true, usize::MAX)
}

/// As a reader wants it: named terms of the loss stand by their names.
pub fn by_name(term: &Term) -> String {
    written(term, false, usize::MAX)
}

/// As [`by_name`], of at most so many characters and `…`.
pub fn shortened(term: &Term, characters: usize) -> String {
    written(term, false, characters)
}

fn written(term: &Term, bodies: bool, limit: usize) -> String {
    let mut out = Printer { text: String::new(), left: limit, bodies };
    out.term(term, Binding::Open);
    out.text
}

struct Printer {
    text: String,
    /// Characters that may still be written.
    left: usize,
    /// Whether a named term is written out.
    bodies: bool,
}

impl Printer {
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

    /// Writes `term` where something binding with at least `outer` is expected. Goes no deeper once the limit is reached, which also bounds the work
    /// on a term of shared parts, whose text may be far larger than it is.
    fn term(&mut self, term: &Term, outer: Binding) {
        if self.left == 0 {
            return self.push("…");
        }
        match &term.kind {
            TermKind::Number(n) if *n < 0.0 && outer > Binding::Negation => self.push(&format!("({})", number_text(*n))),
            TermKind::Number(n) => self.push(&number_text(*n)),
            TermKind::Bool(b) => self.push(if *b { "true" } else { "false" }),
            TermKind::Quantity(name) => self.push(name),
            TermKind::Named { body, .. } if self.bodies => self.term(body, outer),
            TermKind::Named { name, .. } => self.push(name),
            TermKind::Apply { builtin, args } => {
                let brackets = builtin.binding() < outer;
                if brackets {
                    self.push("(");
                }
                self.apply(*builtin, args);
                if brackets {
                    self.push(")");
                }
            }
        }
    }

    fn apply(&mut self, builtin: Builtin, args: &[Argument]) {
        match (builtin.row().notation, args) {
            (Notation::Prefix { sign, binding }, [Argument::Term(x)]) => {
                self.push(sign);
                self.term(x, binding);
            }
            (Notation::Infix(binding), [Argument::Term(a), Argument::Term(b)]) => {
                let (left, right) = binding.operands();
                self.term(a, left);
                self.push(&format!(" {} ", builtin.name()));
                self.term(b, right);
            }
            (Notation::Call | Notation::Prefix { .. } | Notation::Infix(_), _) => self.call(builtin, args),
        }
    }

    fn call(&mut self, builtin: Builtin, args: &[Argument]) {
        self.push(builtin.name());
        self.push("(");
        // After a parameter that was left out, positions no longer say which one is meant.
        let (mut separator, mut skipped) = ("", false);
        for (param, arg) in builtin.params().iter().zip(args) {
            match arg {
                Argument::Absent => {
                    skipped = true;
                    continue;
                }
                // What must be given is known by its position.
                Argument::Key(word, _) if matches!(param.default, Default::Required) => self.push(&format!("{separator}{word}")),
                Argument::Key(word, _) => self.push(&format!("{separator}{} = {word}", param.name)),
                Argument::Text(text, _) => self.push(&format!("{separator}{}", quoted(text))),
                Argument::Term(term) => {
                    self.push(separator);
                    if skipped {
                        self.push(&format!("{} = ", param.name));
                    }
                    self.term(term, Binding::Open);
                }
            }
            separator = ", ";
        }
        self.push(")");
    }
}

/// A string of the language: what a terminal would obey, or an editor change, is escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if is_hidden(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
