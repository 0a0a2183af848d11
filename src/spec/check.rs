//! From resolved names to typed pipelines: every stage read by its kind, every reference given its type.

use super::middle::Middles;
use super::objectives::{Equations, of_instance};
use super::{Input, PipelineSpec, StageSpec, vocabulary};
use crate::kind::{Category, Field, Part, Reader, Reference};
use crate::lang::resolve::Resolver;
use crate::lang::value::{Value, ValueKind};
use crate::lang::{Diagnostic, Diagnostics, SourceMap, Span};
use crate::registry::all_kinds;
use crate::stage::{Artifact, Common, Output, Resources, Stage, possible_outputs};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A stage that was read, its references not yet followed.
struct Draft {
    name: String,
    span: Span,
    seed: Option<u64>,
    needs: Resources,
    /// As written; the stage itself is absent after a mistake.
    kind: String,
    stage: Option<Arc<dyn Stage>>,
    /// Of the stage that was read, or of any of its kind. Which they are is a question to its equations: asked once, however many mention it.
    outputs: Vec<Output>,
    references: Vec<Reference>,
}

/// Checks the pipelines of the root file, and those that they mention, as far as they are needed.
pub(super) fn check(resolver: &mut Resolver<'_>, sources: &SourceMap) -> Vec<PipelineSpec> {
    let mut drafts: BTreeMap<usize, Vec<Draft>> = BTreeMap::new();
    let mut waiting = resolver.root_pipelines();
    let mut seen = waiting.clone();
    while let Some(pipeline) = (!waiting.is_empty()).then(|| waiting.remove(0)) {
        for instance in resolver.unfold(pipeline, sources) {
            let stages = resolver.blaming(instance, || read_stages(resolver, instance));
            for name in stages.iter().flat_map(|s| &s.references).filter_map(|r| r.stage.pipeline.as_ref()) {
                if let Some(other) = resolver.pipeline_seen_from(instance, name)
                    && !seen.contains(&other)
                {
                    seen.push(other);
                    waiting.push(other);
                }
            }
            if stages.is_empty() {
                check_equations(resolver, &of_instance(resolver, instance));
            }
            // A stage with a mistake in a field of its own did not come to its equations; they may have mistakes as well.
            if stages.iter().any(|stage| stage.stage.is_none() && takes_equations(&stage.kind)) && !resolver.said_of_equations() {
                // What is no equation at all was said when the stage was read.
                let said = resolver.diagnostics.take();
                let found = of_instance(resolver, instance);
                resolver.diagnostics.replace(said);
                resolver.blaming(instance, || check_equations(resolver, &found));
            }
            drafts.insert(instance, stages);
        }
    }
    let middles = Middles::default();
    let checked =
        |(instance, stages): (&usize, &Vec<Draft>)| resolver.blaming(*instance, || spec(resolver, *instance, stages, (&drafts, &middles)));
    let mut specs: Vec<PipelineSpec> = drafts.iter().map(checked).collect();
    let places: Vec<usize> = drafts.keys().copied().collect();
    middles.add_to(&mut specs, |instance| places.iter().position(|place| *place == instance));
    let compiled: BTreeMap<usize, &PipelineSpec> = drafts.keys().copied().zip(&specs).collect();
    let mut said: Vec<Span> = Vec::new();
    for (instance, spec) in &compiled {
        for (span, mistake) in vocabulary::mistakes(spec, &|instance| compiled.get(&instance).copied()) {
            // Other seeds have the same one.
            if !said.contains(&span) {
                said.push(span);
                resolver.blaming(*instance, || resolver.report_at(mistake));
            }
        }
    }
    resolver.report_unused(&resolver.root_pipelines());
    specs
}

fn takes_equations(kind: &str) -> bool {
    all_kinds().any(|(_, info)| info.name == kind && info.fields.iter().any(|field| field.name == "loss"))
}

/// Of a pipeline without stages, which is there for its equations (`probe`), or where a stage did not come to them.
fn check_equations(resolver: &Resolver<'_>, found: &[Equations]) {
    let mut diagnostics = Diagnostics::default();
    for equations in found {
        equations.check_and_warn(&mut diagnostics);
    }
    diagnostics.0.into_iter().for_each(|d| resolver.report_at(d));
}

fn read_stages(resolver: &Resolver<'_>, instance: usize) -> Vec<Draft> {
    let stages = resolver.stages(instance);
    stages.into_iter().map(|(name, span, value)| read_stage(resolver, instance, name, span, &value)).collect()
}

fn read_stage(resolver: &Resolver<'_>, instance: usize, name: String, span: Span, value: &Arc<Value>) -> Draft {
    let mut reader = Reader::new(resolver, instance);
    reader.gives = |kind, artifact| possible_outputs(kind).iter().any(|output| output.artifact == artifact);
    if let Some(iterations) = own_or_line(resolver, instance, value, "iterations") {
        reader.constants.insert("iterations", iterations);
    }
    let needs = Resources::default();
    let mut draft = Draft { name, span, seed: None, needs, kind: String::new(), stage: None, outputs: Vec::new(), references: Vec::new() };
    match &value.kind {
        ValueKind::Component(component) => {
            draft.kind.clone_from(&component.kind);
            let common = Common::read_fields(component, &mut reader);
            draft.stage = Part::<dyn Stage>::read(value, &mut reader).map(|part| part.value);
            if let Some(Common { seed, needs, .. }) = common {
                (draft.seed, draft.needs) = (seed, needs.unwrap_or_default());
            }
        }
        ValueKind::Poison => {}
        _ => reader.mismatch(value, <dyn Stage as Category>::WORDS),
    }
    draft.references = reader.references;
    draft.outputs = draft.stage.as_ref().map_or_else(|| possible_outputs(&draft.kind).to_vec(), |stage| stage.outputs());
    draft
}

/// A number known before the run, from the stage's own field or the pipeline's line.
fn own_or_line(resolver: &Resolver<'_>, instance: usize, stage: &Value, name: &str) -> Option<f64> {
    let own = match &stage.kind {
        ValueKind::Component(component) => component.fields.get(name).map(|f| f.value.clone()),
        _ => None,
    };
    match own.or_else(|| resolver.line_quietly(instance, name))?.kind {
        ValueKind::Number(n) => Some(n),
        _ => None,
    }
}

type Drafts<'d> = (&'d BTreeMap<usize, Vec<Draft>>, &'d Middles);

fn spec(resolver: &Resolver<'_>, instance: usize, stages: &[Draft], all: Drafts<'_>) -> PipelineSpec {
    let this = &resolver.instances[instance];
    let title = match resolver.line(instance, "title").map(|v| (v.kind.clone(), v.span)) {
        Some((ValueKind::Text(text), _)) => text,
        Some((ValueKind::Poison, _)) | None => this.name.clone(),
        Some((other, span)) => {
            let found = Value::new(other, span).words();
            resolver.report_at(Diagnostic::error("E0201", span, format!("expected a string, found {found}")));
            this.name.clone()
        }
    };
    let mut specs = Vec::new();
    for draft in stages {
        let mut inputs = Vec::new();
        for reference in &draft.references {
            follow(resolver, instance, draft, reference, all, &mut inputs);
        }
        let (after, inputs) = inputs.into_iter().partition(|i: &Input| i.field == "after");
        if let Some(stage) = &draft.stage {
            let Draft { name, span, seed, needs, .. } = draft;
            let (name, needs) = (name.clone(), needs.clone());
            specs.push(StageSpec { name, span: *span, seed: *seed, stage: stage.clone(), inputs, after, needs });
        }
    }
    let equation = specs.iter().find_map(|s| s.stage.equation()).unwrap_or_default();
    PipelineSpec {
        name: this.name.clone(),
        label: this.label.clone(),
        title,
        seed: this.seed,
        span: this.name_span,
        extent: resolver.pipeline_extent(this.pipeline),
        stages: specs,
        equation,
        resolved: String::new(),
    }
}

/// Turns a reference into edges: to a stage of the same instance, or to those instances of another pipeline that fit.
fn follow(
    resolver: &Resolver<'_>,
    instance: usize,
    draft: &Draft,
    reference: &Reference,
    (all, middles): Drafts<'_>,
    into: &mut Vec<Input>,
) {
    let stage = &reference.stage;
    let pools = reference.many && draft.stage.as_ref().is_some_and(|stage| stage.pools_seeds());
    let targets = match &stage.pipeline {
        None if pools => matching(resolver, instance, resolver.instances[instance].pipeline, true),
        None => vec![instance],
        Some(name) => {
            let Some(pipeline) = resolver.pipeline_seen_from(instance, name) else { return };
            matching(resolver, instance, pipeline, pools)
        }
    };
    if targets.len() > 1 && !reference.many {
        let names: Vec<String> = targets.iter().take(3).map(|&t| label_of(resolver, t)).collect();
        resolver.report_at(
            Diagnostic::error("E0208", reference.span, format!("this means {} stages, and `{}` takes one", targets.len(), reference.field))
                .help(format!(
                    "they are of {} …; give both pipelines the same seeds, or name a pipeline without a sweep",
                    names.join(", ")
                )),
        );
        return;
    }
    for target in targets {
        let Some(found) = all.get(&target).and_then(|stages| stages.iter().find(|s| s.name == stage.stage)) else { continue };
        if std::ptr::eq(found, draft) {
            resolver.report_at(Diagnostic::error("E0103", reference.span, format!("the stage `{}` uses itself", draft.name)));
            return;
        }
        let mut outputs = Cow::Borrowed(&found.outputs[..]);
        let mut name = &found.name;
        let stopped = match (&found.stage, &stage.at) {
            (Some(whole), Some(at)) => match middles.of(&**whole, target, &found.name, at) {
                Ok(stopped) => Some(stopped),
                Err(mistake) => {
                    resolver.report_at(mistake.also(found.span, format!("a stage of kind `{}`", found.kind)));
                    return;
                }
            },
            _ => None,
        };
        if let Some((stopped_name, stopped)) = &stopped {
            (name, outputs) = (stopped_name, Cow::Owned(stopped.outputs()));
        }
        if outputs.is_empty() {
            continue;
        }
        if let Some(output) = pick(resolver, reference, &outputs, &found.kind, found.span).filter(|_| found.stage.is_some()) {
            into.push(Input {
                field: reference.field.clone(),
                span: reference.span,
                pipeline: target,
                stage: name.clone(),
                output: output.name.to_string(),
                artifact: output.artifact,
                pooled: pools && has_seed(resolver, instance) && has_seed(resolver, target),
            });
        }
    }
}

/// The output that a reference means, if its type fits.
fn pick(resolver: &Resolver<'_>, reference: &Reference, outputs: &[Output], kind: &str, defined: Span) -> Option<Output> {
    let fits = |o: &Output| reference.takes.is_empty() || reference.takes.contains(&o.artifact);
    let wanted = reference.takes.first().map_or("an output", |a| a.words());
    match &reference.stage.output {
        None => {
            let found = outputs.iter().copied().find(fits);
            if found.is_none() {
                let gives = outputs.iter().map(|o| o.artifact.words()).collect::<Vec<_>>().join(", ");
                let stage = &reference.stage.stage;
                let mistake = Diagnostic::error("E0205", reference.span, format!("expected {wanted}, but `{stage}` gives {gives}"))
                    .also(defined, format!("a stage of kind `{kind}`"));
                resolver.report_at(match reference.takes.as_slice() {
                    [Artifact::State] if reference.stage.at.is_none() => {
                        mistake.help(format!("write after which iteration: `{stage}.at(40)`"))
                    }
                    _ => mistake,
                });
            }
            found
        }
        Some((name, span)) => match outputs.iter().copied().find(|o| o.name == name) {
            Some(output) if fits(&output) => Some(output),
            Some(output) => {
                let mut diagnostic = Diagnostic::error("E0205", *span, format!("expected {wanted}, found {}", output.artifact.words()));
                if let Some(other) = outputs.iter().find(|o| fits(o)) {
                    diagnostic = diagnostic.help(format!("`{}.{}` is {wanted}", reference.stage.stage, other.name));
                }
                resolver.report_at(diagnostic);
                None
            }
            None => {
                let names: Vec<&str> = outputs.iter().map(|o| o.name).collect();
                let mut diagnostic = Diagnostic::error("E0111", *span, format!("the stage `{}` gives no `{name}`", reference.stage.stage))
                    .also(defined, format!("a stage of kind `{kind}`"));
                diagnostic = match (name.as_str(), kind) {
                    ("best", "rl") => diagnostic.help("`best` needs `select_on`: the split whose success selects it"),
                    ("critic", "rl") => {
                        diagnostic.help("`critic` needs a critic, `critic = value_head { … }`, and an equation that mentions `value`")
                    }
                    _ => {
                        let list = names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
                        diagnostic.did_you_mean(name, names.iter().copied()).help(format!("it gives {list}"))
                    }
                };
                resolver.report_at(diagnostic);
                None
            }
        },
    }
}

const SEED: &str = "seed";

fn has_seed(resolver: &Resolver<'_>, instance: usize) -> bool {
    resolver.instances[instance].label.iter().any(|(key, _)| key == SEED)
}

/// The instances of a pipeline that belong to this one: those that agree in every label that both have; in their seed they need not, where seeds are
/// brought together.
fn matching(resolver: &Resolver<'_>, instance: usize, pipeline: usize, pools: bool) -> Vec<usize> {
    let own = &resolver.instances[instance].label;
    let differ = |key: &str, value: &str| own.iter().any(|(k, v)| k == key && v != value);
    let agree = |other: &[(String, String)]| other.iter().all(|(key, value)| pools && key == SEED || !differ(key, value));
    resolver.find_instances(pipeline).into_iter().filter(|&i| agree(&resolver.instances[i].label)).collect()
}

fn label_of(resolver: &Resolver<'_>, instance: usize) -> String {
    let this = &resolver.instances[instance];
    let label: Vec<String> = this.label.iter().map(|(k, v)| format!("{k}={v}")).collect();
    format!("`{}[{}]`", this.name, label.join(", "))
}
