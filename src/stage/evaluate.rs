//! `evaluate`: how often an actor reaches the goal.

use super::{Artifact, Context, Figure, Output, RunError, Stage};
use crate::kind;
use crate::kind::{Count, Part, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::Component;
use crate::play::SplitField;
use crate::policy::{ActorInput, DecodeKind};

kind! {
    /// Plays every task of one or more splits and counts successes. Tasks are never drawn with replacement.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, seen = games { split = "seen", count = 50 } }
    /// pipeline a { stages {
    ///   chance = evaluate { actor = random, on = house.seen }
    ///   page   = report { of = [chance] }
    /// } }
    /// ```
    pub struct Evaluate as "evaluate" {
        /// The splits.
        on: Vec<SplitField> [required],
        /// The policy that plays.
        policy: Option<ActorInput> [inherit default None],
        /// Who plays, if it is not the pipeline's policy: `expert`, `random`, or a policy.
        actor: Option<ActorInput> [default None],
        /// How it decodes, if not as the policy says.
        decode: Option<Part<dyn DecodeKind>> [default None],
        /// Episodes on each task.
        repeats: Count [default Count(1)],
    }
}

impl Evaluate {
    pub fn read_checked(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let mut read = Self::read_fields(component, reader)?;
        match (component.fields.get("policy"), component.fields.get("actor")) {
            (Some(policy), Some(actor)) => {
                reader.report(
                    Diagnostic::error("E0106", actor.name_span, "`evaluate` takes `policy` or `actor`, not both")
                        .also(policy.name_span, "the other"),
                );
                return None;
            }
            (_, Some(_)) => read.policy = None,
            (None, None) if read.policy.is_none() => {
                reader.report(
                    Diagnostic::error("E0105", component.kind_span, "`evaluate` needs the field `policy` or `actor`")
                        .help(format!("it takes {}", <ActorInput as kind::Field>::expects())),
                );
                return None;
            }
            _ => {}
        }
        Some(read)
    }

    /// The one that plays.
    pub fn player(&self) -> Option<&ActorInput> {
        self.actor.as_ref().or(self.policy.as_ref())
    }
}

impl Stage for Evaluate {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output { name: "results", artifact: Artifact::Results }]
    }

    fn identity(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn draws(&self) -> bool {
        self.player().is_some_and(ActorInput::draws)
    }

    fn arithmetic(&self) -> Vec<Figure> {
        let splits = self.on.iter().map(|s| match s.games.count {
            Some(count) => format!("{}: {} tasks × {}", s.name, count.0, self.repeats.0),
            None => format!("{}: all tasks × {}", s.name, self.repeats.0),
        });
        vec![Figure::new("episodes", splits.collect::<Vec<_>>().join(", "))]
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        super::run::evaluate::run(self, context)
    }
}
