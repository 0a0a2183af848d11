//! The story in one function: a file becomes checked pipelines.

use super::check::check;
use super::deep::on_deep_stack;
use super::foreign::foreign;
use super::library::{PRELUDE, library_names};
use super::{PipelineSpec, Resolved, resolved};
use crate::lang::load::{Library, Root, load};
use crate::lang::parser;
use crate::lang::resolve::{KindName, Override, Resolver, Words};
use crate::lang::{Diagnostics, SourceMap};
use crate::objective::VOCABULARY;
use crate::registry::{all_kinds, inherited_fields};
use std::collections::BTreeMap;

/// Messages about something that is not there, or not all of it. After a syntax error or a missing import they may be wrong, so they are not shown then.
const ABSENCES: [&str; 13] =
    ["E0101", "E0105", "E0107", "E0109", "E0110", "E0111", "E0112", "E0115", "E0121", "E0123", "E0301", "E0305", "W0110"];

/// Pipeline lines with a meaning of their own.
pub(super) const SETTINGS: [&str; 2] = ["title", "seeds"];

/// Pipeline lines that a stage takes over when it leaves the field out.
pub(super) fn inherited() -> Vec<&'static str> {
    inherited_fields().into_iter().filter(|name| !SETTINGS.contains(name)).collect()
}

/// What is to be compiled.
pub struct Request<'a> {
    /// The file, or a text in its place.
    pub root: Root<'a>,
    /// `--set`, each `PIPELINE.PATH=VALUE`.
    pub overrides: &'a [String],
    /// What `std/…` and `lib/…` mean.
    pub library: &'a Library,
}

/// What a compilation gives, mistakes or not.
pub struct Compiled {
    /// Every text that was read; spans point into them.
    pub sources: SourceMap,
    /// Every instance of every pipeline that takes part. With errors they are incomplete.
    pub pipelines: Vec<PipelineSpec>,
    /// The names of the root file's pipelines, in order.
    pub roots: Vec<String>,
    /// Errors and warnings, by file and place.
    pub diagnostics: Diagnostics,
    /// The file without imports, inheritance and functions. Empty with errors.
    pub resolved: Resolved,
}

/// Parses, resolves and checks. Pure but for the reading of the file and its imports; touches no device.
pub fn compile(request: &Request<'_>) -> Compiled {
    let mut compiled = compiled(request, |resolver, sources| {
        let sound = !resolver.diagnostics.borrow().has_errors();
        let said = resolver.diagnostics.take();
        let resolved = if sound { resolved::resolve(resolver, sources) } else { Resolved::default() };
        // what the printing of a sound file says is no mistake of the user
        resolver.diagnostics.replace(said);
        resolved
    });
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for spec in &mut compiled.pipelines {
        let text = texts.entry(spec.name.clone()).or_insert_with(|| compiled.resolved.text(&[&spec.name], false));
        spec.resolved.clone_from(text);
    }
    compiled
}

/// As [`compile`], without the resolved text: for who asks for the messages.
pub(crate) fn checked(request: &Request<'_>) -> Compiled {
    compiled(request, |_, _| Resolved::default())
}

fn compiled(request: &Request<'_>, text: impl FnOnce(&mut Resolver<'_>, &SourceMap) -> Resolved + Send) -> Compiled {
    let found = with_resolver(request, |resolver, sources| {
        let pipelines = check(resolver, sources);
        let roots: Vec<String> = resolver.root_pipelines().into_iter().map(|p| resolver.pipeline_name(p).to_string()).collect();
        (pipelines, roots, text(resolver, sources))
    });
    match found {
        Err((sources, diagnostics)) => {
            Compiled { sources, pipelines: Vec::new(), roots: Vec::new(), diagnostics, resolved: Resolved::default() }
        }
        Ok(((pipelines, roots, resolved), sources, diagnostics)) => Compiled { sources, pipelines, roots, diagnostics, resolved },
    }
}

/// Loads the request's files and hands a resolver over them to `work`. The error: the root could not be read.
#[allow(clippy::type_complexity)]
pub(crate) fn with_resolver<T: Send>(
    request: &Request<'_>,
    work: impl FnOnce(&mut Resolver<'_>, &SourceMap) -> T + Send,
) -> Result<(T, SourceMap, Diagnostics), (SourceMap, Diagnostics)> {
    on_deep_stack(|| resolve(request, work)).unwrap_or_else(|error| {
        let message = format!("cannot start a thread for the check: {error}");
        Err((SourceMap::default(), Diagnostics(vec![crate::lang::Diagnostic::bare("E0118", message)])))
    })
}

#[allow(clippy::type_complexity)]
fn resolve<T>(
    request: &Request<'_>,
    work: impl FnOnce(&mut Resolver<'_>, &SourceMap) -> T,
) -> Result<(T, SourceMap, Diagnostics), (SourceMap, Diagnostics)> {
    let mut sources = SourceMap::default();
    let (program, mut diagnostics) = load(request.root, request.library, &mut sources);
    let overrides = read_overrides(request.overrides, &mut sources, &mut diagnostics);
    let Some(mut program) = program else { return Err((sources, diagnostics)) };
    let incomplete = diagnostics.has_errors();
    let (prelude, messages) = program.add_library(PRELUDE, request.library, &mut sources);
    messages.0.into_iter().for_each(|m| diagnostics.push(m));
    let words = words(request.library);
    let mut resolver = Resolver::new(&program, &overrides, &words, prelude);
    let result = work(&mut resolver, &sources);
    for message in resolver.diagnostics.take().0 {
        if !(incomplete && ABSENCES.contains(&message.code)) {
            diagnostics.push(message);
        }
    }
    diagnostics.sort();
    Ok((result, sources, diagnostics))
}

fn read_overrides(texts: &[String], sources: &mut SourceMap, diagnostics: &mut Diagnostics) -> Vec<Override> {
    let mut overrides = Vec::new();
    for text in texts {
        let (line, messages) = parser::parse_override(sources, text);
        messages.0.into_iter().for_each(|m| diagnostics.push(m));
        match line.map(Override::from_line) {
            Some(Ok(line)) => overrides.push(line),
            Some(Err(message)) => diagnostics.push(message),
            None => {}
        }
    }
    overrides
}

fn words(library: &Library) -> Words {
    let kinds = all_kinds().map(|(_, info)| KindName { name: info.name, fields: info.fields.iter().map(|f| f.name).collect() }).collect();
    let (settings, library) = (SETTINGS.to_vec(), library_names(library));
    Words { vocabulary: &VOCABULARY, kinds, inherited: inherited(), settings, library, foreign }
}
