//! Functions of many elements at once.

use super::math;
use super::row::{
    Default, Elementwise, Example, GradientRule, Latex, Notation, Operation, Parameter, Reduction, Row, Type, example, key, keys, optional,
    term,
};

const BY: Parameter = keys("by", &["turn", "episode", "group", "anchor", "turn_index", "task", "token_index"]);

/// For what has an order in time.
const ENDS: &[Parameter] = &[term("x"), key("by", &["turn", "episode"], Default::Key("turn"))];

/// Of numbers, with a gradient.
const fn of_many(name: &'static str, operation: Operation, latex: Latex, texts: [&'static str; 2], example: Example) -> Row {
    Row {
        name,
        notation: Notation::Call,
        params: const { &[term("x"), BY] },
        types: &[Type::Number, Type::Key],
        result: Type::Number,
        operation,
        gradient: GradientRule::All,
        latex,
        equation: texts[0],
        doc: texts[1],
        example,
    }
}

const fn reduction(name: &'static str, how: Reduction, latex: Latex, texts: [&'static str; 2], example: Example) -> Row {
    of_many(name, Operation::Reduce(how), latex, texts, example)
}

const fn extremum(
    name: &'static str,
    of_two: math::Binary,
    of_one: Reduction,
    latex: &'static str,
    equation: &'static str,
    example: Example,
) -> Row {
    let operation = Operation::Extremum { of_two: Elementwise::Binary(of_two), of_one };
    Row {
        params: const { &[term("x"), optional("y"), BY] },
        types: &[Type::Number, Type::Number, Type::Key],
        ..of_many(name, operation, Latex::Pattern(latex), [equation, "of two arguments elementwise, of one a reduction"], example)
    }
}

pub(super) const MEAN: Row = reduction(
    "mean",
    Reduction::Mean,
    Latex::Pattern(r"\mathop{\mathbb{E}}#_\left[#1\right]"),
    ["1/n Σ x", "over everything, or over each turn, episode, … of `by`"],
    example("mean(mean(entropy, by = turn))", 1.03095),
);
pub(super) const SUM: Row = reduction(
    "sum",
    Reduction::Sum,
    Latex::Pattern(r"\sum#_ #1*"),
    ["Σ x", "over everything, or over each … of `by`"],
    example("mean(sum(logp, by = turn))", -1.74286),
);
pub(super) const STD: Row = reduction(
    "std",
    Reduction::Std,
    Latex::Pattern(r"\operatorname{std}#_\left(#1\right)"),
    ["√(1/(n−1) Σ (x − mean x)²)", "the unbiased deviation; 0 for a single element"],
    example("mean(logp) / (1 + std(logp))", -0.568124),
);
pub(super) const COUNT: Row = Row {
    types: &[Type::Either, Type::Key],
    gradient: GradientRule::None,
    ..reduction(
        "count",
        Reduction::Count,
        Latex::Call,
        ["n", "how many elements there are; of a condition or a flag such as `success`, how many are true"],
        example("mean(logp) * count(entropy > 1) / count(entropy)", -0.508333),
    )
};
pub(super) const INITIAL: Row = Row {
    params: ENDS,
    ..reduction(
        "initial",
        Reduction::Initial,
        Latex::Call,
        ["x₁", "the first token or turn of each …; none where it is empty"],
        example("mean(initial(value))", 0.357143),
    )
};
pub(super) const FINAL: Row = Row {
    params: ENDS,
    ..reduction(
        "final",
        Reduction::Final,
        Latex::Call,
        ["xₙ", "the last token or turn of each …; none where it is empty"],
        example("mean(final(entropy, by = episode))", 0.82),
    )
};
pub(super) const MIN: Row = extremum(
    "min",
    math::MIN,
    Reduction::Min,
    r"\min\!\left(#1,\, #2\right)",
    "min(x, y), or min over all x",
    example("min(entropy) + mean(min(entropy, 1))", 1.14167),
);
pub(super) const MAX: Row = extremum(
    "max",
    math::MAX,
    Reduction::Max,
    r"\max\!\left(#1,\, #2\right)",
    "max(x, y), or max over all x",
    example("max(entropy) + mean(max(entropy, 1))", 3.56667),
);

pub(super) const WHITEN: Row = Row {
    params: const { &[term("x"), key("per", &["token", "turn", "episode"], Default::Absent)] },
    ..of_many(
        "whiten",
        Operation::Whiten,
        Latex::Call,
        [
            "(x − mean x) / √(v + 1e-8)",
            "v is the unbiased variance (0 for a single element); with `per` a coarser `x` is first given to every token, turn or episode",
        ],
        example("-mean(whiten(advantage) * logp)", -0.330867),
    )
};
pub(super) const TOP: Row = Row {
    params: const { &[term("x"), term("fraction")] },
    types: &[Type::Number, Type::Number],
    result: Type::Either,
    gradient: GradientRule::None,
    ..of_many(
        "top",
        Operation::Top,
        Latex::Call,
        ["1 for the max(1, ⌊fraction · n⌋) largest of n, else 0", "a condition as well as a number; of equal ones the first; no gradient"],
        example("mean(top(entropy, 0.2) * entropy)", 0.333333),
    )
};
pub(super) const QUANTILE: Row = Row {
    params: const { &[term("x"), term("q"), BY] },
    types: &[Type::Number, Type::Number, Type::Key],
    gradient: GradientRule::Only(&[0]),
    ..of_many(
        "quantile",
        Operation::Quantile,
        Latex::Call,
        [
            "x₍ₕ₎ of the n values in order, h = q (n − 1) from 0",
            "over everything, or over each … of `by`: 0 is the smallest, 0.5 the median, 1 the largest; between two values on the line between them",
        ],
        example("mean(logp) * quantile(entropy, 0.8)", -1.50467),
    )
};
pub(super) const RANK: Row = Row {
    params: const { &[term("x"), BY, optional("of")] },
    types: &[Type::Number, Type::Key, Type::Number],
    gradient: GradientRule::None,
    ..of_many(
        "rank",
        Operation::Rank,
        Latex::Call,
        [
            "how many are smaller, and half as many as are equal beside it",
            "among everything, or among those of the same … of `by`: from 0 to n − 1, the mean of their places for equal ones; with `of` not their number, but the sum of their `of`; no gradient",
        ],
        example("mean(rank(entropy, by = group) * logp)", -3.56667),
    )
};
pub(super) const TOP_SHARE: Row = Row {
    name: "top_share",
    notation: Notation::Call,
    params: const { &[term("count")] },
    types: &[Type::Number],
    result: Type::Number,
    operation: Operation::TopShare,
    gradient: GradientRule::None,
    latex: Latex::Pattern(r"\pi_{(1)} + \dots + \pi_{(#1)}"),
    equation: "the sum of the `count` largest π",
    doc: "of the next-token distribution at each token, a quantity of tokens with a gradient, as `confidence` is: `top_share(1)` is `confidence`, `top_share(3) - top_share(2)` the third largest probability; `count` is a whole number of 1 to 64, known before the run; in an advantage that of the collecting policy",
    example: example("mean(top_share(2) * logp)", -0.601667),
};
