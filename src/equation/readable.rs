//! Equations for a reader: switches that are set are taken, and what is long and stands in several places gets a name.

use crate::builtin::Builtin;
use crate::lang::print::by_name;
use crate::lang::term::{Argument, Term, TermKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Shorter texts are written out each time.
const SHORT: usize = 30;
/// So many parts get names.
const MOST: usize = 24;
/// Larger equations are shown as they are.
const LARGE: u64 = 20_000;

/// What a shared part is called until all are found; no name of a file begins like it.
const SHARED: char = '\u{2}';

/// Named lines, simplified, with lines for what they share before the first that needs it.
pub fn readable(lines: &[(String, Arc<Term>)]) -> Vec<(String, Arc<Term>)> {
    let mut lines: Vec<(String, Arc<Term>)> = lines.to_vec();
    if lines.iter().map(|(_, term)| term.weight.size).fold(0, u64::saturating_add) > LARGE {
        return lines;
    }
    lines.iter_mut().for_each(|(_, term)| *term = simple(term));
    for number in 0..MOST {
        let Some(shared) = longest_shared(&lines) else { break };
        let (name, text) = (format!("{SHARED}{number}"), by_name(&shared));
        let named = Term::new(TermKind::Named { name: Arc::from(name.as_str()), body: shared.clone() }, shared.span, shared.via);
        let first = lines.iter().position(|(_, term)| occurs(term, &text)).unwrap_or(0);
        lines.iter_mut().for_each(|(_, term)| *term = replace(term, &text, &named));
        lines.insert(first, (name, shared));
    }
    let taken: Vec<String> = lines.iter().map(|(name, _)| name.clone()).collect();
    let free = names().filter(|name| !taken.contains(name));
    let shared = lines.iter().map(|(name, _)| name.clone()).filter(|name| name.starts_with(SHARED));
    let called: BTreeMap<String, String> = shared.zip(free).collect();
    lines.into_iter().map(|(name, term)| (called.get(&name).cloned().unwrap_or(name), renamed(&term, &called))).collect()
}

/// `u`, `v`, `w`, `u2`, …: more than are needed.
fn names() -> impl Iterator<Item = String> {
    (1..=MOST).flat_map(|round| ["u", "v", "w"].map(|letter| if round == 1 { letter.to_string() } else { format!("{letter}{round}") }))
}

fn renamed(term: &Arc<Term>, called: &BTreeMap<String, String>) -> Arc<Term> {
    match &term.kind {
        TermKind::Named { name, body } => match called.get(name.as_ref()) {
            Some(new) => {
                let kind = TermKind::Named { name: Arc::from(new.as_str()), body: renamed(body, called) };
                Term::new(kind, term.span, term.via)
            }
            None => term.clone(),
        },
        _ => mapped(term, &|arg| renamed(arg, called)),
    }
}

/// The longest text of a part that stands in two places.
fn longest_shared(lines: &[(String, Arc<Term>)]) -> Option<Arc<Term>> {
    let mut counts: BTreeMap<String, (usize, Arc<Term>)> = BTreeMap::new();
    for (_, term) in lines {
        parts(term, &mut |part| {
            let text = by_name(part);
            if text.len() >= SHORT {
                counts.entry(text).or_insert_with(|| (0, part.clone())).0 += 1;
            }
        });
    }
    let shared = counts.into_iter().filter(|(_, (count, _))| *count > 1);
    shared.max_by_key(|(text, _)| text.len()).map(|(_, (_, term))| term)
}

/// Every applied function in a term, outer ones first.
fn parts(term: &Arc<Term>, found: &mut dyn FnMut(&Arc<Term>)) {
    if let TermKind::Apply { args, .. } = &term.kind {
        found(term);
        for arg in args {
            if let Argument::Term(term) = arg {
                parts(term, found);
            }
        }
    }
}

fn occurs(term: &Arc<Term>, text: &str) -> bool {
    let mut found = false;
    parts(term, &mut |part| found |= by_name(part) == text);
    found
}

fn replace(term: &Arc<Term>, text: &str, with: &Arc<Term>) -> Arc<Term> {
    match &term.kind {
        TermKind::Apply { .. } if by_name(term) == text => with.clone(),
        _ => mapped(term, &|arg| replace(arg, text, with)),
    }
}

/// The same function of other arguments.
fn mapped(term: &Arc<Term>, change: &dyn Fn(&Arc<Term>) -> Arc<Term>) -> Arc<Term> {
    let TermKind::Apply { builtin, args } = &term.kind else { return term.clone() };
    let args = args.iter().map(|arg| match arg {
        Argument::Term(term) => Argument::Term(change(term)),
        other => other.clone(),
    });
    Term::new(TermKind::Apply { builtin: *builtin, args: args.collect() }, term.span, term.via)
}

/// Without cases that are never taken and factors of 1. Only for eyes: a value that is not finite may come out of what is left out here.
fn simple(term: &Arc<Term>) -> Arc<Term> {
    let term = mapped(term, &simple);
    let TermKind::Apply { builtin, args } = &term.kind else { return term };
    let operands: Vec<&Arc<Term>> = args.iter().filter_map(|a| if let Argument::Term(t) = a { Some(t) } else { None }).collect();
    let one = |term: &Term| matches!(term.kind, TermKind::Number(n) if n == 1.0);
    match (builtin, operands.as_slice()) {
        (Builtin::Where, [condition, yes, no]) => match condition.kind {
            TermKind::Bool(true) => (*yes).clone(),
            TermKind::Bool(false) => (*no).clone(),
            TermKind::Number(n) if n != 0.0 => (*yes).clone(),
            TermKind::Number(_) => (*no).clone(),
            _ => term.clone(),
        },
        (Builtin::Mul, [a, b]) if one(a) => (*b).clone(),
        (Builtin::Mul | Builtin::Div, [a, b]) if one(b) => (*a).clone(),
        _ => term.clone(),
    }
}
