//! Axes: which numbers stand on them, and how they are written.

use super::number;

/// Beyond this a value counts as not finite: differences and steps stay far from overflow.
const LARGEST: f64 = 1e300;

/// A value that can be drawn.
pub(super) fn drawable(value: f64) -> bool {
    value.is_finite() && value.abs() <= LARGEST
}

/// How an axis writes its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    #[default]
    Plain,
    /// A share in 0..1, written in percent (the unit stands in the chart's title).
    Percent,
    /// Whole numbers only (iterations).
    Whole,
}

/// The range of an axis and the places of its ticks, in increasing order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    pub low: f64,
    pub high: f64,
    pub ticks: Vec<f64>,
    step: f64,
    format: Format,
}

impl Scale {
    /// For values: the range grows to whole steps, so that the outermost ticks are its ends.
    pub(super) fn around(low: f64, high: f64, format: Format, count: usize) -> Self {
        let (low, high) = apart(low, high);
        let step = nice_step(low, high, count, format);
        // An end that is a whole step but for rounding needs no further one; then rounding must not leave it outside either.
        let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
        Self { low: low.min(first * step), high: high.max(last * step), ticks: ticks(first, last, step), step, format }
    }

    /// For iterations: the range stays as it is, ticks stand inside.
    pub(super) fn within(low: f64, high: f64, format: Format, count: usize) -> Self {
        let (low, high) = if low < high { (low, high) } else { (low - 0.5, low + 0.5) };
        let (low, high) = apart(low, high);
        let step = nice_step(low, high, count, format);
        let (first, last) = ((low / step).ceil(), (high / step).floor());
        Self { low, high, ticks: ticks(first, last, step), step, format }
    }

    /// Where `value` lies: 0 at `low`, 1 at `high`.
    pub(super) fn fraction(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// A tick's text: as many digits as the step needs.
    pub(super) fn write(&self, tick: f64) -> String {
        let (tick, step) = if self.format == Format::Percent { (tick * 100.0, self.step * 100.0) } else { (tick, self.step) };
        // −0 and what rounding leaves of a zero.
        if tick.abs() < step * 1e-6 {
            return "0".into();
        }
        let largest = self.low.abs().max(self.high.abs());
        if self.format == Format::Plain && !(1e-3..1e5).contains(&largest) {
            let digits = (tick.abs().log10().floor() - step.log10().floor()).clamp(0.0, 6.0) as usize;
            return number::exponential(tick, digits);
        }
        let digits = (-(step.log10() + 1e-9).floor()).clamp(0.0, 6.0) as usize;
        format!("{tick:.digits$}")
    }
}

/// Moves the ends apart where they are one number, or differ by rounding alone.
fn apart(low: f64, high: f64) -> (f64, f64) {
    let largest = low.abs().max(high.abs());
    if largest < 1e-250 {
        (low.min(0.0), 1.0)
    } else if high - low <= largest * 1e-10 {
        (low - largest * 0.1, high + largest * 0.1)
    } else {
        (low, high)
    }
}

/// 1, 2 or 5 times a power of ten, such that about `count` steps fill the range.
fn nice_step(low: f64, high: f64, count: usize, format: Format) -> f64 {
    let raw = (high - low) / count.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let nice = match raw / power {
        r if r <= 1.0 + 1e-9 => 1.0,
        r if r <= 2.0 + 1e-9 => 2.0,
        r if r <= 5.0 + 1e-9 => 5.0,
        _ => 10.0,
    };
    let step = nice * power;
    if format == Format::Whole { step.max(1.0) } else { step }
}

fn ticks(first: f64, last: f64, step: f64) -> Vec<f64> {
    let count = ((last - first).round().clamp(-1.0, 30.0) + 1.0) as usize;
    (0..count).map(|i| (first + i as f64) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(scale: &Scale) -> Vec<String> {
        scale.ticks.iter().map(|t| scale.write(*t)).collect()
    }

    #[test]
    fn ticks_are_round_and_written_with_the_digits_they_need() {
        assert_eq!(written(&Scale::around(0.0, 1.0, Format::Percent, 5)), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(written(&Scale::around(0.013, 0.049, Format::Plain, 5)), ["0.01", "0.02", "0.03", "0.04", "0.05"]);
        assert_eq!(written(&Scale::around(0.0, 5e-6, Format::Plain, 5)), ["0", "1e-6", "2e-6", "3e-6", "4e-6", "5e-6"]);
        assert_eq!(written(&Scale::around(-1.3, 2.1, Format::Plain, 4)), ["-2", "-1", "0", "1", "2", "3"]);
        assert_eq!(written(&Scale::around(0.0, 2.3e6, Format::Plain, 5)), ["0", "5e5", "1e6", "1.5e6", "2e6", "2.5e6"]);
    }

    #[test]
    fn iterations_are_whole() {
        assert_eq!(written(&Scale::within(0.0, 3.0, Format::Whole, 6)), ["0", "1", "2", "3"]);
        assert_eq!(written(&Scale::within(0.0, 149.0, Format::Whole, 5)), ["0", "50", "100"]);
        assert_eq!(written(&Scale::within(7.0, 7.0, Format::Whole, 5)), ["7"]);
    }

    #[test]
    fn a_constant_has_room_on_both_sides() {
        let scale = Scale::around(0.3, 0.3, Format::Plain, 4);
        assert!(scale.low < 0.3 && 0.3 < scale.high);
        let scale = Scale::around(0.0, 0.0, Format::Plain, 4);
        assert_eq!((scale.low, scale.high), (0.0, 1.0));
    }

    proptest! {
        #[test]
        fn any_drawable_range_has_ordered_ticks_and_places(a in any::<f64>(), b in any::<f64>(), count in 1usize..8, percent in any::<bool>()) {
            prop_assume!(drawable(a) && drawable(b));
            let (low, high) = (a.min(b), a.max(b));
            let format = if percent { Format::Percent } else { Format::Plain };
            let scale = Scale::around(low, high, format, count);
            prop_assert!(scale.low <= low && high <= scale.high && scale.low < scale.high, "{:?}", scale);
            prop_assert!((2..=31).contains(&scale.ticks.len()), "{:?}", scale);
            prop_assert!(scale.ticks.windows(2).all(|pair| pair[0] < pair[1]));
            for value in [low, high] {
                prop_assert!((0.0..=1.0).contains(&scale.fraction(value)));
            }
            for tick in &scale.ticks {
                prop_assert!(scale.write(*tick).len() < 320);
            }
        }

        #[test]
        fn any_range_of_iterations_has_whole_ticks(a in 0u64..1 << 40, length in 0u64..1 << 30, count in 1usize..8) {
            let scale = Scale::within(a as f64, (a + length) as f64, Format::Whole, count);
            prop_assert!(scale.ticks.len() <= 31);
            prop_assert!(scale.ticks.iter().all(|t| t.fract() == 0.0 && (0.0..=1.0).contains(&scale.fraction(*t))));
        }
    }
}
