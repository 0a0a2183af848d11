//! Which arguments a function takes, while its call is written.

use super::describe;
use super::navigate::At;
use super::server::Server;
use crate::builtin::Builtin;
use crate::lang::cursor::{Bracket, Cursor, Spot};
use crate::lang::resolve::survey::Noun;
use crate::registry::{all_kinds, fields_of};
use crate::spec::describe::{function, parameters, signature as written};
use lsp_types::{
    Documentation, MarkupContent, MarkupKind, ParameterInformation, ParameterLabel, SignatureHelp, SignatureInformation,
    TextDocumentPositionParams,
};

pub(super) fn signature(server: &Server, place: &TextDocumentPositionParams) -> Option<SignatureHelp> {
    let document = server.documents.get(&place.text_document.uri)?;
    let offset = document.lines.offset(&document.text, place.position, server.encoding);
    let cursor = Cursor::at(&document.text, offset);
    let call = cursor.call()?;
    let (label, params, words) = of_user(server, place, call).or_else(|| of_language(call))?;
    let name = |param: &String| param.trim_start_matches('[').split([':', '=', ' ', ']']).next().unwrap_or("").to_owned();
    let active = match &cursor.spot {
        Spot::Argument(given) if !given.is_empty() => params.iter().position(|param| name(param) == *given),
        _ => (call.commas < params.len()).then_some(call.commas),
    };
    let parameters = params.iter().map(|param| ParameterInformation { label: ParameterLabel::Simple(param.clone()), documentation: None });
    let documentation = Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value: words });
    let signature = SignatureInformation {
        label,
        documentation: Some(documentation),
        parameters: Some(parameters.collect()),
        active_parameter: active.map(|active| active as u32),
    };
    Some(SignatureHelp { signatures: vec![signature], active_signature: Some(0), active_parameter: active.map(|active| active as u32) })
}

type Signature = (String, Vec<String>, String);

/// A function of a file: its own text up to its `=`.
fn of_user(server: &Server, place: &TextDocumentPositionParams, call: &Bracket<'_>) -> Option<Signature> {
    let at = At::new(server, place)?;
    let names = &at.known.names;
    let source = names.files.first()?.source;
    let pipeline = names.pipeline_at(source, at.offset as u32);
    let name = call.head.rsplit('.').next().unwrap_or(call.head);
    let is_it = |index: &usize| names.definitions.get(*index).is_some_and(|d| d.noun == Noun::Function && d.name == name);
    let of_pipeline = pipeline.and_then(|p| names.pipelines.get(p)).and_then(|p| p.lines.iter().map(|(_, d)| *d).find(is_it));
    // one that is visible, or one of a file behind an alias
    let found = of_pipeline.or_else(|| names.visible(source, pipeline).into_iter().find(is_it));
    let found = found.or_else(|| call.head.contains('.').then(|| (0..names.definitions.len()).find(is_it)).flatten())?;
    let definition = names.definitions.get(found)?;
    let text = at.known.sources.slice(definition.whole);
    let open = text.find('(')?;
    let (params, end) = divided(text, open)?;
    let meaning = crate::lang::resolve::survey::Meaning::Defined(found);
    let words = describe::meaning(server, &at.known, &meaning, pipeline).unwrap_or_default();
    Some((text.get(..end)?.trim_start_matches("fn").trim().to_owned(), params, words))
}

/// The parts between commas behind an open bracket, and where it closes.
fn divided(text: &str, open: usize) -> Option<(Vec<String>, usize)> {
    let (mut depth, mut start, mut parts) = (0, open + 1, Vec::new());
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if (c == ',' && depth == 1) || depth == 0 {
            let part = text.get(start..at)?.trim();
            if !part.is_empty() {
                parts.push(part.to_owned());
            }
            start = at + 1;
        }
        if depth == 0 {
            return Some((parts, at + 1));
        }
    }
    None
}

/// A built-in function, or a kind that is written like a call.
fn of_language(call: &Bracket<'_>) -> Option<Signature> {
    if let Some(builtin) = Builtin::called(call.head) {
        return Some((written(builtin.row()), parameters(builtin.row()), describe::markdown(&function(builtin))));
    }
    all_kinds().find(|(_, info)| info.name == call.head)?;
    let fields: Vec<String> = fields_of(call.head).map(|field| field.name.to_owned()).collect();
    Some((format!("{}({})", call.head, fields.join(", ")), fields, describe::kind(call.head)))
}
