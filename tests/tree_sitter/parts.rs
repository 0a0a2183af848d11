//! What a text is made of, by the parser and by the grammar: the lines and expressions with their places.

use epo::builtin::Builtin;
use epo::lang::ast::{Expr, ExprKind, File, Line, LineKind};
use epo::lang::{SourceMap, Span, parser};
use std::collections::BTreeSet;
use tree_sitter::{Node, Parser, Tree};

/// A kind of line or expression, with its first byte and the one behind its last.
pub(crate) type Parts = BTreeSet<(String, usize, usize)>;

pub(crate) fn grammar() -> Parser {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_epo::LANGUAGE.into()).expect("a grammar that this tree-sitter reads");
    parser
}

pub(crate) fn read(text: &str) -> Tree {
    grammar().parse(text, None).expect("a tree")
}

/// By the parser: the parts, or the codes of what is wrong.
pub(crate) fn by_parser(text: &str) -> Result<Parts, Vec<&'static str>> {
    let mut sources = SourceMap::default();
    let id = sources.add("x", None, text);
    let (file, messages) = parser::parse(&sources, id);
    match file {
        Some(file) if messages.is_empty() => Ok(Found::default().file(&file)),
        _ => Err(messages.0.iter().map(|m| m.code).collect()),
    }
}

/// By the grammar: the parts, unless something has no place in the tree.
pub(crate) fn by_grammar(text: &str) -> Option<Parts> {
    let tree = read(text);
    let root = tree.root_node();
    let mut found = Found::default();
    let mut cursor = root.walk();
    for line in root.named_children(&mut cursor).filter(|line| !is_language(*line, text)) {
        found.node(line, text);
    }
    (!root.has_error()).then_some(found.0)
}

/// `language = 1`, which the parser takes off.
fn is_language(line: Node<'_>, text: &str) -> bool {
    line.child_by_field_name("path").is_some_and(|path| &text[path.byte_range()] == "language")
}

#[derive(Default)]
struct Found(Parts);

impl Found {
    fn add(&mut self, kind: impl Into<String>, span: Span) {
        self.0.insert((kind.into(), span.start as usize, span.end as usize));
    }

    fn file(mut self, file: &File) -> Parts {
        self.lines(&file.lines);
        self.0
    }

    fn lines(&mut self, lines: &[Line]) {
        for line in lines {
            let kind = match &line.kind {
                LineKind::Assign { value, .. } => {
                    self.expr(value);
                    "assignment"
                }
                LineKind::Function(function) => {
                    function.params.iter().filter_map(|p| p.default.as_ref()).for_each(|e| self.expr(e));
                    self.expr(&function.body);
                    "function"
                }
                LineKind::Prompt { text, .. } => {
                    self.add("text", text.span);
                    "prompt"
                }
                LineKind::Import { file, .. } => {
                    self.add("text", file.span);
                    "import"
                }
                LineKind::Without { .. } => "removal",
                LineKind::Pipeline { lines, .. } => {
                    self.lines(lines);
                    "pipeline"
                }
                LineKind::Block { lines, .. } => {
                    self.lines(lines);
                    "block"
                }
            };
            self.add(kind, line.span);
        }
    }

    fn expr(&mut self, expr: &Expr) {
        let kind = match &expr.kind {
            ExprKind::Number(_) | ExprKind::Duration(_) | ExprKind::Size(_) => "number".to_owned(),
            ExprKind::Text(_) => "text".to_owned(),
            ExprKind::Bool(_) => "boolean".to_owned(),
            ExprKind::Path(_) => "path".to_owned(),
            ExprKind::List(items) => {
                items.iter().for_each(|e| self.expr(e));
                "list".to_owned()
            }
            ExprKind::Call { args, .. } => {
                args.iter().for_each(|a| self.expr(&a.value));
                "call".to_owned()
            }
            ExprKind::Component { lines, .. } => {
                self.lines(lines);
                "component".to_owned()
            }
            ExprKind::Range(left, right) => {
                self.expr(left);
                self.expr(right);
                "a .. b".to_owned()
            }
            ExprKind::Binary { op, left, right, .. } => {
                self.expr(left);
                self.expr(right);
                format!("a {} b", op.name())
            }
            ExprKind::Unary { op, operand } => {
                self.expr(operand);
                format!("{} a", if *op == Builtin::Neg { "-" } else { op.name() })
            }
        };
        self.add(kind, expr.span);
    }

    fn node(&mut self, node: Node<'_>, text: &str) {
        let range = node.byte_range();
        let mut inner = node;
        // Brackets belong to what stands in them.
        while inner.kind() == "group" {
            let mut cursor = inner.walk();
            let Some(content) = inner.named_children(&mut cursor).find(|n| !n.is_extra()) else { break };
            inner = content;
        }
        let operator = inner.child_by_field_name("operator").map(|n| &text[n.byte_range()]);
        let kind = match (inner.kind(), operator) {
            (_, Some(sign)) if inner.child_by_field_name("left").is_some() => Some(format!("a {sign} b")),
            (_, Some(sign)) => Some(format!("{sign} a")),
            // Names: of lines, of what is called, of kinds.
            ("path", _) if inner.parent().is_some_and(|p| is_named_by(p, inner)) => None,
            (
                "body" | "fields" | "parameters" | "parameter" | "arguments" | "named_argument" | "name" | "comment" | "escape"
                | "placeholder",
                _,
            ) => None,
            (kind, _) => Some(kind.to_owned()),
        };
        self.0.extend(kind.map(|kind| (kind, range.start, range.end)));
        let mut cursor = inner.walk();
        for child in inner.named_children(&mut cursor) {
            self.node(child, text);
        }
    }
}

fn is_named_by(parent: Node<'_>, path: Node<'_>) -> bool {
    ["path", "parent", "function", "kind"].iter().any(|field| parent.child_by_field_name(field) == Some(path))
}
