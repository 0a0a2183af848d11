//! The day that a chat template is told.

use chrono::format::{Item, StrftimeItems};
use chrono::{NaiveDate, NaiveTime};
use minijinja::{Error, ErrorKind};

/// Whether a text is a day, `2026-11-28`.
pub(crate) fn is_day(text: &str) -> bool {
    day(text).is_some()
}

fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// The start of the day in a format of `strftime`.
pub(super) fn formatted(date: &str, format: &str) -> Result<String, Error> {
    let wrong = |what: String| Error::new(ErrorKind::InvalidOperation, what);
    let day = day(date).ok_or_else(|| wrong(format!("`{date}` is no day")))?;
    let items: Vec<Item<'_>> = StrftimeItems::new(format).collect();
    // What knows a zone cannot be said of a day.
    let mut text = String::new();
    let written = std::fmt::Write::write_fmt(&mut text, format_args!("{}", day.and_time(NaiveTime::MIN).format_with_items(items.iter())));
    match written {
        Ok(()) if !items.contains(&Item::Error) => Ok(text),
        _ => Err(wrong(format!("`{format}` is no format of a day"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_as_templates_write_them() {
        let told = |format| formatted("2024-07-26", format).map_err(|e| e.to_string());
        assert_eq!(told("%d %b %Y"), Ok("26 Jul 2024".into()));
        assert_eq!(told("%A, %B %-d, %y %H:%M"), Ok("Friday, July 26, 24 00:00".into()));
        assert_eq!(told("%Q"), Err("invalid operation: `%Q` is no format of a day".into()));
        assert_eq!(told("%z"), Err("invalid operation: `%z` is no format of a day".into()));
        assert!(is_day("2026-02-28") && !is_day("2026-02-30") && !is_day("today"));
    }
}
