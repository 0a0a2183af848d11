//! The policies that a stage is given.

use super::context::{Context, InputFolder, Progress};
use super::error::RunError;
use crate::model::pretrained::Content;
use crate::model::{ModelError, pretrained};
use crate::policy::{Loading, Policy, PolicyInput, Workshop};
use candle_core::Device;
use std::path::{Path, PathBuf};

/// The one input of a field.
pub(crate) fn input(context: &dyn Context, field: &str) -> Result<InputFolder, RunError> {
    context.inputs(field).into_iter().next().ok_or_else(|| RunError::Failed(format!("the input `{field}` is missing")))
}

/// A policy of an earlier stage, a pretrained one, or a new one from the stage's seed.
pub(crate) fn policy(context: &mut dyn Context, given: &PolicyInput) -> Result<Policy, RunError> {
    match given {
        PolicyInput::Stage(stage) => Ok(Policy::load(&input(context, &stage.field)?.path(), context.device())?),
        PolicyInput::New(part) => Ok(part.make(&mut Inside(context))?),
    }
}

/// The stage as the place where a policy is made.
struct Inside<'a>(&'a mut dyn Context);

impl Workshop for Inside<'_> {
    fn device(&self) -> &Device {
        self.0.device()
    }

    fn seed(&self, of: &str) -> u64 {
        self.0.seeds().child(of, 0).0
    }

    fn models(&self) -> PathBuf {
        self.0.data("models").unwrap_or_else(pretrained::cache_folder)
    }

    fn input(&self, field: &str) -> Result<PathBuf, ModelError> {
        Ok(input(self.0, field).map_err(|error| ModelError::Input(error.to_string()))?.path())
    }

    fn content(&self, path: &Path) -> Option<Content> {
        self.0.content(path)
    }

    fn hear(&mut self, loading: Loading<'_>) {
        match loading {
            Loading::Says(line) => self.0.say(line),
            Loading::Read { done, total } => self.0.progress(Progress::loading(done, total)),
        }
    }
}
