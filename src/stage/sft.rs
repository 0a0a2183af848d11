//! `sft`: supervised learning from episodes.

use super::{Artifact, Context, Figure, Output, RunError, Stage};
use crate::kind;
use crate::kind::{Count, Part};
use crate::policy::{Adamw, EpisodesInput, OptimizerKind, PolicyInput};

kind! {
    /// Supervised learning: maximises the log-probability of the actions in the episodes, each given its prompt. A policy that chooses among
    /// admissible actions learns the choices: what it is asked later is what it learns now.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   policy = decoder { tokenizer = words }
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     shown = collect { on = house.train, actor = expert, episodes = 20 }
    ///     warm  = sft { episodes = shown, epochs = 2, minibatch = 32, optimizer = adamw { lr = 1e-3 } }
    ///     test  = evaluate { policy = warm, on = house.train }
    ///     page  = report { of = [warm, test] }
    ///   }
    /// }
    /// ```
    pub struct Sft as "sft" {
        /// What is learned from.
        episodes: Vec<EpisodesInput> [required],
        /// What is trained.
        policy: PolicyInput [inherit],
        /// Passes over all rows.
        epochs: Count [default Count(1)],
        /// Rows of one update; a row is one turn.
        minibatch: Count [default Count(32)],
        /// Rows that are propagated at once; changes memory, not the update.
        micro_batch: Count [default Count(16)],
        /// Of every layer only the input is kept for the backward pass, and the rest computed again: less memory, more time, the same update.
        checkpointing: bool [default false],
        /// The optimiser.
        optimizer: Part<dyn OptimizerKind> [inherit default Adamw::standard()],
    }
}

impl Stage for Sft {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output { name: "policy", artifact: Artifact::Policy }, Output { name: "metrics", artifact: Artifact::Metrics }]
    }

    fn identity(&self) -> serde_json::Value {
        super::without(serde_json::to_value(self).unwrap_or_default(), &["micro_batch", "checkpointing"])
    }

    fn draws(&self) -> bool {
        true
    }

    fn arithmetic(&self) -> Vec<Figure> {
        vec![Figure::new("epochs", self.epochs.0.to_string()), Figure::new("rows per update", self.minibatch.0.to_string())]
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        super::run::sft::run(self, context)
    }
}
