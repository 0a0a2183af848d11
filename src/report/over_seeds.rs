//! One method on one split, over its seeds.

use super::data::ResultRow;
use super::interval::wilson;
use super::label;
use crate::stats::{Bootstrap, Heaps, Interval, Sample, Seeded, deviation, heaps, interquartile_mean, mean, middle};
use serde::Serialize;

/// Which number of a task is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The share of episodes that reach the goal.
    #[default]
    Success,
    /// The sum of the environment's rewards.
    Score,
}

/// What seeds say of a method. Of a success shares, in 0..=1; of a score in its own unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverSeeds {
    /// Of the seeds' means.
    pub mean: f64,
    /// 95 %, by drawing seeds and tasks.
    pub interval: Interval,
    /// The interquartile mean over seeds.
    pub interquartile: f64,
    /// 95 %, by the same draws.
    pub interquartile_interval: Interval,
    /// The standard deviation of the seeds' means, with `n - 1`.
    pub deviation: f64,
    /// Where the seeds fall into two heaps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heaps: Option<Heaps>,
}

impl OverSeeds {
    /// `None` of fewer than two seeds, and where a task is not known.
    pub fn of(sample: &Sample) -> Option<Self> {
        if !sample.is_whole() || sample.seeds.len() < 2 {
            return None;
        }
        let means = sample.means();
        let draws = Bootstrap::default().of(sample);
        let drawn = |values: &[f64]| all_or_nothing(sample).unwrap_or_else(|| middle(values));
        Some(Self {
            mean: mean(&means),
            interval: drawn(&draws.mean),
            interquartile: interquartile_mean(&means),
            interquartile_interval: drawn(&draws.interquartile),
            deviation: deviation(&means),
            heaps: heaps(sample),
        })
    }

    /// What a reader has to know, if the seeds fall into two heaps.
    pub fn warning(&self, written: impl Fn(f64) -> String) -> Option<String> {
        let heaps = self.heaps.as_ref()?;
        let heap = |(seeds, mean): &(Vec<String>, f64)| {
            let words = if seeds.len() == 1 { "seed" } else { "seeds" };
            format!("{words} {} at {}", seeds.join(", "), written(*mean))
        };
        let (low, high) = (heap(&heaps.low), heap(&heaps.high));
        Some(format!("the seeds fall into two heaps ({low}; {high}): their mean speaks of neither"))
    }
}

/// Where every seed reaches every task, or none any, there is nothing to draw: Wilson's interval over the tasks of one seed.
fn all_or_nothing(sample: &Sample) -> Option<Interval> {
    let tasks = sample.strata.len() as u64;
    let all = |value: f64| sample.seeds.iter().flat_map(|seed| &seed.tasks).all(|own| *own == value);
    match (all(0.0), all(1.0)) {
        (true, _) => wilson(0, tasks),
        (_, true) => wilson(tasks, tasks),
        _ => None,
    }
}

/// The rows of one method on one split, which differ in their seed alone. `None` where tasks were not recorded, or the lists of tasks differ.
pub(super) fn sample(rows: &[&ResultRow], measure: Measure) -> Option<Sample> {
    let first = rows.first()?;
    let values = |row: &ResultRow| match measure {
        Measure::Success => row.tasks.success.clone(),
        Measure::Score => row.tasks.score.clone(),
    };
    let seeds: Vec<Seeded> =
        rows.iter().map(|row| Seeded { seed: label::split(&row.label).1.unwrap_or_default(), tasks: values(row) }).collect();
    let one_panel = rows.iter().all(|row| row.panel_hash == first.panel_hash && row.tasks.families == first.tasks.families);
    let mut names: Vec<&str> = seeds.iter().map(|seed| seed.seed.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let sample = Sample { strata: first.tasks.families.clone(), panel: first.panel_hash.clone(), seeds: seeds.clone() };
    (one_panel && names.len() == rows.len() && sample.is_whole()).then(|| sample.in_order())
}
