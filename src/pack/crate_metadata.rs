//! `ro-crate-metadata.json`: what the pack holds, in the words of RO-Crate 1.1 (<https://w3id.org/ro/crate/1.1>), for archives and catalogues.

use super::{DESCRIPTION, METADATA, README, TASKS};
use crate::store::Mark;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What is said of the whole.
pub(super) struct About<'a> {
    pub title: &'a str,
    pub description: &'a str,
    /// `2026-11-29`; RO-Crate wants one, and no clock is read here.
    pub date: Option<&'a str>,
    pub version: &'a str,
    /// The first text.
    pub root: &'a str,
}

/// `files`: all but this one and the description.
pub(super) fn metadata(about: &About<'_>, files: &BTreeMap<String, Mark>) -> Value {
    let all = files.keys().map(String::as_str).chain([DESCRIPTION]);
    let mut whole = json!({
        "@id": "./",
        "@type": "Dataset",
        "name": about.title,
        "description": about.description,
        "hasPart": all.clone().map(|name| json!({ "@id": identifier(name) })).collect::<Vec<_>>(),
        "mainEntity": { "@id": identifier(about.root) },
    });
    if let Some(date) = about.date {
        whole["datePublished"] = date.into();
    }
    let mut graph = vec![
        json!({
            "@id": METADATA,
            "@type": "CreativeWork",
            "conformsTo": { "@id": "https://w3id.org/ro/crate/1.1" },
            "about": { "@id": "./" },
        }),
        whole,
        json!({ "@id": "#epo-run", "@type": "SoftwareApplication", "name": "epo-run", "version": about.version }),
    ];
    let results: Vec<Value> = files.keys().filter(|name| name.starts_with(TASKS)).map(|name| json!({ "@id": identifier(name) })).collect();
    if !results.is_empty() {
        if let Some(whole) = graph.get_mut(1) {
            whole["mentions"] = json!([{ "@id": "#run" }]);
        }
        graph.push(json!({
            "@id": "#run",
            "@type": "CreateAction",
            "name": "The run",
            "instrument": { "@id": "#epo-run" },
            "object": { "@id": identifier(about.root) },
            "result": results,
        }));
    }
    for name in all {
        let mut file = json!({ "@id": identifier(name), "@type": kinds(name), "name": name, "encodingFormat": format_of(name) });
        if let Some(mark) = files.get(name) {
            file["contentSize"] = mark.bytes.to_string().into();
        }
        graph.push(file);
    }
    json!({ "@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph })
}

fn kinds(name: &str) -> Value {
    if name.ends_with(".epo") { json!(["File", "SoftwareSourceCode"]) } else { json!("File") }
}

fn format_of(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "json" => "application/json",
        "jsonl" => "application/jsonl",
        "html" => "text/html",
        "md" if name == README => "text/markdown",
        "epo" | "txt" | "jinja" => "text/plain",
        _ => "application/octet-stream",
    }
}

/// A name as a relative reference.
fn identifier(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}
