//! The level of every part of an equation, for readers: mistakes hide no more than what they are in.

use super::check::Checker;
use super::context::Scope;
use super::levels::Level;
use crate::lang::term::Term;
use crate::lang::{Diagnostics, Span};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many values a part of an equation has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Leveled {
    /// Where the user wrote it: a call of a function for what its body comes to.
    pub span: Span,
    pub level: Level,
}

/// Of all parts of some equations that stand in one place; of a call, what its result has.
pub(crate) fn levels(terms: &[Arc<Term>], scope: &Scope) -> Vec<Leveled> {
    let mut unheard = Diagnostics::default();
    let mut checker = Checker::new(scope, &mut unheard);
    for term in terms {
        // A mistake in one hides no other.
        let _ = checker.check(term);
    }
    let mut known = BTreeSet::new();
    // A node stands after those that it uses, so that the last of a call is its result.
    let last = checker.program.nodes.iter().rev().filter(|node| known.insert(node.place()));
    last.map(|node| Leveled { span: node.place(), level: node.level }).collect()
}
