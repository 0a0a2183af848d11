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

#[cfg(test)]
mod tests {
    use super::super::description::PackedRate;
    use super::*;
    use crate::store::{Digest, Mark, State};
    use std::collections::BTreeMap;

    fn rate(panel: &str, low: f64) -> PackedRate {
        PackedRate { split: "house.seen".into(), panel: panel.into(), successes: 1, episodes: 4, low, high: 0.9 }
    }

    fn packed(bytes: &[u8], rates: Vec<PackedRate>) -> PackedTask {
        let blake3 = Digest::of_bytes(bytes);
        PackedTask {
            digest: blake3.clone(),
            name: "a.seen".into(),
            kind: "evaluate".into(),
            folder: "tasks/a.seen".into(),
            outputs: BTreeMap::from([("results".to_owned(), blake3.clone())]),
            logs: BTreeMap::from([("metrics.jsonl".to_owned(), Mark { bytes: 1, blake3 })]),
            bytes: 1,
            left_out: Vec::new(),
            rates,
        }
    }

    #[test]
    fn the_same_bytes_or_a_number_within_its_interval() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("outputs/results");
        std::fs::create_dir_all(&place).unwrap();
        let results = r#"{"splits":[{"split":"house.seen","panel_hash":"p","episodes":4,"successes":2}]}"#;
        std::fs::write(place.join("results.json"), results).unwrap();
        let PackedTask { outputs, logs, .. } = packed(b"one", Vec::new());
        let (by, key) = (String::new(), serde_json::Value::Null);
        let status = Status { format: 1, state: State::Finished, name: by.clone(), by, key, outputs, logs, error: None };
        let of = |packed: &PackedTask| agreement(packed, &status, folder.path()).unwrap();
        assert_eq!(of(&packed(b"one", vec![rate("other", 0.6)])), Agreement::Same);
        assert_eq!(of(&packed(b"two", Vec::new())).words(), "other bytes: results, metrics.jsonl");
        assert_eq!(of(&packed(b"two", vec![rate("p", 0.4)])).words(), "within its interval: house.seen 2 of 4, in 0.400 to 0.900");
        assert_eq!(of(&packed(b"two", vec![rate("p", 0.6)])).words(), "DIFFERS: house.seen 2 of 4, not in 0.600 to 0.900");
        assert_eq!(of(&packed(b"two", vec![rate("q", 0.4)])).words(), "DIFFERS: house.seen has other games");
        assert_eq!(of(&packed(b"two", vec![PackedRate { split: "x".into(), ..rate("p", 0.4) }])).words(), "DIFFERS: x was not played");
    }
}
