//! Beside the text: the level of an equation, what a calculation comes to, and what a line takes the place of.

use super::describe;
use super::places::Ranges;
use super::server::Server;
use crate::lang::Span;
use crate::lang::resolve::survey::{Definition, Noun};
use crate::spec::known::Known;
use lsp_types::{InlayHint, InlayHintKind, InlayHintLabel, InlayHintTooltip, Range, Url};

pub(super) fn hints(server: &Server, url: &Url, wanted: Range) -> Option<Vec<InlayHint>> {
    server.documents.get(url)?;
    let known = server.known(url);
    let source = known.names.files.first()?.source;
    let mut ranges = Ranges::new(&known.sources, server.encoding);
    let mut found = Vec::new();
    for (index, definition) in known.names.definitions.iter().enumerate().filter(|(_, d)| d.span.source == source) {
        if let Some(level) = level(&known, definition) {
            let tooltip = known.levels.iter().find(|l| Some(l.span) == definition.value).map(|l| l.level.words().into_owned());
            found.push((definition.span, format!(": {level}"), tooltip, InlayHintKind::TYPE));
        }
        if let Some((label, tooltip)) = value(&known, index, definition) {
            found.push((definition.whole, label, tooltip, InlayHintKind::PARAMETER));
        }
    }
    let hint = |(span, label, tooltip, kind): (Span, String, Option<String>, InlayHintKind)| {
        let position = ranges.range(span).end;
        InlayHint {
            position,
            label: InlayHintLabel::String(label),
            kind: Some(kind),
            text_edits: None,
            tooltip: tooltip.map(InlayHintTooltip::String),
            padding_left: Some(kind != InlayHintKind::TYPE),
            padding_right: None,
            data: None,
        }
    };
    let inside = |hint: &InlayHint| wanted.start <= hint.position && hint.position <= wanted.end;
    Some(found.into_iter().map(hint).filter(inside).collect())
}

/// Of an equation: what it has one value for each of.
fn level(known: &Known, definition: &Definition) -> Option<String> {
    if !matches!(definition.noun, Noun::Line | Noun::Term) {
        return None;
    }
    let span = definition.value?;
    let level = known.levels.iter().find(|l| l.span == span)?.level;
    // a plain number is what it looks like
    let plain = known.sources.slice(span).parse::<f64>().is_ok();
    (!plain).then(|| level.name().into_owned())
}

/// What a calculation comes to, and what the line replaces.
fn value(known: &Known, index: usize, definition: &Definition) -> Option<(String, Option<String>)> {
    if definition.noun != Noun::Line {
        return None;
    }
    let written = known.sources.slice(definition.value?);
    let own = describe::value(known, index, definition.pipeline);
    let number = own.filter(|value| value.parse::<f64>().is_ok() && written.parse::<f64>().is_err());
    let (inherited, tooltip) = replaced(known, definition).map_or((None, None), |(value, place)| (Some(value), Some(place)));
    let inherited = inherited.filter(|value| value != written && value.chars().count() <= MOST);
    let label = match (number, inherited) {
        (None, None) => return None,
        (Some(number), None) => format!("= {number}"),
        (None, Some(inherited)) => format!("← {inherited}"),
        (Some(number), Some(inherited)) => format!("= {number} ← {inherited}"),
    };
    Some((label, tooltip))
}

/// Characters of a value beside the text.
const MOST: usize = 24;

/// The value that the parent has for a line, and where it was written.
fn replaced(known: &Known, definition: &Definition) -> Option<(String, String)> {
    let names = &known.names;
    let parent = names.pipelines.get(names.pipelines.get(definition.pipeline?)?.parent?)?;
    let (_, line) = parent.lines.iter().find(|(path, _)| *path == definition.path)?;
    let line = names.definitions.get(*line)?;
    let value = known.sources.slice(line.value?).split_whitespace().collect::<Vec<_>>().join(" ");
    Some((value, format!("in `{}`, {}", parent.name, known.sources.place(line.span))))
}
