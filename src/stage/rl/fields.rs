//! What an `rl` stage is given.

use super::super::minibatch::Keep;
use super::sources::Source;
use crate::equation::{AdvantageField, LossField, Now, RewardField, RewardsField, ScheduleField, WeightField};
use crate::kind;
use crate::kind::{Count, Identity, Part};
use crate::play::SplitField;
use crate::policy::{Adamw, CriticKind, Decode, OptimizerKind, PolicyInput, StateInput};
use crate::words;

words! {
    /// What is logged beyond the values of the terms.
    pub(crate) enum Log {
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
    pub(crate) struct Rl as "rl" with own identity {
        /// What is played.
        on: SplitField [required],
        /// Other splits, of this environment or of others, from which tasks are drawn too: a mixture, or with `weights` that change a curriculum.
        also_on: Vec<SplitField> [added default Vec::new()],
        /// How often a task is drawn from `on` and from each of `also_on`, in that order: numbers, schedules over `iteration`, `iterations` and `progress`, or
        /// expressions over what earlier iterations played, such as `1 - history(mean(only(success, split == 1)), first = 0)`. They need not add up to 1; below 0 is
        /// 0, and where all come to 0 by what was played, and where they are left out, all are alike.
        weights: Vec<WeightField> [added default Vec::new()],
        /// What it starts from.
        policy: PolicyInput [inherit],
        /// A training in the middle that this one goes on from, such as `train.at(40)` or `other.train.at(40)`: with its weights, the moments of its optimisers,
        /// what `history`, `carry` and a replay remember, its metrics and episodes, and the number of the iteration, which is the next. Of the equation only what
        /// is mentioned in the same words has a past. `policy` is what that training started from, and `ref_logp` speaks of.
        from: Option<StateInput> [added default None],
        /// The equation.
        loss: LossField [inherit],
        /// The advantage of every token, from the whole collected batch.
        advantage: Option<AdvantageField> [inherit default None],
        /// Rewards of the pipeline's own, a block `rewards { … }`: each is logged as `reward/NAME`, and the equations may mention it as `rewards.NAME`.
        rewards: Option<RewardsField> [added inherit default None],
        /// What is added to the environment's reward of each turn, such as `0.1 * rewards.polite`: to `reward`, and its sum over the episode to `outcome`. `score`
        /// and `success` stay as the environment gave them. Its mean is logged as `shaping`.
        shaping: Option<RewardField> [added inherit default None],
        /// Estimates the return; needed where an equation mentions `value`.
        critic: Option<Part<dyn CriticKind>> [inherit default None],
        /// What `ref_logp` speaks of; left out, the policy that the stage starts from.
        reference: Option<PolicyInput> [inherit default None],
        /// What `teacher_logp` speaks of: a policy with the same vocabulary, from which this one learns what to say where it goes itself.
        teacher: Option<PolicyInput> [added inherit default None],
        /// Iterations.
        iterations: Count [inherit default Count(100)],
        /// Tasks of one iteration.
        groups: Count<1_000_000> [default Count(16)],
        /// Episodes on each of them.
        group_size: Count<1_000_000> [default Count(1)],
        /// Rounds of further tasks in an iteration, at most, while fewer than `groups` groups differ in their scores: from a group in which all episodes
        /// have the same score, a comparison within it learns nothing (DAPO, arXiv:2503.14476, section 3.2). Those that differ are learned from, in the order in
        /// which they were played; where there is none at all, those of the last round. Left out, there is one round, and all of it is learned from.
        refill: Option<Count<1000>> [added default None],
        /// Episodes from elsewhere that are learned from beside those of the iteration; `source` tells them apart. One of a task that the iteration plays
        /// itself joins the group of that task, the others form groups by their tasks.
        also: Vec<Part<Source>> [added default Vec::new()],
        /// Passes over the collected batch.
        epochs: Count<1_000_000> [default Count(1)],
        /// Rows of one update; left out, all rows.
        minibatch: Option<Count> [default None],
        /// What a minibatch may not tear apart; an equation may ask for more.
        keep: Keep [added default Keep::Rows],
        /// Rows that are propagated at once; changes memory, not the update.
        micro_batch: Count [untouched default Count(16)],
        /// Of every layer only input, keys and values are kept for the backward pass, and the rest computed again: less memory, more time, the same update.
        checkpointing: bool [untouched default false],
        /// The policy's optimiser.
        optimizer: Part<dyn OptimizerKind> [inherit default Adamw::standard()],
        /// How responses are made while collecting, if not as the policy says.
        decode: Option<Part<Decode>> [default None],
        /// The temperature while collecting, in place of that of `decode`: a schedule over `iteration`, `iterations` and `progress`, above 0. What is learned
        /// from are the distributions at this temperature.
        temperature: Option<ScheduleField> [added default None],
        /// The split whose success selects `best`.
        select_on: Option<SplitField> [default None],
        /// Iterations between evaluations on `select_on`.
        evaluate_every: Count [default Count(5)],
        /// How it decodes in those evaluations, if not as while collecting.
        evaluate_decode: Option<Part<Decode>> [default None],
        /// What is logged.
        log: Log [default Log::Values],
        /// Iterations between checkpoints.
        checkpoint_every: Count [untouched default Count(1)],
    }
}

/// The metrics of a split are written under its name, where it is one of several or selects.
impl Identity for Rl {
    fn identity(&self) -> serde_json::Value {
        let mut fields = self.fields();
        let courses = if self.also_on.is_empty() { None } else { Some(&self.on) };
        let names: Vec<&str> = courses.into_iter().chain(&self.also_on).chain(&self.select_on).map(|split| split.name.as_str()).collect();
        if !names.is_empty() {
            fields.insert("names".into(), names.into());
        }
        fields.into()
    }
}

impl Rl {
    /// Episodes of a round of an iteration.
    pub(crate) fn episodes(&self) -> usize {
        self.groups.0 * self.group_size.0
    }

    /// When an iteration begins.
    pub(crate) fn beginning_of(&self, iteration: usize) -> Now {
        let (iteration, iterations) = (iteration as f64, self.iterations.0 as f64);
        Now { iteration, iterations, progress: iteration / iterations }
    }

    /// The beginnings of some iterations, from the first to the last.
    pub(crate) fn throughout(&self) -> impl Iterator<Item = Now> {
        let last = self.iterations.0.saturating_sub(1);
        (0..=20).map(move |step| self.beginning_of((step * self.iterations.0 / 20).min(last)))
    }

    /// Rounds of an iteration, at most.
    pub(crate) fn rounds(&self) -> usize {
        1 + self.refill.map_or(0, |rounds| rounds.0)
    }
}
