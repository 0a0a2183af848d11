//! `train.at(40)`: a stage as it was in the middle.

use super::Resolver;
use super::scope::Context;
use crate::lang::ast::{Arg, Path};
use crate::lang::value::{StageRef, Value, ValueKind};
use crate::lang::{Diagnostic, Span};
use std::sync::Arc;

const AT: &str = "at";

/// No stage has more steps.
const MOST: f64 = 1e9;

impl<'a> Resolver<'a> {
    /// The stage that stands before `.at`.
    pub(super) fn stage_before_at(&self, path: &Path, context: &Context) -> Option<StageRef> {
        let (last, parts) = path.parts.split_last()?;
        let (first, end) = (parts.first()?, parts.last()?);
        if last.name != AT {
            return None;
        }
        let before = Path { parts: parts.to_vec(), span: first.span.to(end.span) };
        match &self.path(&before, context).kind {
            ValueKind::Stage(stage) if stage.output.is_none() => Some(stage.clone()),
            _ => None,
        }
    }

    pub(super) fn stage_at(&self, stage: StageRef, args: &'a [Arg], span: Span, context: &Context) -> Arc<Value> {
        let whole = |n: f64| n.fract() == 0.0 && (1.0..=MOST).contains(&n);
        let wrong = || {
            let message = format!("`{AT}` takes one whole number from 1 on: after how many of its iterations");
            self.report(Diagnostic::error("E0117", span, message).help(format!("write `{}.{AT}(40)`", stage.stage)));
            Value::poison(span)
        };
        let [Arg { name: None, value }] = args else { return wrong() };
        let number = self.eval(value, context);
        let text = match &number.kind {
            ValueKind::Number(n) if whole(*n) => n.to_string(),
            ValueKind::Poison => return Value::poison(span),
            // of an open sweep, the number is not chosen yet
            ValueKind::Term(term) if self.symbol_of(&number).is_some() => crate::lang::print::by_name(term),
            _ => return wrong(),
        };
        Value::new(ValueKind::Stage(StageRef { at: Some((Arc::from(text), value.span)), ..stage }), span)
    }
}
