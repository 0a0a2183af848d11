//! What a word means, as Markdown.

use super::places::Ranges;
use super::server::Server;
use crate::builtin::Builtin;
use crate::kind::FieldInfo;
use crate::lang::resolve::survey::{Definition, Meaning, Noun};
use crate::registry::{all_kinds, fields_of};
use crate::spec::describe::{self, Described, when_left_out};
use crate::spec::known::Known;
use crate::spec::library_functions;
use crate::stage::possible_outputs;

/// Characters of a line of text that are shown.
const MOST: usize = 600;

pub(super) fn meaning(server: &Server, known: &Known, meaning: &Meaning, pipeline: Option<usize>) -> Option<String> {
    Some(match meaning {
        Meaning::Defined(index) => definition(server, known, *index, pipeline)?,
        Meaning::File(source) => {
            let source = known.sources.get(*source);
            format!("{}\n\n{}", code(&source.shown()), above(&source.text, source.text.len().min(first_code(&source.text))))
        }
        Meaning::Quantity(name) => markdown(&describe::quantity(crate::objective::quantities::quantity_info(name)?)),
        Meaning::Key(name) => markdown(&describe::key(name)?),
        Meaning::Builtin(builtin) => markdown(&describe::function(*builtin)),
        Meaning::Argument(builtin, at) => argument(*builtin, *at)?,
        Meaning::Kind(name) => kind(name),
        Meaning::Field { kind, name } => field_of(kind, name)?,
        Meaning::Output { kind, name } => {
            let output = possible_outputs(kind).iter().find(|output| output.name == name)?;
            format!("{}\n\nGives {}.", code(&format!("{name} (of a stage `{kind}`)")), output.artifact.words())
        }
        Meaning::Setting(name) => markdown(&describe::pipeline_line(name)?),
    })
}

/// A block of the language.
pub(super) fn code(text: &str) -> String {
    format!("```epo\n{}\n```", text.trim_end())
}

/// Documentation for an editor; a kind has its fields in a table of its own, which is left out here.
pub(super) fn markdown(described: &Described) -> String {
    let head = if described.written.is_empty() { described.name.as_str() } else { described.written.as_str() };
    let mut out = format!("{}\n\n*{}*\n\n{}", code(head), described.what, described.text.trim());
    for field in &described.fields {
        out += &format!("\n- `{}`: {} ({})", field.name, (field.expects)(), when_left_out(field));
    }
    out
}

pub(super) fn kind(name: &str) -> String {
    let found: Vec<String> =
        all_kinds().filter(|(_, info)| info.name == name).map(|(category, info)| markdown(&describe::kind(category, info))).collect();
    found.join("\n\n---\n\n")
}

pub(super) fn field_of(kind: &str, name: &str) -> Option<String> {
    fields_of(kind).find(|field| field.name == name).map(|info| field(kind, info))
}

pub(super) fn field(kind: &str, field: &FieldInfo) -> String {
    let doc: Vec<&str> = field.doc.trim().lines().map(str::trim).collect();
    let head = code(&format!("{kind} {{ {} = … }}", field.name));
    format!("{head}\n\n{}\n\nTakes {}. Left out: {}.", doc.join("\n"), (field.expects)(), when_left_out(field))
}

fn argument(builtin: Builtin, at: usize) -> Option<String> {
    let written = describe::parameters(builtin.row()).get(at).cloned()?;
    Some(format!("{}\n\nAn argument of `{}`.", code(&written), describe::signature(builtin.row())))
}

/// What a definition is of, where it was written, and what it comes to in a pipeline.
fn definition(server: &Server, known: &Known, index: usize, pipeline: Option<usize>) -> Option<String> {
    let definition = known.names.definitions.get(index)?;
    let source = known.sources.get(definition.span.source);
    let written = shortened(known.sources.slice(definition.whole));
    let mut out = code(&written);
    let place = |d: &Definition| {
        let mut ranges = Ranges::new(&known.sources, server.encoding);
        let place = known.sources.place(d.span);
        match server.workspace.url(ranges.source(d.span), &lsp_types::Url::parse("file:///").ok()?, &server.documents) {
            Some(mut url) => {
                url.set_fragment(Some(&format!("L{}", ranges.range(d.span).start.line + 1)));
                Some(format!("[{place}]({url})"))
            }
            None => Some(place),
        }
    };
    out += &format!("\n\n*{}*, written in {}", noun(definition), place(definition)?);
    if let Some(from) = definition.pipeline.and_then(|p| known.names.pipelines.get(p)) {
        out += &format!(" (`{}`)", from.name);
    }
    if let Some(origin) = known.names.definitions.get(definition.origin).filter(|_| definition.origin != index) {
        let of = origin.pipeline.and_then(|p| known.names.pipelines.get(p)).map(|p| format!(" (`{}`)", p.name)).unwrap_or_default();
        out += &format!("\n\nTakes the place of {}{of}.", place(origin)?);
    }
    if let Some(value) = value(known, index, pipeline).filter(|value| !written.ends_with(value.as_str())) {
        let whose = pipeline.and_then(|p| known.names.pipelines.get(p)).map(|p| format!(" in `{}`", p.name)).unwrap_or_default();
        out += &format!("\n\nIs{whose}:\n{}", code(&value));
    }
    if let Some(level) = definition.value.and_then(|span| known.levels.iter().find(|l| l.span == span)) {
        out += &format!("\n\n{}.", describe::sentence(&level.level.words()));
    }
    out += &format!("\n\n{}", library_or_comment(&source.name, &source.text, definition, server));
    if definition.noun == Noun::Pipeline {
        out += &inherited(known, definition);
    }
    if definition.pipeline.is_some() && definition.noun == Noun::Line {
        out += &describe::pipeline_line(&definition.name).map(|d| format!("\n\n---\n\n{}", d.text)).unwrap_or_default();
    }
    Some(out.trim_end().to_owned())
}

/// What a line comes to: in a pipeline as the pipeline has it.
pub(super) fn value(known: &Known, index: usize, pipeline: Option<usize>) -> Option<String> {
    let definition = known.names.definitions.get(index)?;
    match (definition.pipeline, pipeline) {
        (Some(own), other) => known.values.get(&(other.unwrap_or(own), definition.path.clone())).cloned(),
        (None, _) => known.file_values.get(&index).cloned(),
    }
}

pub(super) fn noun(definition: &Definition) -> &'static str {
    match definition.noun {
        Noun::Line => "a line",
        Noun::Prompt => "a prompt",
        Noun::Function => "a function",
        Noun::Parameter => "a parameter",
        Noun::Pipeline => "a pipeline",
        Noun::Stage => "a stage",
        Noun::Term => "a term of a loss",
        Noun::Alias => "an import",
        Noun::Member => "a line of a component",
    }
}

/// The first lines of a definition.
fn shortened(text: &str) -> String {
    let lines: Vec<&str> = text.lines().take(12).collect();
    let mut out: String = lines.join("\n").chars().take(MOST).collect();
    if out.len() < text.len() {
        out += " …";
    }
    out
}

/// The comment above a definition, with its example where it is a function of the library.
fn library_or_comment(file: &str, text: &str, definition: &Definition, server: &Server) -> String {
    if definition.noun == Noun::Function && server.workspace.library.text(file) == Some(text) {
        let found = library_functions(&server.workspace.library, file);
        if let Some(function) = found.iter().find(|function| function.name == definition.name) {
            return describe::library_function(function).text;
        }
    }
    above(text, definition.whole.start as usize)
}

/// The comment on the lines right above a byte of a text, without its signs.
fn above(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or("");
    let whole = before.rfind('\n').map_or("", |end| &before[..end]);
    let mut lines: Vec<&str> = whole.lines().rev().map(str::trim).take_while(|line| line.starts_with('#')).collect();
    lines.reverse();
    lines.iter().map(|line| line.trim_start_matches(['#', ' '])).collect::<Vec<_>>().join("\n")
}

/// Where the comment at the beginning of a file ends.
fn first_code(text: &str) -> usize {
    text.split_inclusive('\n').take_while(|line| line.starts_with('#')).map(str::len).sum()
}

/// The lines that a pipeline has from others, and where each was written.
fn inherited(known: &Known, definition: &Definition) -> String {
    let Some(own) = known.names.pipelines.iter().position(|p| p.span == definition.span) else { return String::new() };
    let lines = known.names.pipelines.get(own).map(|p| p.lines.as_slice()).unwrap_or_default();
    let from_others: Vec<String> = lines
        .iter()
        .filter_map(|(path, line)| {
            let line = known.names.definitions.get(*line).filter(|line| line.pipeline != Some(own))?;
            let value = known.values.get(&(own, path.clone())).map(|value| format!(" = `{value}`")).unwrap_or_default();
            Some(format!("\n- `{}`{value}: {}", path.strip_prefix("stages.").unwrap_or(path), known.sources.place(line.span)))
        })
        .collect();
    if from_others.is_empty() { String::new() } else { format!("\n\nInherited:\n{}", from_others.concat()) }
}
