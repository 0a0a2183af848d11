//! What the check says, as the protocol has it.

use super::places::Ranges;
use super::server::Server;
use crate::lang::{Diagnostic, Label, Severity};
use lsp_types::{DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location, NumberOrString, Range, Url};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What was said because of one document.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub by_url: BTreeMap<Url, Vec<lsp_types::Diagnostic>>,
    /// The files that were read for it, links resolved.
    pub reads: BTreeSet<PathBuf>,
}

/// The whole check of a document, as `epo-run check` does it.
pub(super) fn check(server: &Server, url: &Url) -> Said {
    let Some(request) = server.request(url) else { return Said::default() };
    let (sources, diagnostics) = crate::plan::check(&request);
    let mut ranges = Ranges::new(&sources, server.encoding);
    let reads = sources.iter().filter_map(|(_, source)| source.path.as_ref()?.canonicalize().ok()).collect();
    let mut said = Said { reads, by_url: BTreeMap::new() };
    for diagnostic in &diagnostics.0 {
        let (place, converted) = converted(server, url, diagnostic, &mut ranges);
        said.by_url.entry(place).or_default().push(converted);
    }
    said
}

fn converted(server: &Server, root: &Url, diagnostic: &Diagnostic, ranges: &mut Ranges<'_>) -> (Url, lsp_types::Diagnostic) {
    let location = |label: &Label, ranges: &mut Ranges<'_>| {
        let uri = server.workspace.url(ranges.source(label.span), root, &server.documents)?;
        Some(Location { uri, range: ranges.range(label.span) })
    };
    let mut labels = diagnostic.labels.iter();
    let first = labels.next().and_then(|label| location(label, ranges));
    let Location { uri, range } = first.unwrap_or_else(|| Location { uri: root.clone(), range: Range::default() });
    let others = labels.filter_map(|label| {
        let message = if label.text.is_empty() { "here".to_owned() } else { label.text.clone() };
        Some(DiagnosticRelatedInformation { location: location(label, ranges)?, message })
    });
    let others: Vec<_> = others.collect();
    let mut message = diagnostic.message.clone();
    if let Some(words) = diagnostic.labels.first().filter(|label| !label.text.is_empty()) {
        message += &format!(": {}", words.text);
    }
    for help in &diagnostic.help {
        message += &format!("\n{help}");
    }
    let converted = lsp_types::Diagnostic {
        range,
        severity: Some(match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(diagnostic.code.to_owned())),
        source: Some("epo".to_owned()),
        message,
        related_information: (!others.is_empty()).then_some(others),
        tags: (diagnostic.code == "W0110").then(|| vec![DiagnosticTag::UNNECESSARY]),
        data: Some(serde_json::json!({ "message": diagnostic.message, "help": diagnostic.help })),
        ..lsp_types::Diagnostic::default()
    };
    (uri, converted)
}
