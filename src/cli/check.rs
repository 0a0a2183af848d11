//! `epo-run check`

use super::args::CheckArgs;
use super::compiled;
use super::{DONE, WRONG_INPUT};
use crate::lang::load::Root;
use crate::lang::{Diagnostics, SourceMap, render};
use crate::plan::Plan;
use crate::spec::{Request, compile};
use std::path::Path;

/// Everything that can be said of a file without running it.
pub fn check_file(file: &Path, overrides: &[String]) -> (SourceMap, Diagnostics) {
    let mut compiled = compile(&Request { root: Root::File(file), overrides });
    if !compiled.diagnostics.has_errors() {
        match Plan::only(&compiled.pipelines, &compiled.roots) {
            Ok(plan) => plan.warnings.into_iter().for_each(|w| compiled.diagnostics.push(w)),
            Err(errors) => errors.0.into_iter().for_each(|e| compiled.diagnostics.push(e)),
        }
    }
    (compiled.sources, compiled.diagnostics)
}

pub fn run(args: &CheckArgs) -> u8 {
    let mut code = DONE;
    for file in &args.files {
        let (sources, diagnostics) = check_file(file, &args.set);
        if args.json {
            for diagnostic in &diagnostics.0 {
                println!("{}", render::to_json(&sources, diagnostic));
            }
        } else {
            compiled::show(&sources, &diagnostics);
            if diagnostics.is_empty() {
                println!("{}: no mistakes", file.display());
            }
        }
        if diagnostics.has_errors() || (args.deny_warnings && !diagnostics.is_empty()) {
            code = WRONG_INPUT;
        }
    }
    code
}
