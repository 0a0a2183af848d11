//! The bootstrap over seeds and tasks.

use super::interval::Interval;
use super::moments::{interquartile_mean, mean};
use super::sample::Sample;
use super::significance::chance_of_improvement;
use std::collections::BTreeMap;

/// How often is drawn, and from which seed.
///
/// One draw takes as many seeds as there are, with replacement, and then, stratum by stratum in the order of their numbers, as many tasks as the stratum
/// has, with replacement: the same seeds for all tasks and the same tasks for all seeds, since a training that is lucky is lucky on all of its tasks
/// (Owen 2007, section 4: the pigeonhole bootstrap). Of a single seed only tasks are drawn.
///
/// The generator is `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014, figure 17) begun with `seed`; a draw from `n` is `⌊n · (x >> 11) / 2⁵³⌋`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Where the generator begins.
    pub seed: u64,
    /// How often.
    pub draws: usize,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { seed: 0, draws: 5000 }
    }
}

/// The statistics of all draws, each in ascending order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draws {
    /// Mean over seeds; of two samples the difference of their means.
    pub mean: Vec<f64>,
    /// Interquartile mean over seeds; of one sample.
    pub interquartile: Vec<f64>,
    /// Chance of improvement; of two samples.
    pub chance: Vec<f64>,
}

impl Draws {
    fn sorted(mut self) -> Self {
        for values in [&mut self.mean, &mut self.interquartile, &mut self.chance] {
            values.sort_by(f64::total_cmp);
        }
        self
    }
}

/// The value below which a share `q` of ascending values lies, between two of them on the line between them; 0 of nothing.
pub fn percentile(sorted: &[f64], q: f64) -> f64 {
    let place = q * sorted.len().saturating_sub(1) as f64;
    match (sorted.get(place.floor() as usize), sorted.get(place.ceil() as usize)) {
        (Some(low), Some(high)) => low + (high - low) * place.fract(),
        _ => 0.0,
    }
}

/// The middle 95 % of ascending values (Efron and Tibshirani 1993, eq. 13.5).
pub fn middle(sorted: &[f64]) -> Interval {
    Interval { low: percentile(sorted, 0.025), high: percentile(sorted, 0.975) }
}

impl Bootstrap {
    /// Of one sample, which is whole.
    pub fn of(self, sample: &Sample) -> Draws {
        let mut random = SplitMix(self.seed);
        let strata = places(&sample.strata);
        let mut found = Draws::default();
        for _ in 0..self.draws {
            let seeds = random.seeds(sample);
            let means = drawn(sample, &seeds, &random.tasks(&strata));
            found.mean.push(mean(&means));
            found.interquartile.push(interquartile_mean(&means));
        }
        found.sorted()
    }

    /// Of the first less the second; both are whole. Paired samples are drawn together; otherwise the seeds of the second are drawn after those of the
    /// first, and where the panels differ its tasks after theirs.
    pub fn of_both(self, first: &Sample, second: &Sample) -> Draws {
        let mut random = SplitMix(self.seed);
        let strata = [places(&first.strata), places(&second.strata)];
        let (paired, one_panel) = (first.is_paired_with(second), first.same_panel(second));
        let mut found = Draws::default();
        for _ in 0..self.draws {
            let seeds = random.seeds(first);
            let others = if paired { seeds.clone() } else { random.seeds(second) };
            let tasks = random.tasks(&strata[0]);
            let a = drawn(first, &seeds, &tasks);
            let b = match one_panel {
                true => drawn(second, &others, &tasks),
                false => drawn(second, &others, &random.tasks(&strata[1])),
            };
            found.mean.push(mean(&a) - mean(&b));
            found.chance.push(chance_of_improvement(&a, &b));
        }
        found.sorted()
    }
}

/// The places of the tasks of each stratum, by its number.
fn places(strata: &[u32]) -> Vec<Vec<usize>> {
    let mut found: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (place, stratum) in strata.iter().enumerate() {
        found.entry(*stratum).or_default().push(place);
    }
    found.into_values().collect()
}

/// The means of the seeds that were drawn over the tasks that were drawn, each task as often as it was.
fn drawn(sample: &Sample, seeds: &[usize], times: &[f64]) -> Vec<f64> {
    let tasks = times.len().max(1) as f64;
    let mean = |seed: &usize| {
        let values = sample.seeds.get(*seed).map_or(&[][..], |seed| &seed.tasks);
        values.iter().zip(times).map(|(value, times)| value * times).sum::<f64>() / tasks
    };
    seeds.iter().map(mean).collect()
}

struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        let unit = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        (n as f64 * unit) as usize
    }

    fn seeds(&mut self, sample: &Sample) -> Vec<usize> {
        let n = sample.seeds.len();
        (0..n).map(|_| self.below(n)).collect()
    }

    /// How often each task was drawn.
    fn tasks(&mut self, strata: &[Vec<usize>]) -> Vec<f64> {
        let mut times = vec![0.0; strata.iter().map(Vec::len).sum()];
        for places in strata {
            for _ in places {
                let place = places.get(self.below(places.len())).copied().unwrap_or_default();
                if let Some(times) = times.get_mut(place) {
                    *times += 1.0;
                }
            }
        }
        times
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Seeded;
    use super::*;

    fn sample(rows: &[&[f64]], strata: &[u32]) -> Sample {
        let seeds = rows.iter().enumerate().map(|(i, row)| Seeded { seed: i.to_string(), tasks: row.to_vec() }).collect();
        Sample { seeds, strata: strata.to_vec(), panel: "p".into() }
    }

    /// The first numbers of the generator that begins with 0, as its authors print them.
    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = SplitMix(0);
        assert_eq!([random.next(), random.next()], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    }

    /// Without anything that varies within strata or over seeds there is nothing to draw.
    #[test]
    fn strata_keep_their_share() {
        let draws = Bootstrap::default().of(&sample(&[&[1.0, 1.0, 0.0, 0.0], &[1.0, 1.0, 0.0, 0.0]], &[0, 0, 1, 1]));
        assert!(draws.mean.iter().all(|mean| *mean == 0.5));
        let draws = Bootstrap::default().of(&sample(&[&[1.0, 1.0, 0.0, 0.0]], &[0, 0, 0, 0]));
        assert_eq!(middle(&draws.mean), Interval { low: 0.0, high: 1.0 });
    }

    /// The variance that is drawn is that of seeds and of tasks: two seeds at 0 and 1 give 0, 1/2 and 1 with 1/4, 1/2 and 1/4.
    #[test]
    fn seeds_are_drawn_whole() {
        let draws = Bootstrap { seed: 3, draws: 20_000 }.of(&sample(&[&[0.0; 50], &[1.0; 50]], &[0; 50]));
        let share = |value: f64| draws.mean.iter().filter(|mean| **mean == value).count() as f64 / 20_000.0;
        for (value, expected) in [(0.0, 0.25), (0.5, 0.5), (1.0, 0.25)] {
            assert!((share(value) - expected).abs() < 0.015, "{value}: {}", share(value));
        }
    }

    #[test]
    fn pairs_are_drawn_together() {
        let (a, b) = (sample(&[&[0.0, 1.0], &[1.0, 1.0]], &[0, 0]), sample(&[&[0.0, 0.5], &[0.5, 0.5]], &[0, 0]));
        let twice = Bootstrap::default().of_both(&a, &a);
        assert!(twice.mean.iter().all(|difference| *difference == 0.0));
        assert_ne!(Bootstrap::default().of_both(&a, &b), Bootstrap { seed: 1, ..Bootstrap::default() }.of_both(&a, &b));
    }

    #[test]
    fn percentiles_lie_between_values() {
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(percentile(&[], 0.5), 0.0);
    }
}
