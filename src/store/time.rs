//! The clock, for events and locks, and for what is said of time, alone: nothing that a result depends on reads it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now in UTC, `2025-11-23T02:33:00.123Z`: sorts as text.
pub(super) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format(since.as_secs(), since.subsec_millis())
}

/// The instant that was written so, in seconds since 1970.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut parts = day.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let [year, month, of_month] = [parts.next()??, parts.next()??, parts.next()??];
    let mut parts = time.splitn(3, ':');
    let [hour, minute] = [parts.next()?.parse::<u64>().ok()?, parts.next()?.parse::<u64>().ok()?];
    let second: f64 = parts.next()?.parse().ok()?;
    let plausible = (1970..10_000).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&of_month);
    (plausible && hour < 24 && minute < 60 && (0.0..61.0).contains(&second))
        .then(|| (86_400 * day_number(year, month, of_month) + 3600 * hour + 60 * minute) as f64 + second)
}

/// Days since 1970-01-01; the inverse of [`date`].
fn day_number(year: u64, month: u64, of_month: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year / 400, year % 400);
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + of_month - 1 - 719_468
}

/// `48 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`.
pub(crate) fn in_words(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    let two = |big: u64, a: &str, small: u64, b: &str| if small == 0 { format!("{big} {a}") } else { format!("{big} {a} {small} {b}") };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => two(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86_400, "d", seconds / 3600 % 24, "h"),
    }
}

fn format(seconds: u64, millis: u32) -> String {
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The Gregorian date of a day counted from 1970-01-01. Years are counted from March, so that the leap day is a year's last; 400 years have
/// 146 097 days.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // from 0000-03-01
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153; // from March
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_words() {
        for (seconds, text) in [(0, "0 s"), (59, "59 s"), (60, "1 min"), (185, "3 min 5 s"), (7800, "2 h 10 min"), (273_600, "3 d 4 h")] {
            assert_eq!(in_words(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn an_instant_is_read_as_it_was_written() {
        assert_eq!(seconds("2025-11-23T02:33:00.123Z"), Some(1_763_865_180.123));
        for wrong in ["", "2025", "2025-11-23", "2025-11-23T02:33Z", "2025-13-23T02:33:00Z", "2025-11-23T02:33:00", "1-1-1T0:0:0Z"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn known_instants() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000Z"),
            (1_735_689_600, "2025-01-01T00:00:00.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(format(seconds, 0), text);
            assert_eq!(super::seconds(text), Some(seconds as f64));
        }
    }
}
