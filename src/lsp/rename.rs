//! A name in all files at once; refused where it would make a mistake.

use super::answers::Refusal;
use super::navigate::{At, Origin, occurrences, origin};
use super::places::{Lines, Ranges};
use super::server::Server;
use crate::lang::load::Root;
use crate::lang::resolve::survey::{Meaning, Noun, Survey};
use crate::lang::{Severity, is_name};
use crate::objective::VOCABULARY;
use crate::spec::Request;
use crate::spec::describe::pipeline_lines;
use lsp_server::ErrorCode;
use lsp_types::{PrepareRenameResponse, TextDocumentPositionParams, TextEdit, Url, WorkspaceEdit};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

fn refused<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err((ErrorCode::RequestFailed, message.into()))
}

/// A line of a pipeline that means something by its name.
fn is_the_languages(names: &Survey, definition: usize) -> bool {
    names.definitions.get(definition).is_some_and(|d| match d.noun {
        Noun::Line => d.pipeline.is_some() && pipeline_lines().any(|name| name == d.name),
        Noun::Term => d.name == "minimize",
        _ => false,
    })
}

/// The name at a place, if it is one that can be changed.
fn named(server: &Server, place: &TextDocumentPositionParams) -> Result<(At, Origin), Refusal> {
    let at = At::new(server, place);
    let mention = at.as_ref().and_then(|at| at.mention());
    let found = match (&at, mention.map(|mention| &mention.meaning)) {
        (Some(at), Some(Meaning::Defined(definition))) if is_the_languages(&at.known.names, *definition) => {
            return refused("this name is the language's own");
        }
        (Some(at), Some(Meaning::Defined(definition))) => origin(server, &at.known, &place.text_document.uri, *definition),
        (_, Some(_)) => return refused("this name is the language's own"),
        _ => None,
    };
    match (at, found) {
        (Some(at), Some(found)) => Ok((at, found)),
        _ => refused("there is no name here that a file defines"),
    }
}

/// # Errors
/// Why there is nothing to be renamed.
pub(super) fn prepare(server: &Server, place: &TextDocumentPositionParams) -> Result<PrepareRenameResponse, Refusal> {
    let (at, found) = named(server, place)?;
    let mut ranges = Ranges::new(&at.known.sources, server.encoding);
    match at.mention() {
        Some(mention) => Ok(PrepareRenameResponse::RangeWithPlaceholder { range: ranges.range(mention.span), placeholder: found.name }),
        None => refused("there is no name here"),
    }
}

/// # Errors
/// Why the name cannot be changed, or not to this one.
pub(super) fn rename(server: &Server, place: &TextDocumentPositionParams, name: &str) -> Result<WorkspaceEdit, Refusal> {
    let (_, wanted) = named(server, place)?;
    if !is_name(name) || matches!(name, "and" | "or" | "not" | "true" | "false") {
        return refused(format!("`{name}` is no name: letters, digits and `_`, no digit first"));
    }
    if VOCABULARY.quantities.contains(&name) {
        return refused(format!("`{name}` is a quantity of the batch and cannot be defined"));
    }
    let found = occurrences(server, &wanted);
    if found.iter().any(|found| found.fixed) {
        return refused(format!("`{}` stands in the library that is part of the program", wanted.name));
    }
    let mut changes: BTreeMap<Url, Vec<TextEdit>> = BTreeMap::new();
    for occurrence in found {
        let edit = TextEdit { range: occurrence.location.range, new_text: name.to_owned() };
        changes.entry(occurrence.location.uri).or_default().push(edit);
    }
    if let Some(mistake) = new_mistake(server, &changes) {
        return refused(format!("with the name `{name}` there would be a mistake: {mistake}"));
    }
    Ok(WorkspaceEdit { changes: Some(changes.into_iter().collect::<HashMap<_, _>>()), ..WorkspaceEdit::default() })
}

/// What is wrong afterwards that was not before, in one of the files that are changed.
fn new_mistake(server: &Server, changes: &BTreeMap<Url, Vec<TextEdit>>) -> Option<String> {
    let mut after = server.documents.edited.clone();
    let mut paths = Vec::new();
    for (url, edits) in changes {
        let path = url.to_file_path().ok()?;
        let text = match server.documents.get(url) {
            Some(document) => document.text.clone(),
            None => std::fs::read_to_string(&path).ok()?,
        };
        after.set(&path, edited(server, &text, edits));
        paths.push(path);
    }
    let mistakes = |path: &Path, texts| {
        let request = Request { root: Root::Edited { path, texts }, overrides: &[], library: server.workspace.library_of(Some(path)) };
        let (_, diagnostics) = crate::plan::check(&request);
        let errors = diagnostics.0.into_iter().filter(|d| d.severity == Severity::Error);
        errors.map(|d| (d.code, d.message)).collect::<Vec<_>>()
    };
    paths.iter().find_map(|path| {
        let before = mistakes(path, &server.documents.edited);
        let found = mistakes(path, &after);
        let count = |of: &[(&str, String)], code: &str| of.iter().filter(|(known, _)| *known == code).count();
        let new = found.iter().find(|(code, _)| count(&found, code) > count(&before, code))?;
        Some(format!("{}, {}", new.0, new.1))
    })
}

/// A text with its edits, which do not overlap.
fn edited(server: &Server, text: &str, edits: &[TextEdit]) -> String {
    let lines = Lines::new(text);
    let offset = |position| lines.offset(text, position, server.encoding);
    let mut places: Vec<_> = edits.iter().map(|edit| (offset(edit.range.start), offset(edit.range.end), &edit.new_text)).collect();
    places.sort_by_key(|(start, ..)| std::cmp::Reverse(*start));
    let mut out = text.to_owned();
    for (start, end, new) in places {
        out.replace_range(start..end.max(start), new);
    }
    out
}
