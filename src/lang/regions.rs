//! Parts of a text that can be folded, by its tokens alone.

use super::layout::{Layout, NONE};
use super::lexer::TokenKind;
use super::source::SourceId;
use std::ops::Range;

/// What is folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// Between brackets, or a text over several lines.
    Part,
    /// Comments on lines of their own.
    Comments,
    Imports,
}

/// The regions that reach over several lines, in bytes: from their first to their last character.
pub(crate) fn regions(text: &str) -> Vec<(Region, Range<usize>)> {
    let Ok(layout) = Layout::new(SourceId(0), text) else { return Vec::new() };
    let mut found: Vec<(Region, Range<usize>)> = Vec::new();
    let mut comments: Option<Range<usize>> = None;
    for (index, token) in layout.tokens.iter().enumerate() {
        let range = token.start as usize..token.end as usize;
        match token.kind {
            TokenKind::Open => {
                let partner = layout.partner.get(index).filter(|p| **p != NONE).and_then(|p| layout.tokens.get(*p as usize));
                found.extend(partner.map(|close| (Region::Part, range.start..close.end as usize)));
            }
            TokenKind::TripleText => found.push((Region::Part, range.clone())),
            _ => {}
        }
        match token.kind {
            TokenKind::Comment if alone(text, range.start) => match &mut comments {
                Some(comments) if text.get(comments.end..range.start).is_some_and(|between| between.matches('\n').count() == 1) => {
                    comments.end = range.end;
                }
                _ => found.extend(comments.replace(range).map(|range| (Region::Comments, range))),
            },
            TokenKind::Newline => {}
            _ => found.extend(comments.take().map(|range| (Region::Comments, range))),
        }
    }
    found.extend(comments.map(|range| (Region::Comments, range)));
    let imports: Vec<Range<usize>> = layout
        .items
        .iter()
        .map(|item| layout.range(*item))
        .filter(|range| text.get(range.clone()).is_some_and(|t| t.starts_with("import")))
        .collect();
    if let (Some(first), Some(last)) = (imports.first(), imports.last()) {
        found.push((Region::Imports, first.start..last.end));
    }
    found.retain(|(_, range)| text.get(range.clone()).is_some_and(|part| part.contains('\n')));
    found
}

/// Whether only spaces stand before it on its line.
fn alone(text: &str, at: usize) -> bool {
    text.get(..at).and_then(|before| before.rsplit('\n').next()).is_some_and(|before| before.trim().is_empty())
}
