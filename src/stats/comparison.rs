//! Two methods beside each other.

use super::bootstrap::{Bootstrap, middle};
use super::detect::smallest_difference;
use super::interval::Interval;
use super::moments::mean;
use super::sample::Sample;
use super::significance::{TTest, chance_of_improvement, mcnemar, paired_t, sign_flips, welch_t};
use serde::Serialize;

/// What is tested.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Differences of pairs of seeds.
    PairedSeeds(TTest),
    /// Seeds that are not the same in both.
    Seeds(TTest),
    /// One seed each, on one panel: the two policies, over tasks; it says nothing of the methods.
    Policies {
        /// Tasks that only the first reaches.
        first: u64,
        /// Tasks that only the second reaches.
        second: u64,
        /// Of McNemar's test.
        p: f64,
    },
    /// Nothing says how far results vary.
    None,
}

impl Test {
    /// The p-value, where there is a test.
    pub fn p(&self) -> Option<f64> {
        match self {
            Self::PairedSeeds(test) | Self::Seeds(test) => Some(test.p),
            Self::Policies { p, .. } => Some(*p),
            Self::None => None,
        }
    }

    /// The p-value, where it speaks of methods.
    pub fn of_methods_p(&self) -> Option<f64> {
        self.p().filter(|_| self.of_methods())
    }

    /// Whether it speaks of methods, and not of two policies alone.
    pub fn of_methods(&self) -> bool {
        matches!(self, Self::PairedSeeds(_) | Self::Seeds(_))
    }
}

/// The first method less the second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Of the means over seeds.
    pub difference: f64,
    /// 95 %, by the bootstrap over seeds and tasks.
    pub interval: Interval,
    /// Of the difference.
    pub test: Test,
    /// Of the signs of the seeds' differences; where seeds are paired.
    pub signs: Option<f64>,
    /// That a training of the first is higher than one of the second.
    pub chance: f64,
    /// 95 %, by the same draws.
    pub chance_interval: Interval,
    /// What this design, with the spread that was seen, finds four times in five at a level of 5 % divided by `family`; where there is a test of methods.
    pub smallest: Option<f64>,
    /// Whether seeds were paired.
    pub paired: bool,
}

/// Compares two whole samples; `family`: among how many comparisons. `None` where one is not whole.
pub fn compare(first: &Sample, second: &Sample, bootstrap: Bootstrap, family: usize) -> Option<Comparison> {
    if !first.is_whole() || !second.is_whole() {
        return None;
    }
    let (a, b) = (first.means(), second.means());
    let paired = first.is_paired_with(second);
    let test = test(first, second);
    let smallest = match test {
        Test::PairedSeeds(t) | Test::Seeds(t) => Some(smallest_difference(t.standard_error, Some(t.df), 0.05 / family.max(1) as f64)),
        Test::Policies { .. } | Test::None => None,
    };
    let draws = bootstrap.of_both(first, second);
    Some(Comparison {
        difference: mean(&a) - mean(&b),
        interval: middle(&draws.mean),
        test,
        signs: if paired && a.len() > 1 { sign_flips(&differences(&a, &b)) } else { None },
        chance: chance_of_improvement(&a, &b),
        chance_interval: middle(&draws.chance),
        smallest,
        paired,
    })
}

/// The test that the design of two samples allows.
pub fn test(first: &Sample, second: &Sample) -> Test {
    if !first.is_whole() || !second.is_whole() {
        return Test::None;
    }
    let (a, b) = (first.means(), second.means());
    match (first.is_paired_with(second), a.len().min(b.len())) {
        (true, 1) => policies(first, second),
        (true, _) => paired_t(&differences(&a, &b)).map_or(Test::None, Test::PairedSeeds),
        (false, _) => welch_t(&a, &b).map_or(Test::None, Test::Seeds),
    }
}

fn differences(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// Of single policies that played the same tasks, where each task is reached or not.
fn policies(first: &Sample, second: &Sample) -> Test {
    let (Some(a), Some(b)) = (first.seeds.first(), second.seeds.first()) else { return Test::None };
    let pairs = || a.tasks.iter().zip(&b.tasks);
    if !pairs().all(|(a, b)| [0.0, 1.0].contains(a) && [0.0, 1.0].contains(b)) {
        return Test::None;
    }
    let [first, second] = [pairs().filter(|(a, b)| a > b).count() as u64, pairs().filter(|(a, b)| a < b).count() as u64];
    Test::Policies { first, second, p: mcnemar(first, second) }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Seeded;
    use super::*;

    fn sample(seeds: &[(&str, &[f64])], panel: &str) -> Sample {
        let strata = vec![0; seeds[0].1.len()];
        let seeds = seeds.iter().map(|(seed, tasks)| Seeded { seed: (*seed).into(), tasks: tasks.to_vec() }).collect();
        Sample { seeds, strata, panel: panel.into() }
    }

    #[test]
    fn the_test_is_that_of_the_design() {
        let of = |a: &Sample, b: &Sample| compare(a, b, Bootstrap::default(), 1).expect("whole");
        let a = sample(&[("0", &[1.0, 1.0, 0.0, 1.0]), ("1", &[1.0, 1.0, 1.0, 1.0])], "p");
        let b = sample(&[("0", &[1.0, 0.0, 0.0, 0.0]), ("1", &[1.0, 0.0, 1.0, 1.0])], "p");
        let found = of(&a, &b);
        assert!(found.paired && matches!(found.test, Test::PairedSeeds(t) if t.df == 1.0), "{found:?}");
        assert_eq!((found.difference, found.signs), (0.375, Some(0.5)));
        assert!(found.interval.low <= 0.375 && 0.375 <= found.interval.high && found.smallest.is_some_and(|s| s > 1.0));
        let others = sample(&[("5", &[1.0, 0.0, 0.0, 0.0]), ("6", &[1.0, 0.0, 1.0, 1.0])], "p");
        assert!(matches!(of(&a, &others).test, Test::Seeds(_)));
        let (one, two) = (sample(&[("0", &[1.0, 1.0, 1.0])], "p"), sample(&[("0", &[0.0, 0.0, 1.0])], "p"));
        let found = of(&one, &two);
        assert_eq!((found.test, found.signs, found.smallest), (Test::Policies { first: 2, second: 0, p: 0.5 }, None, None));
        assert!(!found.test.of_methods());
    }

    #[test]
    fn what_is_not_whole_is_not_compared() {
        let a = sample(&[("0", &[1.0, 1.0]), ("1", &[1.0])], "p");
        assert_eq!(compare(&a, &a, Bootstrap::default(), 1), None);
        assert_eq!(compare(&Sample::default(), &Sample::default(), Bootstrap::default(), 1), None);
    }
}
