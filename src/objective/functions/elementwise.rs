//! Functions of single elements.

use super::{Function, GradientRule, LevelRule, Type, term};
use crate::lang::term::Parameter;

const fn elementwise(
    name: &'static str,
    params: &'static [Parameter],
    types: &'static [Type],
    gradient: GradientRule,
    texts: [&'static str; 3],
) -> Function {
    Function {
        name,
        operator: false,
        params,
        types,
        result: Type::Number,
        level: LevelRule::Elementwise,
        gradient,
        equation: texts[0],
        doc: texts[1],
        example: texts[2],
    }
}

const fn unary(name: &'static str, gradient: GradientRule, texts: [&'static str; 3]) -> Function {
    elementwise(name, const { &[term("x")] }, &[Type::Number], gradient, texts)
}

pub(super) const TABLE: &[Function] = {
    use GradientRule::{All, None, Only};
    use Type::{Condition, Number};
    &[
        unary("exp", All, ["eˣ", "exponential", "mean(exp(logp - old_logp))"]),
        unary("log", All, ["ln x", "natural logarithm", "mean(log(entropy + 1))"]),
        unary("abs", All, ["|x|", "gradient 0 at 0", "mean(abs(logp - ref_logp))"]),
        unary("sqrt", All, ["√x", "gradient taken as 0 at 0", "mean(sqrt(entropy))"]),
        unary("sign", None, ["sgn x", "−1, 0 or 1; no gradient", "mean(sign(advantage) * logp)"]),
        unary("floor", None, ["⌊x⌋", "largest whole number not above `x`; no gradient", "mean(entropy) * floor(iterations / 2)"]),
        unary("relu", All, ["max(x, 0)", "gradient 0 at 0", "mean(relu(entropy - 1))"]),
        unary("sigmoid", All, ["1 / (1 + e⁻ˣ)", "logistic function", "mean(sigmoid(logp - old_logp))"]),
        unary("tanh", All, ["tanh x", "hyperbolic tangent", "mean(tanh(entropy))"]),
        unary("cos", All, ["cos x", "cosine, `x` in radians", "mean(entropy) * cos(progress)"]),
        elementwise(
            "clip",
            &[term("x"), term("low"), term("high")],
            &[Number, Number, Number],
            All,
            ["min(max(x, low), high)", "on a bound the gradient goes to `x`", "mean(clip(exp(logp - old_logp), 0.8, 1.2) * advantage)"],
        ),
        elementwise(
            "where",
            &[term("condition"), term("a"), term("b")],
            &[Condition, Number, Number],
            Only(&[1, 2]),
            [
                "a where the condition is true, else b",
                "no gradient through the condition, none into the branch not taken",
                "mean(where(advantage > 0, logp, 0))",
            ],
        ),
        elementwise(
            "only",
            &[term("x"), term("condition")],
            &[Number, Condition],
            Only(&[0]),
            [
                "x where the condition is true, else nothing",
                "what is left out counts in no reduction: `mean(only(x, c))` divides by how many are left, and of nothing at all is 0",
                "mean(mean(only(logp, advantage > 0), by = turn))",
            ],
        ),
        elementwise(
            "binomial",
            &[term("n"), term("k")],
            &[Number, Number],
            None,
            [
                "n (n − 1) … (n − k + 1) / k!",
                "how many ways there are to choose `k` (a whole number up to 10 000) of `n`; no gradient",
                "mean(entropy) / binomial(iterations + 1, 2)",
            ],
        ),
        unary("stop", None, ["x", "the value of `x` without its gradient", "mean(stop(exp(logp - old_logp)) * logp)"]),
    ]
};
