//! Messages as text for people and as JSON for programs. The only place that draws.
//!
//! ```text
//! error[E0104]: unknown field `weight_decai`
//!   --> pipelines/epo.epo:24:36
//!    |
//! 24 |     optimizer = adamw { lr = 5e-6, weight_decai = 0.01 }
//!    |                                    ^^^^^^^^^^^^
//!    = help: did you mean `weight_decay`?
//! ```

use super::diagnostic::{Diagnostic, Diagnostics, Label, Severity};
use super::source::{SourceId, SourceMap};
use super::visible::{is_hidden, on_one_line, visible};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthChar;

/// Columns of text shown of one line; longer lines are cut around the mark.
const MAX_COLUMNS: usize = 120;
/// Columns kept before the mark in a cut line.
const LEAD: usize = 40;
const TAB: usize = 4;

#[derive(Clone, Copy)]
struct Style {
    on: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.on && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn gutter(self, text: &str) -> String {
        self.paint("1;34", text)
    }
}

/// A label's place in its first line, in columns of the shown line.
struct Mark<'a> {
    line: usize,
    /// Bytes within the line.
    from: usize,
    to: usize,
    primary: bool,
    text: Cow<'a, str>,
}

/// One message with its snippets, ending in a newline.
pub fn render(sources: &SourceMap, diagnostic: &Diagnostic, color: bool) -> String {
    let style = Style { on: color };
    let (word, tone) = match diagnostic.severity {
        Severity::Error => ("error", "1;31"),
        Severity::Warning => ("warning", "1;33"),
    };
    let mut out = style.paint(tone, &format!("{word}[{}]", diagnostic.code));
    // What others wrote may hold new lines: none of these begins like a message of its own.
    out += &style.paint("1", &format!(": {}", visible(&diagnostic.message).replace('\n', "\n  ")));
    out.push('\n');
    let groups = groups(sources, diagnostic);
    let width = groups.iter().flat_map(|(_, marks)| marks).map(|m| m.line.to_string().len()).max().unwrap_or(1);
    for (index, (source, marks)) in groups.iter().enumerate() {
        snippet(&mut out, sources, *source, marks, index == 0, width, style, tone);
    }
    let margin = if groups.is_empty() { "  ".to_owned() } else { " ".repeat(width + 1) };
    for help in &diagnostic.help {
        let help = visible(help);
        let mut lines = help.lines();
        out += &format!("{margin}{} {}{}\n", style.gutter("="), style.paint("1", "help: "), lines.next().unwrap_or(""));
        for line in lines {
            out += &format!("{margin}        {line}\n");
        }
    }
    out
}

/// All messages, an empty line between two.
pub fn render_all(sources: &SourceMap, diagnostics: &Diagnostics, color: bool) -> String {
    let all: Vec<String> = diagnostics.0.iter().map(|d| render(sources, d, color)).collect();
    all.join("\n")
}

/// The labels by source, that of the primary label first, then in order of first mention; within one, in order of the text.
fn groups<'a>(sources: &SourceMap, diagnostic: &'a Diagnostic) -> Vec<(SourceId, Vec<Mark<'a>>)> {
    let mut order: Vec<SourceId> = Vec::new();
    let mut by_source: BTreeMap<SourceId, Vec<Mark<'a>>> = BTreeMap::new();
    for (index, label) in diagnostic.labels.iter().enumerate() {
        let source = label.span.source;
        if !order.contains(&source) {
            order.push(source);
        }
        by_source.entry(source).or_default().push(mark(sources, label, index == 0));
    }
    order.into_iter().filter_map(|s| by_source.remove(&s).map(|marks| (s, marks))).collect()
}

fn mark<'a>(sources: &SourceMap, label: &'a Label, primary: bool) -> Mark<'a> {
    let text = &sources.get(label.span.source).text;
    let clamp = |offset: u32| {
        let mut offset = (offset as usize).min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    };
    let (start, end) = (clamp(label.span.start), clamp(label.span.end));
    let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
    let line_end = line_start + line_at(text, line_start).len();
    let from = start.min(line_end) - line_start;
    let to = end.clamp(start, line_end.max(start)).min(line_end).max(from + line_start) - line_start;
    Mark { line: text[..line_start].matches('\n').count() + 1, from, to, primary, text: on_one_line(&label.text) }
}

/// The line that begins at a byte, without its end.
fn line_at(text: &str, start: usize) -> &str {
    let rest = text.get(start..).unwrap_or("");
    let line = rest.split('\n').next().unwrap_or("");
    line.strip_suffix('\r').unwrap_or(line)
}

#[allow(clippy::too_many_arguments)]
fn snippet(
    out: &mut String,
    sources: &SourceMap,
    source: SourceId,
    marks: &[Mark<'_>],
    first: bool,
    width: usize,
    style: Style,
    tone: &str,
) {
    let file = sources.get(source);
    let Some(main) = marks.first() else { return };
    let text_of = |line: usize| file.text.split('\n').nth(line - 1).map_or("", |l| l.strip_suffix('\r').unwrap_or(l));
    let column = text_of(main.line).get(..main.from).map_or(1, |before| before.chars().count() + 1);
    let arrow = if first { "-->" } else { ":::" };
    *out += &format!("{}{} {}:{}:{column}\n", " ".repeat(width), style.gutter(arrow), on_one_line(&file.shown()), main.line);
    *out += &format!("{} {}\n", " ".repeat(width), style.gutter("|"));
    let mut by_line: BTreeMap<usize, Vec<&Mark<'_>>> = BTreeMap::new();
    for mark in marks {
        by_line.entry(mark.line).or_default().push(mark);
    }
    let mut last = None;
    for (line, marks) in by_line {
        match last {
            Some(before) if line > before + 2 => *out += &format!("{}\n", style.gutter("...")),
            // A single line between two marked ones is shown rather than dotted out.
            Some(before) if line == before + 2 => {
                let shown = Shown::new(text_of(before + 1), &[]);
                *out += &numbered(before + 1, width, style, &shown.text);
            }
            _ => {}
        }
        let shown = Shown::new(text_of(line), &marks);
        *out += &numbered(line, width, style, &shown.text);
        for row in rows(&shown, &marks, style, tone) {
            *out += &format!("{} {} {row}\n", " ".repeat(width), style.gutter("|"));
        }
        last = Some(line);
    }
}

fn numbered(line: usize, width: usize, style: Style, text: &str) -> String {
    let head = style.gutter(&format!("{line:>width$} |"));
    if text.is_empty() { format!("{head}\n") } else { format!("{head} {text}\n") }
}

/// A line as it is drawn: tabs as spaces, control characters as one sign, cut if it is long.
struct Shown {
    text: String,
    /// For every byte of the original (and its end): its column.
    columns: Vec<usize>,
}

impl Shown {
    fn new(line: &str, marks: &[&Mark<'_>]) -> Self {
        let mut columns = Vec::with_capacity(line.len() + 1);
        let mut cells: Vec<(String, usize)> = Vec::new();
        let mut column = 0;
        for c in line.chars() {
            let (cell, width) = match c {
                '\t' => (" ".repeat(TAB - column % TAB), TAB - column % TAB),
                c if is_hidden(c) => ("\u{fffd}".to_owned(), 1),
                c => (c.to_string(), c.width().unwrap_or(0)),
            };
            columns.extend(std::iter::repeat_n(column, c.len_utf8()));
            column += width;
            cells.push((cell, width));
        }
        columns.push(column);
        if column <= MAX_COLUMNS {
            let text: String = cells.into_iter().map(|(cell, _)| cell).collect();
            return Self { text: text.trim_end().to_owned(), columns };
        }
        Self::cut(cells, columns, marks)
    }

    /// Keeps the columns around the first mark, the primary one if it is there.
    fn cut(cells: Vec<(String, usize)>, mut columns: Vec<usize>, marks: &[&Mark<'_>]) -> Self {
        let main = marks.iter().find(|m| m.primary).or(marks.first());
        let at = main.and_then(|m| columns.get(m.from)).copied().unwrap_or(0);
        let total = columns.last().copied().unwrap_or(0);
        let from = if at + LEAD < MAX_COLUMNS { 0 } else { at - LEAD };
        let to = (from + MAX_COLUMNS).min(total);
        let (mut text, mut column, mut start) = (String::new(), 0, None);
        for (cell, width) in cells {
            if column >= from && column + width <= to {
                start.get_or_insert(column);
                text += &cell;
            }
            column += width;
        }
        let start = start.unwrap_or(0);
        let lead = if from > 0 { "…" } else { "" };
        for c in &mut columns {
            // What lies before the part that is shown is marked under the `…`.
            *c = if *c < start { 0 } else { (*c).min(to) - start + lead.chars().count() };
        }
        let tail = if to < total { "…" } else { "" };
        Self { text: format!("{lead}{text}{tail}"), columns }
    }

    fn column(&self, byte: usize) -> usize {
        self.columns.get(byte).or(self.columns.last()).copied().unwrap_or(0)
    }

    fn reach(&self, mark: &Mark<'_>) -> (usize, usize) {
        let from = self.column(mark.from);
        (from, self.column(mark.to).max(from + 1))
    }
}

/// The rows under a line: marks, then words that did not fit behind the last mark.
fn rows(shown: &Shown, marks: &[&Mark<'_>], style: Style, tone: &str) -> Vec<String> {
    let mut sorted: Vec<&Mark<'_>> = marks.to_vec();
    sorted.sort_by_key(|m| (shown.reach(m).0, !m.primary));
    let paint = |m: &Mark<'_>, text: &str| if m.primary { style.paint(tone, text) } else { style.gutter(text) };
    // Which mark covers a column; the primary one wins.
    let end = sorted.iter().map(|m| shown.reach(m).1).max().unwrap_or(0);
    let mut owner: Vec<Option<&Mark<'_>>> = vec![None; end];
    for mark in sorted.iter().filter(|m| !m.primary).chain(sorted.iter().filter(|m| m.primary)) {
        let (from, to) = shown.reach(mark);
        owner.iter_mut().take(to).skip(from).for_each(|o| *o = Some(mark));
    }
    let mut row = String::new();
    let mut column = 0;
    while column < end {
        let mark = owner[column];
        let run = owner[column..].iter().take_while(|o| same(**o, mark)).count();
        match mark {
            None => row += &" ".repeat(run),
            Some(m) => row += &paint(m, &(if m.primary { "^" } else { "-" }).repeat(run)),
        }
        column += run;
    }
    let Some(last) = sorted.pop() else { return Vec::new() };
    if !last.text.is_empty() {
        row += &format!(" {}", paint(last, &last.text));
    }
    let mut all = vec![row];
    for mark in sorted.iter().rev().filter(|m| !m.text.is_empty()) {
        all.push(format!("{}{}", " ".repeat(shown.reach(mark).0), paint(mark, &mark.text)));
    }
    all
}

fn same(a: Option<&Mark<'_>>, b: Option<&Mark<'_>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => std::ptr::eq(a, b),
        (None, None) => true,
        _ => false,
    }
}

/// One object: `severity`, `code`, `message`, `file`, `line`, `column`, `end_line`, `end_column` (of the primary label, or null), `help`
/// and `labels` (every label, the primary one first). Lines and columns count from 1, columns in characters; the end is exclusive.
pub fn to_json(sources: &SourceMap, diagnostic: &Diagnostic) -> Value {
    let place = |label: &Label| {
        let start = sources.position(label.span.source, label.span.start);
        let end = sources.position(label.span.source, label.span.end);
        json!({
            "file": sources.get(label.span.source).shown(),
            "line": start.line, "column": start.column, "end_line": end.line, "end_column": end.column,
            "text": label.text,
        })
    };
    let labels: Vec<Value> = diagnostic.labels.iter().map(place).collect();
    let primary = |key: &str| labels.first().and_then(|l| l.get(key)).cloned().unwrap_or(Value::Null);
    json!({
        "severity": diagnostic.severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "file": primary("file"),
        "line": primary("line"),
        "column": primary("column"),
        "end_line": primary("end_line"),
        "end_column": primary("end_column"),
        "help": diagnostic.help,
        "labels": labels,
    })
}
