//! What a run found, for people and programs: one HTML page, `report.json`, a table for the terminal.
//!
//! Everything here is a pure function of [`ReportData`]; nothing reads a folder, a clock or the network. The page is one file: inline SVG and CSS,
//! no address that a browser would load, readable without scripts.
//!
//! ```text
//! ReportData ──▶ Table (pooled seeds, Wilson intervals, standings) ──▶ summary, text, html
//!            └─▶ Section (curves grouped by pipeline, means over seeds) ──▶ Figure ──▶ SVG ──▶ html
//! ```

mod chart;
mod compare;
#[allow(clippy::pedantic)]
mod corridor;
mod curve;
mod data;
mod highlight;
mod html;
mod interval;
mod json;
mod label;
mod markdown;
mod markup;
mod metric;
mod number;
mod palette;
mod scale;
mod summary;
mod svg;
mod table;
mod text;

pub use data::{Curve, EpisodeExample, FORMAT, MetricRecord, PipelineInfo, ReportData, ResultRow, TurnExample};
pub use html::html;
pub use interval::{Interval, Rate, wilson};
pub use json::{ReportFormatError, from_json, json};
pub use markdown::markdown;
pub use summary::summary;
pub use text::text;
