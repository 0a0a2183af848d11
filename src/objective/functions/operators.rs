//! Operators. They keep the precedence and the symbols of the grammar.

use super::{Function, GradientRule, LevelRule, Type, term};
use crate::lang::term::Parameter;

const ONE: &[Parameter] = &[term("x")];
const TWO: &[Parameter] = &[term("a"), term("b")];

const fn operator(name: &'static str, types: &'static [Type], result: Type, gradient: GradientRule, texts: [&'static str; 3]) -> Function {
    Function {
        name,
        operator: true,
        params: if types.len() == 1 { ONE } else { TWO },
        types,
        result,
        level: LevelRule::Elementwise,
        gradient,
        equation: texts[0],
        doc: texts[1],
        example: texts[2],
    }
}

const N2: &[Type] = &[Type::Number, Type::Number];
const C2: &[Type] = &[Type::Condition, Type::Condition];
const E2: &[Type] = &[Type::Either, Type::Either];

pub(super) const TABLE: &[Function] = {
    use GradientRule::{All, None};
    use Type::{Condition, Number};
    &[
        operator("or", C2, Condition, None, ["a ∨ b", "true if one of both is", "mean(where(entropy > 2 or logp < -3, 1, 0) * logp)"]),
        operator("and", C2, Condition, None, ["a ∧ b", "true if both are", "mean(where(entropy > 1 and entropy < 2, entropy, 0))"]),
        operator("not", &[Condition], Condition, None, ["¬x", "true if `x` is not", "mean(where(not valid, 0, logp))"]),
        operator("==", E2, Condition, None, ["a = b", "true where both are equal", "mean(where(turn_index == 0, entropy, 0))"]),
        operator("!=", E2, Condition, None, ["a ≠ b", "true where both differ", "mean(where(turn_index != 0, entropy, 0))"]),
        operator("<", N2, Condition, None, ["a < b", "no gradient", "mean(where(entropy < 1, entropy, 1))"]),
        operator("<=", N2, Condition, None, ["a ≤ b", "no gradient", "mean(where(entropy <= 1, entropy, 1))"]),
        operator(">", N2, Condition, None, ["a > b", "no gradient", "mean(where(entropy > 1, entropy, 1))"]),
        operator(">=", N2, Condition, None, ["a ≥ b", "no gradient", "mean(where(entropy >= 1, entropy, 1))"]),
        operator("+", N2, Number, All, ["a + b", "sum", "mean(logp + entropy)"]),
        operator("-", N2, Number, All, ["a − b", "difference", "mean(logp - ref_logp)"]),
        operator("*", N2, Number, All, ["a · b", "product", "mean(-advantage * logp)"]),
        operator("/", N2, Number, All, ["a / b", "quotient", "mean(logp / length)"]),
        operator(
            "^",
            N2,
            Number,
            All,
            ["aᵇ", "power; binds tighter than the sign in front: `-x ^ 2` is −(x²)", "mean((logp - ref_logp) ^ 2)"],
        ),
        operator("neg", &[Number], Number, All, ["−x", "the sign in front", "-mean(advantage * logp)"]),
    ]
};
