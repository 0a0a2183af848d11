//! `epo-run settings`

use super::{DONE, Settings, answer, answer_json};
use crate::lang::pad;
use clap::Args;
use serde_json::{Map, Value, json};
use std::fmt::Write;

#[derive(Debug, Args)]
pub(super) struct SettingsVerbArgs {
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(args: &SettingsVerbArgs, settings: &Settings) -> u8 {
    let rows = settings.rows();
    let origin = |name: &str| settings.origins.get(name).cloned().unwrap_or_else(|| "default".into());
    if args.json {
        let map: Map<String, Value> =
            rows.into_iter().map(|(name, value)| (name.clone(), json!({ "value": value, "origin": origin(&name) }))).collect();
        answer_json(&Value::from(map));
        return DONE;
    }
    let shown = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => "(compiled in)".into(),
        other => other.to_string(),
    };
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let values = rows.iter().map(|(_, value)| shown(value).chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (name, value) in &rows {
        let _ = writeln!(out, "{}  {}  {}", pad(name, width), pad(&shown(value), values), origin(name));
    }
    answer(&out);
    DONE
}
