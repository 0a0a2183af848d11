//! Functions along time: within an episode, and over iterations.

use super::row::{Default, GradientRule, Latex, Notation, Operation, Parameter, Row, Type, example, key, number, optional, term};

const BY: Parameter = key("by", &["turn", "episode"], Default::Key("turn"));
const PER: Parameter = key("per", &["token", "turn"], Default::Key("token"));

pub(super) const GAE: Row = Row {
    name: "gae",
    notation: Notation::Call,
    params: const { &[term("reward"), term("value"), number("gamma", 1.0), number("lambda", 1.0), BY, PER] },
    types: &[Type::Number, Type::Number, Type::Number, Type::Number, Type::Key, Type::Key],
    result: Type::Number,
    operation: Operation::Gae,
    gradient: GradientRule::Only(&[0, 1]),
    latex: Latex::Call,
    equation: "Aₜ = δₜ + γλ Aₜ₊₁, δₜ = rₜ + γ Vₜ₊₁ − Vₜ, 0 beyond the end",
    doc: "generalised advantage estimation (arXiv:1506.02438) within each turn or through each episode, in steps of tokens or of turns; a reward of a turn is credited on its last token",
    example: example("-mean(stop(gae(outcome, value, gamma = 0.99, lambda = 0.95)) * logp)", 0.0663574),
};

pub(super) const DISCOUNT: Row = Row {
    name: "discount",
    notation: Notation::Call,
    params: const { &[term("reward"), number("gamma", 1.0), BY, PER] },
    types: &[Type::Number, Type::Number, Type::Key, Type::Key],
    result: Type::Number,
    operation: Operation::Discount,
    gradient: GradientRule::Only(&[0]),
    latex: Latex::Call,
    equation: "Gₜ = rₜ + γ Gₜ₊₁, 0 beyond the end",
    doc: "discounted return-to-go within each turn or through each episode, in steps of tokens or of turns",
    example: example("-mean(discount(reward, 0.95, by = episode, per = turn) * logp)", 0.407708),
};

pub(super) const ON_LAST: Row = Row {
    name: "on_last",
    notation: Notation::Call,
    params: const { &[term("x"), BY, PER] },
    types: &[Type::Number, Type::Key, Type::Key],
    result: Type::Number,
    operation: Operation::OnLast,
    gradient: GradientRule::All,
    latex: Latex::Call,
    equation: "x where nothing follows, 0 elsewhere",
    doc: "a turn's value on the turn's last token, 0 on its others; with `by = episode` an episode's value on the last token of the episode, and a turn without tokens gives its value to the token before it, as in `gae` and `discount`",
    example: example("-mean(gae(on_last(outcome) - 0.1 * (old_logp - ref_logp), old_value) * logp)", 0.045),
};

pub(super) const HISTORY: Row = Row {
    name: "history",
    notation: Notation::Call,
    params: const { &[term("x"), optional("window"), key("by", &["turn_index"], Default::Absent), optional("first")] },
    types: &[Type::Number, Type::Number, Type::Key, Type::Number],
    result: Type::Number,
    operation: Operation::History,
    gradient: GradientRule::None,
    latex: Latex::Call,
    equation: "1/k Σ x⁽ⁱ⁾ over the earlier iterations i = 0 … k−1",
    doc: "the mean of `x` on the collected batches of all earlier iterations, or of the last `window`; a constant; with `by = turn_index` one mean for each turn number; `first` is what it is where there is no earlier iteration",
    example: example("mean(relu(entropy - 1.2 * history(mean(entropy))))", 0.175),
};
