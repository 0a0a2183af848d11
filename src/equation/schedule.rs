//! Numbers that change over a run, as fields.

use crate::kind::{Field, Identity, Reader};
use crate::lang::print::canonical;
use crate::lang::term::{Term, TermKind};
use crate::lang::value::{Value, ValueKind};
use crate::lang::{Diagnostic, Diagnostics, Span};
use crate::objective::{ASSUMED_ITERATIONS, Now, Schedule, short};
use std::sync::Arc;

/// A number, or an expression over `iteration`, `iterations` and `progress`.
#[derive(Clone, Debug)]
pub(crate) struct ScheduleField {
    term: Arc<Term>,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    Constant(f64),
    Changing(Arc<Schedule>),
}

impl ScheduleField {
    pub(crate) fn constant(value: f64) -> Self {
        Self { term: Term::number(value, Span::NONE), how: How::Constant(value) }
    }

    pub(crate) fn term(&self) -> &Arc<Term> {
        &self.term
    }

    /// `progress`: from 0 at the start of the stage towards 1 at its end. For an optimiser it counts updates, so that it moves within an iteration.
    pub(crate) fn at(&self, now: Now) -> f64 {
        match &self.how {
            How::Constant(value) => *value,
            How::Changing(schedule) => schedule.at(now).unwrap_or(f64::NAN),
        }
    }
}

impl Identity for ScheduleField {
    fn identity(&self) -> serde_json::Value {
        match self.how {
            How::Constant(n) => n.into(),
            How::Changing(_) => canonical(&self.term).into(),
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
        let how = match term.kind {
            TermKind::Number(n) => How::Constant(n),
            _ => {
                let mut diagnostics = Diagnostics::default();
                let schedule = Schedule::check(&term, &reader.field(), &mut diagnostics);
                diagnostics.0.into_iter().for_each(|d| reader.report(d));
                How::Changing(Arc::new(schedule?))
            }
        };
        let schedule = Self { term, how };
        let iterations = reader.constants.get("iterations").copied().unwrap_or(ASSUMED_ITERATIONS as f64);
        for step in 0..=20 {
            let progress = f64::from(step) / 20.0;
            let iteration = (progress * iterations).floor().min(iterations - 1.0);
            let rate = schedule.at(Now { iteration, iterations, progress });
            if !(rate.is_finite() && rate >= 0.0) {
                let percent = step * 5;
                reader.report(
                    Diagnostic::error("E0202", value.span, format!("this schedule is {} at {percent} % of the run", short(rate)))
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
        Some(canonical(&self.term))
    }
}
