//! Stages in the middle: `train.at(40)` is a stage of its own, `train@40`, of the pipeline of `train`.

use super::{PipelineSpec, StageSpec};
use crate::lang::{Diagnostic, Span};
use crate::stage::Stage;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An instance, one of its stages, and how many steps it has done.
type Key = (usize, String, u64);

/// Those that are used.
#[derive(Default)]
pub(super) struct Middles(RefCell<BTreeMap<Key, Arc<dyn Stage>>>);

/// `train@40`; no name that is written has this form.
fn name(stage: &str, steps: u64) -> String {
    format!("{stage}@{steps}")
}

impl Middles {
    /// The stage that stops where it is said, and its name.
    ///
    /// # Errors
    /// If it cannot.
    pub(super) fn of(
        &self,
        whole: &dyn Stage,
        instance: usize,
        stage: &str,
        (number, place): &(Arc<str>, Span),
    ) -> Result<(String, Arc<dyn Stage>), Diagnostic> {
        let wrong = |message: String| Diagnostic::error("E0202", *place, message);
        let steps: u64 = number.parse().map_err(|_| wrong(format!("`{number}` is no number that is known here")))?;
        let stopped = whole.until(steps).map_err(|why| wrong(format!("`{stage}` cannot be spoken of after {steps}: {why}")))?;
        self.0.borrow_mut().insert((instance, stage.to_owned(), steps), stopped.clone());
        Ok((name(stage, steps), stopped))
    }

    /// Puts each before the stage that it is the beginning of, with the same inputs and the same seed. `place`: where an instance stands.
    pub(super) fn add_to(self, specs: &mut [PipelineSpec], place: impl Fn(usize) -> Option<usize>) {
        for ((instance, stage, steps), stopped) in self.0.into_inner() {
            let Some(spec) = place(instance).and_then(|place| specs.get_mut(place)) else { continue };
            let Some(at) = spec.stages.iter().position(|own| own.name == stage) else { continue };
            let whole = &spec.stages[at];
            let named = StageSpec { name: name(&stage, steps), stage: stopped, ..whole.clone() };
            spec.stages.insert(at, named);
        }
    }
}
