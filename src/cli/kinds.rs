//! `epo-run kinds`

use super::{DONE, answer, complain_with};
use crate::kind::{FieldInfo, KindInfo};
use crate::lang::diagnostic::closest;
use crate::registry::{all_kinds, shared_fields};
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write;

#[derive(Debug, Args)]
pub(super) struct KindsArgs {
    /// A kind, to be described in full.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(args: &KindsArgs) -> u8 {
    let found: Vec<(&'static str, &'static KindInfo)> = match &args.name {
        None => all_kinds().collect(),
        Some(name) => all_kinds().filter(|(_, info)| info.name == name).collect(),
    };
    if let (Some(name), true) = (&args.name, found.is_empty()) {
        let help = match closest(name, all_kinds().map(|(_, info)| info.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`epo-run kinds` lists all kinds".into(),
        };
        return complain_with(&format!("there is no kind `{name}`"), Some(&help));
    }
    let text = match (&args.name, args.json) {
        (None, true) => format!("{:#}\n", Value::from(found.iter().map(|(c, k)| as_json(c, k)).collect::<Vec<_>>())),
        (Some(_), true) => found.iter().map(|(c, k)| format!("{:#}\n", as_json(c, k))).collect(),
        (None, false) => list(&found),
        (Some(_), false) => found.iter().map(|(c, k)| in_full(c, k)).collect::<Vec<_>>().join("\n"),
    };
    answer(&text);
    DONE
}

/// Its own fields, then those that every kind of its category has.
fn fields(category: &str, kind: &'static KindInfo) -> impl Iterator<Item = &'static FieldInfo> {
    kind.fields.iter().chain(shared_fields(category).into_iter().flat_map(|k| k.fields))
}

fn list(kinds: &[(&'static str, &'static KindInfo)]) -> String {
    let width = kinds.iter().map(|(_, k)| k.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    let mut last = "";
    for (category, kind) in kinds {
        if *category != last {
            let _ = writeln!(out, "{}{category}", if last.is_empty() { "" } else { "\n" });
            last = category;
        }
        let _ = writeln!(out, "  {:width$}  {}", kind.name, first_sentence(kind.doc));
    }
    out
}

/// Of a doc comment, whose first sentence may end in the middle of a later line.
pub(super) fn first_sentence(text: &str) -> String {
    let paragraph: Vec<&str> = text.trim().lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let paragraph = paragraph.join(" ");
    match paragraph.find(". ") {
        Some(end) => paragraph[..=end].to_string(),
        None => paragraph,
    }
}

fn in_full(category: &str, kind: &'static KindInfo) -> String {
    let mut out = format!("{} ({category})\n\n{}\n", kind.name, doc(kind).trim());
    let all: Vec<&FieldInfo> = fields(category, kind).collect();
    if all.is_empty() {
        return out;
    }
    out.push_str("\nFields:\n");
    let width = all.iter().map(|f| f.name.len()).max().unwrap_or(0);
    for field in all {
        let _ = writeln!(out, "  {:width$}  {} ({})", field.name, (field.expects)(), when_left_out(field));
        for line in field.doc.trim().lines() {
            let _ = writeln!(out, "  {:width$}    {}", "", line.trim());
        }
    }
    out
}

/// What a field is that nobody gives.
pub(super) fn when_left_out(field: &FieldInfo) -> String {
    match ((field.default)(), field.inherited, field.required) {
        (Some(default), false, _) => format!("default: {default}"),
        (Some(default), true, _) => format!("the pipeline's line; default: {default}"),
        (None, true, true) => "the pipeline's line".into(),
        (None, true, false) => "the pipeline's line; optional".into(),
        (None, false, true) => "required".into(),
        (None, false, false) => "optional".into(),
    }
}

/// The doc comment without the space that every line begins with.
pub(super) fn doc(kind: &KindInfo) -> String {
    kind.doc.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()).collect::<Vec<_>>().join("\n")
}

fn as_json(category: &str, kind: &'static KindInfo) -> Value {
    let fields = fields(category, kind).map(|field| {
        json!({
            "name": field.name,
            "doc": field.doc.trim(),
            "takes": (field.expects)(),
            "default": (field.default)(),
            "required": field.required,
            "inherited": field.inherited,
        })
    });
    json!({ "name": kind.name, "category": category, "doc": doc(kind).trim(), "fields": fields.collect::<Vec<_>>() })
}
