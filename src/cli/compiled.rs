//! Compiling for a verb: messages go to stderr, errors end it.

use super::args::Selection;
use super::{Settings, WRONG_INPUT, complain};
use crate::lang::load::{Library, Root};
use crate::lang::{Diagnostics, Severity, SourceMap, render};
use crate::model::pretrained::{Contents, cache_folder};
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
    // a reader that has gone away is no mistake
    let _ = writeln!(std::io::stderr(), "{}{}", render::render_all(sources, diagnostics, color()), count(diagnostics));
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

/// Compiles and plans a file, or says what is wrong with it.
///
/// # Errors
/// The exit code.
pub(super) fn plan(file: &Path, selection: &Selection, settings: &Settings) -> Result<(Compiled, Plan), u8> {
    let library = library(settings)?;
    let compiled = compile(&Request { root: Root::File(file), overrides: &selection.set, library: &library });
    show(&compiled.sources, &compiled.diagnostics);
    if compiled.diagnostics.has_errors() {
        return Err(WRONG_INPUT);
    }
    if let Some(unknown) =
        selection.only.iter().find(|name| !compiled.pipelines.iter().any(|p| p.name == **name || p.display_name() == **name))
    {
        let known = compiled.roots.join("`, `");
        return Err(complain(&format!("there is no pipeline `{unknown}` in {}; there are `{known}`", file.display())));
    }
    let names = if selection.only.is_empty() { compiled.roots.clone() } else { selection.only.clone() };
    match Plan::with_contents(&compiled.pipelines, &names, &mut contents(settings)) {
        Ok(plan) => {
            let warnings = Diagnostics(plan.warnings.clone());
            show(&compiled.sources, &warnings);
            Ok((compiled, plan))
        }
        Err(diagnostics) => {
            show(&compiled.sources, &diagnostics);
            Err(WRONG_INPUT)
        }
    }
}
