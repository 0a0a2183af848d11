//! Numbers that change over a run.

use super::print::term_text;
use crate::kind::{Field, Reader};
use crate::lang::resolve::fold::fold;
use crate::lang::term::{Argument, Term, TermKind};
use crate::lang::value::{Value, ValueKind};
use crate::lang::{Diagnostic, Span};
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// A number, or an expression over `iteration`, `iterations` and `progress`.
#[derive(Clone, Debug)]
pub struct ScheduleField {
    term: Arc<Term>,
}

impl ScheduleField {
    pub fn constant(value: f64) -> Self {
        Self { term: Term::number(value, Span::NONE) }
    }

    /// `progress`: from 0 at the start of the stage towards 1 at its end. For an optimiser it counts updates, so that it moves within an iteration.
    pub fn at(&self, iteration: f64, iterations: f64, progress: f64) -> f64 {
        eval(&self.term, &[iteration, iterations, progress]).unwrap_or(f64::NAN)
    }

    pub fn span(&self) -> Span {
        self.term.place()
    }
}

fn eval(term: &Term, at: &[f64; 3]) -> Option<f64> {
    match &term.kind {
        TermKind::Number(n) => Some(*n),
        TermKind::Bool(b) => Some(f64::from(u8::from(*b))),
        TermKind::Quantity(name) => match name.as_ref() {
            "iteration" => Some(at[0]),
            "iterations" => Some(at[1]),
            "progress" => Some(at[2]),
            _ => None,
        },
        TermKind::Named { body, .. } => eval(body, at),
        TermKind::Apply { function, args } => {
            let args = args.iter().filter(|a| !matches!(a, Argument::Absent));
            let args: Option<Vec<f64>> = args.map(|a| if let Argument::Term(t) = a { eval(t, at) } else { None }).collect();
            fold(function, &args?)
        }
    }
}

impl Serialize for ScheduleField {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.term.kind {
            TermKind::Number(n) => serializer.serialize_f64(n),
            _ => serializer.serialize_str(&term_text(&self.term)),
        }
    }
}

/// The first thing in a term that a schedule cannot know.
fn foreign(term: &Term) -> Option<(&str, Span)> {
    match &term.kind {
        TermKind::Number(_) | TermKind::Bool(_) => None,
        TermKind::Quantity(name) => (!matches!(name.as_ref(), "iteration" | "iterations" | "progress")).then_some((name, term.place())),
        TermKind::Named { body, .. } => foreign(body),
        TermKind::Apply { function, args } => {
            let inner = args.iter().find_map(|a| if let Argument::Term(t) = a { foreign(t) } else { None });
            let count = args.iter().filter(|a| !matches!(a, Argument::Absent)).count();
            inner.or_else(|| fold(function, &vec![1.0; count]).is_none().then_some((function.as_ref(), term.place())))
        }
    }
}

impl Field for ScheduleField {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let term = match &value.kind {
            ValueKind::Number(n) => Term::number(*n, value.span),
            ValueKind::Term(term) => term.clone(),
            _ => {
                reader.mismatch(value, &Self::expects());
                return None;
            }
        };
        if let Some((name, span)) = foreign(&term) {
            reader.report(
                Diagnostic::error("E0305", span, format!("`{name}` is not known to a schedule"))
                    .help("a schedule may use `iteration`, `iterations` and `progress`"),
            );
            return None;
        }
        let schedule = Self { term };
        for step in 0..=20 {
            let progress = f64::from(step) / 20.0;
            let rate = schedule.at(progress * 99.0, 100.0, progress);
            if !(rate.is_finite() && rate >= 0.0) {
                let percent = step * 5;
                reader.report(
                    Diagnostic::error("E0202", value.span, format!("this schedule is {rate} at {percent} % of the run"))
                        .help("it must be a finite number of 0 or more all along"),
                );
                return None;
            }
        }
        Some(schedule)
    }

    fn expects() -> String {
        "a number or a schedule such as `cosine(3e-4, warmup = 0.1)`".into()
    }

    fn shown(&self) -> Option<String> {
        Some(term_text(&self.term))
    }
}
