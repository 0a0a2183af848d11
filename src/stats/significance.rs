//! Tests, and what many of them at once are worth.

use super::moments::{deviation, mean};
use super::student::t_cdf;
use serde::Serialize;

/// A two-sided t test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TTest {
    /// The difference over its standard error.
    pub t: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// The probability of a `t` at least so far from 0 where there is no difference.
    pub p: f64,
    /// The standard error of the difference.
    pub standard_error: f64,
}

/// Of the differences of pairs (Student 1908). `None` of fewer than two, and where they are all alike, so that nothing says how far they vary.
pub fn paired_t(differences: &[f64]) -> Option<TTest> {
    let n = differences.len() as f64;
    t_test(mean(differences), deviation(differences) / n.sqrt(), n - 1.0)
}

/// Of two groups that are not paired and need not vary alike; degrees of freedom by Welch 1947, eq. 28. `None` where a group has fewer than two, or
/// nothing varies.
pub fn welch_t(a: &[f64], b: &[f64]) -> Option<TTest> {
    let [(va, na), (vb, nb)] = [a, b].map(|values| (deviation(values).powi(2) / values.len() as f64, values.len() as f64));
    if na < 2.0 || nb < 2.0 {
        return None;
    }
    let df = (va + vb).powi(2) / (va * va / (na - 1.0) + vb * vb / (nb - 1.0));
    t_test(mean(a) - mean(b), (va + vb).sqrt(), df)
}

fn t_test(difference: f64, standard_error: f64, df: f64) -> Option<TTest> {
    // What is left of differences that are all alike is rounding.
    if !(df >= 1.0 && standard_error > 1e-12) {
        return None;
    }
    let t = difference / standard_error;
    Some(TTest { t, df, p: (2.0 * t_cdf(-t.abs(), df)).min(1.0), standard_error })
}

/// Beyond so many pairs there are too many changes of signs to look at each.
const MOST_PAIRS: usize = 20;

/// The share of all changes of signs of the differences whose sum is at least as far from 0 (Fisher 1935, section 21). With `n` pairs it is never
/// below 2/2ⁿ. `None` of nothing, and of more than 20.
pub fn sign_flips(differences: &[f64]) -> Option<f64> {
    let n = differences.len();
    if n == 0 || n > MOST_PAIRS {
        return None;
    }
    let own = differences.iter().sum::<f64>().abs();
    let near = 1e-12 * differences.iter().map(|d| d.abs()).sum::<f64>();
    let flipped = |signs: u32| differences.iter().enumerate().map(|(i, d)| if signs >> i & 1 == 1 { -d } else { *d }).sum::<f64>();
    let as_far = (0..1u32 << n).filter(|signs| flipped(*signs).abs() >= own - near).count();
    Some(as_far as f64 / f64::from(1u32 << n))
}

/// The exact two-sided test of tasks that only the first reaches (`first`) and only the second (`second`): would they fall so far apart by tossing
/// coins (McNemar 1947)? 1 where there are none.
pub fn mcnemar(first: u64, second: u64) -> f64 {
    let (n, few) = (first + second, first.min(second));
    // ln of n over k, step by step: n may be thousands
    let (mut ln, mut sum) = (-(n as f64) * 2f64.ln(), 0.0);
    for k in 0..=few {
        sum += f64::exp(ln);
        ln += ((n - k) as f64).ln() - ((k + 1) as f64).ln();
    }
    (2.0 * sum).min(1.0)
}

/// P(X > Y) + P(X = Y)/2, where X is one of the first and Y one of the second (arXiv:2108.13264, section 4.3).
pub fn chance_of_improvement(first: &[f64], second: &[f64]) -> f64 {
    let above = |x: &f64| {
        second
            .iter()
            .map(|y| {
                if x > y {
                    1.0
                } else if x < y {
                    0.0
                } else {
                    0.5
                }
            })
            .sum::<f64>()
    };
    first.iter().map(above).sum::<f64>() / (first.len() * second.len()).max(1) as f64
}

/// The p-values, made larger for being members of a family of `family` tests, of which those that are not given are taken to be higher (Holm 1979):
/// of the i-th lowest, from 0, `(family - i)·p`, never lower than one before it, and at most 1.
pub fn holm(p: &[f64], family: usize) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut highest: f64 = 0.0;
    for (rank, place) in order.into_iter().enumerate() {
        highest = highest.max((family.max(p.len()) - rank) as f64 * p[place]).min(1.0);
        adjusted[place] = highest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Student's own example (1908, section IX): ten patients, hours of sleep gained by one drug over the other; t = 4.0621, p = 0.00283.
    #[test]
    fn students_sleep() {
        let found = paired_t(&[1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]).expect("a test");
        assert!((found.t - 4.0621).abs() < 1e-4 && (found.p - 0.00283).abs() < 1e-5 && found.df == 9.0, "{found:?}");
        assert_eq!(paired_t(&[0.5]), None);
        assert_eq!(paired_t(&[0.1, 0.1, 0.1]), None);
    }

    /// With equal sizes and spreads Welch's degrees of freedom are 2(n − 1).
    #[test]
    fn welch_of_equal_spreads() {
        let found = welch_t(&[1.0, 2.0, 3.0], &[2.0, 3.0, 4.0]).expect("a test");
        assert!((found.df - 4.0).abs() < 1e-12 && (found.t + 1.0 / (2.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(welch_t(&[1.0], &[2.0, 3.0]), None);
    }

    #[test]
    fn signs_by_hand() {
        // Of ±1 ±2 ±3, only 6 and −6 are as far from 0 as 6.
        assert_eq!(sign_flips(&[1.0, 2.0, 3.0]), Some(0.25));
        assert_eq!(sign_flips(&[0.1, -0.1]), Some(1.0));
        assert_eq!(sign_flips(&[]), None);
    }

    #[test]
    fn coins_by_hand() {
        assert_eq!(mcnemar(0, 0), 1.0);
        assert!((mcnemar(1, 5) - 2.0 * 7.0 / 64.0).abs() < 1e-14);
        assert_eq!(mcnemar(3, 3), 1.0);
        assert!(mcnemar(3000, 3400) < 1e-5);
    }

    #[test]
    fn chances_by_hand() {
        assert_eq!(chance_of_improvement(&[2.0, 3.0], &[1.0, 2.0]), 0.875);
    }

    /// Holm 1979: four tests at 0.01, 0.04, 0.03, 0.005.
    #[test]
    fn holm_by_hand() {
        let near = |a: &[f64], b: &[f64]| assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12), "{a:?} {b:?}");
        near(&holm(&[0.01, 0.04, 0.03, 0.005], 4), &[0.03, 0.06, 0.06, 0.02]);
        near(&holm(&[0.01, 0.4], 10), &[0.1, 1.0]);
        near(&holm(&[0.9], 1), &[0.9]);
    }
}
