//! How values are spread: for who watches a run, in no result.

/// Buckets of a histogram.
const BUCKETS: usize = 30;

/// Counts of values in buckets of one width, from the least to the most.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// The least value.
    pub least: f64,
    /// The largest.
    pub most: f64,
    /// Of all values.
    pub sum: f64,
    /// The sum of the squares.
    pub squares: f64,
    /// The upper end of each bucket, and how many values lie between it and the one before.
    pub buckets: Vec<(f64, u64)>,
}

impl Histogram {
    /// Of the values that are finite; `None` where there is none.
    pub(crate) fn of(values: &[f32]) -> Option<Self> {
        let finite = || values.iter().map(|value| f64::from(*value)).filter(|value| value.is_finite());
        let (least, most) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)));
        if least > most {
            return None;
        }
        let count = if least < most { BUCKETS } else { 1 };
        let width = (most - least) / count as f64;
        let end = |bucket: usize| if bucket + 1 == count { most } else { least + width * (bucket + 1) as f64 };
        let mut buckets: Vec<(f64, u64)> = (0..count).map(|bucket| (end(bucket), 0)).collect();
        let (mut sum, mut squares) = (0.0, 0.0);
        for value in finite() {
            sum += value;
            squares += value * value;
            let bucket = if width > 0.0 { ((value - least) / width) as usize } else { 0 };
            if let Some((_, count)) = buckets.get_mut(bucket.min(count - 1)) {
                *count += 1;
            }
        }
        Some(Self { least, most, sum, squares, buckets })
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }
}

/// What is looked at while a stage runs beyond what it records. Changes nothing that is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looks {
    /// Entropies of tokens, by the number of the turn.
    pub entropies: bool,
    /// Gradients, by tensor.
    pub gradients: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_value_is_in_one_bucket() {
        let values: Vec<f32> = (0..=300).map(|i| i as f32 / 100.0).chain([f32::NAN, f32::INFINITY]).collect();
        let found = Histogram::of(&values).expect("values");
        assert_eq!((found.least, found.most, found.count(), found.buckets.len()), (0.0, 3.0, 301, BUCKETS));
        assert!((found.sum - 451.5).abs() < 1e-4 && found.buckets.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(found.buckets.iter().all(|(_, count)| (9..=11).contains(count)), "{found:?}");
        assert_eq!(Histogram::of(&[2.0, 2.0]).expect("values").buckets, [(2.0, 2)]);
        assert_eq!(Histogram::of(&[f32::NAN]), None);
        assert_eq!(Histogram::of(&[]), None);
    }
}
