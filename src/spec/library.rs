//! The files that are compiled in, and what the functions of a library say of themselves.

use crate::lang::load::Library;
use crate::lang::resolve::NamesOfLibrary;
use std::sync::{Arc, OnceLock};

/// Visible everywhere without an import.
pub const PRELUDE: &str = "std/prelude.epo";

/// What `std/…` and `lib/…` mean where no setting names a folder for them.
pub static LIBRARY: Library = Library::compiled(&[
    ("std/prelude.epo", include_str!("../../pipelines/std/prelude.epo")),
    ("std/losses.epo", include_str!("../../pipelines/std/losses.epo")),
    ("std/advantages.epo", include_str!("../../pipelines/std/advantages.epo")),
    ("lib/household.epo", include_str!("../../pipelines/lib/household.epo")),
    ("lib/epo_released.epo", include_str!("../../pipelines/lib/epo_released.epo")),
    ("lib/alfworld.epo", include_str!("../../pipelines/lib/alfworld.epo")),
    ("lib/alfworld_runs.epo", include_str!("../../pipelines/lib/alfworld_runs.epo")),
    ("lib/scienceworld.epo", include_str!("../../pipelines/lib/scienceworld.epo")),
    ("lib/scienceworld_runs.epo", include_str!("../../pipelines/lib/scienceworld_runs.epo")),
]);

/// With the files of a program that depends on this crate.
static WITH_ADDED: OnceLock<Library> = OnceLock::new();

/// What `std/…` and `lib/…` mean in this program, and what it has added.
pub fn library() -> &'static Library {
    WITH_ADDED.get().unwrap_or(&LIBRARY)
}

/// Set once, before anything is read.
pub(crate) fn add(files: &'static [(&'static str, &'static str)]) {
    if !files.is_empty() {
        let _ = WITH_ADDED.set(LIBRARY.with(files));
    }
}

/// The functions that each file of the library defines: the names of its lines `fn name(…)`. Those of the program are looked up once.
pub(super) fn library_names(library: &Library) -> NamesOfLibrary {
    static OWN: OnceLock<NamesOfLibrary> = OnceLock::new();
    let names = |file: &str| library_functions(library, file).iter().map(|function| function.name.to_owned()).collect();
    let all = || library.files().map(|(file, _)| (file.to_owned(), names(file))).collect();
    if std::ptr::eq(library, &raw const LIBRARY) { Arc::clone(OWN.get_or_init(all)) } else { all() }
}

/// A function of the library, as its file has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LibraryFunction<'l> {
    /// `std/losses.epo`.
    pub file: &'l str,
    /// As it is called.
    pub name: &'l str,
    /// The whole line: `fn ratio() = exp(log_ratio())`.
    pub text: &'l str,
    /// The comment above it, with its `#`; the example is not among its lines.
    pub comment: &'l str,
    /// What stands behind `# Example:`: an expression that is one number in a loss, or one in an advantage or a schedule. Empty if there is none.
    pub example: &'l str,
    /// What stands behind its `->`: what it comes to on the batch of the reference; in an advantage, a list of rows of tokens.
    pub value: &'l str,
}

/// Every function of a file of the library, in its order.
pub fn library_functions<'l>(library: &'l Library, file: &str) -> Vec<LibraryFunction<'l>> {
    let Some((file, text)) = library.files().find(|(name, _)| *name == file) else { return Vec::new() };
    let mut found = Vec::new();
    // Where the comment that is being read began.
    let (mut start, mut at) = (None, 0);
    for line in text.split_inclusive('\n') {
        let (begin, end) = (at, at + line.len());
        at = end;
        if line.starts_with('#') {
            start.get_or_insert(begin);
            continue;
        }
        let above = start.take().and_then(|start| text.get(start..begin)).unwrap_or_default();
        let Some(name) = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next()) else { continue };
        let (comment, example) = above.rsplit_once("# Example: ").unwrap_or((above, ""));
        let (example, value) = example.trim_end().split_once(" -> ").unwrap_or((example.trim_end(), ""));
        found.push(LibraryFunction { file, name, text: line.trim_end(), comment: comment.trim_end(), example, value });
    }
    found
}
