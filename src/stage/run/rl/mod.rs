//! Collect, estimate, update; again and again.

mod batch;
mod equations;
mod learner;
mod metrics;
mod select;
mod state;
mod update;

use self::batch::{Collected, collect};
use self::learner::Learner;
use self::select::Selection;
use super::shared::open;
use crate::seed::Seed;
use crate::stage::rl::Rl;
use crate::stage::{Context, Progress, RunError};

pub fn run(stage: &Rl, context: &mut dyn Context) -> Result<(), RunError> {
    let (world, panel) = open(context, &stage.on)?;
    let mut learner = Learner::new(stage, context)?;
    let mut selection = Selection::new(stage, context)?;
    let iterations = stage.iterations.0;
    let start = state::resume(&mut learner, &mut selection, context)?;
    for iteration in start..iterations {
        let seed = context.seeds().child("iteration", iteration as u64);
        let Collected { mut batch, rows, episodes } = collect(stage, &mut learner, &*world, &panel, iteration, context)?;
        let estimated = learner.estimate(&mut batch, iteration)?;
        let update = update::update(stage, &mut learner, &batch, &rows, iteration, seed.child("update", 0))?;
        learner.remember(&batch)?;
        let mut record = metrics::record(iteration, &episodes, &update, estimated);
        if let Some(evaluated) = selection.after(stage, &learner, iteration, context)? {
            for (name, value) in evaluated {
                record.values.insert(name, value);
            }
        }
        context.folder().metric(&record)?;
        for episode in &episodes {
            context.folder().episode(&serde_json::json!({ "iteration": iteration, "episode": episode }))?;
        }
        let done = iteration + 1;
        context.progress(progress(done, iterations, &record));
        let stop = context.interrupted();
        if (done.is_multiple_of(stage.checkpoint_every.0) || stop) && done < iterations {
            state::save(&learner, &selection, done, context)?;
        }
        if stop && done < iterations {
            return Err(RunError::Interrupted);
        }
    }
    learner.write_outputs(context)?;
    selection.finish(&learner, context)
}

fn progress(done: usize, total: usize, record: &crate::store::MetricRecord) -> Progress {
    let mut notes = Vec::new();
    for (label, name) in [("success", "success"), ("entropy", "entropy"), ("return", "return")] {
        if let Some(value) = record.values.get(name) {
            let text = if name == "success" { format!("{:.0} %", value * 100.0) } else { format!("{value:.3}") };
            notes.push((label, text));
        }
    }
    Progress { done: done as u64, total: total as u64, unit: "iterations", notes }
}

/// The task of a group: the panel is gone through in a new order each time, without replacement, whatever the iteration that asks.
fn task_index(seed: Seed, tasks: usize, group: u64) -> usize {
    let round = group / tasks as u64;
    super::sft::shuffled(tasks, seed.child("panel", round))[(group % tasks as u64) as usize]
}
