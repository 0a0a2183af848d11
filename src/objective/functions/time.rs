//! Functions along time: within an episode, and over iterations.

use super::{Function, GradientRule, LevelRule, Type, key, number, optional, term};
use crate::lang::term::{Default, Parameter};

const BY: Parameter = key("by", &["turn", "episode"], Default::Key("turn"));
const PER: Parameter = key("per", &["token", "turn"], Default::Key("token"));

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "gae",
        operator: false,
        params: &[term("reward"), term("value"), number("gamma", 1.0), number("lambda", 1.0), BY, PER],
        types: &[Type::Number, Type::Number, Type::Number, Type::Number, Type::Key, Type::Key],
        result: Type::Number,
        level: LevelRule::AlongTime,
        gradient: GradientRule::Only(&[0, 1]),
        equation: "Aₜ = δₜ + γλ Aₜ₊₁, δₜ = rₜ + γ Vₜ₊₁ − Vₜ, 0 beyond the end",
        doc: "generalised advantage estimation (arXiv:1506.02438) within each turn or through each episode, in steps of tokens or of turns; a reward of a turn is credited on its last token",
        example: "-mean(stop(gae(outcome, value, gamma = 0.99, lambda = 0.95)) * logp)",
    },
    Function {
        name: "discount",
        operator: false,
        params: &[term("reward"), number("gamma", 1.0), BY, PER],
        types: &[Type::Number, Type::Number, Type::Key, Type::Key],
        result: Type::Number,
        level: LevelRule::AlongTime,
        gradient: GradientRule::Only(&[0]),
        equation: "Gₜ = rₜ + γ Gₜ₊₁, 0 beyond the end",
        doc: "discounted return-to-go within each turn or through each episode, in steps of tokens or of turns",
        example: "-mean(discount(reward, 0.95, by = episode, per = turn) * logp)",
    },
    Function {
        name: "history",
        operator: false,
        params: &[term("x"), optional("window"), key("by", &["turn_index"], Default::Absent)],
        types: &[Type::Number, Type::Number, Type::Key],
        result: Type::Number,
        level: LevelRule::Past,
        gradient: GradientRule::None,
        equation: "1/k Σ x⁽ⁱ⁾ over the earlier iterations i = 0 … k−1",
        doc: "the mean of `x` on the collected batches of all earlier iterations, or of the last `window`; a constant; with `by = turn_index` one mean for each turn number",
        example: "mean(relu(entropy - 2 * history(mean(entropy))))",
    },
];
