//! `epo-run check`

use super::args::CheckArgs;
use super::compiled;
use super::{DONE, Settings, WRONG_INPUT, answer};
use crate::lang::load::Root;
use crate::lang::render;
use crate::plan;
use crate::spec::Request;

pub(super) fn run(args: &CheckArgs, settings: &Settings) -> u8 {
    let mut code = DONE;
    for file in &args.files {
        let library = match super::elsewhere::library(file, settings) {
            Ok(library) => library,
            Err(code) => return code,
        };
        let (sources, diagnostics) = plan::check(&Request { root: Root::File(file), overrides: &args.set, library: &library });
        if args.json {
            for diagnostic in &diagnostics.0 {
                answer(&super::escaped(&format!("{}\n", render::to_json(&sources, diagnostic))));
            }
        } else {
            compiled::show(&sources, &diagnostics);
            if diagnostics.is_empty() {
                answer(&format!("{}: no mistakes\n", file.display()));
            }
        }
        if diagnostics.has_errors() || (args.deny_warnings && !diagnostics.is_empty()) {
            code = WRONG_INPUT;
        }
    }
    code
}
