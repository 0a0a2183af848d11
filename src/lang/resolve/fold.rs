//! Arithmetic on constants, once and for all: the same numbers as the engine's, in f64.

/// The value of an elementwise function or operator on numbers; `None` if it is not one, or the count is wrong.
/// Booleans are 0 and 1 here; [`is_boolean`] tells which functions give one.
pub fn fold(function: &str, x: &[f64]) -> Option<f64> {
    let truth = |b: bool| f64::from(u8::from(b));
    Some(match (function, x) {
        ("neg", [a]) => -a,
        ("not", [a]) => truth(*a == 0.0),
        ("or", [a, b]) => truth(*a != 0.0 || *b != 0.0),
        ("and", [a, b]) => truth(*a != 0.0 && *b != 0.0),
        ("==", [a, b]) => truth(a == b),
        ("!=", [a, b]) => truth(a != b),
        ("<", [a, b]) => truth(a < b),
        ("<=", [a, b]) => truth(a <= b),
        (">", [a, b]) => truth(a > b),
        (">=", [a, b]) => truth(a >= b),
        ("+", [a, b]) => a + b,
        ("-", [a, b]) => a - b,
        ("*", [a, b]) => a * b,
        ("/", [a, b]) => a / b,
        ("^", [a, b]) => a.powf(*b),
        ("exp", [a]) => a.exp(),
        ("log", [a]) => a.ln(),
        ("abs", [a]) => a.abs(),
        ("sqrt", [a]) => a.sqrt(),
        ("floor", [a]) => a.floor(),
        ("cos", [a]) => a.cos(),
        ("tanh", [a]) => a.tanh(),
        ("sigmoid", [a]) => 1.0 / (1.0 + (-a).exp()),
        ("relu", [a]) => a.max(0.0),
        ("sign", [a]) => {
            if *a > 0.0 {
                1.0
            } else if *a < 0.0 {
                -1.0
            } else {
                0.0
            }
        }
        ("min", [a, b]) => a.min(*b),
        ("max", [a, b]) => a.max(*b),
        ("clip", [a, low, high]) => a.max(*low).min(*high),
        ("where", [c, a, b]) => {
            if *c != 0.0 {
                *a
            } else {
                *b
            }
        }
        ("stop", [a]) => *a,
        ("binomial", [n, k]) => binomial(*n, *k),
        _ => return None,
    })
}

/// The most factors of a binomial coefficient.
const FACTORS: f64 = 10_000.0;

/// n (n − 1) … (n − k + 1) / k!; NaN for a `k` that is no whole number up to [`FACTORS`].
pub fn binomial(n: f64, k: f64) -> f64 {
    if !(0.0..=FACTORS).contains(&k) || k.fract() != 0.0 {
        return f64::NAN;
    }
    (0..k as u32).map(f64::from).fold(1.0, |product, i| product * (n - i) / (i + 1.0))
}

/// Whether a function's result is a boolean.
pub fn is_boolean(function: &str) -> bool {
    matches!(function, "or" | "and" | "not" | "==" | "!=" | "<" | "<=" | ">" | ">=")
}
