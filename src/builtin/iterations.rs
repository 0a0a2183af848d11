//! Functions over iterations, and over the whole batch of one.

use super::row::{GradientRule, Latex, Notation, Operation, Row, Type, example, keys, optional, term};

pub(super) const HISTORY: Row = Row {
    name: "history",
    notation: Notation::Call,
    params: const {
        &[
            term("x"),
            optional("window"),
            keys("by", &["turn_index", "task", "anchor"]),
            optional("first"),
            optional("decay"),
            optional("prior"),
            optional("quantile"),
        ]
    },
    types: &[Type::Number, Type::Number, Type::Key, Type::Number, Type::Number, Type::Number, Type::Number],
    result: Type::Number,
    operation: Operation::History,
    gradient: GradientRule::None,
    latex: Latex::Call,
    equation: "1/k Σ x⁽ⁱ⁾ over the earlier iterations i = 0 … k−1",
    doc: "the mean of `x` on the collected batches of all earlier iterations, or of the last `window`; a constant; with `by` one mean for each turn number, task or state of a task; `first` is what it is where there is nothing earlier; with `decay` the last value counts 1, the one before it `decay`, then `decay`², and `first` as much as `prior` values before them all; with `quantile` not the mean, but that quantile of all earlier values, of which `x` may have one for each episode, group or task",
    example: example("mean(relu(entropy - 1.2 * history(mean(entropy))))", 0.175),
};

pub(super) const COLLECTED: Row = Row {
    name: "collected",
    notation: Notation::Call,
    params: const { &[term("x")] },
    types: &[Type::Either],
    result: Type::Either,
    operation: Operation::Collected,
    gradient: GradientRule::None,
    latex: Latex::Call,
    equation: "x",
    doc: "the value that `x` has on the whole collected batch, before any update, where a loss is evaluated on a minibatch; a constant; `logp`, `entropy` and `value` are the collecting policy's and critic's in it; in an advantage `x` itself",
    example: example("mean(only(logp, old_logp < collected(mean(old_logp))))", -1.62),
};

pub(super) const CARRY: Row = Row {
    name: "carry",
    notation: Notation::Call,
    params: const { &[term("start"), term("next"), optional("low"), optional("high")] },
    types: &[Type::Number, Type::Number, Type::Number, Type::Number],
    result: Type::Number,
    operation: Operation::Carry,
    gradient: GradientRule::None,
    latex: Latex::Call,
    equation: "c₀ = start, cₖ₊₁ = clip(next, low, high)",
    doc: "a number that is handed on from iteration to iteration; `next` is evaluated on the whole collected batch when its updates are done, and `carried` is the present number in it, `logp` that of the updated policy, `entropy` and `value` those of collection time; a constant within an iteration, part of a checkpoint, and logged",
    example: example("carry(0.1, next = carried * 1.5, high = 1) * mean(entropy)", 0.110833),
};
