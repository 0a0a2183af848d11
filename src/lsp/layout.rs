//! Formatting and folding.

use super::answers::Refusal;
use super::server::Server;
use crate::lang::format::format;
use crate::lang::regions::{Region, regions};
use lsp_server::ErrorCode;
use lsp_types::{FoldingRange, FoldingRangeKind, TextEdit, Url};

/// The lines that the canonical layout changes, as one edit.
///
/// # Errors
/// Of a text that cannot be read; its mistakes are told as diagnostics.
pub(super) fn formatting(server: &Server, url: &Url) -> Result<Option<Vec<TextEdit>>, Refusal> {
    let Some(document) = server.documents.get(url) else { return Ok(None) };
    let text = document.text.as_str();
    let Ok(formatted) = format(text) else {
        return Err((ErrorCode::RequestFailed, "a text with mistakes in its form is not laid out".to_owned()));
    };
    if formatted == text {
        return Ok(Some(Vec::new()));
    }
    let same = |a: &str, b: &str| a == b;
    let front: usize =
        text.split_inclusive('\n').zip(formatted.split_inclusive('\n')).take_while(|(a, b)| same(a, b)).map(|(a, _)| a.len()).sum();
    let (old, new) = (text.get(front..).unwrap_or(""), formatted.get(front..).unwrap_or(""));
    let behind = old.split_inclusive('\n').rev().zip(new.split_inclusive('\n').rev());
    let back: usize = behind.take_while(|(a, b)| same(a, b)).map(|(a, _)| a.len()).sum();
    let range = document.lines.range(text, front..text.len() - back, server.encoding);
    let new_text = new.get(..new.len() - back).unwrap_or("").to_owned();
    Ok(Some(vec![TextEdit { range, new_text }]))
}

pub(super) fn folding(server: &Server, url: &Url) -> Option<Vec<FoldingRange>> {
    let document = server.documents.get(url)?;
    let folded = |(region, range): (Region, std::ops::Range<usize>)| {
        let range = document.lines.range(&document.text, range, server.encoding);
        let kind = match region {
            Region::Part => FoldingRangeKind::Region,
            Region::Comments => FoldingRangeKind::Comment,
            Region::Imports => FoldingRangeKind::Imports,
        };
        // the line of a closing bracket stays
        let end_line = if region == Region::Part { range.end.line.saturating_sub(1).max(range.start.line) } else { range.end.line };
        FoldingRange { start_line: range.start.line, end_line, kind: Some(kind), ..FoldingRange::default() }
    };
    Some(regions(&document.text).into_iter().map(folded).filter(|fold| fold.end_line > fold.start_line).collect())
}
