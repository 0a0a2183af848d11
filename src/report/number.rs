//! How numbers are written.

use super::interval::{Interval, Rate};

/// `0.8333` → `83.3 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// `[72.0, 90.7]`, in percent.
pub(super) fn bounds(interval: Interval) -> String {
    format!("[{:.1}, {:.1}]", interval.low * 100.0, interval.high * 100.0)
}

/// `(50/60)`
pub(super) fn count(rate: Rate) -> String {
    format!("({}/{})", rate.successes, rate.episodes)
}

/// `83.3 % [72.0, 90.7] (50/60)`; without a rate only the count.
pub(super) fn rate(rate: Rate) -> String {
    match (rate.share(), rate.interval()) {
        (Some(share), Some(interval)) => format!("{} {} {}", percent(share), bounds(interval), count(rate)),
        _ => format!("no rate {}", count(rate)),
    }
}

/// Four significant digits, without trailing zeros: `0.01234`, `12.5`, `5e-6`; a value that is not finite by its name.
pub(super) fn short(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() { "not a number".into() } else { format!("{}infinite", if value < 0.0 { "minus " } else { "" }) };
    }
    let magnitude = value.abs();
    if magnitude == 0.0 {
        return "0".into();
    }
    if (1e-3..1e5).contains(&magnitude) {
        let digits = (3 - magnitude.log10().floor() as i32).clamp(0, 6) as usize;
        return without_trailing_zeros(&format!("{value:.digits$}"));
    }
    exponential(value, 3)
}

/// A figure beside the success: those that are called `success…` or `…_cut` are shares.
pub(super) fn figure_text(name: &str, value: f64) -> String {
    if (name.starts_with("success") || name.ends_with("_cut")) && value.is_finite() { percent(value) } else { short(value) }
}

/// `5e-6`, `2.5e-6`: at most `digits` after the point.
pub(super) fn exponential(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{}e{exponent}", without_trailing_zeros(mantissa)),
        None => text,
    }
}

fn without_trailing_zeros(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text.to_string() }
}

/// `1 episode`, `2 episodes`.
pub(super) fn counted(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_exact() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (5e-6, "5e-6"),
            (0.012345, "0.01235"),
            (12.5, "12.5"),
            (-1.0, "-1"),
            (99999.0, "99999"),
            (123456.0, "1.235e5"),
            (f64::NAN, "not a number"),
            (f64::NEG_INFINITY, "minus infinite"),
        ] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn a_rate_has_its_interval_and_its_count() {
        assert_eq!(rate(Rate { successes: 50, episodes: 60 }), "83.3 % [72.0, 90.7] (50/60)");
        assert_eq!(rate(Rate::default()), "no rate (0/0)");
    }
}
