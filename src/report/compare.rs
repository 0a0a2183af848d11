//! Whether two results differ by more than noise.

use super::interval::Rate;
use serde::Serialize;

/// How the first of two rates stands to the second. Overlapping intervals do not show that two policies are equal: they say that these episodes
/// do not tell them apart by this rule, which is on the careful side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Comparison {
    /// Its 95 % interval lies wholly above the other's.
    Above,
    /// Its 95 % interval lies wholly below the other's.
    Below,
    Overlap,
    /// One of the two has no interval: no episodes were played.
    Unknown,
}

/// By the 95 % Wilson intervals.
pub(super) fn compare(a: Rate, b: Rate) -> Comparison {
    match (a.interval(), b.interval()) {
        (Some(a), Some(b)) if a.overlaps(b) => Comparison::Overlap,
        (Some(a), Some(b)) if a.low > b.high => Comparison::Above,
        (Some(_), Some(_)) => Comparison::Below,
        _ => Comparison::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(successes: u64, episodes: u64) -> Rate {
        Rate { successes, episodes }
    }

    #[test]
    fn intervals_decide() {
        // 30/60 is [37.7, 62.3], 50/60 is [72.0, 90.7], 45/60 is [62.8, 84.2].
        assert_eq!(compare(rate(50, 60), rate(30, 60)), Comparison::Above);
        assert_eq!(compare(rate(30, 60), rate(50, 60)), Comparison::Below);
        assert_eq!(compare(rate(50, 60), rate(45, 60)), Comparison::Overlap);
        assert_eq!(compare(rate(30, 60), rate(45, 60)), Comparison::Below);
        assert_eq!(compare(rate(30, 60), rate(0, 0)), Comparison::Unknown);
    }
}
