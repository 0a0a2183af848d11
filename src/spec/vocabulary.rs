//! Policies whose tokens are compared one by one, and whether they can be.

use super::{PipelineSpec, StageSpec};
use crate::lang::{Diagnostic, Span};
use serde_json::Value;

/// Stages between a policy and the one that made it, at most; more are a circle, which is said elsewhere.
const MOST: usize = 1000;

/// Where a policy's tokens come from, as far as the text says.
enum Vocabulary<'a> {
    /// From a `tokenizer` stage: what it computes, and the seed of its draws.
    Made { identity: Value, seed: u64, stage: &'a str },
    /// From the files of a model.
    Published,
}

impl Vocabulary<'_> {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Published, Self::Published) => true,
            (Self::Made { identity, seed, .. }, Self::Made { identity: theirs, seed: other, .. }) => identity == theirs && seed == other,
            _ => false,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Made { stage, .. } => format!("that of the stage `{stage}`"),
            Self::Published => "that of a published model".into(),
        }
    }
}

/// The mistakes of a pipeline's stages, each with its place; `pipeline` gives the one that an input speaks of.
pub(super) fn mistakes<'a>(own: &'a PipelineSpec, pipeline: &dyn Fn(usize) -> Option<&'a PipelineSpec>) -> Vec<(Span, Diagnostic)> {
    let mut found = Vec::new();
    for stage in &own.stages {
        for (field, span) in stage.stage.compares() {
            let both = vocabulary(stage, "policy", pipeline).zip(vocabulary(stage, field, pipeline));
            let Some((policy, other)) = both.filter(|(policy, other)| !policy.is(other)) else { continue };
            let message = format!("the `{field}` has another vocabulary than the `policy`: {}, not {}", other.words(), policy.words());
            let help = "it is asked about the policy's tokens one by one; make both with the same tokenizer";
            found.push((span, Diagnostic::error("E0209", span, message).help(help)));
        }
    }
    found
}

fn vocabulary<'a>(
    mut stage: &'a StageSpec,
    mut field: &str,
    pipeline: &dyn Fn(usize) -> Option<&'a PipelineSpec>,
) -> Option<Vocabulary<'a>> {
    for _ in 0..MOST {
        let input = |name: &str| stage.inputs.iter().find(|input| input.field == name);
        let tokenizer = input(&format!("{field}.tokenizer"));
        let Some(next) = tokenizer.or_else(|| input(field)) else { return Some(Vocabulary::Published) };
        let there = pipeline(next.pipeline)?;
        let giver = there.stages.iter().find(|stage| stage.name == next.stage)?;
        if tokenizer.is_some() {
            let seed = if giver.stage.draws() { giver.seed.unwrap_or(there.seed) } else { 0 };
            return Some(Vocabulary::Made { identity: giver.stage.identity(), seed, stage: &giver.name });
        }
        (stage, field) = (giver, "policy");
    }
    None
}
