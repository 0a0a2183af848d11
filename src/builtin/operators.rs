//! Operators.

use super::binding::Binding;
use super::math;
use super::row::{Elementwise, Example, GradientRule, Latex, Notation, Operation, Parameter, Row, Type, example, term};
use GradientRule::{All, None};
use Type::{Condition, Either, Number};

const ONE: &[Parameter] = &[term("x")];
const TWO: &[Parameter] = &[term("a"), term("b")];

/// Of two numbers, with a gradient to both.
const fn arithmetic(
    name: &'static str,
    binding: Binding,
    how: Elementwise,
    latex: Latex,
    texts: [&'static str; 2],
    example: Example,
) -> Row {
    Row {
        name,
        notation: Notation::Infix(binding),
        params: TWO,
        types: &[Number, Number],
        result: Number,
        operation: Operation::Elementwise(how),
        gradient: All,
        latex,
        equation: texts[0],
        doc: texts[1],
        example,
    }
}

/// Of two numbers a condition.
const fn comparison(
    name: &'static str,
    holds: fn(f64, f64) -> bool,
    sign: &'static str,
    texts: [&'static str; 2],
    example: Example,
) -> Row {
    Row {
        result: Condition,
        gradient: None,
        ..arithmetic(name, Binding::Comparison, Elementwise::Compare(holds), Latex::Infix(sign), texts, example)
    }
}

/// Of two conditions a condition.
const fn logical(
    name: &'static str,
    binding: Binding,
    how: Elementwise,
    sign: &'static str,
    texts: [&'static str; 2],
    example: Example,
) -> Row {
    Row {
        types: &[Condition, Condition],
        result: Condition,
        gradient: None,
        ..arithmetic(name, binding, how, Latex::Infix(sign), texts, example)
    }
}

pub(super) const OR: Row = logical(
    "or",
    Binding::Or,
    Elementwise::Or,
    r"\lor",
    ["a ∨ b", "true if one of both is"],
    example("mean(where(entropy > 1.4 or logp < -1, 1, 0) * logp)", -0.7),
);
pub(super) const AND: Row = logical(
    "and",
    Binding::And,
    Elementwise::And,
    r"\land",
    ["a ∧ b", "true if both are"],
    example("mean(where(entropy > 1 and entropy < 2, entropy, 0))", 0.575),
);
pub(super) const NOT: Row = Row {
    name: "not",
    notation: Notation::Prefix { sign: "not ", binding: Binding::Not },
    params: ONE,
    types: &[Condition],
    result: Condition,
    operation: Operation::Elementwise(Elementwise::Not),
    gradient: None,
    latex: Latex::Prefix(r"\lnot "),
    equation: "¬x",
    doc: "true if `x` is not",
    example: example("mean(where(not valid, 0, logp))", -0.683333),
};

pub(super) const EQUAL: Row = Row {
    types: &[Either, Either],
    ..comparison(
        "==",
        |a, b| a == b,
        "=",
        ["a = b", "true where both are equal"],
        example("mean(where(turn_index == 0, entropy, 0))", 1.01667),
    )
};
pub(super) const DIFFERS: Row = Row {
    types: &[Either, Either],
    ..comparison(
        "!=",
        |a, b| a != b,
        r"\neq",
        ["a ≠ b", "true where both differ"],
        example("mean(where(turn_index != 0, entropy, 0))", 0.0916667),
    )
};
pub(super) const LESS: Row =
    comparison("<", |a, b| a < b, "<", ["a < b", "no gradient"], example("mean(where(entropy < 1.1, entropy, 1))", 0.841667));
pub(super) const AT_MOST: Row =
    comparison("<=", |a, b| a <= b, r"\leq", ["a ≤ b", "no gradient"], example("mean(where(entropy <= 1.1, entropy, 1))", 0.85));
pub(super) const GREATER: Row =
    comparison(">", |a, b| a > b, ">", ["a > b", "no gradient"], example("mean(where(entropy > 1.1, entropy, 1))", 1.25833));
pub(super) const AT_LEAST: Row =
    comparison(">=", |a, b| a >= b, r"\geq", ["a ≥ b", "no gradient"], example("mean(where(entropy >= 1.1, entropy, 1))", 1.26667));

pub(super) const ADD: Row = arithmetic(
    "+",
    Binding::Sum,
    Elementwise::Binary(math::ADD),
    Latex::Infix("+"),
    ["a + b", "sum"],
    example("mean(logp + entropy)", 0.0916667),
);
pub(super) const SUB: Row = arithmetic(
    "-",
    Binding::Sum,
    Elementwise::Binary(math::SUB),
    Latex::Infix("-"),
    ["a − b", "difference"],
    example("mean(logp - ref_logp)", 0.0333333),
);
pub(super) const MUL: Row = arithmetic(
    "*",
    Binding::Product,
    Elementwise::Binary(math::MUL),
    Latex::Infix(r"\,"),
    ["a · b", "product"],
    example("mean(-advantage * logp)", -0.1925),
);
pub(super) const DIV: Row = arithmetic(
    "/",
    Binding::Product,
    Elementwise::Binary(math::DIV),
    Latex::Pattern(r"\frac{#1}{#2}"),
    ["a / b", "quotient"],
    example("mean(logp / length)", -0.565278),
);
pub(super) const POWER: Row = arithmetic(
    "^",
    Binding::Power,
    Elementwise::Binary(math::POWER),
    Latex::Power,
    ["aᵇ", "power; binds tighter than the sign in front: `-x ^ 2` is −(x²)"],
    example("mean((logp - ref_logp) ^ 2)", 0.105),
);
pub(super) const NEG: Row = Row {
    name: "neg",
    notation: Notation::Prefix { sign: "-", binding: Binding::Negation },
    params: ONE,
    types: &[Number],
    result: Number,
    operation: Operation::Elementwise(Elementwise::Unary(math::NEG)),
    gradient: All,
    latex: Latex::Prefix("-"),
    equation: "−x",
    doc: "the sign in front",
    example: example("-mean(advantage * logp)", -0.1925),
};
