//! What the messages suggest, as edits.

use super::places::Encoding;
use super::server::Server;
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Diagnostic, NumberOrString, Position, Range, TextEdit, Url,
    WorkspaceEdit,
};
use std::collections::HashMap;

/// Every suggestion of the diagnostics that the editor asks about.
pub(super) fn actions(server: &Server, params: &CodeActionParams) -> Vec<CodeActionOrCommand> {
    let url = &params.text_document.uri;
    params.context.diagnostics.iter().flat_map(|diagnostic| of(server, url, diagnostic)).map(CodeActionOrCommand::CodeAction).collect()
}

fn of(server: &Server, url: &Url, diagnostic: &Diagnostic) -> Vec<CodeAction> {
    let Some(document) = server.documents.get(url) else { return Vec::new() };
    let place = Place { text: &document.text, document, encoding: server.encoding, range: diagnostic.range };
    // editors that keep no data send the message, whose lines are the same
    let said = |key: &str| diagnostic.data.as_ref().and_then(|data| data.get(key)).cloned();
    let lines: Vec<String> = diagnostic.message.lines().map(str::to_owned).collect();
    let help: Vec<String> =
        said("help").and_then(|help| serde_json::from_value(help).ok()).unwrap_or_else(|| lines.iter().skip(1).cloned().collect());
    let message = said("message").and_then(|m| m.as_str().map(str::to_owned)).or_else(|| lines.first().cloned()).unwrap_or_default();
    let mut found = Vec::new();
    for line in &help {
        let edits = edits(&place, &message, line, diagnostic);
        if !edits.is_empty() {
            found.push(CodeAction {
                title: title(line),
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: Some(vec![diagnostic.clone()]),
                edit: Some(WorkspaceEdit { changes: Some(HashMap::from([(url.clone(), edits)])), ..WorkspaceEdit::default() }),
                is_preferred: Some(true),
                ..CodeAction::default()
            });
        }
    }
    found
}

fn title(help: &str) -> String {
    match help.strip_prefix("did you mean `").and_then(|rest| rest.strip_suffix("`?")) {
        Some(name) => format!("Write `{name}`"),
        None => help.to_owned(),
    }
}

struct Place<'d> {
    text: &'d str,
    document: &'d super::documents::Document,
    encoding: Encoding,
    range: Range,
}

impl Place<'_> {
    fn bytes(&self) -> std::ops::Range<usize> {
        let offset = |position| self.document.lines.offset(self.text, position, self.encoding);
        let start = offset(self.range.start);
        start..offset(self.range.end).max(start)
    }

    fn edit(&self, bytes: std::ops::Range<usize>, new_text: String) -> TextEdit {
        TextEdit { range: self.document.lines.range(self.text, bytes, self.encoding), new_text }
    }
}

/// What one line of help says to do; nothing where it is no edit.
fn edits(place: &Place<'_>, message: &str, help: &str, diagnostic: &Diagnostic) -> Vec<TextEdit> {
    let quoted: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
    let mut edits = Vec::new();
    if help.starts_with("did you mean `") {
        let is_placeholder = diagnostic.code == Some(NumberOrString::String("E0206".into()));
        match quoted.first() {
            Some(name) if is_placeholder => edits.extend(placeholders(place, message, name)),
            Some(name) => edits.extend(replacement(place, message, name)),
            None => {}
        }
    }
    let only_word = help.strip_prefix("write `").and_then(|rest| rest.strip_suffix('`'));
    if let (Some(word), true) = (only_word, message.contains("without quotes")) {
        edits.push(place.edit(place.bytes(), word.to_owned()));
    }
    if let Some(import) = quoted.iter().find(|text| text.starts_with("import \"") && help.contains("at the top")) {
        edits.push(import_line(place.text, import));
    }
    edits
}

/// The misspelt word of the marked text, which the message quotes.
fn replacement(place: &Place<'_>, message: &str, name: &str) -> Option<TextEdit> {
    let bytes = place.bytes();
    let marked = place.text.get(bytes.clone())?;
    if let Some(inside) = marked.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return message.contains(inside).then(|| place.edit(bytes, format!("\"{name}\"")));
    }
    let wrong = message.split('`').skip(1).step_by(2).find(|quoted| is_part(marked, quoted))?;
    if wrong == marked || !marked.contains('.') || name.contains('.') {
        let whole = wrong == marked || name.contains('.');
        let start = if whole { 0 } else { marked.find(wrong)? };
        let length = if whole { marked.len() } else { wrong.len() };
        return Some(place.edit(bytes.start + start..bytes.start + start + length, name.to_owned()));
    }
    let at = marked.rfind(wrong)?;
    Some(place.edit(bytes.start + at..bytes.start + at + wrong.len(), name.to_owned()))
}

/// Whether a word is one of the parts of a text.
fn is_part(marked: &str, word: &str) -> bool {
    !word.is_empty() && (marked == word || marked.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|part| part == word))
}

/// A placeholder stands in the text of a prompt, which may be elsewhere than where it is used.
fn placeholders(place: &Place<'_>, message: &str, name: &str) -> Vec<TextEdit> {
    let Some(wrong) = message.split('`').nth(1).filter(|wrong| wrong.starts_with('{')) else { return Vec::new() };
    place.text.match_indices(wrong).map(|(at, _)| place.edit(at..at + wrong.len(), format!("{{{name}}}"))).collect()
}

/// Behind the imports that are there; else behind the comment at the top.
fn import_line(text: &str, import: &str) -> TextEdit {
    let mut line = 0;
    let mut blank_behind = true;
    for (number, words) in text.lines().enumerate() {
        if words.starts_with("import ") || words.starts_with("language ") {
            (line, blank_behind) = (number + 1, false);
        }
    }
    if line == 0 {
        line = text.lines().take_while(|words| words.starts_with('#')).count();
    }
    let position = Position { line: line as u32, character: 0 };
    let new_text = if blank_behind { format!("{import}\n\n") } else { format!("{import}\n") };
    TextEdit { range: Range { start: position, end: position }, new_text }
}
