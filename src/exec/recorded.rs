//! Results that lie in a store, as a report would show them.

use crate::plan::Plan;
use crate::report::ReportData;
use crate::spec::PipelineSpec;
use crate::stage::{InputFolder, gather, table};
use crate::store::{Digest, RunSummary, State, Store, StoreError};
use serde_json::Value;
use std::collections::BTreeMap;

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

impl Evaluation {
    fn input(self) -> InputFolder {
        let Self { pipeline, label, title, stage, digest } = self;
        InputFolder { pipeline, label, stage, title, ..InputFolder::of(EVALUATE, digest.hex()) }
    }
}

/// The evaluations of a run; with a `name`, those of that pipeline alone.
///
/// # Errors
/// If the run's plan or a result cannot be read.
pub fn of_run(store: &Store, run: &RunSummary, name: Option<&str>) -> Result<Recorded, StoreError> {
    read(store, of_json(&run.plan()?), name)
}

/// The evaluations of a plan whose results are given, by their tasks, as the bytes of their `results.json`; with a `name`, those of that pipeline alone.
///
/// # Errors
/// If one of the results is none.
pub fn of_results(plan: &Value, results: &BTreeMap<Digest, Vec<u8>>, name: Option<&str>) -> Result<Recorded, StoreError> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for evaluation in of_json(plan).into_iter().filter(|e| name.is_none_or(|name| e.pipeline == name)) {
        let bytes = results.get(&evaluation.digest).cloned();
        let input = evaluation.input();
        match bytes {
            Some(bytes) => found.push((input, bytes)),
            None => missing.push(input.task_name()),
        }
    }
    let data = table(&found).map_err(|error| StoreError::Refused(error.to_string()))?;
    Ok(Recorded { data, missing })
}

fn of_json(plan: &Value) -> Vec<Evaluation> {
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
    found
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
        let folder = store.task_path(&evaluation.digest);
        let finished = store.status(&evaluation.digest)?.is_some_and(|status| status.state == State::Finished);
        let input = InputFolder { folder, ..evaluation.input() };
        if finished {
            inputs.push(input);
        } else {
            missing.push(input.task_name());
        }
    }
    let data = gather(None, &inputs).map_err(|error| StoreError::Refused(error.to_string()))?;
    Ok(Recorded { data, missing })
}
