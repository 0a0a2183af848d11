//! `epo-run kinds`

use super::{DONE, Settings, answer, complain_with};
use crate::kind::KindInfo;
use crate::lang::diagnostic::closest;
use crate::lang::load::Library;
use crate::registry::{all_kinds, fields};
use crate::spec::describe::{Described, described, described_names, doc, when_left_out};
use crate::spec::library;
use clap::Args;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt::Write;

#[derive(Debug, Args)]
pub(super) struct KindsArgs {
    /// A kind, a field, a function, a quantity, a placeholder, a line of a pipeline or a word of the language, to be described in full.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// As JSON; of kinds only.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(args: &KindsArgs, settings: &Settings) -> u8 {
    let Some(name) = &args.name else {
        let all: Vec<_> = all_kinds().collect();
        answer(&match args.json {
            true => format!("{:#}\n", Value::from(all.iter().map(|(c, k)| as_json(c, k)).collect::<Vec<_>>())),
            false => list(&all),
        });
        return DONE;
    };
    let kinds: Vec<_> = all_kinds().filter(|(_, info)| info.name == name).collect();
    if args.json && !kinds.is_empty() {
        answer(&kinds.iter().map(|(c, k)| format!("{:#}\n", as_json(c, k))).collect::<String>());
        return DONE;
    }
    // A library that cannot be read hides no more than its own functions.
    let library = settings.library().unwrap_or(Cow::Borrowed(library()));
    let found = if args.json { Vec::new() } else { described(name, &library) };
    if found.is_empty() {
        return complain_with(&format!("there is no kind `{name}`"), Some(&near(name, args.json, &library)));
    }
    answer(&found.iter().map(in_full).collect::<Vec<_>>().join("\n"));
    DONE
}

/// What may have been meant, where nothing has the name.
fn near(name: &str, json: bool, library: &Library) -> String {
    let kinds = all_kinds().map(|(_, info)| info.name.to_owned());
    let names: Vec<String> = if json { kinds.collect() } else { described_names(library) };
    match closest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`epo-run kinds` lists all kinds".into(),
    }
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

fn in_full(found: &Described) -> String {
    let mut out = format!("{} ({})\n", found.name, found.what);
    for part in [&found.written, &found.text] {
        if !part.is_empty() {
            let _ = writeln!(out, "\n{}", part.trim());
        }
    }
    if found.fields.is_empty() {
        return out;
    }
    out.push_str("\nFields:\n");
    let width = found.fields.iter().map(|f| f.name.len()).max().unwrap_or(0);
    for field in &found.fields {
        let _ = writeln!(out, "  {:width$}  {} ({})", field.name, (field.expects)(), when_left_out(field));
        for line in field.doc.trim().lines() {
            let _ = writeln!(out, "  {:width$}    {}", "", line.trim());
        }
    }
    out
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
