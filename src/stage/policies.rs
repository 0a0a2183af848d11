//! The policies that a stage is given.

use super::context::{Context, InputFolder, Progress};
use super::error::RunError;
use crate::policy::{Loading, Policy, PolicyInput};

/// The one input of a field.
pub(crate) fn input(context: &dyn Context, field: &str) -> Result<InputFolder, RunError> {
    context.inputs(field).into_iter().next().ok_or_else(|| RunError::Failed(format!("the input `{field}` is missing")))
}

/// A policy of an earlier stage, a pretrained one, or a new one from the stage's seed.
pub(crate) fn policy(context: &mut dyn Context, given: &PolicyInput) -> Result<Policy, RunError> {
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
