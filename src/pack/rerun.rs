//! Comparing a task that was made again with what is packed of it.

use super::PackedTask;
use super::make::rates;
use crate::store::Status;
use serde::Serialize;
use std::path::Path;

/// How far two computations of a task agree.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "agreement", content = "notes")]
pub(crate) enum Agreement {
    /// Every output and log to the byte.
    Same,
    /// Other bytes; what was counted lies within the intervals that are packed. A line for each split.
    Within(Vec<String>),
    /// Other bytes, and nothing that was counted: another machine rounds otherwise. What differs.
    Unlike(Vec<String>),
    /// Other numbers than are packed, or of other games. A line for each split.
    Differs(Vec<String>),
}

impl Agreement {
    /// In a few words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Same => "the same to the byte".into(),
            Self::Within(splits) => format!("within its interval: {}", splits.join("; ")),
            Self::Unlike(what) => format!("other bytes: {}", what.join(", ")),
            Self::Differs(splits) => format!("DIFFERS: {}", splits.join("; ")),
        }
    }
}

/// `status` is of a task that was made again in the folder `path`.
///
/// # Errors
/// If its results cannot be read.
pub(crate) fn agreement(packed: &PackedTask, status: &Status, path: &Path) -> Result<Agreement, String> {
    if packed.outputs == status.outputs && packed.logs == status.logs {
        return Ok(Agreement::Same);
    }
    if packed.rates.is_empty() {
        let outputs = packed.outputs.iter().filter(|(name, digest)| status.outputs.get(*name) != Some(digest)).map(|(name, _)| name);
        let logs = packed.logs.iter().filter(|(name, mark)| status.logs.get(*name) != Some(mark)).map(|(name, _)| name);
        return Ok(Agreement::Unlike(outputs.chain(logs).cloned().collect()));
    }
    let made = rates(status, path)?;
    let (mut lines, mut all_within) = (Vec::new(), true);
    for rate in &packed.rates {
        let split = &rate.split;
        let of = format!("{:.3} to {:.3}", rate.low, rate.high);
        let (line, within) = match made.iter().find(|made| made.split == *split) {
            None => (format!("{split} was not played"), false),
            Some(made) if made.panel != rate.panel => (format!("{split} has other games"), false),
            Some(made) => {
                let share = made.successes as f64 / made.episodes.max(1) as f64;
                let within = rate.low <= share && share <= rate.high;
                let word = if within { "in" } else { "not in" };
                (format!("{split} {} of {}, {word} {of}", made.successes, made.episodes), within)
            }
        };
        lines.push(line);
        all_within &= within;
    }
    Ok(if all_within { Agreement::Within(lines) } else { Agreement::Differs(lines) })
}
