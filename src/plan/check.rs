//! The whole check of a file.

use super::Plan;
use crate::lang::{Diagnostics, SourceMap};
use crate::spec::{Request, checked};

/// Everything that can be said of a file without running it, by file and place.
pub fn check(request: &Request<'_>) -> (SourceMap, Diagnostics) {
    let compiled = checked(request);
    let mut diagnostics = compiled.diagnostics;
    if !diagnostics.has_errors() {
        Plan::messages(&compiled.pipelines, &compiled.roots).0.into_iter().for_each(|message| diagnostics.push(message));
        diagnostics.sort();
    }
    (compiled.sources, diagnostics)
}
