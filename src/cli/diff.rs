//! `epo-run diff`: what differs between two pipelines, first the equations, then the settings.

use super::{DONE, Settings, WRONG_INPUT, answer, answer_json, compiled, complain_with};
use crate::lang::diagnostic::closest;
use crate::lang::load::Root;
use crate::spec::{Leaf, Request, compile};
use crate::store::Store;
use clap::Args;
use indexmap::IndexMap;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// A run (`ppo_epo/7f3a9c41`) or a file (`pipelines/epo.epo`); with `:NAME` only that pipeline.
    #[arg(value_name = "A")]
    pub a: String,
    /// Likewise.
    #[arg(value_name = "B")]
    pub b: String,
    /// As JSON: `{"equations": [{"path", "a", "b"}], "settings": […]}`, null where one side has none.
    #[arg(long)]
    pub json: bool,
}

/// Every value of one side by its path (`train.groups`, `loss.minimize`, `house.max_turns`).
type Lines = IndexMap<String, Leaf>;

pub(super) fn run(args: &DiffArgs, settings: &Settings) -> u8 {
    let store = Store::new(&settings.values.runs);
    if let Err(code) = compiled::library(settings) {
        return code;
    }
    let (a, b) = match (side(&args.a, &store, settings), side(&args.b, &store, settings)) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(code), _) | (_, Err(code)) => return code,
    };
    // one pipeline against one: their names are no difference
    let by_name = a.pipelines.len() != 1 || b.pipelines.len() != 1;
    let changes = compare(&a.lines(by_name), &b.lines(by_name));
    let code = if changes.is_empty() { DONE } else { WRONG_INPUT };
    let (equations, others): (Vec<Change>, Vec<Change>) = changes.into_iter().partition(Change::is_equation);
    if args.json {
        let list = |changes: &[Change]| changes.iter().map(|c| json!({ "path": c.path, "a": c.a, "b": c.b })).collect::<Vec<Value>>();
        answer_json(&json!({ "equations": list(&equations), "settings": list(&others) }));
    } else if code == DONE {
        answer("no differences\n");
    } else {
        answer(&format!("--- {}\n+++ {}\n{}{}", args.a, args.b, section("equations", &equations), section("settings", &others)));
    }
    code
}

fn section(title: &str, changes: &[Change]) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{title}\n");
    for change in changes {
        for (sign, text) in [("-", &change.a), ("+", &change.b)] {
            if let Some(text) = text {
                let _ = writeln!(out, "{sign} {} = {text}", change.path);
            }
        }
    }
    out
}

/// A value that one side has and the other has not, or has otherwise.
struct Change {
    path: String,
    a: Option<String>,
    b: Option<String>,
}

impl Change {
    /// `loss.minimize`, `train.loss.fit`, `advantage`.
    fn is_equation(&self) -> bool {
        let path = self.path.rsplit(": ").next().unwrap_or_default();
        let mut parts = path.rsplit('.');
        parts.next() == Some("advantage") || parts.next() == Some("loss")
    }
}

struct Side {
    shared: Vec<Leaf>,
    pipelines: Vec<(String, Vec<Leaf>)>,
}

impl Side {
    fn lines(self, by_name: bool) -> Lines {
        let mut all: Lines = self.shared.into_iter().map(|leaf| (leaf.path.clone(), leaf)).collect();
        for (name, leaves) in self.pipelines {
            let path = |leaf: &Leaf| if by_name { format!("{name}: {}", leaf.path) } else { leaf.path.clone() };
            all.extend(leaves.into_iter().map(|leaf| (path(&leaf), leaf)));
        }
        all
    }
}

fn side(given: &str, store: &Store, settings: &Settings) -> Result<Side, u8> {
    // `a/b.epo`, `a/b.epo:ppo`, `ppo/7f3a9c41`, `ppo/7f3a9c41:ppo`
    let (place, name) = match given.rsplit_once(':') {
        Some((place, name)) if !Path::new(given).exists() => (place, Some(name)),
        _ => (given, None),
    };
    let file = match Path::new(place).is_file() || Path::new(place).extension().is_some_and(|e| e == "epo") {
        true => PathBuf::from(place),
        false => match store.find_run(place) {
            Ok(found) => found.path.join("resolved.epo"),
            Err(error) => return Err(super::runs::wrong(&error)),
        },
    };
    let library = super::elsewhere::library(&file, settings)?;
    let compiled = compile(&Request { root: Root::File(&file), overrides: &[], library: &library });
    if compiled.diagnostics.has_errors() {
        compiled::show(&compiled.sources, &compiled.diagnostics);
        return Err(WRONG_INPUT);
    }
    let known: Vec<&str> = compiled.resolved.names().collect();
    let wanted: Vec<&str> = match name {
        Some(name) if !known.contains(&name) => {
            let help = match closest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are `{}`", known.join("`, `")),
            };
            return Err(complain_with(&format!("there is no pipeline `{name}` in {place}"), Some(&help)));
        }
        Some(name) => vec![name],
        None => known,
    };
    let pipelines = wanted.iter().map(|name| (name.to_string(), compiled.resolved.leaves(name))).collect();
    Ok(Side { shared: compiled.resolved.shared_leaves(&wanted), pipelines })
}

/// Changed and missing lines in the order of `a`, then those that only `b` has.
fn compare(a: &Lines, b: &Lines) -> Vec<Change> {
    let mut changes = Vec::new();
    for (path, leaf) in a {
        if let Some(other) = b.get(path).filter(|other| other.text != leaf.text) {
            changes.push(Change { path: path.clone(), a: Some(leaf.text.clone()), b: Some(other.text.clone()) });
        }
        if is_missing(path, leaf, a, b) {
            changes.push(Change { path: path.clone(), a: Some(whole(path, a)), b: None });
        }
    }
    let only_b = b.iter().filter(|(path, leaf)| is_missing(path, leaf, b, a));
    changes.extend(only_b.map(|(path, _)| Change { path: path.clone(), a: None, b: Some(whole(path, b)) }));
    changes
}

/// Whether a line of one side has to be named as one that the other side lacks: not as a part of something that is named already, and not where
/// it only says what a kind does by itself.
fn is_missing(path: &str, leaf: &Leaf, own: &Lines, other: &Lines) -> bool {
    let parents = path.match_indices('.').map(|(end, _)| &path[..end]);
    let named = |parent: &str| own.contains_key(parent) && !other.contains_key(parent);
    !leaf.default && !other.contains_key(path) && !parents.into_iter().any(named)
}

/// A value with the fields that were written below it: `value_head { optimizer = adamw { lr = 0.003 } }`.
fn whole(path: &str, lines: &Lines) -> String {
    let mut fields: Vec<&str> = Vec::new();
    for (below, leaf) in lines.iter().filter(|(_, leaf)| !leaf.default) {
        let rest = below.strip_prefix(path).and_then(|rest| rest.strip_prefix('.'));
        let field = rest.map(|rest| &below[..below.len() - rest.len() + rest.find('.').unwrap_or(rest.len())]);
        fields.extend(field.filter(|field| !fields.contains(field) && leaf.path != *path));
    }
    let name = |field: &str| field[path.len() + 1..].to_string();
    let field = |field: &&str| match lines.contains_key(*field) {
        true => format!("{} = {}", name(field), whole(field, lines)),
        false => format!("{} {}", name(field), whole(field, lines)),
    };
    let fields: Vec<String> = fields.iter().map(field).collect();
    let head = lines.get(path).map(|leaf| leaf.text.as_str());
    match (head, fields.is_empty()) {
        (Some(head), true) => head.to_string(),
        (Some(head), false) => format!("{head} {{ {} }}", fields.join(", ")),
        (None, _) => format!("{{ {} }}", fields.join(", ")),
    }
}
