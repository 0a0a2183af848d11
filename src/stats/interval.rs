use serde::Serialize;

/// Bounds of a number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// At most `high`.
    pub low: f64,
    /// At least `low`.
    pub high: f64,
}

impl Interval {
    /// Intervals that touch overlap.
    pub fn overlaps(self, other: Interval) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}
