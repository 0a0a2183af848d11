//! Stages that go on from the middle of another.

use super::build::StageGraph;
use super::{Plan, Task, TaskInput};
use crate::lang::{Diagnostic, Diagnostics};
use crate::spec::PipelineSpec;
use crate::stage::Artifact;
use petgraph::graph::NodeIndex;
use serde_json::Value;
use std::collections::BTreeSet;

/// What is the beginning of a stage is done before it, and the shorter before the longer: then nothing is done twice. Order alone, and only where both
/// are wanted anyway.
pub(super) fn beginnings_first(graph: &mut StageGraph, instances: &[PipelineSpec], wanted: &BTreeSet<NodeIndex>) {
    let stage = |node: NodeIndex| {
        let (instance, stage) = graph[node];
        Some((instance, instances.get(instance)?.stages.get(stage)?))
    };
    let mut edges = Vec::new();
    for first in wanted {
        let Some((instance, beginning)) = stage(*first) else { continue };
        let (Some(steps), Some((name, _))) = (beginning.stage.stops_after(), beginning.name.rsplit_once('@')) else { continue };
        for second in wanted {
            let Some((_, other)) = stage(*second).filter(|(other, _)| *other == instance) else { continue };
            let longer = other.stage.stops_after().is_none_or(|end| steps < end);
            if longer && other.name.rsplit_once('@').map_or(other.name.as_str(), |(name, _)| name) == name {
                edges.push((*first, *second, beginning.span));
            }
        }
    }
    for (first, second, span) in edges {
        graph.add_edge(first, second, span);
    }
}

/// Whether any stage goes on from the middle of another.
pub(super) fn is_among(graph: &StageGraph, instances: &[PipelineSpec], stages: &BTreeSet<NodeIndex>) -> bool {
    let goes_on = |node: &NodeIndex| {
        let (instance, stage) = graph[*node];
        let stage = instances.get(instance).and_then(|instance| instance.stages.get(stage));
        stage.is_some_and(|stage| stage.inputs.iter().any(|input| input.artifact == Artifact::State))
    };
    stages.iter().any(goes_on)
}

/// `E0404` for each stage that cannot take over what the other leaves.
pub(super) fn mistakes(plan: &Plan) -> Diagnostics {
    let mut found = Diagnostics::default();
    for task in &plan.tasks {
        for input in task.inputs.iter().filter(|input| input.artifact == Artifact::State) {
            let Some(other) = plan.tasks.get(input.task) else { continue };
            if let Some((why, help)) = mistake(plan, task, other) {
                let message = format!("this stage cannot go on from `{}`: {why}", plan.name(other));
                let at = task.members.first().map_or(input.span, |member| member.span);
                found.push(Diagnostic::error("E0404", input.span, message).also(at, "the stage that goes on").help(help));
            }
        }
    }
    found
}

fn mistake(plan: &Plan, task: &Task, other: &Task) -> Option<(String, &'static str)> {
    let (own, theirs) = (&task.key["identity"], &other.key["identity"]);
    let (length, steps) = (task.stage.length().map_or(u64::MAX, |length| length.count), other.stage.stops_after().unwrap_or_default());
    if steps >= length {
        return Some((
            format!("it has {length} iterations, and {steps} are done there"),
            "raise its `iterations`: they count from the beginning",
        ));
    }
    let policies = |task: &Task, identity: &Value| (identity["policy"].clone(), policies(plan, task));
    if policies(task, own) != policies(other, theirs) {
        let help = "leave `policy` as it is there: weights are taken over into the same model with the same vocabulary";
        return Some(("its `policy` is another".into(), help));
    }
    if kind(&own["optimizer"]) != kind(&theirs["optimizer"]) {
        let help = "moments are those of one optimiser; its learning rate and other fields may change";
        return Some(("its `optimizer` is of another kind".into(), help));
    }
    let [critic, before] = [own, theirs].map(|identity| kind(&identity["critic"]));
    if critic.is_some() && before.is_some() && critic != before {
        return Some(("its `critic` is of another kind".into(), "leave `critic` as it is there"));
    }
    None
}

/// The word that a component is written with.
fn kind(component: &Value) -> Option<String> {
    component.as_object().and_then(|fields| fields.keys().next().cloned())
}

/// Which outputs of which tasks the policy is made of.
fn policies(plan: &Plan, task: &Task) -> Vec<(String, Option<String>, String)> {
    let of_policy = |input: &&TaskInput| input.field == "policy" || input.field.starts_with("policy.");
    let digest = |input: &TaskInput| plan.tasks.get(input.task).map(|task| task.digest.hex().to_owned());
    task.inputs.iter().filter(of_policy).map(|input| (input.field.clone(), digest(input), input.output.clone())).collect()
}
