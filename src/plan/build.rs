use super::{Known, Member, Plan, TASK_FORMAT, Task, TaskInput, cycle, goes_on, unused};
use crate::lang::{Diagnostic, Diagnostics, Span};
use crate::spec::{Input, PipelineSpec, StageSpec};
use crate::stage::Figure;
use crate::stats::Design;
use crate::store::Digest;
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Stages of all instances as nodes `(instance, index of the stage)`; an edge leads from what is used to its user, and holds the reference's place.
pub(super) type StageGraph = DiGraph<(usize, usize), Span>;

/// Stages in the order in which they may be done, before they are tasks.
struct Laid<'i> {
    instances: Cow<'i, [PipelineSpec]>,
    graph: StageGraph,
    wanted: BTreeSet<NodeIndex>,
    warnings: Vec<Diagnostic>,
}

fn lay<'i>(instances: &'i [PipelineSpec], selected: Option<&BTreeSet<usize>>) -> Result<Laid<'i>, Diagnostics> {
    let instances = of_chosen_seeds(instances, selected);
    let mut graph = graph(&instances)?;
    let cycles = cycle::diagnose(&graph, &instances);
    if cycles.has_errors() {
        return Err(cycles);
    }
    let wanted = wanted(&graph, selected);
    goes_on::beginnings_first(&mut graph, &instances, &wanted);
    let warnings = unused::warn(&graph, &instances, &wanted);
    Ok(Laid { instances, graph, wanted, warnings })
}

/// What [`build`] has to say. Tasks and their digests, which take most of its time, are made only where a stage goes on from the middle of another: what is
/// wrong with that is seen by them.
pub(super) fn messages(instances: &[PipelineSpec], selected: Option<&BTreeSet<usize>>) -> Diagnostics {
    let laid = match lay(instances, selected) {
        Ok(laid) => laid,
        Err(errors) => return errors,
    };
    if !goes_on::is_among(&laid.graph, &laid.instances, &laid.wanted) {
        return Diagnostics(laid.warnings);
    }
    build(instances, selected, Known::new()).map_or_else(|errors| errors, |plan| Diagnostics(plan.warnings))
}

pub(super) fn build(instances: &[PipelineSpec], selected: Option<&BTreeSet<usize>>, contents: Known) -> Result<Plan, Diagnostics> {
    let Laid { instances, graph, wanted, warnings } = lay(instances, selected)?;
    let mut plan = Plan { instances: instances.to_vec(), tasks: Vec::new(), digest: Digest::of_bytes(b""), contents, warnings };
    let instances = &instances[..];
    let mut by_digest = BTreeMap::new();
    let mut by_stage = BTreeMap::new();
    for node in order(&graph, &wanted) {
        let (instance, stage) = graph[node];
        let Some((spec, stage)) = instances.get(instance).and_then(|i| Some((i, i.stages.get(stage)?))) else { continue };
        let member = Member { instance, stage: stage.name.clone(), span: stage.span };
        let task = task(&plan, &by_stage, spec, stage, member.clone());
        let needs = stage.needs.clone();
        let index = *by_digest.entry(task.digest.clone()).or_insert_with(|| {
            plan.tasks.push(Task { members: Vec::new(), before: before(&graph, node, instances, &by_stage), ..task });
            plan.tasks.len() - 1
        });
        if let Some(task) = plan.tasks.get_mut(index) {
            task.members.push(member);
            task.needs = task.needs.or_more(&needs);
        }
        by_stage.insert((instance, stage.name.clone()), index);
    }
    plan.digest = digest(&plan);
    let mistakes = goes_on::mistakes(&plan);
    if mistakes.has_errors() { Err(mistakes) } else { Ok(plan) }
}

/// What brings seeds together is given those that are asked for: a run of one seed needs no other.
fn of_chosen_seeds<'i>(instances: &'i [PipelineSpec], selected: Option<&BTreeSet<usize>>) -> Cow<'i, [PipelineSpec]> {
    let pools = |instance: &PipelineSpec| instance.stages.iter().flat_map(|stage| &stage.inputs).any(|input| input.pooled);
    let Some(selected) = selected.filter(|_| instances.iter().any(pools)) else { return Cow::Borrowed(instances) };
    let mut instances = instances.to_vec();
    let seed = |instance: &PipelineSpec| instance.label.iter().find(|(key, _)| key == "seed").map(|(_, value)| value.clone());
    let chosen: BTreeSet<(String, Option<String>)> =
        selected.iter().filter_map(|i| instances.get(*i)).map(|instance| (instance.name.clone(), seed(instance))).collect();
    let seeds: Vec<Option<String>> = instances.iter().map(seed).collect();
    for user in &mut instances {
        let wanted = |input: &Input| chosen.contains(&(user.name.clone(), seeds.get(input.pipeline).cloned().flatten()));
        for stage in &mut user.stages {
            stage.inputs.retain(|input| !input.pooled || wanted(input));
        }
    }
    Cow::Owned(instances)
}

fn graph(instances: &[PipelineSpec]) -> Result<StageGraph, Diagnostics> {
    let mut graph = StageGraph::new();
    let mut nodes = BTreeMap::new();
    for (i, instance) in instances.iter().enumerate() {
        for (s, stage) in instance.stages.iter().enumerate() {
            nodes.insert((i, stage.name.as_str()), graph.add_node((i, s)));
        }
    }
    let mut missing = Diagnostics::default();
    for (i, instance) in instances.iter().enumerate() {
        for stage in &instance.stages {
            let Some(user) = nodes.get(&(i, stage.name.as_str())) else { continue };
            for input in stage.inputs.iter().chain(&stage.after) {
                match nodes.get(&(input.pipeline, input.stage.as_str())) {
                    Some(used) => drop(graph.add_edge(*used, *user, input.span)),
                    None => missing.push(no_such_stage(instances, input)),
                }
            }
        }
    }
    if missing.has_errors() { Err(missing) } else { Ok(graph) }
}

fn no_such_stage(instances: &[PipelineSpec], input: &Input) -> Diagnostic {
    let stages = instances.get(input.pipeline);
    let pipeline = stages.map_or("the pipeline", |p| p.name.as_str());
    let names = stages.into_iter().flat_map(|p| &p.stages).map(|s| s.name.as_str());
    Diagnostic::error("E0402", input.span, format!("`{pipeline}` has no stage `{}`", input.stage)).did_you_mean(&input.stage, names)
}

/// The stages of the selected instances, and whatever they need.
fn wanted(graph: &StageGraph, selected: Option<&BTreeSet<usize>>) -> BTreeSet<NodeIndex> {
    let Some(selected) = selected else { return graph.node_indices().collect() };
    let mut wanted = BTreeSet::new();
    let mut open: Vec<NodeIndex> = graph.node_indices().filter(|n| selected.contains(&graph[*n].0)).collect();
    while let Some(node) = open.pop() {
        if wanted.insert(node) {
            open.extend(graph.neighbors_directed(node, Direction::Incoming));
        }
    }
    wanted
}

/// Topological order; among what is ready, the first as written comes first.
fn order(graph: &StageGraph, wanted: &BTreeSet<NodeIndex>) -> Vec<NodeIndex> {
    let mut waits: BTreeMap<NodeIndex, usize> =
        wanted.iter().map(|n| (*n, graph.edges_directed(*n, Direction::Incoming).count())).collect();
    let mut ready: BTreeSet<NodeIndex> = waits.iter().filter(|(_, count)| **count == 0).map(|(n, _)| *n).collect();
    let mut order = Vec::with_capacity(wanted.len());
    while let Some(node) = ready.pop_first() {
        order.push(node);
        for edge in graph.edges(node) {
            if let Some(count) = waits.get_mut(&edge.target()) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(edge.target());
                }
            }
        }
    }
    order
}

/// The tasks of the stages from which an edge leads to this one, in the plan's order.
fn before(graph: &StageGraph, node: NodeIndex, instances: &[PipelineSpec], by_stage: &BTreeMap<(usize, String), usize>) -> Vec<usize> {
    let task = |used: NodeIndex| {
        let (instance, stage) = graph[used];
        by_stage.get(&(instance, instances.get(instance)?.stages.get(stage)?.name.clone())).copied()
    };
    let found: BTreeSet<usize> = graph.neighbors_directed(node, Direction::Incoming).filter_map(task).collect();
    found.into_iter().collect()
}

fn task(plan: &Plan, by_stage: &BTreeMap<(usize, String), usize>, spec: &PipelineSpec, stage: &StageSpec, member: Member) -> Task {
    let index = |input: &Input| by_stage.get(&(input.pipeline, input.stage.clone())).copied();
    let inputs: Vec<TaskInput> = stage
        .inputs
        .iter()
        .filter_map(|input| {
            Some(TaskInput {
                field: input.field.clone(),
                task: index(input)?,
                output: input.output.clone(),
                artifact: input.artifact,
                instance: input.pipeline,
                stage: input.stage.clone(),
                span: input.span,
            })
        })
        .collect();
    let seed = stage.stage.draws().then(|| stage.seed.unwrap_or(spec.seed));
    let tells = tells(plan, stage, &inputs);
    let key = key(plan, stage, &inputs, seed);
    Task {
        digest: Digest::of(&key),
        key,
        stage: stage.stage.clone(),
        seed: seed.unwrap_or(0),
        members: vec![member],
        inputs,
        after: stage.after.iter().filter_map(index).collect(),
        before: Vec::new(),
        needs: stage.needs.clone(),
        figures: stage.stage.arithmetic().into_iter().chain(tells).collect(),
    }
}

/// What a table will be able to tell, before it is run: for each split of the evaluations that a stage brings together, by how many of their seeds.
fn tells(plan: &Plan, stage: &StageSpec, inputs: &[TaskInput]) -> Vec<Figure> {
    if !stage.stage.pools_seeds() {
        return Vec::new();
    }
    // split and its tasks → how many tasks of this plan each method has there
    let mut splits: BTreeMap<(String, usize), BTreeMap<String, BTreeSet<usize>>> = BTreeMap::new();
    for input in inputs {
        let (Some(task), Some(instance)) = (plan.tasks.get(input.task), plan.instances.get(input.instance)) else { continue };
        let variant: Vec<String> =
            instance.label.iter().filter(|(key, _)| key != "seed").map(|(key, value)| format!("{key}={value}")).collect();
        let method = format!("{}.{}.{}", instance.name, variant.join(","), input.stage);
        for (split, tasks) in task.stage.panels() {
            if let Some(tasks) = tasks {
                splits.entry((split, tasks)).or_default().entry(method.clone()).or_default().insert(input.task);
            }
        }
    }
    let figure = |((split, tasks), methods): ((String, usize), BTreeMap<String, BTreeSet<usize>>)| {
        let seeds = methods.values().map(BTreeSet::len).max().filter(|_| methods.len() > 1)?;
        let design = Design { seeds, tasks };
        let (least, more) = (design.tells(0.0)? * 100.0, design.tells(BETWEEN)? * 100.0);
        // Shares differ by less than 100 points.
        let more = if more < 100.0 { format!("{more:.1}") } else { "nothing".to_string() };
        let value = match seeds {
            _ if least >= 100.0 => format!("nothing: seeds × tasks = {seeds} × {tasks} is too few"),
            1 => format!("{least:.1} points between two policies, and nothing of methods: 1 seed × {tasks} tasks"),
            n => format!("{least:.1} points, {more} where seeds differ by {:.0}: {n} seeds × {tasks} tasks", BETWEEN * 100.0),
        };
        Some(Figure::new(format!("tells on {split}"), value))
    };
    splits.into_iter().filter_map(figure).collect()
}

/// How far trainings of one method may differ, in shares: a guess, since nothing is known before they are run.
const BETWEEN: f64 = 0.05;

/// All that can change a task's results. `after` is not among it; titles and names are only where the stage shows them.
fn key(plan: &Plan, stage: &StageSpec, inputs: &[TaskInput], seed: Option<u64>) -> Value {
    let input = |input: &TaskInput| {
        let producer = plan.tasks.get(input.task).map(|t| t.digest.hex());
        let mut key = json!({ "field": input.field, "task": producer, "output": input.output });
        if stage.stage.shows_names() {
            key["name"] = plan.stage_name(input.instance, &input.stage).into();
            key["title"] = plan.instances.get(input.instance).map(|i| i.title.as_str()).into();
        }
        key
    };
    let mut key = json!({
        "format": TASK_FORMAT,
        "kind": stage.stage.kind(),
        "identity": stage.stage.identity(),
        "inputs": inputs.iter().map(input).collect::<Vec<_>>(),
    });
    let contents = contents(plan, stage);
    if !contents.is_empty() {
        key["contents"] = contents.into();
    }
    if let Some(seed) = seed {
        key["seed"] = seed.into();
    }
    key
}

/// The hash of each folder and file outside of the store that a stage is made of, `null` where it is not known, by its path as written.
fn contents(plan: &Plan, stage: &StageSpec) -> serde_json::Map<String, Value> {
    let hash = |path: &Path| plan.contents.get(path).and_then(|known| Some(known.as_ref()?.hash.as_str()));
    let paths = stage.stage.outside().into_iter().flat_map(|outside| outside.contents());
    paths.map(|path| (path.to_string_lossy().into_owned(), hash(path).into())).collect()
}

/// Of the tasks and of which stages they are the work: a run of a file whose pipelines were renamed has a folder of its own.
fn digest(plan: &Plan) -> Digest {
    let tasks: Vec<Value> = plan
        .tasks
        .iter()
        .map(|task| {
            let names: Vec<String> = task.members.iter().map(|m| plan.stage_name(m.instance, &m.stage)).collect();
            json!([task.digest.hex(), names])
        })
        .collect();
    Digest::of(&json!({ "format": TASK_FORMAT, "tasks": tasks }))
}
