//! YAML as configurations use it, and JSON, as keys with dots between their parts.

use super::given::Setting;
use serde_json::Value;
use std::collections::BTreeMap;

/// By the ending of a file's name.
pub(super) fn is_config(file: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|ending| file.ends_with(ending))
}

/// # Errors
/// The line that cannot be read, and why.
pub(super) fn flat(file: &str, text: &str) -> Result<Vec<Setting>, String> {
    let mut settings = if file.ends_with(".json") || text.trim_start().starts_with('{') {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("`{file}` is no JSON: {error}"))?;
        let mut settings = Vec::new();
        of_json("", &value, &mut settings);
        settings
    } else {
        of_yaml(text).map_err(|(line, why)| format!("`{file}`, line {line}: {why}"))?
    };
    refer(&mut settings);
    Ok(settings)
}

fn of_json(above: &str, value: &Value, settings: &mut Vec<Setting>) {
    let value = match value {
        Value::Object(fields) => {
            let named = |name: &str| if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
            fields.iter().for_each(|(name, value)| of_json(&named(name), value, settings));
            return;
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    settings.push(Setting { key: above.to_owned(), value });
}

/// Mappings by indentation, scalars, and lists; anchors, tags and texts over several lines are refused.
fn of_yaml(text: &str) -> Result<Vec<Setting>, (usize, String)> {
    let mut settings: Vec<Setting> = Vec::new();
    // The keys above, each with its indentation.
    let mut above: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let refuse = |why: &str| Err((index + 1, why.to_owned()));
        let content = without_comment(line);
        let (indent, content) = (content.len() - content.trim_start().len(), content.trim());
        if content.is_empty() || content == "---" {
            continue;
        }
        if line.get(..indent).is_some_and(|space| space.contains('\t')) {
            return refuse("it is indented by a tab, which YAML forbids");
        }
        if let Some(item) = content.strip_prefix('-').filter(|item| item.is_empty() || item.starts_with(' ')) {
            let Some(list) = settings.last_mut() else { return refuse("a list without a key above it is no configuration") };
            let item = scalar(item.trim());
            list.value = if list.value.is_empty() { format!("[{item}]") } else { list.value.replacen(']', &format!(", {item}]"), 1) };
            continue;
        }
        let Some((key, value)) = content.split_once(": ").or_else(|| content.strip_suffix(':').map(|key| (key, ""))) else {
            return refuse("expected `key: value`");
        };
        let value = value.trim();
        if value.starts_with(['|', '>', '&', '*', '!']) {
            return refuse("texts over several lines, anchors and tags are not read; write the value itself");
        }
        above.retain(|(column, _)| *column < indent);
        above.push((indent, scalar(key.trim())));
        let key = above.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(".");
        // A key with others below it has no value of its own.
        let parent = settings.last().is_some_and(|last| last.value.is_empty() && key.starts_with(&format!("{}.", last.key)));
        if parent {
            settings.pop();
        }
        settings.push(Setting { key, value: scalar(value) });
    }
    Ok(settings)
}

fn without_comment(line: &str) -> &str {
    let (mut quote, mut before) = (None, ' ');
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if before.is_whitespace() => return line.get(..at).unwrap_or(line),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        before = c;
    }
    line
}

fn scalar(text: &str) -> String {
    let quoted = |quote: char| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    quoted('"').or_else(|| quoted('\'')).unwrap_or(text).to_owned()
}

/// `${a.b}` stands for the value of another key.
fn refer(settings: &mut [Setting]) {
    let values: BTreeMap<String, String> = settings.iter().map(|setting| (setting.key.clone(), setting.value.clone())).collect();
    for setting in settings {
        // As often as one may lead to another.
        for _ in 0..8 {
            let Some(name) = setting.value.strip_prefix("${").and_then(|name| name.strip_suffix('}')) else { break };
            let Some(value) = values.get(name) else { break };
            setting.value.clone_from(value);
        }
    }
}
