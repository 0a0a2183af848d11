//! Functions along time, within an episode.

use super::row::{Default, Example, GradientRule, Latex, Notation, Operation, Parameter, Row, Type, example, key, number, term};

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
    doc: "generalised advantage estimation (arXiv:1506.02438) within each turn or through each episode, in steps of tokens or of turns; a reward of a turn is credited on its last token; `gamma` and `lambda` may be other numbers for each step, those of step t",
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
    doc: "discounted return-to-go within each turn or through each episode, in steps of tokens or of turns; `gamma` may be another number for each step, that of step t",
    example: example("-mean(discount(reward, 0.95, by = episode, per = turn) * logp)", 0.407708),
};

pub(super) const SO_FAR: Row = Row {
    name: "so_far",
    params: const { &[term("x"), number("gamma", 1.0), BY, PER] },
    operation: Operation::SoFar,
    equation: "Sₜ = xₜ + γ Sₜ₋₁, 0 before the beginning",
    doc: "the sum up to each step, discounted backwards, within each turn or through each episode, in steps of tokens or of turns: `discount` the other way; `gamma` may be another number for each step, that of step t − 1",
    example: example("mean(so_far(entropy, 0.9, by = episode) * logp)", -2.10788),
    ..DISCOUNT
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

const fn neighbour(name: &'static str, params: &'static [Parameter], after: bool, texts: [&'static str; 2], example: Example) -> Row {
    Row {
        name,
        notation: Notation::Call,
        params,
        types: &[Type::Number, Type::Number, Type::Key],
        result: Type::Number,
        operation: Operation::Neighbour { after },
        gradient: GradientRule::All,
        latex: Latex::Call,
        equation: texts[0],
        doc: texts[1],
        example,
    }
}

/// Of tokens within a turn if it is left out, of turns within an episode.
const ALONG: Parameter = key("by", &["turn", "episode"], Default::Absent);

pub(super) const NEXT: Row = neighbour(
    "next",
    const { &[term("x"), number("last", 0.0), ALONG] },
    true,
    [
        "xₜ₊₁, `last` at the end",
        "of a token's value that of the next token in its turn, with `by = episode` also that of the first in the next turn; of a turn's value that of the next turn in its episode",
    ],
    example("mean(next(entropy) * logp)", -0.575833),
);
pub(super) const PREVIOUS: Row = neighbour(
    "previous",
    const { &[term("x"), number("first", 0.0), ALONG] },
    false,
    ["xₜ₋₁, `first` at the beginning", "as `next`, the other way"],
    example("mean(previous(reward, first = 1) * logp)", -0.96875),
);
