//! Functions of many elements at once.

use super::{Function, GradientRule, LevelRule, Type, key, optional, term};
use crate::lang::term::{Default, Parameter};

const BY: Parameter = key("by", &["turn", "episode", "group", "anchor", "turn_index"], Default::Absent);

/// For what has an order in time.
const ENDS: &[Parameter] = &[term("x"), key("by", &["turn", "episode"], Default::Key("turn"))];

const fn reduction(name: &'static str, argument: Type, gradient: GradientRule, texts: [&'static str; 3]) -> Function {
    Function {
        name,
        operator: false,
        params: const { &[term("x"), BY] },
        types: match argument {
            Type::Either => &[Type::Either, Type::Key],
            _ => &[Type::Number, Type::Key],
        },
        result: Type::Number,
        level: LevelRule::Reduction,
        gradient,
        equation: texts[0],
        doc: texts[1],
        example: texts[2],
    }
}

/// Of one argument a reduction, of two an elementwise function.
const fn extremum(name: &'static str, texts: [&'static str; 3]) -> Function {
    Function {
        params: const { &[term("x"), optional("y"), BY] },
        types: &[Type::Number, Type::Number, Type::Key],
        ..reduction(name, Type::Number, GradientRule::All, texts)
    }
}

pub(super) const TABLE: &[Function] = &[
    reduction(
        "mean",
        Type::Number,
        GradientRule::All,
        ["1/n Σ x", "over everything, or over each turn, episode, … of `by`", "mean(mean(entropy, by = turn))"],
    ),
    reduction("sum", Type::Number, GradientRule::All, ["Σ x", "over everything, or over each … of `by`", "mean(sum(logp, by = turn))"]),
    reduction(
        "std",
        Type::Number,
        GradientRule::All,
        ["√(1/(n−1) Σ (x − mean x)²)", "the unbiased deviation; 0 for a single element", "mean(logp) / (1 + std(logp))"],
    ),
    reduction(
        "count",
        Type::Either,
        GradientRule::None,
        [
            "n",
            "how many elements there are; of a condition or a flag such as `success`, how many are true",
            "mean(logp) * count(entropy > 1) / count(entropy)",
        ],
    ),
    Function {
        params: ENDS,
        ..reduction(
            "initial",
            Type::Number,
            GradientRule::All,
            ["x₁", "the first token or turn of each …; none where it is empty", "mean(initial(value))"],
        )
    },
    Function {
        params: ENDS,
        ..reduction(
            "final",
            Type::Number,
            GradientRule::All,
            ["xₙ", "the last token or turn of each …; none where it is empty", "mean(final(entropy, by = episode))"],
        )
    },
    extremum("min", ["min(x, y), or min over all x", "of two arguments elementwise, of one a reduction", "mean(min(entropy, 2))"]),
    extremum(
        "max",
        ["max(x, y), or max over all x", "of two arguments elementwise, of one a reduction", "max(entropy) + mean(max(entropy, 1))"],
    ),
    Function {
        name: "whiten",
        operator: false,
        params: &[term("x"), key("per", &["token", "turn", "episode"], Default::Absent)],
        types: &[Type::Number, Type::Key],
        result: Type::Number,
        level: LevelRule::Whole,
        gradient: GradientRule::All,
        equation: "(x − mean x) / √(v + 1e-8)",
        doc: "v is the unbiased variance (0 for a single element); with `per` a coarser `x` is first given to every token, turn or episode",
        example: "-mean(whiten(advantage) * logp)",
    },
    Function {
        name: "top",
        operator: false,
        params: &[term("x"), term("fraction")],
        types: &[Type::Number, Type::Number],
        result: Type::Either,
        level: LevelRule::Whole,
        gradient: GradientRule::None,
        equation: "1 for the max(1, ⌊fraction · n⌋) largest of n, else 0",
        doc: "a condition as well as a number; of equal ones the first; no gradient",
        example: "mean(top(entropy, 0.2) * entropy)",
    },
];
