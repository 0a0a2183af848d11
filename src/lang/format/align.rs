//! The `=` of neighbouring lines, where the author put them into one column.

use super::super::lexer::TokenKind;
use super::{Entry, EntryKind, Printer, width};

/// An assignment that has its row for itself: the columns of its path, and those up to its `=` as written.
#[derive(Clone, Copy)]
struct Assignment {
    path: usize,
    equals: usize,
}

/// For every entry: how many spaces more than one stand before its `=`.
///
/// A run is a sequence of assignments, each in a row of its own, without an empty line between them, whose `=` stand in the same column as
/// written. It is aligned to its longest path. Runs that come to stand in the same column have the same longest path, so it does not matter
/// that the next formatting takes them for one.
pub(super) fn padding(printer: &Printer<'_>, entries: &[Entry]) -> Vec<usize> {
    let mut padding = vec![0; entries.len()];
    let mut run: Vec<(usize, Assignment)> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        if matches!(entry.kind, EntryKind::Comment(_)) && !entry.blank_before {
            continue;
        }
        let in_row = entry.same_row || entries.get(index + 1).is_some_and(|next| next.same_row);
        let found = if in_row { None } else { assignment(printer, entry) };
        let goes_on = !entry.blank_before && found.is_some_and(|a| run.last().is_some_and(|(_, last)| last.equals == a.equals));
        if !goes_on {
            finish(&mut run, &mut padding);
        }
        run.extend(found.map(|a| (index, a)));
    }
    finish(&mut run, &mut padding);
    padding
}

fn finish(run: &mut Vec<(usize, Assignment)>, padding: &mut [usize]) {
    let longest = run.iter().map(|(_, a)| a.path).max().unwrap_or(0);
    for (index, assignment) in run.drain(..) {
        if let Some(place) = padding.get_mut(index) {
            *place = longest - assignment.path;
        }
    }
}

fn assignment(printer: &Printer<'_>, entry: &Entry) -> Option<Assignment> {
    let EntryKind::Line(first, last) = entry.kind else { return None };
    let is_path = |kind| matches!(kind, Some(TokenKind::Word | TokenKind::Dot));
    let equals = (first..=last).find(|i| !is_path(printer.kind(*i)))?;
    if equals == first || printer.kind(equals) != Some(TokenKind::Equals) {
        return None;
    }
    let tokens = &printer.layout.tokens;
    let (start, end) = (tokens.get(first)?.start as usize, tokens.get(equals)?.start as usize);
    let written = printer.text.get(start..end)?;
    // `pipeline x = …` and the like are no paths; they do not get here, because they do not parse.
    Some(Assignment { path: width(written.trim_end()), equals: width(written) })
}
