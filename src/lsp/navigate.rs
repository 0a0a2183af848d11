//! From a name to where it was written, and to everything that mentions it, in all files.

use super::places::Ranges;
use super::server::Server;
use crate::lang::Span;
use crate::lang::resolve::survey::{Meaning, Mention};
use crate::spec::known::Known;
use lsp_types::{DocumentHighlight, DocumentHighlightKind, GotoDefinitionResponse, Location, Range, TextDocumentPositionParams, Url};
use std::collections::BTreeSet;
use std::rc::Rc;

/// A place of a document, and what is known of it.
pub(super) struct At {
    pub known: Rc<Known>,
    pub offset: usize,
}

impl At {
    pub(super) fn new(server: &Server, place: &TextDocumentPositionParams) -> Option<Self> {
        let url = &place.text_document.uri;
        let document = server.documents.get(url)?;
        let offset = document.lines.offset(&document.text, place.position, server.encoding);
        Some(Self { known: server.known(url), offset })
    }

    /// The word there.
    pub(super) fn mention(&self) -> Option<&Mention> {
        self.known.names.at(self.known.names.files.first()?.source, self.offset as u32)
    }
}

pub(super) fn definition(server: &Server, place: &TextDocumentPositionParams) -> Option<GotoDefinitionResponse> {
    let at = At::new(server, place)?;
    let span = match &at.mention()?.meaning {
        Meaning::Defined(definition) => at.known.names.definitions.get(*definition)?.span,
        Meaning::File(source) => Span::new(*source, 0..0),
        _ => return None,
    };
    let mut ranges = Ranges::new(&at.known.sources, server.encoding);
    let uri = server.workspace.url(ranges.source(span), &place.text_document.uri, &server.documents)?;
    Some(GotoDefinitionResponse::Scalar(Location { uri, range: ranges.range(span) }))
}

/// A name as all files see it: where the outermost definition of it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Origin {
    url: Url,
    range: Range,
    pub name: String,
}

/// The origin of a definition of one compilation.
pub(super) fn origin(server: &Server, known: &Known, root: &Url, definition: usize) -> Option<Origin> {
    let definitions = &known.names.definitions;
    let origin = definitions.get(definitions.get(definition)?.origin)?;
    let mut ranges = Ranges::new(&known.sources, server.encoding);
    let url = server.workspace.url(ranges.source(origin.span), root, &server.documents)?;
    Some(Origin { url, range: ranges.range(origin.span), name: origin.name.clone() })
}

/// Every mention of a name in the open documents and in the files of the workspace. Whether it is a definition, and what stands there: of the names in
/// texts of the library too.
pub(super) struct Occurrence {
    pub location: Location,
    pub defines: bool,
    /// It stands in a compiled-in text.
    pub fixed: bool,
}

pub(super) fn occurrences(server: &Server, wanted: &Origin) -> Vec<Occurrence> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let open: Vec<Url> = server.documents.urls().cloned().collect();
    for url in &open {
        if server.documents.get(url).is_some_and(|document| document.text.contains(&wanted.name)) {
            collect(server, &server.known(url), url, wanted, &mut seen, &mut found);
        }
    }
    for path in server.workspace.files() {
        let Some(url) = super::workspace::file_url(&path, &server.documents).filter(|url| !open.contains(url)) else { continue };
        // what mentions the name has it in its text
        if std::fs::read_to_string(&path).is_ok_and(|text| text.contains(&wanted.name)) {
            let root = crate::lang::load::Root::Edited { path: &path, texts: &server.documents.edited };
            let request = crate::spec::Request { root, overrides: &[], library: server.workspace.library_of(Some(&path)) };
            collect(server, &crate::spec::known::known(&request), &url, wanted, &mut seen, &mut found);
        }
    }
    found
}

fn collect(server: &Server, known: &Known, root: &Url, wanted: &Origin, seen: &mut BTreeSet<(Url, u32, u32)>, found: &mut Vec<Occurrence>) {
    let names = &known.names;
    let same = |index: usize| names.definitions.get(index).is_some_and(|d| d.name == wanted.name);
    let own = (0..names.definitions.len()).find(|&d| same(d) && origin(server, known, root, d).as_ref() == Some(wanted));
    let mut ranges = Ranges::new(&known.sources, server.encoding);
    for mention in own.into_iter().flat_map(|own| names.mentions_of(own)) {
        let source = ranges.source(mention.span);
        let Some(uri) = server.workspace.url(source, root, &server.documents) else { continue };
        let range = ranges.range(mention.span);
        if seen.insert((uri.clone(), range.start.line, range.start.character)) {
            let defines =
                matches!(mention.meaning, Meaning::Defined(d) if names.definitions.get(d).is_some_and(|d| d.span == mention.span));
            let fixed = server.workspace.is_compiled_in(source);
            found.push(Occurrence { location: Location { uri, range }, defines, fixed });
        }
    }
}

pub(super) fn references(server: &Server, place: &TextDocumentPositionParams, definitions: bool) -> Option<Vec<Location>> {
    let at = At::new(server, place)?;
    let Meaning::Defined(definition) = at.mention()?.meaning else { return None };
    let wanted = origin(server, &at.known, &place.text_document.uri, definition)?;
    let found = occurrences(server, &wanted);
    Some(found.into_iter().filter(|found| definitions || !found.defines).map(|found| found.location).collect())
}

/// The mentions in the document itself: of what is defined as of what is built in.
pub(super) fn highlights(server: &Server, place: &TextDocumentPositionParams) -> Option<Vec<DocumentHighlight>> {
    let at = At::new(server, place)?;
    let (names, mention) = (&at.known.names, at.mention()?);
    let source = mention.span.source;
    let alike: Vec<&Mention> = match mention.meaning {
        Meaning::Defined(definition) => names.mentions_of(definition).filter(|m| m.span.source == source).collect(),
        _ => names.mentions.iter().filter(|m| m.span.source == source && m.meaning == mention.meaning).collect(),
    };
    let mut ranges = Ranges::new(&at.known.sources, server.encoding);
    let highlight = |mention: &Mention| DocumentHighlight { range: ranges.range(mention.span), kind: Some(DocumentHighlightKind::TEXT) };
    Some(alike.into_iter().map(highlight).collect())
}
