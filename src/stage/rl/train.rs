//! The iterations of an `rl` stage.

use super::super::context::{Context, Progress};
use super::super::cuts::Cuts;
use super::super::error::RunError;
use super::super::histogram::Histogram;
use super::collect::{Collected, collect};
use super::courses::Course;
use super::fields::Rl;
use super::foreign::Foreign;
use super::learner::Learner;
use super::selection::Selection;
use super::update::update;
use super::{checkpoint, collapse, corridor, diagnosis, metrics};
use crate::store::{MetricRecord, read_metrics};

/// Stops before the iteration `end`; before the last one it leaves what that depends on.
pub(super) fn train(stage: &Rl, end: usize, context: &mut dyn Context) -> Result<(), RunError> {
    let courses = Course::all(stage, context)?;
    let mut learner = Learner::new(stage, context)?;
    let mut selection = Selection::new(stage);
    let mut foreign = Foreign::new(stage, &learner, context)?;
    let entropy_lines = corridor::entropy_lines(&stage.loss.0);
    let mut warned = false;
    let start = checkpoint::resume(stage, &mut learner, &mut selection, &mut foreign, context)?;
    let mut records = read_metrics(context.folder().path())?;
    for iteration in start..end {
        let seed = context.seeds().child("iteration", iteration as u64);
        learner.warm(stage, iteration);
        let Collected { mut batch, rows, episodes, cost, played } = collect(stage, &learner, &foreign, &courses, iteration, context)?;
        if let Some(cuts) = Cuts::of(&episodes).filter(|cuts| !warned && !cuts.notes().is_empty()) {
            cuts.warn(context);
            warned = true;
        }
        let estimated = learner.estimate(&mut batch, iteration)?;
        let rewards = learner.rewards.metrics(&batch, rows.own)?;
        let looks = context.looks();
        if looks.gradients {
            learner.look_at_gradients();
        }
        let updates = update(stage, &mut learner, &batch, &rows, iteration, seed.child("update", 0))?;
        let carried = learner.remember(batch, &rows.rows)?;
        if let (Some(mixture), Some(played)) = (&learner.mixture, &played) {
            mixture.record(played, &mut learner.history)?;
        }
        foreign.remember(stage, &episodes)?;
        let mut record = metrics::record(iteration, &episodes, &updates, estimated, &entropy_lines);
        record.values.extend(diagnosis::metrics(&episodes));
        record.values.extend(cost.metrics());
        record.values.extend(carried);
        record.values.extend(rewards);
        if let Some(evaluated) = selection.after(stage, &learner, iteration, context)? {
            for (name, value) in evaluated {
                record.values.insert(name, value);
            }
        }
        let entropies = [diagnosis::series(&records, "entropy"), diagnosis::series(std::slice::from_ref(&record), "entropy")].concat();
        record.values.extend(diagnosis::swing(&entropies).map(|swing| ("entropy.swing".to_string(), swing)));
        context.ranks().agree(&format!("iteration {}", iteration + 1), &record)?;
        context.folder().metric(&record)?;
        records.push(record.clone());
        collapse::warnings(&records).iter().for_each(|line| context.warn(&format!("after iteration {}: {line}", iteration + 1)));
        for episode in &episodes {
            context.folder().episode(&serde_json::json!({ "iteration": iteration, "episode": episode }))?;
        }
        let done = iteration + 1;
        context.progress(progress(done, end, &record));
        if looks.entropies {
            for (turn, entropies) in diagnosis::entropies_by_turn(&episodes) {
                if let Some(histogram) = Histogram::of(&entropies) {
                    context.histogram(iteration as u64, &format!("entropy_by_turn/{turn:03}"), histogram);
                }
            }
        }
        for (name, histogram) in learner.seen() {
            context.histogram(iteration as u64, &format!("gradient/{name}"), histogram);
        }
        let stop = context.ranks().first_says(context.interrupted())?;
        let due = done.is_multiple_of(stage.checkpoint_every.0);
        if (due || stop) && done < end {
            checkpoint::save((&learner, &selection, &foreign), (done, due), context)?;
        }
        if stop && done < end {
            return Err(RunError::Interrupted);
        }
    }
    if end < stage.iterations.0 {
        checkpoint::write_state(&learner, &selection, &foreign, context)?;
    }
    learner.write_outputs(context)?;
    selection.finish(context);
    Ok(())
}

fn progress(done: usize, total: usize, record: &MetricRecord) -> Progress {
    let mut notes = Vec::new();
    for (label, name) in [("success", "success"), ("entropy", "entropy"), ("return", "return")] {
        if let Some(value) = record.values.get(name) {
            let text = if name == "success" { format!("{:.0} %", value * 100.0) } else { format!("{value:.3}") };
            notes.push((label, text));
        }
    }
    Progress { done: done as u64, total: total as u64, unit: "iterations", notes }
}
