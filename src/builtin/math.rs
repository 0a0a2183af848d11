//! Elementwise functions of real numbers with their derivatives.
//!
//! At a kink the derivative is the one the field's tools take: 0 for `abs` and `relu`, both halves for `min` and `max` of equal arguments,
//! the argument itself for `clip` on a bound. Where a derivative is infinite it is only ever multiplied with a gradient that is not 0.

/// `f(x)` and `f′(x)`; the derivative is also told `f(x)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unary {
    pub value: fn(f64) -> f64,
    pub slope: fn(f64, f64) -> f64,
}

/// `f(a, b)` with `∂f/∂a` and `∂f/∂b`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binary {
    pub value: fn(f64, f64) -> f64,
    pub slopes: fn(f64, f64) -> (f64, f64),
}

pub(super) const NEG: Unary = Unary { value: |x| -x, slope: |_, _| -1.0 };
pub(super) const EXP: Unary = Unary { value: f64::exp, slope: |_, y| y };
pub(super) const LOG: Unary = Unary { value: f64::ln, slope: |x, _| 1.0 / x };
pub(super) const ABS: Unary = Unary { value: f64::abs, slope: |x, _| sign(x) };
/// The square root; its slope at 0 is taken as 0.
pub(crate) const SQRT: Unary = Unary { value: f64::sqrt, slope: |_, y| if y == 0.0 { 0.0 } else { 0.5 / y } };
pub(super) const SIGN: Unary = Unary { value: sign, slope: |_, _| 0.0 };
pub(super) const FLOOR: Unary = Unary { value: f64::floor, slope: |_, _| 0.0 };
pub(super) const RELU: Unary = Unary { value: |x| if x < 0.0 { 0.0 } else { x }, slope: |x, _| if x > 0.0 { 1.0 } else { 0.0 } };
pub(super) const SIGMOID: Unary = Unary { value: sigmoid, slope: |_, y| y * (1.0 - y) };
pub(super) const TANH: Unary = Unary { value: f64::tanh, slope: |_, y| 1.0 - y * y };
pub(super) const COS: Unary = Unary { value: f64::cos, slope: |x, _| -x.sin() };

pub(super) const ADD: Binary = Binary { value: |a, b| a + b, slopes: |_, _| (1.0, 1.0) };
pub(super) const SUB: Binary = Binary { value: |a, b| a - b, slopes: |_, _| (1.0, -1.0) };
pub(super) const MUL: Binary = Binary { value: |a, b| a * b, slopes: |a, b| (b, a) };
pub(super) const DIV: Binary = Binary { value: |a, b| a / b, slopes: |a, b| (1.0 / b, -a / (b * b)) };
pub(super) const POWER: Binary = Binary { value: f64::powf, slopes: power_slopes };
pub(super) const MIN: Binary = Binary { value: min, slopes: |a, b| larger(b, a) };
pub(super) const MAX: Binary = Binary { value: max, slopes: larger };
pub(super) const BINOMIAL: Binary = Binary { value: binomial, slopes: |_, _| (0.0, 0.0) };

/// The lower half of `clip`: `max(x, low)`, on the bound with the slope of `x`.
pub(crate) const AT_LEAST: Binary = Binary { value: max, slopes: |x, low| if x >= low { (1.0, 0.0) } else { (0.0, 1.0) } };

/// The upper half of `clip`.
pub(crate) const AT_MOST: Binary = Binary { value: min, slopes: |x, high| if x <= high { (1.0, 0.0) } else { (0.0, 1.0) } };

/// The most factors of a binomial coefficient.
const FACTORS: f64 = 10_000.0;

/// n (n − 1) … (n − k + 1) / k!; NaN for a `k` that is no whole number up to [`FACTORS`].
fn binomial(n: f64, k: f64) -> f64 {
    if !(0.0..=FACTORS).contains(&k) || k.fract() != 0.0 {
        return f64::NAN;
    }
    // The bound above makes the cast exact.
    (0..k as u32).map(f64::from).fold(1.0, |product, i| product * (n - i) / (i + 1.0))
}

/// −1, 0 or 1, unlike `f64::signum`, which knows no 0.
fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        // 0 and NaN stay what they are.
        x * 0.0
    }
}

fn sigmoid(x: f64) -> f64 {
    // Two forms, so that the exponential never overflows.
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// Unlike `f64::min`, lets NaN through.
fn min(a: f64, b: f64) -> f64 {
    if a.is_nan() || a < b { a } else { b }
}

/// Unlike `f64::max`, lets NaN through.
fn max(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

fn larger(a: f64, b: f64) -> (f64, f64) {
    if a > b {
        (1.0, 0.0)
    } else if a < b {
        (0.0, 1.0)
    } else {
        (0.5, 0.5)
    }
}

fn power_slopes(a: f64, b: f64) -> (f64, f64) {
    let by_base = if b == 0.0 { 0.0 } else { b * a.powf(b - 1.0) };
    // aᵇ is constant in b at a = 0 (for b > 0) and has no real derivative below it.
    let by_exponent = if a > 0.0 { a.powf(b) * a.ln() } else { 0.0 };
    (by_base, by_exponent)
}

#[cfg(test)]
mod tests {
    use super::super::{Builtin, Elementwise, Operation};
    use super::*;

    /// What is computed of the elements of every built-in.
    fn elementwise() -> impl Iterator<Item = (&'static str, &'static Elementwise)> {
        Builtin::ALL.iter().filter_map(|builtin| match &builtin.row().operation {
            Operation::Elementwise(how) | Operation::Extremum { of_two: how, .. } => Some((builtin.name(), how)),
            _ => None,
        })
    }

    fn unary() -> impl Iterator<Item = (&'static str, &'static Unary)> {
        elementwise().filter_map(|(name, how)| if let Elementwise::Unary(f) = how { Some((name, f)) } else { None })
    }

    fn binary() -> impl Iterator<Item = (&'static str, &'static Binary)> {
        elementwise().filter_map(|(name, how)| if let Elementwise::Binary(f) = how { Some((name, f)) } else { None })
    }

    #[test]
    fn slopes_agree_with_finite_differences() {
        let h = 1e-6;
        for (name, f) in unary() {
            for x in [0.3, 1.7, 2.4] {
                let slope = ((f.value)(x + h) - (f.value)(x - h)) / (2.0 * h);
                assert!((slope - (f.slope)(x, (f.value)(x))).abs() < 1e-6, "{name} at {x}");
            }
        }
        // Of a binomial coefficient no slope is taken.
        for (name, f) in binary().filter(|(name, _)| *name != "binomial").chain([("at least", &AT_LEAST), ("at most", &AT_MOST)]) {
            for (a, b) in [(0.3, 1.1), (1.7, 0.9), (2.4, 3.0)] {
                let da = ((f.value)(a + h, b) - (f.value)(a - h, b)) / (2.0 * h);
                let db = ((f.value)(a, b + h) - (f.value)(a, b - h)) / (2.0 * h);
                let slopes = (f.slopes)(a, b);
                assert!((da - slopes.0).abs() < 1e-6 && (db - slopes.1).abs() < 1e-6, "{name} at {a}, {b}");
            }
        }
    }

    #[test]
    fn nan_is_never_swallowed() {
        for (name, f) in unary() {
            assert!((f.value)(f64::NAN).is_nan(), "{name}");
        }
        for (name, f) in binary().filter(|(name, _)| *name != "^") {
            assert!((f.value)(f64::NAN, 1.0).is_nan() && (f.value)(1.0, f64::NAN).is_nan(), "{name}");
        }
    }

    #[test]
    fn extremes_stay_finite() {
        assert_eq!(sigmoid(-1e4), 0.0);
        assert_eq!(sigmoid(1e4), 1.0);
        assert_eq!(sign(0.0), 0.0);
        assert_eq!(power_slopes(0.0, 2.0), (0.0, 0.0));
        assert_eq!(power_slopes(0.0, 0.0), (0.0, 0.0));
    }
}
