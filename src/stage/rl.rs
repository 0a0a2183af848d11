//! `rl`: collect, then update, again and again.

use super::{Artifact, Context, Figure, Output, RunError, Stage};
use crate::equation::{AdvantageField, LossField};
use crate::kind;
use crate::kind::{Count, Part, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::Component;
use crate::play::SplitField;
use crate::policy::{Adamw, CriticKind, DecodeKind, OptimizerKind, PolicyInput};
use crate::words;

words! {
    /// What is logged beyond the values of the terms.
    pub enum Log {
        /// Nothing more.
        Values = "values",
        /// As `gradient/NAME` the norm of each term's gradient as well, with respect to `logp`, `entropy` and `value` of the tokens: 0 for a term from
        /// which nothing can be learned.
        Gradients = "gradients",
    }
}

kind! {
    /// Reinforcement learning with the pipeline's own equation. An iteration collects `groups` × `group_size` episodes with the current policy,
    /// evaluates the `advantage` on all of them, then makes `epochs` passes of minibatches, each one step down the gradient of `minimize`.
    ///
    /// ```epo
    /// import "std/losses.epo"
    /// import "std/advantages.epo"
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   policy = decoder { tokenizer = words }
    ///   advantage = grpo()
    ///   loss { surrogate = mean(ppo_clip(0.2)), minimize = surrogate }
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     train = rl { on = house.train, iterations = 2, groups = 4, group_size = 4 }
    ///     page  = report { of = [train] }
    ///   }
    /// }
    /// ```
    pub struct Rl as "rl" {
        /// What is played.
        on: SplitField [required],
        /// What it starts from.
        policy: PolicyInput [inherit],
        /// The equation.
        loss: LossField [inherit],
        /// The advantage of every token, from the whole collected batch.
        advantage: Option<AdvantageField> [inherit default None],
        /// Estimates the return; needed where an equation mentions `value`.
        critic: Option<Part<dyn CriticKind>> [inherit default None],
        /// What `ref_logp` speaks of; left out, the policy that the stage starts from.
        reference: Option<PolicyInput> [inherit default None],
        /// Iterations.
        iterations: Count [inherit default Count(100)],
        /// Tasks of one iteration.
        groups: Count [default Count(16)],
        /// Episodes on each of them.
        group_size: Count [default Count(1)],
        /// Passes over the collected batch.
        epochs: Count [default Count(1)],
        /// Rows of one update; left out, all rows.
        minibatch: Option<Count> [default None],
        /// Rows that are propagated at once; changes memory, not the update.
        micro_batch: Count [default Count(16)],
        /// Of every layer only the input is kept for the backward pass, and the rest computed again: less memory, more time, the same update.
        checkpointing: bool [default false],
        /// The policy's optimiser.
        optimizer: Part<dyn OptimizerKind> [inherit default Adamw::standard()],
        /// How responses are made while collecting, if not as the policy says.
        decode: Option<Part<dyn DecodeKind>> [default None],
        /// The split whose success selects `best`.
        select_on: Option<SplitField> [default None],
        /// Iterations between evaluations on `select_on`.
        evaluate_every: Count [default Count(5)],
        /// How it decodes in those evaluations, if not as while collecting.
        evaluate_decode: Option<Part<dyn DecodeKind>> [default None],
        /// What is logged.
        log: Log [default Log::Values],
        /// Iterations between checkpoints.
        checkpoint_every: Count [default Count(1)],
    }
}

/// Fields that can only change how fast or how often something is written.
const UNTOUCHED: [&str; 3] = ["micro_batch", "checkpointing", "checkpoint_every"];

impl Rl {
    pub fn read_checked(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let read = Self::read_fields(component, reader)?;
        if let (Some(every), None) = (component.fields.get("evaluate_every"), &read.select_on) {
            reader.report(
                Diagnostic::error("E0105", every.name_span, "`evaluate_every` needs `select_on`")
                    .help("name the split to evaluate on, for example `select_on = house.seen`"),
            );
        }
        let mut diagnostics = crate::lang::Diagnostics::default();
        let sound = read.equations(&mut diagnostics).is_some();
        diagnostics.0.into_iter().for_each(|d| reader.report(d));
        sound.then_some(read)
    }

    /// Episodes of an iteration.
    pub fn episodes(&self) -> usize {
        self.groups.0 * self.group_size.0
    }
}

impl Stage for Rl {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn outputs(&self) -> Vec<Output> {
        let mut outputs = vec![
            Output { name: "policy", artifact: Artifact::Policy },
            Output { name: "metrics", artifact: Artifact::Metrics },
            Output { name: "episodes", artifact: Artifact::Episodes },
        ];
        if self.select_on.is_some() {
            outputs.push(Output { name: "best", artifact: Artifact::Policy });
        }
        if self.critic.is_some() {
            outputs.push(Output { name: "critic", artifact: Artifact::Critic });
        }
        outputs
    }

    fn identity(&self) -> serde_json::Value {
        super::without(serde_json::to_value(self).unwrap_or_default(), &UNTOUCHED)
    }

    fn draws(&self) -> bool {
        true
    }

    fn equation(&self) -> Option<Vec<(String, String)>> {
        Some(self.loss.lines())
    }

    fn arithmetic(&self) -> Vec<Figure> {
        let (groups, size, iterations) = (self.groups.0, self.group_size.0, self.iterations.0);
        let most = self.episodes() * self.on.environment.play.max_turns.0;
        let mut figures = vec![
            Figure::new("episodes per iteration", format!("{} = {groups} tasks × {size}", self.episodes())),
            Figure::new(
                "rows per iteration",
                format!("at most {most} = {} episodes × {} turns", self.episodes(), self.on.environment.play.max_turns.0),
            ),
        ];
        match self.minibatch {
            Some(rows) => figures.push(Figure::new(
                "updates per iteration",
                format!("rows / {} rounded up × {} epochs, at most {}", rows.0, self.epochs.0, most.div_ceil(rows.0) * self.epochs.0),
            )),
            None => figures
                .push(Figure::new("updates per iteration", format!("{} (all rows at once × {} epochs)", self.epochs.0, self.epochs.0))),
        }
        figures.push(Figure::new("iterations", format!("{iterations}, {} episodes in all", iterations * self.episodes())));
        if let Some(split) = &self.select_on {
            let count = iterations.div_ceil(self.evaluate_every.0);
            figures.push(Figure::new(
                "evaluations",
                format!("{count} on {}, one every {} iterations and the last", split.name, self.evaluate_every.0),
            ));
        }
        figures.push(Figure::new("checkpoints", format!("one every {} iterations, the last 3 kept", self.checkpoint_every.0)));
        figures
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        super::run::rl::run(self, context)
    }
}
