//! What lies outside of the store and is needed by tasks that would still run.

use super::Plan;
use crate::lang::{Diagnostic, Span};
use crate::stage::{Outside, Place};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// One thing outside of the store that a plan's tasks are made of or with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Need {
    /// `the model "models/small"`.
    pub what: String,
    /// What tells it from others, with the hashes that it is pinned by.
    pub identity: Value,
    /// The hash of what lies under each path that it names; `None` where that is not known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contents: BTreeMap<String, Option<String>>,
    /// The tasks that read it, by name.
    pub by: Vec<String>,
}

/// One thing that is needed, and what was found.
#[derive(Clone, Debug)]
pub struct Needed {
    /// `the model "models/small"`.
    pub what: String,
    /// The tasks that read it, by name.
    pub by: Vec<String>,
    /// The stage of the first of them.
    pub span: Option<Span>,
    /// What is there, in words; an error: what is missing or cannot be used.
    pub found: Result<String, String>,
}

impl Needed {
    /// For programs: `what`, `needed_by`, and `found` or `problem`.
    pub fn json(&self) -> Value {
        let (name, words) = match &self.found {
            Ok(found) => ("found", found),
            Err(problem) => ("problem", problem),
        };
        json!({ "what": self.what, "needed_by": self.by, name: words })
    }

    /// The message about what is missing.
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        let problem = self.found.as_ref().err()?;
        let message = format!("{} cannot be used: {}", self.what, problem.lines().next().unwrap_or_default());
        let diagnostic = match self.span {
            Some(span) => Diagnostic::error("E0505", span, message),
            None => Diagnostic::bare("E0505", message),
        };
        let more = problem.lines().skip(1).collect::<Vec<_>>().join("\n");
        let diagnostic = if more.is_empty() { diagnostic } else { diagnostic.help(more) };
        Some(diagnostic.help(format!("needed by {}; nothing was run", names(&self.by))))
    }
}

pub(super) fn names(of: &[String]) -> String {
    of.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Looks once at everything that the tasks `runs` holds for need, in their order.
pub fn needed(plan: &Plan, runs: impl Fn(usize) -> bool, place: &mut Place<'_>) -> Vec<Needed> {
    let mut found: Vec<(String, Needed)> = Vec::new();
    for (index, task) in plan.tasks.iter().enumerate().filter(|(index, _)| runs(*index)) {
        for outside in task.stage.outside() {
            let (key, name) = (outside.key(), plan.name(&plan.tasks[index]));
            match found.iter_mut().find(|(known, _)| *known == key) {
                Some((_, needed)) if needed.by.contains(&name) => {}
                Some((_, needed)) => needed.by.push(name),
                None => {
                    let span = task.members.first().map(|m| m.span);
                    let new = Needed { what: outside.name(), by: vec![name], span, found: outside.look(place) };
                    // What is asked of one thing in two ways is said once where the answer is one.
                    match found.iter_mut().find(|(_, known)| known.what == new.what && known.found == new.found) {
                        Some((_, known)) => known.by.extend(new.by.into_iter().filter(|name| !known.by.contains(name)).collect::<Vec<_>>()),
                        None => found.push((key, new)),
                    }
                }
            }
        }
    }
    found.into_iter().map(|(_, needed)| needed).collect()
}

impl Plan {
    /// All that its tasks need from outside of the store, in their order; looks at nothing.
    pub(crate) fn needs(&self) -> Vec<Need> {
        let mut needs: Vec<Need> = Vec::new();
        for task in &self.tasks {
            for outside in task.stage.outside() {
                let hash = |path: &Path| Some(self.contents.get(path)?.as_ref()?.hash.clone());
                let contents = outside.contents().into_iter().map(|path| (path.to_string_lossy().into_owned(), hash(path))).collect();
                let need = Need { what: outside.name(), identity: outside.identity(), contents, by: Vec::new() };
                let name = self.name(task);
                match needs.iter_mut().find(|known| known.what == need.what && known.identity == need.identity) {
                    Some(known) if known.by.contains(&name) => {}
                    Some(known) => known.by.push(name),
                    None => needs.push(Need { by: vec![name], ..need }),
                }
            }
        }
        needs
    }
}

/// A line for each thing; nothing where nothing is needed.
pub fn text(needed: &[Needed]) -> String {
    let mut out = String::new();
    for one in needed {
        let found = match &one.found {
            Ok(found) => found.clone(),
            Err(problem) => format!("MISSING: {problem} (needed by {})", names(&one.by)),
        };
        let _ = writeln!(out, "{}  {}: {found}", if out.is_empty() { "\noutside\n" } else { "" }, one.what);
    }
    out
}

/// Folders and files outside of the store whose content is part of what a plan's tasks are.
pub(super) fn content_paths(plan: &Plan) -> Vec<&Path> {
    let mut all: Vec<&Path> =
        plan.tasks.iter().flat_map(|task| task.stage.outside()).flat_map(|outside| Outside::contents(&outside)).collect();
    all.sort_unstable();
    all.dedup();
    all
}
