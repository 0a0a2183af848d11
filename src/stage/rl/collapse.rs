//! Whether a training collapses, said once of each way in which it does.

use crate::store::MetricRecord;

/// Iterations in which it has to be so, one after another.
const LASTING: usize = 3;
/// Iterations at the beginning that entropy is compared with.
const BEGINNING: usize = 3;
/// Iterations whose mean is the best success so far, if it is the highest.
const BEST: usize = 5;
/// Below a success like this there is nothing to lose.
const LEAST: f64 = 0.1;

/// All won is no collapse.
const ALL_WON: f64 = 0.95;

/// What is said after the last of these iterations: of each way to collapse, where it has just lasted for the first time.
pub(super) fn warnings(records: &[MetricRecord]) -> Vec<String> {
    let now = records.len().checked_sub(1);
    let found = [entropy(records), success(records), alike(records)];
    found.into_iter().flatten().filter(|(iteration, _)| Some(*iteration) == now).map(|(_, line)| line).collect()
}

/// The place of a record, and what is to be said then.
type Found = Option<(usize, String)>;

/// A metric with the places of the records that have it.
fn known(records: &[MetricRecord], name: &str) -> Vec<(usize, f64)> {
    let value = |record: &MetricRecord| record.values.get(name).copied().filter(|value| value.is_finite());
    records.iter().enumerate().filter_map(|(at, record)| Some((at, value(record)?))).collect()
}

/// The first stretch of lasting length in which all values are as asked, where it ends, and the mean over it.
fn first(values: &[(usize, f64)], asked: impl Fn(usize, f64) -> bool) -> Option<(usize, f64)> {
    let stretch = values.windows(LASTING).find(|stretch| stretch.iter().all(|(at, value)| asked(*at, *value)))?;
    let values: Vec<f64> = stretch.iter().map(|(_, value)| *value).collect();
    Some((stretch.last()?.0, mean(&values)))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// A tenth of what it was in the beginning.
fn entropy(records: &[MetricRecord]) -> Found {
    let values = known(records, "entropy");
    let (beginning, rest) = values.split_at_checked(BEGINNING)?;
    let beginning = mean(&beginning.iter().map(|(_, value)| *value).collect::<Vec<_>>());
    let (at, left) = first(rest, |_, value| value < 0.1 * beginning)?;
    Some((at, format!("the entropy has collapsed: {left:.3} of {beginning:.3} nats in the beginning, for {LASTING} iterations")))
}

/// Less than half of the best that it was over some iterations before.
fn success(records: &[MetricRecord]) -> Found {
    let values = known(records, "success");
    let (mut highest, mut best): (f64, Vec<(usize, f64)>) = (0.0, Vec::new());
    for window in values.windows(BEST) {
        highest = highest.max(mean(&window.iter().map(|(_, value)| *value).collect::<Vec<_>>()));
        best.extend(window.last().map(|(at, _)| (*at, highest)));
    }
    let before = |at: usize| {
        best.partition_point(|(own, _)| *own < at).checked_sub(1).and_then(|place| best.get(place)).map_or(0.0, |(_, best)| *best)
    };
    let (at, left) = first(&values, |at, value| before(at) >= LEAST && value < 0.5 * before(at))?;
    Some((at, format!("success has collapsed: {:.1} % after {:.1} %, for {LASTING} iterations", 100.0 * left, 100.0 * before(at))))
}

/// Hardly a group differs in its scores, and not because all is won.
fn alike(records: &[MetricRecord]) -> Found {
    let won = |at: usize| records.get(at).and_then(|record| record.values.get("success")).is_some_and(|success| *success > ALL_WON);
    let (at, share) = first(&known(records, "groups_alike"), |at, share| share > 0.95 && !won(at))?;
    let share = 100.0 * share;
    Some((at, format!("{share:.0} % of the groups have one score, for {LASTING} iterations: a comparison within them learns nothing")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(name: &str, values: &[f64]) -> Vec<MetricRecord> {
        values.iter().enumerate().map(|(i, value)| MetricRecord::new(i as u64).with(name, *value)).collect()
    }

    /// What is said after which iteration.
    fn said(records: &[MetricRecord]) -> Vec<(usize, String)> {
        (1..=records.len()).flat_map(|end| warnings(&records[..end]).into_iter().map(move |line| (end, line))).collect()
    }

    #[test]
    fn a_collapse_is_said_once_and_when_it_lasts() {
        let found = said(&records("entropy", &[1.0, 1.2, 0.8, 0.5, 0.05, 0.4, 0.05, 0.04, 0.03, 0.02]));
        assert_eq!(found, [(9, "the entropy has collapsed: 0.040 of 1.000 nats in the beginning, for 3 iterations".to_string())]);
        let found = said(&records("success", &[0.2, 0.6, 0.6, 0.6, 0.6, 0.6, 0.2, 0.1, 0.1, 0.1]));
        assert_eq!(found, [(9, "success has collapsed: 13.3 % after 60.0 %, for 3 iterations".to_string())]);
        let found = said(&records("groups_alike", &[0.5, 1.0, 1.0, 1.0, 1.0]));
        assert!(matches!(found.as_slice(), [(4, line)] if line.starts_with("100 % of the groups have one score")), "{found:?}");
    }

    #[test]
    fn what_learns_is_left_alone() {
        assert!(said(&records("entropy", &[1.0, 0.9, 0.7, 0.5, 0.4, 0.3, 0.2, 0.15])).is_empty());
        assert!(said(&records("success", &[0.01, 0.02, 0.0, 0.03, 0.02, 0.0, 0.0, 0.0])).is_empty());
        assert!(warnings(&[]).is_empty());
    }
}
