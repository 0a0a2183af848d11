//! `report`: tables and curves of other stages.

use super::{Artifact, Context, Output, RunError, Stage};
use crate::kind;
use crate::policy::AnyInput;

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
    pub struct Report as "report" {
        /// The stages, also of other pipelines (`ppo.seen`).
        of: Vec<AnyInput> [required],
        /// The page's title; by default the pipeline's.
        title: Option<String> [inherit default None],
    }
}

impl Stage for Report {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output { name: "page", artifact: Artifact::Page }]
    }

    fn identity(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn draws(&self) -> bool {
        false
    }

    fn is_final(&self) -> bool {
        true
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        super::run::report::run(self, context)
    }
}
