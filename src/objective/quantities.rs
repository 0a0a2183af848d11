//! The quantities an objective may mention.

use super::levels::Level;

/// What a batch can say, in one row of [`QUANTITIES`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuantityInfo {
    pub name: &'static str,
    pub level: Level,
    /// In a loss its gradient reaches the parameters of a model.
    pub gradient: bool,
    /// 0 or 1, and so a number as well as a condition.
    pub flag: bool,
    pub when: When,
    pub doc: &'static str,
}

/// From when on a quantity is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Before any data: may stand in a schedule.
    Always,
    /// Once the episodes of an iteration are collected: may stand in an advantage too.
    Collected,
    /// Only while a minibatch is being learned from.
    Learning,
}

const fn quantity(name: &'static str, level: Level, when: When, doc: &'static str) -> QuantityInfo {
    QuantityInfo { name, level, gradient: false, flag: false, when, doc }
}

const fn learned(mut info: QuantityInfo) -> QuantityInfo {
    info.gradient = true;
    info
}

const fn flag(mut info: QuantityInfo) -> QuantityInfo {
    info.flag = true;
    info
}

/// The one table.
pub(crate) const QUANTITIES: [QuantityInfo; 36] = {
    use Level::{Batch, Episode, Token, Turn};
    use When::{Always, Collected, Learning};
    [
        learned(quantity("logp", Token, Learning, "log-probability of the token under the policy that is being trained")),
        quantity("old_logp", Token, Collected, "log-probability of the token under the policy that collected it"),
        quantity("ref_logp", Token, Collected, "log-probability of the token under the reference policy"),
        quantity("teacher_logp", Token, Collected, "log-probability of the token under the `teacher`"),
        quantity("rollout_logp", Token, Collected, "log-probability of the token as the sampler computed it"),
        learned(quantity(
            "entropy",
            Token,
            Collected,
            "entropy (natural logarithm, positive) of the next-token distribution at the token; in an advantage and in a history that of the collecting policy",
        )),
        learned(quantity(
            "collision",
            Token,
            Collected,
            "Σ π² over the tokens that could have stood there: how likely two draws are the same; in an advantage that of the collecting policy",
        )),
        learned(quantity(
            "confidence",
            Token,
            Collected,
            "the largest probability of the next-token distribution at the token; in an advantage that of the collecting policy",
        )),
        learned(quantity(
            "kl_to_reference",
            Token,
            Collected,
            "Σ π ln(π / π_ref) over the tokens that could have stood there: the divergence of the policy from the `reference`, in full; in an advantage that of the collecting policy",
        )),
        learned(quantity(
            "kl_from_reference",
            Token,
            Collected,
            "Σ π_ref ln(π_ref / π), likewise: the divergence of the `reference` from the policy",
        )),
        learned(quantity(
            "kl_to_teacher",
            Token,
            Collected,
            "Σ π ln(π / π_teacher), likewise: the divergence of the policy from the `teacher`",
        )),
        learned(quantity(
            "kl_from_teacher",
            Token,
            Collected,
            "Σ π_teacher ln(π_teacher / π), likewise: the divergence of the `teacher` from the policy",
        )),
        quantity("old_entropy", Token, Collected, "`entropy` under the policy that collected the token"),
        learned(quantity(
            "value",
            Token,
            Collected,
            "the critic's estimate before the token; in an advantage and in a history that of collection time",
        )),
        quantity("old_value", Token, Collected, "the critic's estimate before the token, at collection time"),
        quantity("advantage", Token, Learning, "the value of the pipeline's `advantage` line"),
        quantity("returns", Token, Learning, "the unwhitened `gae` of the pipeline's `advantage` line plus `old_value`"),
        quantity(
            "uniform",
            Token,
            Collected,
            "a number drawn from [0, 1) for the token when it is collected, for equations that choose at random",
        ),
        quantity("token_index", Token, Collected, "number of the token within its response, from 0"),
        quantity("reward", Turn, Collected, "the reward of this turn"),
        quantity("outcome", Turn, Collected, "the score of the turn's episode, less what was taken off this row"),
        quantity("turn_index", Turn, Collected, "number of the turn within its episode, from 0"),
        flag(quantity("valid", Turn, Collected, "1 if the response was well formed, else 0")),
        flag(quantity(
            "prompt_cut",
            Turn,
            Collected,
            "1 if the prompt was longer than may be shown, and cut (of a conversation: if turns were forgotten), else 0",
        )),
        flag(quantity("response_cut", Turn, Collected, "1 if the response ended because it had the most tokens that it may have, else 0")),
        quantity("length", Turn, Collected, "number of response tokens of the turn"),
        quantity("score", Episode, Collected, "sum of the episode's rewards, as the environment gave them"),
        quantity(
            "greedy_score",
            Episode,
            Collected,
            "`score` of one more episode of the same game, in which the policy always takes what is most likely",
        ),
        flag(quantity("success", Episode, Collected, "1 if the environment called the episode a success, else 0")),
        quantity(
            "source",
            Episode,
            Collected,
            "where the episode comes from: 0 if the iteration played it, else its place in the stage's `also`, from 1",
        ),
        quantity(
            "split",
            Episode,
            Collected,
            "which split the episode's task is of: 0 for `on`, else its place in the stage's `also_on`, from 1",
        ),
        quantity("turns", Episode, Collected, "number of turns of the episode"),
        quantity("iteration", Batch, Always, "number of the iteration (collect, then update), from 0"),
        quantity("iterations", Batch, Always, "how many iterations the stage has"),
        quantity("carried", Batch, Collected, "in the `next` of a `carry`, and only there: its present number"),
        quantity("progress", Batch, Always, "how much of the stage is done: 0 at its start, towards 1 at its end"),
    ]
};

const COUNT: usize = QUANTITIES.len();

pub(super) static NAMES: [&str; COUNT] = {
    let mut names = [""; COUNT];
    let mut i = 0;
    while i < COUNT {
        names[i] = QUANTITIES[i].name;
        i += 1;
    }
    names
};

/// Declares [`TOP_SHARES`].
macro_rules! top_shares {
    ($($count:literal)*) => {
        /// `top_share(1)`, `top_share(2)`, …: what the function of that name stands for.
        pub(crate) static TOP_SHARES: [QuantityInfo; [$($count),*].len()] = [$(learned(quantity(
            concat!("top_share(", $count, ")"),
            Level::Token,
            When::Collected,
            "the sum of so many of the largest probabilities of the next-token distribution at the token",
        ))),*];
    };
}

top_shares!(
    1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
    33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64
);

/// Every quantity that a batch may have.
pub(crate) fn quantities() -> impl Iterator<Item = &'static QuantityInfo> {
    const TABLE: &[QuantityInfo] = &QUANTITIES;
    TABLE.iter().chain(&TOP_SHARES)
}

/// `3` of `top_share(3)`.
pub(crate) fn top_share(quantity: &str) -> Option<usize> {
    TOP_SHARES.iter().position(|info| info.name == quantity).map(|place| place + 1)
}

pub(crate) fn quantity_info(name: &str) -> Option<&'static QuantityInfo> {
    quantities().find(|info| info.name == name)
}
