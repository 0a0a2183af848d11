//! What a run found, for people and programs: one HTML page, `report.json`, a table for the terminal.
//!
//! Everything here is a pure function of [`ReportData`]; nothing reads a folder, a clock or the network. The page is one file: inline SVG and CSS,
//! no address that a browser would load, readable without scripts.
//!
//! ```text
//! ReportData ──▶ Table (cells over seeds, intervals, standings) ──▶ summary, text, html
//!            ├─▶ Compared (pairs of methods over seeds and tasks) ──▶ text, html
//!            └─▶ Section (curves grouped by pipeline, means over seeds) ──▶ Figure ──▶ SVG ──▶ html
//! ```

mod chart;
mod compare;
mod comparisons;
mod comparisons_text;
mod corridor;
mod curve;
mod data;
mod highlight;
mod html;
mod interval;
mod json;
mod label;
mod live;
mod markdown;
mod markup;
mod metric;
mod number;
mod over_seeds;
mod palette;
mod picture;
mod scale;
mod summary;
mod svg;
mod table;
mod text;

pub use comparisons::{Against, Compared, Measured, Pair, Unknown, comparisons};
pub use comparisons_text::comparisons_text;
pub use data::{ByTask, Curve, EpisodeExample, FORMAT, MetricRecord, PipelineInfo, ReportData, ResultRow, TurnExample};
pub use html::{LIVE_POLICY, LIVE_SCRIPT, Part, html, live_html, live_parts};
pub use interval::{Interval, Rate, wilson};
pub use json::{ReportFormatError, from_json, json};
pub use live::{Latest, PipelineStanding, RunStanding, Standing, TaskProgress, TaskStanding, TaskState};
pub use markdown::markdown;
pub use over_seeds::{Measure, OverSeeds};
pub use summary::summary;
pub use text::text;
