//! Results that lie in a store, as a report would show them.

use crate::plan::Plan;
use crate::report::ReportData;
use crate::spec::PipelineSpec;
use crate::stage::{InputFolder, gather};
use crate::store::{Digest, RunSummary, State, Store, StoreError};
use serde_json::Value;

/// Stages whose results are compared.
const EVALUATE: &str = "evaluate";

/// What was found, and what was not.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// The results of every finished evaluation.
    pub data: ReportData,
    /// Evaluations that are not finished, by their names: `ppo[seed=1].seen`.
    pub missing: Vec<String>,
}

/// One evaluation, by the words of a plan.
struct Evaluation {
    pipeline: String,
    label: String,
    title: String,
    stage: String,
    digest: Digest,
}

/// The evaluations of a run; with a `name`, those of that pipeline alone.
///
/// # Errors
/// If the run's plan or a result cannot be read.
pub fn of_run(store: &Store, run: &RunSummary, name: Option<&str>) -> Result<Recorded, StoreError> {
    let plan = run.plan()?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for pipeline in list(&plan["pipelines"]) {
        for stage in list(&pipeline["stages"]).iter().filter(|stage| stage["kind"] == EVALUATE) {
            let Ok(digest) = Digest::try_from(text(&stage["task"])) else { continue };
            let [pipeline, label, title] = ["name", "label", "title"].map(|field| text(&pipeline[field]));
            found.push(Evaluation { pipeline, label, title, stage: text(&stage["name"]), digest });
        }
    }
    read(store, found, name)
}

/// The evaluations of pipelines as they are now, wherever in the store they were made.
///
/// # Errors
/// If a result cannot be read.
pub fn of_plan(store: &Store, plan: &Plan, name: Option<&str>) -> Result<Recorded, StoreError> {
    let mut found = Vec::new();
    for task in plan.tasks.iter().filter(|task| task.stage.kind() == EVALUATE) {
        for member in &task.members {
            let Some(instance) = plan.instances.get(member.instance) else { continue };
            found.push((
                member.instance,
                Evaluation {
                    pipeline: instance.name.clone(),
                    label: PipelineSpec::label_text(instance),
                    title: instance.title.clone(),
                    stage: member.stage.clone(),
                    digest: task.digest.clone(),
                },
            ));
        }
    }
    // as they are written, whatever order they are run in
    found.sort_by_key(|(instance, _)| *instance);
    read(store, found.into_iter().map(|(_, evaluation)| evaluation).collect(), name)
}

fn read(store: &Store, evaluations: Vec<Evaluation>, name: Option<&str>) -> Result<Recorded, StoreError> {
    let (mut inputs, mut missing) = (Vec::new(), Vec::new());
    for evaluation in evaluations.into_iter().filter(|e| name.is_none_or(|name| e.pipeline == name)) {
        let Evaluation { pipeline, label, title, stage, digest } = evaluation;
        let folder = store.task_path(&digest);
        let finished = store.status(&digest)?.is_some_and(|status| status.state == State::Finished);
        let input = InputFolder { pipeline, label, stage, title, folder, ..InputFolder::of(EVALUATE, digest.hex()) };
        if finished {
            inputs.push(input);
        } else {
            missing.push(input.task_name());
        }
    }
    let data = gather(None, &inputs).map_err(|error| StoreError::Refused(error.to_string()))?;
    Ok(Recorded { data, missing })
}
