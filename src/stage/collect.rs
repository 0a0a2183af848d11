//! `collect`: episodes of an actor, to learn from.

use super::{Artifact, Context, Figure, Output, RunError, Stage};
use crate::kind;
use crate::kind::Count;
use crate::play::SplitField;
use crate::policy::ActorInput;

kind! {
    /// Plays episodes and keeps them, with everything that was shown and possible: demonstrations for `sft`.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     shown = collect { on = house.train, actor = expert, episodes = 20 }
    ///     warm  = sft { episodes = shown, policy = decoder { tokenizer = words }, epochs = 2 }
    ///     page  = report { of = [warm] }
    ///   }
    /// }
    /// ```
    pub struct Collect as "collect" {
        /// What is played.
        on: SplitField [required],
        /// Who plays: `expert`, `random`, or a policy.
        actor: ActorInput [required],
        /// How many episodes; more than the split has tasks plays it again. Left out: every task once.
        episodes: Option<Count> [default None],
        /// Whether only episodes that reach their goal are kept.
        only_successes: bool [default true],
    }
}

impl Stage for Collect {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output { name: "episodes", artifact: Artifact::Episodes }]
    }

    fn identity(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn draws(&self) -> bool {
        self.actor.draws()
    }

    fn arithmetic(&self) -> Vec<Figure> {
        let count = self.episodes.map_or_else(|| "every task once".to_string(), |n| n.0.to_string());
        vec![Figure::new("episodes", count)]
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        super::run::collect::run(self, context)
    }
}
