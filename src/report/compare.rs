//! Whether two results differ by more than noise.

use super::data::ResultRow;
use super::interval::Rate;
use serde::Serialize;

/// How the first of two rates stands to the second. Overlapping intervals do not show that two policies are equal: they say that these episodes
/// do not tell them apart by this rule, which is on the careful side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Comparison {
    /// Its 95 % interval lies wholly above the other's.
    Above,
    /// Its 95 % interval lies wholly below the other's.
    Below,
    Overlap,
    /// One of the two has no interval: no episodes were played.
    Unknown,
}

/// Compares two result rows by their 95 % Wilson intervals.
pub fn compare(a: &ResultRow, b: &ResultRow) -> Comparison {
    compare_rates(a.rate(), b.rate())
}

pub fn compare_rates(a: Rate, b: Rate) -> Comparison {
    match (a.interval(), b.interval()) {
        (Some(a), Some(b)) if a.overlaps(b) => Comparison::Overlap,
        (Some(a), Some(b)) if a.low > b.high => Comparison::Above,
        (Some(_), Some(_)) => Comparison::Below,
        _ => Comparison::Unknown,
    }
}

/// Whether both rows were measured on one list of tasks. An unnamed list is nobody's.
pub fn same_panel(a: &ResultRow, b: &ResultRow) -> bool {
    !a.panel_hash.is_empty() && a.panel_hash == b.panel_hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(successes: u64, episodes: u64) -> ResultRow {
        ResultRow { successes, episodes, ..ResultRow::default() }
    }

    #[test]
    fn intervals_decide() {
        // 30/60 is [37.7, 62.3], 50/60 is [72.0, 90.7], 45/60 is [62.8, 84.2].
        assert_eq!(compare(&row(50, 60), &row(30, 60)), Comparison::Above);
        assert_eq!(compare(&row(30, 60), &row(50, 60)), Comparison::Below);
        assert_eq!(compare(&row(50, 60), &row(45, 60)), Comparison::Overlap);
        assert_eq!(compare(&row(30, 60), &row(45, 60)), Comparison::Below);
        assert_eq!(compare(&row(30, 60), &row(0, 0)), Comparison::Unknown);
    }

    #[test]
    fn a_panel_without_a_hash_is_not_the_same() {
        assert!(!same_panel(&row(1, 2), &row(1, 2)));
        let named = ResultRow { panel_hash: "a".into(), ..row(1, 2) };
        assert!(same_panel(&named, &named));
    }
}
