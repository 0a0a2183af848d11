//! `report`: tables and curves of other stages.

use super::context::{Context, InputFolder};
use super::contract::{Output, Stage};
use super::cuts::Cuts;
use super::error::RunError;
use super::results::{EXAMPLES, Results, TaskResult};
use crate::kind;
use crate::kind::Artifact;
use crate::policy::AnyInput;
use crate::report::{ByTask, Curve, EpisodeExample, MetricRecord, PipelineInfo, ReportData, ResultRow, TurnExample};
use crate::rollout::{Episode, Turn};
use crate::store::{output_path, read_json, read_lines, read_metrics};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

kind! {
    /// One page with a table of success, curves, equations and example episodes.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, seen = games { split = "seen", count = 50 } }
    /// pipeline a { stages {
    ///   chance = evaluate { actor = random, on = house.seen }
    ///   page   = report { of = [chance], title = "Chance" }
    /// } }
    /// ```
    pub(crate) struct Report as "report" {
        /// The stages, also of other pipelines (`ppo.seen`).
        of: Vec<AnyInput> [required],
        /// The page's title; by default the pipeline's.
        title: Option<String> [inherit default None],
    }
}

impl Report {
    pub(crate) const OUTPUTS: &[Output] = &[Output { name: "page", artifact: Artifact::Page }];
}

impl Stage for Report {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn outputs(&self) -> Vec<Output> {
        Self::OUTPUTS.to_vec()
    }

    fn draws(&self) -> bool {
        false
    }

    fn is_final(&self) -> bool {
        true
    }

    fn pools_seeds(&self) -> bool {
        true
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        run(self, context)
    }
}

fn run(stage: &Report, context: &mut dyn Context) -> Result<(), RunError> {
    let inputs: Vec<InputFolder> = stage.of.iter().flat_map(|of| context.inputs(&of.0.field)).collect();
    let data = gather(stage.title.as_deref(), &inputs)?;
    let page = crate::report::html(&data);
    let json = crate::report::json(&data).map_err(|e| RunError::Failed(e.to_string()))?;
    context.folder().write_output("page", |folder| {
        std::fs::write(folder.join("report.html"), page)?;
        std::fs::write(folder.join("report.json"), json)?;
        Ok(())
    })?;
    Ok(())
}

/// What is said of these stages.
///
/// # Errors
/// If what they left cannot be read.
pub(crate) fn gather(title: Option<&str>, inputs: &[InputFolder]) -> Result<ReportData, RunError> {
    let mut data = ReportData { machine: machine(), ..ReportData::default() };
    let mut seen: Vec<&str> = Vec::new();
    let mut evaluated: Vec<(&InputFolder, Results)> = Vec::new();
    for input in inputs {
        add_pipeline(&mut data, input);
        if seen.contains(&input.digest.as_str()) {
            continue;
        }
        seen.push(&input.digest);
        let records = read_metrics(&input.folder)?;
        data.notes.extend(cut_notes(input, &records));
        if !records.is_empty() {
            data.curves.push(Curve {
                pipeline: input.pipeline.clone(),
                label: input.label.clone(),
                stage: input.stage.clone(),
                kind: input.kind.clone(),
                records: records.into_iter().map(|r| MetricRecord { iteration: r.iteration, values: r.values }).collect(),
            });
        }
        if input.kind == "evaluate" {
            evaluated.push((input, read_json(&output_path(&input.folder, "results").join("results.json"))?));
        }
    }
    for (input, pipeline) in add_results(&mut data, evaluated) {
        add_examples(&mut data, input, &pipeline)?;
    }
    let first = inputs.first().map_or("report", |i| i.title.as_str());
    data.title = title.unwrap_or(first).to_string();
    Ok(data)
}

/// What evaluations came to, by the bytes of their `results.json`: no curves, no examples.
///
/// # Errors
/// If one of them is none.
pub(crate) fn table(evaluated: &[(InputFolder, Vec<u8>)]) -> Result<ReportData, RunError> {
    let mut data = ReportData { machine: machine(), ..ReportData::default() };
    let mut read = Vec::new();
    for (input, bytes) in evaluated {
        add_pipeline(&mut data, input);
        let results =
            serde_json::from_slice(bytes).map_err(|error| RunError::Failed(format!("the results of {}: {error}", input.task_name())))?;
        read.push((input, results));
    }
    add_results(&mut data, read);
    Ok(data)
}

/// What has to be said where most prompts or responses of a training were cut.
fn cut_notes(input: &InputFolder, records: &[crate::store::MetricRecord]) -> Vec<String> {
    let mean = |name: &str| {
        let values: Vec<f64> = records.iter().filter_map(|r| r.values.get(name)).copied().collect();
        values.iter().sum::<f64>() / values.len().max(1) as f64
    };
    let of = |share: f64| (share * 1000.0).round() as usize;
    let [prompts, responses, full] = ["prompt_cut", "response_cut", "conversation_full"].map(|name| of(mean(name)));
    let cuts = Cuts { turns: 1000, prompts, responses, conversations: 1000, full };
    cuts.notes().into_iter().map(|note| format!("{}: {note}", input.task_name())).collect()
}

fn add_pipeline(data: &mut ReportData, input: &InputFolder) {
    if data.pipelines.iter().any(|p| p.name == input.pipeline && p.label == input.label) {
        return;
    }
    data.pipelines.push(PipelineInfo {
        name: input.pipeline.clone(),
        label: input.label.clone(),
        title: input.title.clone(),
        equation: input.equation.clone(),
        resolved: input.resolved.clone(),
    });
}

/// A line of an evaluation's `episodes.jsonl`.
#[derive(Deserialize)]
struct Example {
    split: String,
    episode: Episode,
}

fn actor(input: &InputFolder, results: &Results) -> String {
    match (results.actor.as_str(), results.learned_by.as_deref()) {
        ("policy", Some("rl")) => format!("after {}", input.title),
        ("policy", Some(_)) => format!("after {}", results.stage.as_deref().unwrap_or("training")),
        ("policy", None) => results.model.as_ref().map_or("untrained".into(), |model| format!("{model} as loaded")),
        (plain, _) => plain.to_string(),
    }
}

/// What does not depend on the pipeline's own training is the same row in every pipeline. A supervised start is mostly one for all; where two pipelines
/// have one of the same name that is not the same, each has its own: the names of these.
fn divided(all: &[(&InputFolder, Results)]) -> BTreeSet<String> {
    let splits = |results: &Results| results.splits.iter().map(|split| split.split.clone()).collect::<BTreeSet<_>>();
    let apart = |(a, ours): &(&InputFolder, Results), (b, theirs): &(&InputFolder, Results)| {
        let another = a.pipeline != b.pipeline && a.label == b.label && a.digest != b.digest;
        another && actor(a, ours) == actor(b, theirs) && !splits(ours).is_disjoint(&splits(theirs))
    };
    let trained = all.iter().filter(|(_, results)| results.learned_by.is_some());
    trained.filter(|one| all.iter().any(|other| apart(one, other))).map(|(input, results)| actor(input, results)).collect()
}

/// Adds the rows; gives each input with the pipeline that its rows are of, which is empty where they are of all.
fn add_results<'a>(data: &mut ReportData, evaluated: Vec<(&'a InputFolder, Results)>) -> Vec<(&'a InputFolder, String)> {
    let divided = divided(&evaluated);
    let mut pipelines = Vec::new();
    for (input, results) in evaluated {
        let own = results.learned_by.as_deref() == Some("rl") || divided.contains(&actor(input, &results));
        let pipeline = if own { input.pipeline.clone() } else { String::new() };
        add_rows(data, input, results, &pipeline);
        pipelines.push((input, pipeline));
    }
    pipelines
}

fn add_rows(data: &mut ReportData, input: &InputFolder, results: Results, pipeline: &str) {
    let actor = actor(input, &results);
    for mut split in results.splits {
        if let Some(cuts) = split.cut {
            let place = format!("{} on {}", input.task_name(), split.split);
            data.notes.extend(cuts.notes().into_iter().map(|note| format!("{place}: {note}")));
            split.figures.extend(cuts.shares().filter(|(_, share)| *share > 0.0).map(|(name, share)| (name.to_string(), share)));
        }
        let tasks = by_task(&split.tasks);
        let families = split.families.into_iter().map(|(name, (part, whole))| (name, (part as u64, whole as u64))).collect();
        data.results.push(ResultRow {
            actor: actor.clone(),
            pipeline: pipeline.to_owned(),
            label: input.label.clone(),
            stage: input.stage.clone(),
            split: split.split,
            successes: split.successes as u64,
            episodes: split.episodes as u64,
            mean_score: split.mean_score,
            mean_turns: split.mean_turns,
            families,
            figures: split.figures,
            panel_hash: split.panel_hash,
            tasks,
        });
    }
}

fn add_examples(data: &mut ReportData, input: &InputFolder, pipeline: &str) -> Result<(), RunError> {
    for Example { split, episode } in examples(read_lines(&input.folder.join("episodes.jsonl"))?) {
        data.examples.push(EpisodeExample {
            pipeline: pipeline.to_owned(),
            label: input.label.clone(),
            stage: input.stage.clone(),
            split,
            task: episode.task.id,
            goal: episode.goal,
            success: episode.success,
            score: episode.score,
            turns: episode.turns.into_iter().map(turn).collect(),
        });
    }
    Ok(())
}

pub(super) fn turn(turn: Turn) -> TurnExample {
    let Turn { observation, response, action, reward, valid, entropy, .. } = turn;
    TurnExample { observation, response, action, reward: Some(reward), invalid: !valid, entropy }
}

/// What each task came to, in the order of the panel; the episodes on one task stand behind each other.
fn by_task(episodes: &[TaskResult]) -> ByTask {
    let families: BTreeSet<&str> = episodes.iter().map(|episode| episode.family.as_str()).collect();
    let number = |family: &str| families.iter().position(|known| *known == family).unwrap_or_default() as u32;
    let mut found = ByTask::default();
    for episodes in episodes.chunk_by(|a, b| a.id == b.id) {
        let mean = |of: &dyn Fn(&TaskResult) -> f64| episodes.iter().map(of).sum::<f64>() / episodes.len() as f64;
        found.families.push(episodes.first().map_or(0, |first| number(&first.family)));
        found.success.push(mean(&|episode| f64::from(u8::from(episode.success))));
        found.score.push(mean(&|episode| episode.score));
    }
    found
}

/// A few of each split, successes first: an evaluation may have kept all its episodes.
fn examples(all: Vec<Example>) -> Vec<Example> {
    let mut splits: Vec<(String, [Vec<Example>; 2])> = Vec::new();
    for example in all {
        let at = splits.iter().position(|(split, _)| *split == example.split).unwrap_or_else(|| {
            splits.push((example.split.clone(), [Vec::new(), Vec::new()]));
            splits.len() - 1
        });
        let kept = &mut splits[at].1[usize::from(!example.episode.success)];
        if kept.len() < EXAMPLES {
            kept.push(example);
        }
    }
    splits.into_iter().flat_map(|(_, kept)| kept.into_iter().flatten()).collect()
}

/// What the page says of where it was made; nothing that differs between two machines that give the same results.
fn machine() -> BTreeMap<String, String> {
    BTreeMap::from([("epo".to_string(), env!("CARGO_PKG_VERSION").to_string())])
}
