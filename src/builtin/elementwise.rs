//! Functions of single elements.

use super::math;
use super::row::{Elementwise, Example, GradientRule, Latex, Notation, Operation, Parameter, Row, Type, example, term};
use GradientRule::{All, None, Only};
use Type::{Condition, Number};

/// With the gradient through all arguments.
const fn function(
    name: &'static str,
    params: &'static [Parameter],
    types: &'static [Type],
    how: Elementwise,
    latex: Latex,
    texts: [&'static str; 2],
    example: Example,
) -> Row {
    Row {
        name,
        notation: Notation::Call,
        params,
        types,
        result: Number,
        operation: Operation::Elementwise(how),
        gradient: All,
        latex,
        equation: texts[0],
        doc: texts[1],
        example,
    }
}

const fn unary(name: &'static str, how: math::Unary, latex: Latex, texts: [&'static str; 2], example: Example) -> Row {
    function(name, const { &[term("x")] }, &[Number], Elementwise::Unary(how), latex, texts, example)
}

pub(super) const EXP: Row =
    unary("exp", math::EXP, Latex::Pattern("e^{#1}"), ["eˣ", "exponential"], example("mean(exp(logp - old_logp))", 1.07775));
pub(super) const LOG: Row = unary(
    "log",
    math::LOG,
    Latex::Pattern(r"\ln \left(#1\right)"),
    ["ln x", "natural logarithm"],
    example("mean(log(entropy + 1))", 0.714162),
);
pub(super) const ABS: Row =
    unary("abs", math::ABS, Latex::Pattern(r"\left|#1\right|"), ["|x|", "gradient 0 at 0"], example("mean(abs(logp - ref_logp))", 0.3));
pub(super) const SQRT: Row =
    unary("sqrt", math::SQRT, Latex::Pattern(r"\sqrt{#1}"), ["√x", "gradient taken as 0 at 0"], example("mean(sqrt(entropy))", 1.02043));
pub(super) const SIGN: Row = Row {
    gradient: None,
    ..unary("sign", math::SIGN, Latex::Call, ["sgn x", "−1, 0 or 1; no gradient"], example("mean(sign(advantage) * logp)", 0.233333))
};
pub(super) const FLOOR: Row = Row {
    gradient: None,
    ..unary(
        "floor",
        math::FLOOR,
        Latex::Pattern(r"\left\lfloor #1 \right\rfloor"),
        ["⌊x⌋", "largest whole number not above `x`; no gradient"],
        example("mean(entropy) * floor(iterations / 3)", 2.21667),
    )
};
pub(super) const RELU: Row = unary(
    "relu",
    math::RELU,
    Latex::Pattern(r"\left[#1\right]_{+}"),
    ["max(x, 0)", "gradient 0 at 0"],
    example("mean(relu(entropy - 1))", 0.266667),
);
pub(super) const SIGMOID: Row = unary(
    "sigmoid",
    math::SIGMOID,
    Latex::Pattern(r"\sigma\!\left(#1\right)"),
    ["1 / (1 + e⁻ˣ)", "logistic function"],
    example("mean(sigmoid(logp - old_logp))", 0.510297),
);
pub(super) const TANH: Row = unary(
    "tanh",
    math::TANH,
    Latex::Pattern(r"\tanh \left(#1\right)"),
    ["tanh x", "hyperbolic tangent"],
    example("mean(tanh(entropy))", 0.731047),
);
pub(super) const COS: Row = unary(
    "cos",
    math::COS,
    Latex::Pattern(r"\cos \left(#1\right)"),
    ["cos x", "cosine, `x` in radians"],
    example("mean(entropy) * cos(progress)", 1.07388),
);

pub(super) const CLIP: Row = function(
    "clip",
    const { &[term("x"), term("low"), term("high")] },
    &[Number, Number, Number],
    Elementwise::Clip,
    Latex::Call,
    ["min(max(x, low), high)", "on a bound the gradient goes to `x`"],
    example("mean(clip(exp(logp - old_logp), 0.8, 1.2) * advantage)", 0.157557),
);
pub(super) const WHERE: Row = Row {
    gradient: Only(&[1, 2]),
    ..function(
        "where",
        const { &[term("condition"), term("a"), term("b")] },
        &[Condition, Number, Number],
        Elementwise::Where,
        Latex::Cases,
        ["a where the condition is true, else b", "no gradient through the condition, none into the branch not taken"],
        example("mean(where(advantage > 0, logp, 0))", -0.383333),
    )
};
pub(super) const ONLY: Row = Row {
    gradient: Only(&[0]),
    ..function(
        "only",
        const { &[term("x"), term("condition")] },
        &[Number, Condition],
        Elementwise::Only,
        Latex::Pattern(r"\left.#1*\right|_{#2}"),
        [
            "x where the condition is true, else nothing",
            "what is left out counts in no reduction: `mean(only(x, c))` divides by how many are left, and of nothing at all is 0",
        ],
        example("mean(mean(only(logp, advantage > 0), by = turn))", -0.727778),
    )
};
pub(super) const BINOMIAL: Row = Row {
    gradient: None,
    ..function(
        "binomial",
        const { &[term("n"), term("k")] },
        &[Number, Number],
        Elementwise::Binary(math::BINOMIAL),
        Latex::Pattern(r"\binom{#1}{#2}"),
        ["n (n − 1) … (n − k + 1) / k!", "how many ways there are to choose `k` (a whole number up to 10 000) of `n`; no gradient"],
        example("mean(entropy) / binomial(iterations + 1, 2)", 0.030787),
    )
};
pub(super) const STOP: Row = Row {
    gradient: None,
    ..function(
        "stop",
        const { &[term("x")] },
        &[Number],
        Elementwise::Stop,
        Latex::Pattern(r"\operatorname{sg}\!\left[#1\right]"),
        ["x", "the value of `x` without its gradient"],
        example("mean(stop(exp(logp - old_logp)) * logp)", -0.963995),
    )
};
