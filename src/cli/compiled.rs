//! Compiling for a verb: messages go to stderr, errors end it.

use super::args::Selection;
use super::{Settings, WRONG_INPUT, complain};
use crate::lang::load::{Library, Root};
use crate::lang::{Diagnostics, Severity, SourceMap, render};
use crate::model::pretrained::{Contents, cache_folder};
use crate::pack::{Pack, Recipe, is_pack};
use crate::plan::Plan;
use crate::spec::{Compiled, Request, compile};
use std::borrow::Cow;
use std::io::IsTerminal;
use std::path::Path;

/// Whether messages may be coloured.
pub(super) fn color() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Shows messages on stderr, with a closing line that counts them.
pub(super) fn show(sources: &SourceMap, diagnostics: &Diagnostics) {
    use std::io::Write;
    if diagnostics.is_empty() {
        return;
    }
    let text = format!("{}{}", render::render_all(sources, diagnostics, color()), count(diagnostics));
    if !super::ranks::hold(&text) {
        // a reader that has gone away is no mistake
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

/// `2 errors, 1 warning`
pub(super) fn count(diagnostics: &Diagnostics) -> String {
    let of = |severity| diagnostics.0.iter().filter(|d| d.severity == severity).count();
    let words = |n: usize, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    match (of(Severity::Error), of(Severity::Warning)) {
        (0, 0) => "no mistakes".into(),
        (0, w) => words(w, "warning"),
        (e, 0) => words(e, "error"),
        (e, w) => format!("{}, {}", words(e, "error"), words(w, "warning")),
    }
}

/// The library of the settings, or says what is wrong with it.
///
/// # Errors
/// The exit code.
pub(super) fn library(settings: &Settings) -> Result<Cow<'static, Library>, u8> {
    settings.library().map_err(|message| complain(&message))
}

/// What is remembered of the content of models on this machine.
pub(super) fn contents(settings: &Settings) -> Contents {
    Contents::remembered(&settings.values.machine.data.get("models").cloned().unwrap_or_else(cache_folder))
}

/// What a file or a pack comes to.
pub(super) struct Planned {
    pub compiled: Compiled,
    pub plan: Plan,
    /// All of its texts, and what the command line said.
    pub recipe: Recipe,
}

/// Compiles and plans a file, or a pack by its own texts; or says what is wrong with it.
///
/// # Errors
/// The exit code.
pub(super) fn plan(file: &Path, selection: &Selection, settings: &Settings) -> Result<Planned, u8> {
    if is_pack(file) {
        let recipe = Pack::open(file).and_then(|mut pack| pack.recipe()).map_err(|message| complain(&message))?;
        return plan_of(&recipe, selection, settings);
    }
    let library = super::elsewhere::library(file, settings)?;
    let compiled = compile(&Request { root: Root::File(file), overrides: &selection.set, library: &library });
    planned(compiled, &selection.names(), &file.display().to_string(), settings)
}

/// As [`plan`], of texts that are there, with more of a command line.
///
/// # Errors
/// The exit code.
pub(super) fn plan_of(recipe: &Recipe, selection: &Selection, settings: &Settings) -> Result<Planned, u8> {
    let only = if selection.only.is_empty() { recipe.only.clone() } else { selection.names() };
    planned(recipe.compile(&selection.set), &only, &recipe.root, settings)
}

fn planned(compiled: Compiled, only: &[String], shown: &str, settings: &Settings) -> Result<Planned, u8> {
    show(&compiled.sources, &compiled.diagnostics);
    if compiled.diagnostics.has_errors() {
        return Err(WRONG_INPUT);
    }
    if let Some(unknown) = only.iter().find(|name| !compiled.pipelines.iter().any(|p| p.is_called(name))) {
        let known = compiled.roots.join("`, `");
        return Err(complain(&format!("there is no pipeline `{unknown}` in {shown}; there are `{known}`")));
    }
    let names = if only.is_empty() { compiled.roots.clone() } else { only.to_vec() };
    match Plan::with_contents(&compiled.pipelines, &names, &mut contents(settings)) {
        Ok(plan) => {
            let warnings = Diagnostics(plan.warnings.clone());
            show(&compiled.sources, &warnings);
            let recipe = Recipe::of(&compiled.sources, only);
            Ok(Planned { compiled, plan, recipe })
        }
        Err(diagnostics) => {
            show(&compiled.sources, &diagnostics);
            Err(WRONG_INPUT)
        }
    }
}
