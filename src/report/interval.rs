//! Success rates and their 95 % Wilson score intervals.

pub use crate::stats::Interval;
use serde::Serialize;

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959964;

/// `successes` of `episodes`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// At most `episodes`.
    pub successes: u64,
    /// All that were played.
    pub episodes: u64,
}

impl Rate {
    /// In 0..=1; `None` where there is nothing to divide, or more successes than episodes.
    pub fn share(self) -> Option<f64> {
        (self.episodes > 0 && self.successes <= self.episodes).then(|| self.successes as f64 / self.episodes as f64)
    }

    /// [`wilson`].
    pub fn interval(self) -> Option<Interval> {
        wilson(self.successes, self.episodes)
    }

    /// Both counted together.
    pub fn plus(self, other: Rate) -> Rate {
        Rate { successes: self.successes.saturating_add(other.successes), episodes: self.episodes.saturating_add(other.episodes) }
    }
}

/// The 95 % Wilson score interval (Wilson 1927; method 3 of Newcombe, Statistics in Medicine 17:857–872, 1998), with p = successes / n:
///
/// `(p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n)`
///
/// Unlike p ± z·√(p(1−p)/n) it stays in 0..=1 and keeps its width at p = 0 and p = 1. `None` without episodes or with more successes than episodes.
pub fn wilson(successes: u64, episodes: u64) -> Option<Interval> {
    let p = Rate { successes, episodes }.share()?;
    let n = episodes as f64;
    let z2 = Z * Z;
    let scale = 1.0 + z2 / n;
    let centre = (p + z2 / (2.0 * n)) / scale;
    let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / scale;
    // At the ends one bound is p exactly; rounding must not leave 1e-17 beside it.
    let low = if successes == 0 { 0.0 } else { (centre - half).clamp(0.0, p) };
    let high = if successes == episodes { 1.0 } else { (centre + half).clamp(p, 1.0) };
    Some(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Newcombe (1998), table I, method 3: the four examples, as printed there (four decimals).
    #[test]
    fn agrees_with_newcombes_table() {
        for (successes, episodes, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let found = wilson(successes, episodes).expect("a rate");
            assert!((found.low - low).abs() < 5.1e-5, "{successes}/{episodes}: {found:?}");
            assert!((found.high - high).abs() < 5.1e-5, "{successes}/{episodes}: {found:?}");
        }
    }

    /// By hand, in exact fractions with z² = 3.841458881296: at p = 0 the upper bound is z²/(n + z²), and by symmetry at p = 1.
    #[test]
    fn agrees_with_the_closed_forms_at_the_ends() {
        let found = wilson(0, 10).expect("a rate");
        assert_eq!(found.low, 0.0);
        assert!((found.high - 3.841458881296 / 13.841458881296).abs() < 1e-12);
        let found = wilson(10, 10).expect("a rate");
        assert!((found.low - 10.0 / 13.841458881296).abs() < 1e-12);
        assert_eq!(found.high, 1.0);
        // p = 1/2: centre 1/2, half = z/(2·√(n + z²)).
        let found = wilson(50, 100).expect("a rate");
        assert!((found.high - (0.5 + 1.959964 / (2.0 * 103.841458881296f64.sqrt()))).abs() < 1e-12);
    }

    #[test]
    fn no_rate_no_interval() {
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson(3, 2), None);
    }

    proptest! {
        #[test]
        fn holds_the_share_and_is_symmetric(episodes in 1u64..5000, pick in 0.0f64..=1.0) {
            let successes = (pick * episodes as f64).round() as u64;
            let found = wilson(successes, episodes).expect("a rate");
            let share = successes as f64 / episodes as f64;
            prop_assert!(0.0 <= found.low && found.low <= share && share <= found.high && found.high <= 1.0);
            prop_assert!(found.low < found.high);
            let mirrored = wilson(episodes - successes, episodes).expect("a rate");
            prop_assert!((found.low - (1.0 - mirrored.high)).abs() < 1e-12);
        }

        /// The definition: both bounds solve |p − bound| = z·√(bound(1 − bound)/n).
        #[test]
        fn bounds_solve_the_score_equation(episodes in 2u64..5000, pick in 0.01f64..0.99) {
            let successes = ((pick * episodes as f64).round() as u64).clamp(1, episodes - 1);
            let (share, n) = (successes as f64 / episodes as f64, episodes as f64);
            let found = wilson(successes, episodes).expect("a rate");
            for bound in [found.low, found.high] {
                let distance = Z * (bound * (1.0 - bound) / n).sqrt();
                prop_assert!(((share - bound).abs() - distance).abs() < 1e-9);
            }
        }

        #[test]
        fn more_episodes_narrow_it(successes in 1u64..50, more in 1u64..50) {
            let episodes = successes + more;
            let (few, many) = (wilson(successes, episodes).expect("a rate"), wilson(successes * 10, episodes * 10).expect("a rate"));
            prop_assert!(many.high - many.low < few.high - few.low);
        }
    }
}
