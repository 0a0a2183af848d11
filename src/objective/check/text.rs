//! Calls that look at the texts of a turn.

use super::super::levels::Level;
use super::super::program::{Kind, NodeId, Op};
use super::super::text::TextQuestion;
use super::Checker;
use super::apply::Call;
use crate::builtin::TextFunction;
use crate::lang::Span;
use std::sync::Arc;

impl Checker<'_> {
    pub(super) fn of_text(&mut self, call: &Call, function: TextFunction) -> Option<NodeId> {
        self.not_in_a_schedule(call)?;
        let ((text, _), string) = (call.word(0)?, call.word(1));
        let question = TextQuestion::new(function, call.row.name, text, string.map(|(string, _)| string))?;
        if let Some(lack) = self.scope.text_refusal(question.text()) {
            let message = format!("`{}` is not known here: {}", question.text(), lack.reason);
            self.report(lack.code, call.term, message, |d| d.help(lack.help.clone()));
            return None;
        }
        if let Some(mistake) = question.mistake() {
            let place = string.map_or(call.term.span, |(string, span)| within(span, string, mistake.at));
            self.report_at("E0315", call.term, place, mistake.message);
            return None;
        }
        let kind = if question.is_flag() { Kind::Flag } else { Kind::Number };
        self.push(call.term, Op::OfText(Arc::new(question)), vec![], Level::Turn, kind, call.row.gradient)
    }
}

/// The place of a byte of a string, where each of its bytes is written as it is; else that of the whole string.
fn within(span: Span, string: &str, at: Option<usize>) -> Span {
    let around = ((span.end - span.start) as usize).checked_sub(string.len());
    match (at, around) {
        // Between quotes, or between triple quotes.
        (Some(at), Some(quotes @ (2 | 6))) => {
            let start = span.start + (quotes / 2 + at) as u32;
            // At the end it is the quote.
            let length = string.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
            Span { start, end: start + length as u32, ..span }
        }
        _ => span,
    }
}
