//! `report.json`: the data as given, and the table made from it.

use super::data::{FORMAT, ReportData};
use super::summary::summary;
use super::table::Table;
use serde::{Deserialize, Serialize};

/// Why a `report.json` was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReportFormatError {
    /// The text is no JSON, or JSON of another form.
    #[error("this is not a report: {0}")]
    Json(#[from] serde_json::Error),
    /// Written by a newer program.
    #[error("this report has format {found}, this program reads up to {FORMAT}; read it with a newer epo-run")]
    Newer {
        /// The format it has; [`FORMAT`] is the newest that is read.
        found: u32,
    },
}

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    #[serde(flatten)]
    data: &'a ReportData,
    /// Derived: seeds together, with 95 % intervals.
    table: Table,
    /// Derived.
    summary: Vec<String>,
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// The text of `report.json`, indented, with a newline at its end. Values that are not finite are `null`.
pub fn json(data: &ReportData) -> Result<String, serde_json::Error> {
    let written = Written { format: FORMAT, data, table: Table::new(data), summary: summary(data) };
    Ok(serde_json::to_string_pretty(&written)? + "\n")
}

/// Reads what [`json`] wrote; what was derived is left out.
pub fn from_json(text: &str) -> Result<ReportData, ReportFormatError> {
    let Version { format } = serde_json::from_str(text)?;
    if format > FORMAT {
        return Err(ReportFormatError::Newer { found: format });
    }
    Ok(serde_json::from_str(text)?)
}

#[cfg(test)]
mod tests {
    use super::super::data::{Curve, MetricRecord, ResultRow};
    use super::*;

    #[test]
    fn what_is_written_is_read_back_but_for_nan() {
        let record = MetricRecord { iteration: 3, values: [("kl".to_string(), f64::NAN), ("entropy".to_string(), 0.1 + 0.2)].into() };
        let data = ReportData {
            title: "a \"title\"".into(),
            curves: vec![Curve { stage: "train".into(), records: vec![record], ..Curve::default() }],
            results: vec![ResultRow { successes: 1, episodes: 2, families: [("put".to_string(), (1, 2))].into(), ..ResultRow::default() }],
            ..ReportData::default()
        };
        let text = json(&data).expect("json");
        assert!(text.contains("\"kl\": null"), "{text}");
        let read = from_json(&text).expect("a report");
        assert_eq!(read.title, data.title);
        assert_eq!(read.results, data.results);
        assert_eq!(read.curves[0].records[0].values["entropy"], 0.1 + 0.2);
        assert!(read.curves[0].records[0].values["kl"].is_nan());
    }

    #[test]
    fn the_table_stands_in_it() {
        let data = ReportData {
            results: vec![ResultRow { actor: "after PPO".into(), successes: 5, episodes: 10, ..ResultRow::default() }],
            ..ReportData::default()
        };
        let value: serde_json::Value = serde_json::from_str(&json(&data).expect("json")).expect("json");
        let cell = &value["table"]["rows"][0]["cells"][0];
        assert_eq!(cell["rate"]["successes"], 5);
        assert_eq!(cell["standing"], "best");
        assert!((cell["interval"]["low"].as_f64().expect("a number") - 0.2366).abs() < 1e-4);
    }

    #[test]
    fn other_versions_and_other_files_are_refused() {
        let newer = from_json("{\"format\": 2}").expect_err("newer");
        assert_eq!(newer.to_string(), "this report has format 2, this program reads up to 1; read it with a newer epo-run");
        assert!(from_json("[]").is_err());
        assert!(from_json("{}").expect_err("no version").to_string().starts_with("this is not a report: "));
    }
}
