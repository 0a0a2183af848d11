//! `docs/methods.md`, written from the recipes of `household`.

use super::repository::REPOSITORY;
use super::{fresh, recipes};
use epo::equation::{latex, latex_name, readable};
use epo::lang::ast::LineKind;
use epo::lang::load::Root;
use epo::lang::print::by_name;
use epo::lang::term::{Term, TermKind};
use epo::lang::{SourceMap, parser};
use epo::spec::{Equations, Request, compile, equations};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// In the order of the page: a method stands after the one that it changes.
const ORDER: [&str; 30] = [
    "ppo",
    "grpo",
    "dr_grpo",
    "dapo",
    "gdpo",
    "rloo",
    "remax",
    "reinforce_plus_plus",
    "gigpo",
    "hgpo",
    "otb",
    "gtpo",
    "spo",
    "gspo",
    "cispo",
    "m2po",
    "bapo",
    "lp_reg",
    "adaptive_entropy",
    "adaptive_kl",
    "luffy",
    "replay",
    "spear",
    "spa",
    "distillation",
    "rlvmr",
    "ea",
    "epo_ppo",
    "epo_grpo",
    "sft",
];

struct Method {
    name: String,
    title: String,
    parent: String,
    file: PathBuf,
    /// As they are written in the recipe.
    written: Vec<(String, String)>,
    lines: Vec<(String, Arc<Term>)>,
}

#[test]
fn the_page_of_methods_is_fresh() {
    let methods: Vec<Method> = ORDER.iter().flat_map(|name| methods(Path::new(&format!("pipelines/household/{name}.epo")))).collect();
    let known: Vec<PathBuf> = methods.iter().map(|m| m.file.clone()).collect();
    // what has no equation of its own is no row of the table
    for path in recipes("household").iter().filter(|p| !p.ends_with("react.epo") && !p.ends_with("sft.epo")) {
        assert!(known.contains(path), "{} is not on the page", path.display());
    }
    fresh("docs/methods.md", &page(&methods));
}

/// The pipelines that a file defines itself and that have equations, in its order.
fn methods(path: &Path) -> Vec<Method> {
    let text = fs::read_to_string(path).expect("a recipe");
    let mut sources = SourceMap::default();
    let source = sources.add("recipe.epo", None, &text);
    let tree = parser::parse(&sources, source).0.expect("a tree");
    let request = Request { root: Root::File(path), overrides: &[], library: &REPOSITORY };
    let titles = compile(&request).pipelines;
    let (sources, all, _) = equations(&request);
    let mut found = Vec::new();
    for line in tree.lines {
        let LineKind::Pipeline { name, from, .. } = line.kind else { continue };
        let Some(own) = all.iter().find(|e: &&Equations| e.pipeline == name.name && e.loss.is_some() && e.stage.is_none()) else {
            continue;
        };
        let lines = own.lines();
        found.push(Method {
            title: titles.iter().find(|p| p.name == name.name).map(|p| p.title.clone()).expect("a title"),
            parent: from.map(|path| path.to_string()).unwrap_or_default(),
            file: path.to_path_buf(),
            written: lines.iter().map(|(line, term)| (line.clone(), written(term, &sources))).collect(),
            name: name.name,
            lines,
        });
    }
    found
}

/// The text of an expression in the recipe, not of the function of the library that it calls.
fn written(term: &Term, sources: &SourceMap) -> String {
    match &term.kind {
        TermKind::Number(_) | TermKind::Quantity(_) | TermKind::Bool(_) | TermKind::Named { .. } => by_name(term),
        TermKind::Apply { .. } => sources.slice(term.place()).split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

fn page(methods: &[Method]) -> String {
    let mut out = String::from(HEAD);
    for method in methods {
        let part = |name: &str| method.written.iter().find(|(line, _)| line == name).map(|(_, text)| format!("`{text}`"));
        let terms: Vec<String> = method
            .written
            .iter()
            .filter(|(line, _)| line != "advantage" && line != "minimize")
            .map(|(l, t)| format!("`{l} = {t}`"))
            .collect();
        let _ = writeln!(
            out,
            "| [{}](#{}) | {} | {} | {} |",
            method.title,
            method.name,
            part("advantage").unwrap_or_default(),
            part("minimize").unwrap_or_default(),
            terms.join("<br>")
        );
    }
    for method in methods {
        let _ = write!(out, "\n## {}\n\n{}: `{}`", method.name, method.title, method.file.display());
        let parent = methods.iter().find(|m| m.name == method.parent);
        match parent {
            Some(parent) => {
                let _ = write!(out, ". Against [{}](#{}):\n\n```diff\n{}```\n", parent.title, parent.name, difference(parent, method));
            }
            None => out.push_str(".\n"),
        }
        let lines = readable(&method.lines);
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        out.push_str("\nIn full:\n\n```text\n");
        lines.iter().for_each(|(name, term)| {
            let _ = writeln!(out, "{name:width$} = {}", by_name(term));
        });
        out.push_str("```\n\n```math\n\\begin{aligned}\n");
        lines.iter().for_each(|(name, term)| {
            let _ = writeln!(out, "{} &= {} \\\\", latex_name(name), latex(term));
        });
        out.push_str("\\end{aligned}\n```\n");
    }
    out
}

/// Lines of both as they are written, those that are the same left out.
fn difference(old: &Method, new: &Method) -> String {
    let mut out = String::new();
    for (name, text) in &old.written {
        match new.written.iter().find(|(other, _)| other == name) {
            Some((_, other)) if other == text => {}
            Some((_, other)) => {
                let _ = writeln!(out, "- {name} = {text}\n+ {name} = {other}");
            }
            None => {
                let _ = writeln!(out, "- {name} = {text}");
            }
        }
    }
    for (name, text) in new.written.iter().filter(|(name, _)| old.written.iter().all(|(other, _)| other != name)) {
        let _ = writeln!(out, "+ {name} = {text}");
    }
    out
}

const HEAD: &str = "<!-- Made by `UPDATE=1 cargo test --test recipes` from pipelines/household; do not edit. -->

# Methods

Every method is a file of a few lines under `pipelines/household`, and again with the settings of its paper under `pipelines/alfworld` and
`pipelines/scienceworld`. Here are their equations: in the table as the recipes have them, with functions of [the library](reference/functions.md);
below, each against the one it is made from, and with every function replaced by what it stands for. What is long and stands in several places is
called `u`, `v`, `w` there.

`epo-run show FILE NAME --objective` prints the same of any pipeline, `epo-run diff A.epo:x B.epo:y` the difference of any two with their settings.
What the three readings of EPO do to the gradient is on a page of its own: [readings](readings.md). SFT and ReAct prompting have no equation: the
one maximises the log-probability of demonstrations, the other learns nothing. Nor have DAgger (`dagger.epo`: the policy plays, the expert says in every state what it would
have done, and that is learned) and expert iteration (`expert_iteration.epo`: the policy's own successes are learned); both change what `sft` learns from, see `collect` in
[the kinds](reference/kinds.md).

| method | advantage | what is minimised | terms |
|---|---|---|---|
";
