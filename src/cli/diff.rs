//! `epo-run diff`

use super::{DONE, Settings, WRONG_INPUT, answer, compiled, complain_with};
use crate::lang::diagnostic::closest;
use crate::lang::load::Root;
use crate::spec::{Request, compile};
use crate::store::Store;
use clap::Args;
use indexmap::IndexMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A run (`ppo_epo/7f3a9c41`) or a file (`pipelines/epo.epo`); with `:NAME` only that pipeline.
    #[arg(value_name = "A")]
    pub a: String,
    /// Likewise.
    #[arg(value_name = "B")]
    pub b: String,
}

/// Every line of one side: its path (`train.groups`, `loss.minimize`, `house.max_turns`) and its text.
type Lines = IndexMap<String, String>;

pub fn run(args: &DiffArgs, settings: &Settings) -> u8 {
    let store = Store::new(&settings.values.runs);
    let (a, b) = match (side(&args.a, &store), side(&args.b, &store)) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(code), _) | (_, Err(code)) => return code,
    };
    // one pipeline against one: their names are no difference
    let by_name = a.pipelines.len() != 1 || b.pipelines.len() != 1;
    let text = compare(&a.lines(by_name), &b.lines(by_name));
    if text.is_empty() {
        answer("no differences\n");
        return DONE;
    }
    answer(&format!("--- {}\n+++ {}\n{text}", args.a, args.b));
    WRONG_INPUT
}

struct Side {
    shared: Lines,
    pipelines: Vec<(String, Lines)>,
}

impl Side {
    fn lines(&self, by_name: bool) -> Lines {
        let mut all = self.shared.clone();
        for (name, lines) in &self.pipelines {
            all.extend(lines.iter().map(|(path, text)| (if by_name { format!("{name}: {path}") } else { path.clone() }, text.clone())));
        }
        all
    }
}

fn side(given: &str, store: &Store) -> Result<Side, u8> {
    // `a/b.epo`, `a/b.epo:ppo`, `ppo/7f3a9c41`, `ppo/7f3a9c41:ppo`
    let (place, name) = match given.rsplit_once(':') {
        Some((place, name)) if !Path::new(given).exists() => (place, Some(name)),
        _ => (given, None),
    };
    let file = match Path::new(place).is_file() || place.ends_with(".epo") {
        true => PathBuf::from(place),
        false => match store.find_run(place) {
            Ok(found) => found.path.join("resolved.epo"),
            Err(error) => return Err(super::runs::wrong(&error)),
        },
    };
    let compiled = compile(&Request { root: Root::File(&file), overrides: &[] });
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
    let pipelines = wanted.iter().map(|name| (name.to_string(), compiled.resolved.leaves(name).into_iter().collect())).collect();
    Ok(Side { shared: compiled.resolved.shared_leaves(&wanted).into_iter().collect(), pipelines })
}

/// Changed and missing lines in the order of `a`, then those that only `b` has.
fn compare(a: &Lines, b: &Lines) -> String {
    let mut out = String::new();
    for (path, text) in a {
        match b.get(path) {
            Some(other) if other == text => {}
            Some(other) => {
                let _ = writeln!(out, "- {path} = {text}\n+ {path} = {other}");
            }
            None => {
                let _ = writeln!(out, "- {path} = {text}");
            }
        }
    }
    for (path, text) in b.iter().filter(|(path, _)| !a.contains_key(*path)) {
        let _ = writeln!(out, "+ {path} = {text}");
    }
    out
}
