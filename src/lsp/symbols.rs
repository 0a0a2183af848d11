//! What a file holds, by name.

use super::places::{Encoding, Lines};
use super::server::Server;
use crate::lang::ast::{Expr, ExprKind, Line, LineKind};
use crate::lang::{SourceMap, Span, parser};
use lsp_types::{DocumentSymbol, DocumentSymbolResponse, Location, OneOf, SymbolKind, Url, WorkspaceSymbol, WorkspaceSymbolResponse};

/// Symbols that a search gives.
const MOST: usize = 500;
/// Components within components.
const DEEPEST: usize = 8;

struct Outline<'t> {
    text: &'t str,
    lines: &'t Lines,
    encoding: Encoding,
}

pub(super) fn of_document(server: &Server, url: &Url) -> Option<DocumentSymbolResponse> {
    let document = server.documents.get(url)?;
    let outline = Outline { text: &document.text, lines: &document.lines, encoding: server.encoding };
    Some(DocumentSymbolResponse::Nested(outline.file()))
}

impl Outline<'_> {
    fn file(&self) -> Vec<DocumentSymbol> {
        let mut sources = SourceMap::default();
        let id = sources.add("", None, self.text);
        let (file, _) = parser::parse(&sources, id);
        let lines = file.map(|file| file.lines).unwrap_or_default();
        lines.iter().filter_map(|line| self.line(line, SymbolKind::VARIABLE, DEEPEST)).collect()
    }

    #[allow(deprecated)]
    fn symbol(
        &self,
        name: String,
        detail: Option<String>,
        kind: SymbolKind,
        spans: (Span, Span),
        inner: Vec<DocumentSymbol>,
    ) -> DocumentSymbol {
        let range = |span: Span| self.lines.range(self.text, span.range(), self.encoding);
        let (whole, own) = (range(spans.0), range(spans.1));
        let children = (!inner.is_empty()).then_some(inner);
        DocumentSymbol { name, detail, kind, tags: None, deprecated: None, range: whole, selection_range: own, children }
    }

    fn line(&self, line: &Line, plain: SymbolKind, depth: usize) -> Option<DocumentSymbol> {
        let deeper = depth.checked_sub(1)?;
        let all = |lines: &[Line], kind| lines.iter().filter_map(|line| self.line(line, kind, deeper)).collect::<Vec<_>>();
        Some(match &line.kind {
            LineKind::Import { .. } | LineKind::Without { .. } => return None,
            LineKind::Assign { path, value } => {
                let inner = if let ExprKind::Component { lines, .. } = &value.kind { all(lines, SymbolKind::FIELD) } else { Vec::new() };
                let kind = if inner.is_empty() { plain } else { SymbolKind::OBJECT };
                self.symbol(path.to_string(), detail(value), kind, (line.span, path.span), inner)
            }
            LineKind::Function(function) => {
                let params: Vec<&str> = function.params.iter().map(|param| param.name.name.as_str()).collect();
                let detail = Some(format!("({})", params.join(", ")));
                self.symbol(function.name.name.clone(), detail, SymbolKind::FUNCTION, (line.span, function.name.span), Vec::new())
            }
            LineKind::Prompt { name, .. } => {
                self.symbol(name.name.clone(), Some("prompt".into()), SymbolKind::STRING, (line.span, name.span), Vec::new())
            }
            LineKind::Block { name, lines } => {
                let kind = if name.name == "stages" { SymbolKind::EVENT } else { SymbolKind::VARIABLE };
                self.symbol(name.name.clone(), None, SymbolKind::NAMESPACE, (line.span, name.span), all(lines, kind))
            }
            LineKind::Pipeline { name, from, lines } => {
                let detail = from.as_ref().map(|from| format!("from {from}"));
                self.symbol(name.name.clone(), detail, SymbolKind::CLASS, (line.span, name.span), all(lines, SymbolKind::PROPERTY))
            }
        })
    }
}

/// The kind of a component.
fn detail(value: &Expr) -> Option<String> {
    match &value.kind {
        ExprKind::Component { kind, .. } => Some(kind.to_string()),
        _ => None,
    }
}

/// Names at the top of the workspace's files and of its pipelines that hold the letters of a query in their order.
pub(super) fn of_workspace(server: &Server, query: &str) -> WorkspaceSymbolResponse {
    let mut found = Vec::new();
    for path in server.workspace.files() {
        let Some(url) = super::workspace::file_url(&path, &server.documents) else { continue };
        let text = match server.documents.get(&url) {
            Some(document) => document.text.clone(),
            None => std::fs::read_to_string(&path).unwrap_or_default(),
        };
        let lines = Lines::new(&text);
        let outline = Outline { text: &text, lines: &lines, encoding: server.encoding };
        for symbol in outline.file() {
            collect(&symbol, None, &url, query, 3, &mut found);
        }
        if found.len() >= MOST {
            break;
        }
    }
    found.truncate(MOST);
    WorkspaceSymbolResponse::Nested(found)
}

fn collect(symbol: &DocumentSymbol, inside: Option<&str>, url: &Url, query: &str, depth: usize, found: &mut Vec<WorkspaceSymbol>) {
    if holds(&symbol.name, query) && symbol.kind != SymbolKind::NAMESPACE {
        found.push(WorkspaceSymbol {
            name: symbol.name.clone(),
            kind: symbol.kind,
            tags: None,
            container_name: inside.map(str::to_owned),
            location: OneOf::Left(Location { uri: url.clone(), range: symbol.selection_range }),
            data: None,
        });
    }
    let named = if symbol.kind == SymbolKind::NAMESPACE { inside } else { Some(symbol.name.as_str()) };
    for inner in symbol.children.iter().flatten().filter(|_| depth > 0 && symbol.kind != SymbolKind::OBJECT) {
        collect(inner, named, url, query, depth - 1, found);
    }
}

/// Whether the letters of a query occur in a name in their order.
fn holds(name: &str, query: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    query.chars().flat_map(char::to_lowercase).filter(|c| !c.is_whitespace()).all(|wanted| letters.any(|c| c == wanted))
}
