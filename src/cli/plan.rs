//! `epo-run plan`

use super::args::PlanArgs;
use super::{DONE, Settings, answer, answer_json, compiled, complain};
use crate::plan::{self, reasons};
use crate::store::Store;
use std::path::Path;

/// What runs of a file are called: its stem.
pub(super) fn stem(file: &Path) -> String {
    file.file_stem().map_or_else(|| "run".into(), |s| s.to_string_lossy().into_owned())
}

pub(super) fn run(args: &PlanArgs, settings: &Settings) -> u8 {
    let (_, plan) = match compiled::plan(&args.file, &args.selection, settings) {
        Ok(done) => done,
        Err(code) => return code,
    };
    let store = Store::new(&settings.values.runs);
    let reasons = match reasons(&plan, &store, &plan.run_name(&stem(&args.file))) {
        Ok(reasons) => reasons,
        Err(error) => return complain(&error.to_string()),
    };
    if args.json {
        answer_json(&plan::json(&plan, Some(&reasons)));
    } else if args.dot {
        answer(&plan::dot(&plan, Some(&reasons)));
    } else {
        answer(&plan::text(&plan, Some(&reasons)));
    }
    DONE
}
