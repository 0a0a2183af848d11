//! Elementwise functions of real numbers with their derivatives.
//!
//! At a kink the derivative is the one the field's tools take: 0 for `abs` and `relu`, both halves for `min` and `max` of equal arguments,
//! the argument itself for `clip` on a bound. Where a derivative is infinite it is only ever multiplied with a gradient that is not 0.

use crate::lang::resolve::fold::binomial;

/// `f(x)` and `f′(x)`; the derivative is also told `f(x)`.
#[derive(Clone, Copy, Debug)]
pub struct Unary {
    pub name: &'static str,
    pub value: fn(f64) -> f64,
    pub slope: fn(f64, f64) -> f64,
}

/// `f(a, b)` with `∂f/∂a` and `∂f/∂b`.
#[derive(Debug)]
pub struct Binary {
    pub name: &'static str,
    pub value: fn(f64, f64) -> f64,
    pub slopes: fn(f64, f64) -> (f64, f64),
}

pub static SQRT: Unary = Unary { name: "sqrt", value: f64::sqrt, slope: |_, y| if y == 0.0 { 0.0 } else { 0.5 / y } };

pub static UNARY: &[Unary] = &[
    Unary { name: "neg", value: |x| -x, slope: |_, _| -1.0 },
    Unary { name: "exp", value: f64::exp, slope: |_, y| y },
    Unary { name: "log", value: f64::ln, slope: |x, _| 1.0 / x },
    Unary { name: "abs", value: f64::abs, slope: |x, _| sign(x) },
    SQRT,
    Unary { name: "sign", value: sign, slope: |_, _| 0.0 },
    Unary { name: "floor", value: f64::floor, slope: |_, _| 0.0 },
    Unary { name: "relu", value: |x| if x < 0.0 { 0.0 } else { x }, slope: |x, _| if x > 0.0 { 1.0 } else { 0.0 } },
    Unary { name: "sigmoid", value: sigmoid, slope: |_, y| y * (1.0 - y) },
    Unary { name: "tanh", value: f64::tanh, slope: |_, y| 1.0 - y * y },
    Unary { name: "cos", value: f64::cos, slope: |x, _| -x.sin() },
];

pub static BINARY: &[Binary] = &[
    Binary { name: "+", value: |a, b| a + b, slopes: |_, _| (1.0, 1.0) },
    Binary { name: "-", value: |a, b| a - b, slopes: |_, _| (1.0, -1.0) },
    Binary { name: "*", value: |a, b| a * b, slopes: |a, b| (b, a) },
    Binary { name: "/", value: |a, b| a / b, slopes: |a, b| (1.0 / b, -a / (b * b)) },
    Binary { name: "^", value: f64::powf, slopes: power_slopes },
    Binary { name: "min", value: min, slopes: |a, b| larger(b, a) },
    Binary { name: "binomial", value: binomial, slopes: |_, _| (0.0, 0.0) },
    Binary { name: "max", value: max, slopes: |a, b| larger(a, b) },
];

/// The lower half of `clip`: `max(x, low)`, on the bound with the slope of `x`.
pub static AT_LEAST: Binary = Binary { name: "clip", value: max, slopes: |x, low| if x >= low { (1.0, 0.0) } else { (0.0, 1.0) } };

/// The upper half of `clip`.
pub static AT_MOST: Binary = Binary { name: "clip", value: min, slopes: |x, high| if x <= high { (1.0, 0.0) } else { (0.0, 1.0) } };

pub fn unary(name: &str) -> Option<&'static Unary> {
    UNARY.iter().find(|f| f.name == name)
}

pub fn binary(name: &str) -> Option<&'static Binary> {
    BINARY.iter().find(|f| f.name == name)
}

/// Comparison of two numbers by its symbol.
pub fn compare(name: &str) -> Option<fn(f64, f64) -> bool> {
    Some(match name {
        "==" => |a, b| a == b,
        "!=" => |a, b| a != b,
        "<" => |a, b| a < b,
        "<=" => |a, b| a <= b,
        ">" => |a, b| a > b,
        ">=" => |a, b| a >= b,
        _ => return None,
    })
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
    use super::*;

    #[test]
    fn slopes_agree_with_finite_differences() {
        let h = 1e-6;
        for f in UNARY {
            for x in [0.3, 1.7, 2.4] {
                let slope = ((f.value)(x + h) - (f.value)(x - h)) / (2.0 * h);
                assert!((slope - (f.slope)(x, (f.value)(x))).abs() < 1e-6, "{} at {x}", f.name);
            }
        }
        // Of a binomial coefficient no slope is taken.
        for f in BINARY.iter().filter(|f| f.name != "binomial").chain([&AT_LEAST, &AT_MOST]) {
            for (a, b) in [(0.3, 1.1), (1.7, 0.9), (2.4, 3.0)] {
                let da = ((f.value)(a + h, b) - (f.value)(a - h, b)) / (2.0 * h);
                let db = ((f.value)(a, b + h) - (f.value)(a, b - h)) / (2.0 * h);
                let slopes = (f.slopes)(a, b);
                assert!((da - slopes.0).abs() < 1e-6 && (db - slopes.1).abs() < 1e-6, "{} at {a}, {b}", f.name);
            }
        }
    }

    #[test]
    fn nan_is_never_swallowed() {
        for f in UNARY {
            assert!((f.value)(f64::NAN).is_nan(), "{}", f.name);
        }
        for f in BINARY.iter().filter(|f| f.name != "^") {
            assert!((f.value)(f64::NAN, 1.0).is_nan() && (f.value)(1.0, f64::NAN).is_nan(), "{}", f.name);
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
