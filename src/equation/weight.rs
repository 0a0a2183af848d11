//! How often a split is drawn from, as a field.

use super::schedule::ScheduleField;
use crate::builtin::Builtin;
use crate::kind::{Field, Identity, Reader};
use crate::lang::Diagnostics;
use crate::lang::print::canonical;
use crate::lang::term::{Argument, Term, TermKind};
use crate::lang::value::{Value, ValueKind};
use crate::objective::{Mixture, Now};
use std::collections::HashSet;
use std::sync::Arc;

/// A number, a schedule, or an expression over what earlier iterations came to.
#[derive(Clone, Debug)]
pub(crate) enum WeightField {
    Scheduled(ScheduleField),
    Past(Arc<Term>),
}

impl WeightField {
    /// Its value, where it does not depend on the past.
    pub(crate) fn at(&self, now: Now) -> Option<f64> {
        match self {
            Self::Scheduled(schedule) => Some(schedule.at(now)),
            Self::Past(_) => None,
        }
    }

    pub(crate) fn term(&self) -> &Arc<Term> {
        match self {
            Self::Scheduled(schedule) => schedule.term(),
            Self::Past(term) => term,
        }
    }
}

impl Identity for WeightField {
    fn identity(&self) -> serde_json::Value {
        match self {
            Self::Scheduled(schedule) => schedule.identity(),
            Self::Past(term) => canonical(term).into(),
        }
    }
}

impl Field for WeightField {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        match &value.kind {
            ValueKind::Term(term) if looks_back(term) => {
                let mut diagnostics = Diagnostics::default();
                let checked = Mixture::check(&[term], &reader.field(), &mut diagnostics);
                diagnostics.0.into_iter().for_each(|d| reader.report(d));
                checked.map(|_| Self::Past(term.clone()))
            }
            _ => ScheduleField::read(value, reader).map(Self::Scheduled),
        }
    }

    fn expects() -> String {
        "a number, a schedule such as `linear(1)`, or an expression over earlier iterations such as `1 - history(mean(success), first = 0)`"
            .into()
    }

    fn shown(&self) -> Option<String> {
        Some(canonical(self.term()))
    }
}

/// Whether a `history` stands in it.
fn looks_back(term: &Arc<Term>) -> bool {
    let mut seen = HashSet::new();
    let mut pending = vec![term];
    while let Some(term) = pending.pop() {
        if !seen.insert(Arc::as_ptr(term)) {
            continue;
        }
        match &term.kind {
            TermKind::Apply { builtin: Builtin::History, .. } => return true,
            TermKind::Apply { args, .. } => {
                pending.extend(args.iter().filter_map(|arg| if let Argument::Term(term) = arg { Some(term) } else { None }));
            }
            TermKind::Named { body, .. } => pending.push(body),
            TermKind::Number(_) | TermKind::Bool(_) | TermKind::Quantity(_) => {}
        }
    }
    false
}
