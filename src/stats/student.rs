//! Student's distribution and the normal one.

use std::f64::consts::PI;

/// P(T ≤ t) with `df` degrees of freedom, above 0: ½·I(df/(df + t²); df/2, ½) is the tail (Abramowitz and Stegun, 26.7.1).
pub fn t_cdf(t: f64, df: f64) -> f64 {
    let tail = 0.5 * incomplete_beta(df / (df + t * t), df / 2.0, 0.5);
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// The value that T stays below with probability `p`, in 0..1, by halving intervals.
pub fn t_quantile(p: f64, df: f64) -> f64 {
    halved(p, |t| t_cdf(t, df))
}

/// The same of the standard normal distribution.
pub fn normal_quantile(p: f64) -> f64 {
    halved(p, normal_cdf)
}

fn halved(p: f64, cdf: impl Fn(f64) -> f64) -> f64 {
    let mut high = 1.0;
    while cdf(high) < p && high < 1e12 {
        high *= 2.0;
    }
    let mut low = -1.0;
    while cdf(low) > p && low > -1e12 {
        low *= 2.0;
    }
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if cdf(middle) < p { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// By the series of the error function (Abramowitz and Stegun, 7.1.6), whose terms are all positive.
fn normal_cdf(x: f64) -> f64 {
    if x.abs() > 8.0 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut term, mut sum, mut n) = (x, x, 1.0);
    while term.abs() > 1e-18 {
        n += 2.0;
        term *= x * x / n;
        sum += term;
    }
    0.5 + sum * (-x * x / 2.0).exp() / (2.0 * PI).sqrt()
}

/// I(x; a, b), by its continued fraction (Abramowitz and Stegun, 26.5.8) from the side where that converges quickly.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) { front * fraction(x, a, b) / a } else { 1.0 - front * fraction(1.0 - x, b, a) / b }
}

/// 1/(1 + d₁/(1 + d₂/(1 + …))), by Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let away = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut c, mut d) = (1.0, 1.0 / away(1.0 - (a + b) * x / (a + 1.0)));
    let mut found = d;
    for m in 1..100_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = found;
        for step in [even, odd] {
            d = 1.0 / away(1.0 + step * d);
            c = away(1.0 + step / c);
            found *= c * d;
        }
        if (found - before).abs() <= 1e-16 * found.abs() {
            break;
        }
    }
    found
}

/// Stirling's series (Abramowitz and Stegun, 6.1.41) beyond 15, and the recurrence below.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0);
    while x < 15.0 {
        product *= x;
        x += 1.0;
    }
    let (r, r2) = (1.0 / x, 1.0 / (x * x));
    let series = r * (1.0 / 12.0 - r2 * (1.0 / 360.0 - r2 * (1.0 / 1260.0 - r2 * (1.0 / 1680.0 - r2 / 1188.0))));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * PI).ln() + series - f64::ln(product)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With 1 and with 2 degrees of freedom there are closed forms: ½ + atan(t)/π and ½ + t/(2·√(2 + t²)).
    #[test]
    fn agrees_with_the_closed_forms() {
        for t in [-30.0, -2.0, -0.5, 0.0, 0.1, 1.0, 4.3, 100.0f64] {
            assert!((t_cdf(t, 1.0) - (0.5 + t.atan() / PI)).abs() < 1e-13, "{t}");
            assert!((t_cdf(t, 2.0) - (0.5 + t / (2.0 * (2.0 + t * t).sqrt()))).abs() < 1e-13, "{t}");
        }
    }

    /// Abramowitz and Stegun, table 26.10 and the normal quantiles of table 26.5.
    #[test]
    fn agrees_with_the_tables() {
        for (p, df, t) in [(0.975, 1.0, 12.706), (0.975, 4.0, 2.776), (0.95, 10.0, 1.812), (0.995, 30.0, 2.750)] {
            assert!((t_quantile(p, df) - t).abs() < 6e-4, "{p} {df}");
        }
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-12);
        assert!((normal_quantile(0.8) - 0.841_621_233_572_914).abs() < 1e-12);
        assert!((normal_quantile(0.001) + 3.090_232_306_167_813).abs() < 1e-10);
    }

    #[test]
    fn the_gamma_function_of_whole_and_half_numbers() {
        assert!((ln_gamma(5.0) - 24f64.ln()).abs() < 1e-13);
        assert!((ln_gamma(0.5) - PI.sqrt().ln()).abs() < 1e-13);
    }
}
