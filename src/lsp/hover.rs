//! What is known of the place under the pointer.

use super::describe;
use super::navigate::At;
use super::places::Ranges;
use super::server::Server;
use crate::lang::cursor::{Cursor, Spot};
use crate::play::EXPLAINED;
use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind, Range, TextDocumentPositionParams};

pub(super) fn hover(server: &Server, place: &TextDocumentPositionParams) -> Option<Hover> {
    if let Some(found) = placeholder(server, place) {
        return Some(found);
    }
    let at = At::new(server, place)?;
    let source = at.known.names.files.first()?.source;
    let pipeline = at.known.names.pipeline_at(source, at.offset as u32);
    let mention = at.mention();
    let words = mention.and_then(|mention| describe::meaning(server, &at.known, &mention.meaning, pipeline));
    // the smallest part of an equation around the place
    let around = |span: &crate::lang::Span| span.source == source && (span.start..=span.end).contains(&(at.offset as u32));
    let part = at.known.levels.iter().filter(|l| around(&l.span)).min_by_key(|l| l.span.end - l.span.start);
    let level = part.map(|part| {
        let text = at.known.sources.slice(part.span);
        let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("`{one_line}`: {}", part.level.words())
    });
    let span = mention.filter(|_| words.is_some()).map(|mention| mention.span).or(part.map(|part| part.span))?;
    let parts: Vec<String> = words.into_iter().chain(level).collect();
    let range = Ranges::new(&at.known.sources, server.encoding).range(span);
    Some(shown(parts.join("\n\n---\n\n"), range))
}

fn shown(value: String, range: Range) -> Hover {
    Hover { contents: HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value }), range: Some(range) }
}

/// `{history}` in a prompt.
fn placeholder(server: &Server, place: &TextDocumentPositionParams) -> Option<Hover> {
    let document = server.documents.get(&place.text_document.uri)?;
    let text = document.text.as_str();
    let offset = document.lines.offset(text, place.position, server.encoding);
    let Spot::Text(_) = Cursor::at(text, offset).spot else { return None };
    let start = text.get(..offset)?.rfind('{')?;
    let end = start + text.get(start..)?.find('}')? + 1;
    let name = text.get(start + 1..end - 1).filter(|_| end > offset)?;
    let (name, doc) = EXPLAINED.iter().find(|(known, _)| *known == name)?;
    let range = document.lines.range(text, start..end, server.encoding);
    Some(shown(describe::markdown(&crate::spec::describe::placeholder(name, doc)), range))
}
