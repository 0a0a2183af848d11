//! `epo-run plan`

use super::args::PlanArgs;
use super::compiled::Planned;
use super::{DONE, Settings, answer, answer_json, compiled, complain, here};
use crate::lang::Diagnostics;
use crate::pack::stem;
use crate::plan::{self, Place, needed, reasons};
use crate::store::Store;

pub(super) fn run(args: &PlanArgs, settings: &Settings) -> u8 {
    let Planned { compiled, plan, .. } = match compiled::plan(&args.file, &args.selection, settings) {
        Ok(done) => done,
        Err(code) => return code,
    };
    let store = Store::new(&settings.values.runs);
    let reasons = match reasons(&plan, &store, &plan.run_name(&stem(&compiled.sources))) {
        Ok(reasons) => reasons,
        Err(error) => return complain(&error.to_string()),
    };
    if args.dot {
        answer(&plan::dot(&plan, Some(&reasons)));
        return DONE;
    }
    let (takes, free) = match here::takes(&plan, &reasons, settings, Some(&store)) {
        Ok(known) => known,
        Err(error) => return complain(&error.to_string()),
    };
    let mut place = Place { machine: &settings.values.machine, fetch: false, say: &mut |_| () };
    let outside = needed(&plan, |index| !reasons.get(index).is_some_and(plan::Reason::is_up_to_date), &mut place);
    if args.json {
        let mut json = plan::json(&plan, Some(&reasons), &takes);
        if !outside.is_empty() {
            json["outside"] = outside.iter().map(plan::Needed::json).collect();
        }
        answer_json(&json);
    } else {
        answer(&plan::text(&plan, Some(&reasons), &takes));
        answer(&plan::takes_text(&plan, &takes, &reasons, free));
        answer(&plan::outside_text(&outside));
    }
    compiled::show(&compiled.sources, &Diagnostics(plan::too_large(&plan, &takes, free)));
    DONE
}
