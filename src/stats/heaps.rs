//! Seeds that fall into two heaps: a mean of them speaks of no training that there is.

use super::moments::mean;
use super::sample::Sample;
use serde::Serialize;

/// Two heaps of seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Heaps {
    /// The seeds of the lower one, and their mean.
    pub low: (Vec<String>, f64),
    /// The same of the higher one.
    pub high: (Vec<String>, f64),
}

/// Whether seeds fall into two heaps: in order of their means, the widest gap between two neighbours is more than twice as wide as either heap beside
/// it, and more than four standard errors √(p(1 − p)/tasks) of one seed's mean around p, so that chance in the tasks does not make it. A rule of this
/// program, and no test.
pub fn heaps(sample: &Sample) -> Option<Heaps> {
    let mut seeds: Vec<(f64, &str)> = sample.means().into_iter().zip(sample.seeds.iter().map(|seed| seed.seed.as_str())).collect();
    seeds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let gap = |at: usize| seeds[at].0 - seeds[at - 1].0;
    let at = (1..seeds.len()).max_by(|a, b| gap(*a).total_cmp(&gap(*b)))?;
    let (low, high) = seeds.split_at(at);
    let width = |heap: &[(f64, &str)]| heap.last().zip(heap.first()).map_or(0.0, |(last, first)| last.0 - first.0);
    let values: Vec<f64> = sample.seeds.iter().flat_map(|seed| seed.tasks.iter().copied()).collect();
    let p = mean(&values).clamp(0.0, 1.0);
    let error = (p * (1.0 - p) / sample.strata.len().max(1) as f64).sqrt();
    let apart = gap(at) > 2.0 * width(low).max(width(high)) && gap(at) > 4.0 * error && error > 0.0;
    let heap = |of: &[(f64, &str)]| {
        let means: Vec<f64> = of.iter().map(|(mean, _)| *mean).collect();
        (of.iter().map(|(_, seed)| (*seed).to_string()).collect(), mean(&means))
    };
    apart.then(|| Heaps { low: heap(low), high: heap(high) })
}

#[cfg(test)]
mod tests {
    use super::super::sample::Seeded;
    use super::*;

    fn of(means: &[f64], tasks: usize) -> Option<Heaps> {
        let row = |p: f64| (0..tasks).map(|t| if (t as f64) < p * tasks as f64 - 0.5 { 1.0 } else { 0.0 }).collect();
        let seeds = means.iter().enumerate().map(|(i, p)| Seeded { seed: i.to_string(), tasks: row(*p) }).collect();
        heaps(&Sample { seeds, strata: vec![0; tasks], panel: String::new() })
    }

    #[test]
    fn two_heaps_are_seen_and_one_is_not() {
        let found = of(&[0.9, 0.1, 0.95, 0.12, 0.92], 100).expect("two heaps");
        assert_eq!((found.low.0, found.high.0), (vec!["1".to_string(), "3".into()], vec!["0".to_string(), "4".into(), "2".into()]));
        assert!((found.low.1 - 0.11).abs() < 1e-12);
        assert_eq!(of(&[0.5, 0.55, 0.6, 0.7, 0.8], 100), None);
        assert!(of(&[0.1, 0.8], 100).is_some());
        assert_eq!(of(&[0.4, 0.5], 100), None, "ten tasks of a hundred are chance");
        assert_eq!(of(&[0.5], 100), None);
    }
}
