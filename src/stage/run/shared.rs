//! What several stages do.

use crate::env::{EnvError, Panel, World};
use crate::model::{AdamWConfig, Compute, ModelError};
use crate::objective::ObjectiveError;
use crate::play::SplitField;
use crate::policy::{Adamw, Loading, Policy, PolicyInput};
use crate::rollout::{Assignment, Episode, PlayError};
use crate::seed::Seed;
use crate::stage::{Context, InputFolder, Progress, RunError};
use std::sync::Arc;

impl From<ModelError> for RunError {
    fn from(error: ModelError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<EnvError> for RunError {
    fn from(error: EnvError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<PlayError> for RunError {
    fn from(error: PlayError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<ObjectiveError> for RunError {
    fn from(error: ObjectiveError) -> Self {
        Self::At(Box::new(error.diagnostic()))
    }
}

/// The one input of a field.
pub fn input(context: &dyn Context, field: &str) -> Result<InputFolder, RunError> {
    context.inputs(field).into_iter().next().ok_or_else(|| RunError::Failed(format!("the input `{field}` is missing")))
}

/// A policy of an earlier stage, a pretrained one, or a new one from the stage's seed.
pub fn policy(context: &mut dyn Context, given: &PolicyInput) -> Result<Policy, RunError> {
    match given {
        PolicyInput::Stage(stage) => Ok(Policy::load(&input(context, &stage.field)?.path(), context.device())?),
        PolicyInput::New(part) => {
            if let Some(model) = part.as_causal_lm() {
                let cache = context.data("models").unwrap_or_else(crate::model::pretrained::cache_folder);
                let device = context.device().clone();
                let seed = context.seeds().child("adapter", 0).0;
                let mut hear = |loading: Loading<'_>| match loading {
                    Loading::Says(line) => context.say(line),
                    Loading::Read { done, total } => context.progress(Progress::loading(done, total)),
                };
                return Ok(Policy::pretrained(model, &cache, seed, &device, &mut hear)?);
            }
            let decoder =
                part.as_decoder().ok_or_else(|| RunError::Failed(format!("a policy of kind `{}` cannot be made here", part.kind)))?;
            let tokenizer = input(context, &decoder.tokenizer.0.field)?.path();
            let seed = context.seeds().child("policy", 0).0;
            Ok(Policy::create(decoder, &tokenizer, seed, context.device())?)
        }
    }
}

/// A split's world and its tasks.
pub fn open(context: &dyn Context, split: &SplitField) -> Result<(Arc<dyn World>, Arc<Panel>), RunError> {
    let data = context.data(split.environment.world.kind);
    Ok(split.open(data.as_deref())?)
}

/// Every task of a panel, each `repeats` times, in the panel's order.
pub fn once_each(panel: &Panel, repeats: usize, seed: Seed) -> Vec<Assignment> {
    let tasks = panel.tasks.iter().enumerate();
    tasks
        .flat_map(|(index, task)| {
            let game = seed.child("task", index as u64);
            (0..repeats).map(move |repeat| Assignment {
                task: task.clone(),
                group: index as u64,
                member: repeat as u64,
                world_seed: game,
                seed: game.child("episode", repeat as u64),
            })
        })
        .collect()
}

pub fn adamw(kind: &Adamw) -> AdamWConfig {
    AdamWConfig { beta1: kind.beta1.0, beta2: kind.beta2.0, eps: kind.eps.0, weight_decay: kind.weight_decay.0 }
}

pub fn compute(context: &dyn Context, micro_batch: usize, checkpointing: bool) -> Compute {
    Compute { threads: context.threads(), micro_batch: Some(micro_batch), checkpointing, ..Compute::default() }
}

/// Says which episodes broke down, a few of them by name.
pub fn say_failures(context: &mut dyn Context, episodes: &[Episode]) {
    let failed: Vec<&Episode> = episodes.iter().filter(|e| e.failed()).collect();
    if let Some(first) = failed.first() {
        let reason = match &first.ending {
            crate::rollout::Ending::Failed(reason) => reason.clone(),
            _ => String::new(),
        };
        context.say(&format!("{} of {} episodes broke down; the first, `{}`: {reason}", failed.len(), episodes.len(), first.task.id));
    }
}

/// `41.3 %`
pub fn percent(part: usize, whole: usize) -> String {
    format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64)
}
