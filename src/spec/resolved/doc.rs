//! Text in the making: lines that know their depth and their origin.

use crate::lang::print::quoted;
use crate::lang::{is_hidden, on_one_line, pad};
use std::fmt::Write;

/// A value as text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Doc {
    Inline(String),
    /// `head { … }`
    Block {
        head: String,
        lines: Vec<DocLine>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct DocLine {
    /// `groups = `, `loss `, `pipeline a `: what stands before the value.
    pub lead: String,
    pub doc: Doc,
    /// Where it was written; empty: nowhere in particular.
    pub origin: String,
    /// Words for people alone, such as a default that cannot be written.
    pub comment: bool,
}

/// One value of a resolved pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    /// `train.groups`, `loss.minimize`.
    pub path: String,
    /// As it would be written.
    pub text: String,
    /// It was left out in the file.
    pub default: bool,
}

impl DocLine {
    pub(super) fn field(name: &str, doc: Doc, origin: impl Into<String>) -> Self {
        Self { lead: format!("{name} = "), doc, origin: origin.into(), comment: false }
    }

    pub(super) fn block(lead: impl Into<String>, lines: Vec<DocLine>, origin: impl Into<String>) -> Self {
        Self { lead: lead.into(), doc: Doc::Block { head: String::new(), lines }, origin: origin.into(), comment: false }
    }

    pub(super) fn comment(text: impl Into<String>) -> Self {
        Self { lead: String::new(), doc: Doc::Inline(text.into()), origin: String::new(), comment: true }
    }

    /// Replaces a text everywhere.
    pub(super) fn replace(&mut self, from: &str, to: &str) {
        self.lead = self.lead.replace(from, to);
        match &mut self.doc {
            Doc::Inline(text) => *text = text.replace(from, to),
            Doc::Block { head, lines } => {
                *head = head.replace(from, to);
                for line in lines {
                    line.replace(from, to);
                }
            }
        }
    }

    /// Every value below this line by its path; a kind is the value of the path itself.
    pub(super) fn leaves(&self, prefix: &str, into: &mut Vec<Leaf>) {
        let name = match self.lead.strip_suffix(" = ") {
            Some(name) => name,
            None if self.lead.starts_with("pipeline ") => "",
            None => self.lead.trim_end(),
        };
        let path = if prefix.is_empty() || name.is_empty() { format!("{prefix}{name}") } else { format!("{prefix}.{name}") };
        let leaf = |text: &String| Leaf { path: path.clone(), text: text.clone(), default: self.origin == "default" };
        match &self.doc {
            _ if self.comment => {}
            Doc::Inline(text) => into.push(leaf(text)),
            Doc::Block { head, lines } => {
                if !head.is_empty() {
                    into.push(leaf(head));
                }
                for line in lines {
                    line.leaves(&path, into);
                }
            }
        }
    }

    /// How often a text occurs.
    pub(super) fn count(&self, wanted: &str) -> usize {
        let own = self.lead.matches(wanted).count();
        own + match &self.doc {
            Doc::Inline(text) => text.matches(wanted).count(),
            Doc::Block { head, lines } => head.matches(wanted).count() + lines.iter().map(|l| l.count(wanted)).sum::<usize>(),
        }
    }
}

impl Doc {
    /// On one line: for lists and arguments.
    pub(super) fn inline(&self) -> String {
        match self {
            Self::Inline(text) => text.clone(),
            Self::Block { head, lines } => {
                let fields: Vec<String> = lines.iter().filter(|l| !l.comment).map(|l| format!("{}{}", l.lead, l.doc.inline())).collect();
                match fields.is_empty() {
                    true => format!("{head} {{ }}"),
                    false => format!("{head} {{ {} }}", fields.join(", ")),
                }
            }
        }
    }
}

/// A line of the page before its comments are aligned.
struct Row {
    text: String,
    origin: String,
}

pub(super) struct Page {
    origins: bool,
    out: String,
}

/// Beyond this column origins are no longer aligned.
const WIDEST: usize = 72;

impl Page {
    pub(super) fn new(origins: bool) -> Self {
        Self { origins, out: String::new() }
    }

    /// A top-level line, after an empty one.
    pub(super) fn section(&mut self, line: &DocLine) {
        self.gap();
        let mut rows = Vec::new();
        self.rows(line, line.lead.len(), 0, &mut rows);
        let width = rows.iter().map(|r| r.text.chars().count()).filter(|w| *w <= WIDEST).max().unwrap_or(0);
        for row in rows {
            if self.origins && !row.origin.is_empty() {
                let _ = writeln!(self.out, "{}  # {}", pad(&row.text, width), on_one_line(&row.origin));
            } else {
                let _ = writeln!(self.out, "{}", row.text.trim_end());
            }
        }
    }

    pub(super) fn prompt(&mut self, name: &str, text: &str, origin: &str) {
        self.gap();
        let written = match text.contains('\n') && !text.contains("\"\"\"") && !text.ends_with('"') && !text.chars().any(escaped) {
            true => format!("\"\"\"\n{text}\"\"\""),
            false => quoted(text),
        };
        let origin = if self.origins && !origin.is_empty() { format!("  # {}", on_one_line(origin)) } else { String::new() };
        let _ = writeln!(self.out, "prompt {name} = {written}{origin}");
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    fn gap(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn rows(&self, line: &DocLine, lead: usize, depth: usize, rows: &mut Vec<Row>) {
        let indent = "  ".repeat(depth);
        if line.comment {
            if let (true, Doc::Inline(text)) = (self.origins, &line.doc) {
                rows.push(Row { text: format!("{indent}# {text}"), origin: String::new() });
            }
            return;
        }
        let before = match line.lead.strip_suffix(" = ") {
            Some(name) => format!("{indent}{} = ", pad(name, lead.saturating_sub(3))),
            None => format!("{indent}{}", line.lead),
        };
        match &line.doc {
            Doc::Inline(text) => rows.push(Row { text: format!("{before}{text}"), origin: line.origin.clone() }),
            Doc::Block { head, lines } if lines.is_empty() => {
                rows.push(Row { text: format!("{before}{}{{ }}", spaced(head)), origin: line.origin.clone() });
            }
            Doc::Block { head, lines } => {
                rows.push(Row { text: format!("{before}{}{{", spaced(head)), origin: line.origin.clone() });
                let lead = lines.iter().filter(|l| !l.comment).map(|l| l.lead.len()).max().unwrap_or(0);
                for line in lines {
                    self.rows(line, lead, depth + 1, rows);
                }
                rows.push(Row { text: format!("{indent}}}"), origin: String::new() });
            }
        }
    }
}

fn spaced(head: &str) -> String {
    if head.is_empty() { String::new() } else { format!("{head} ") }
}

/// What a terminal would obey, or an editor change.
fn escaped(c: char) -> bool {
    is_hidden(c) && !matches!(c, '\n' | '\t')
}
