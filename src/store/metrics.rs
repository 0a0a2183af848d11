use super::error::StoreError;
use super::read;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

pub(crate) const METRICS: &str = "metrics.jsonl";

/// One line of `metrics.jsonl`: `{"iteration":3,"values":{"entropy":0.93,"success":0.41}}`.
///
/// JSON has no number for what is not finite; it is written as `"NaN"`, `"Infinity"` or `"-Infinity"`, which Python's `float` and JavaScript's
/// `Number` read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricRecord {
    /// Ascending; of `rl` the iteration from 0, of `sft` the updates done.
    pub iteration: u64,
    /// By the metric's name.
    #[serde(with = "any_float")]
    pub values: BTreeMap<String, f64>,
}

impl MetricRecord {
    /// Without values.
    pub fn new(iteration: u64) -> Self {
        Self { iteration, values: BTreeMap::new() }
    }

    /// Adds a value, or replaces the one of this name.
    pub fn with(mut self, name: impl Into<String>, value: f64) -> Self {
        self.values.insert(name.into(), value);
        self
    }
}

/// The metrics of a task folder, finished or not.
pub fn read_metrics(folder: &Path) -> Result<Vec<MetricRecord>, StoreError> {
    read::read_lines(&folder.join(METRICS))
}

mod any_float {
    use serde::ser::SerializeMap;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::collections::BTreeMap;

    pub(super) fn serialize<S: Serializer>(values: &BTreeMap<String, f64>, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(values.len()))?;
        for (name, value) in values {
            if value.is_finite() {
                map.serialize_entry(name, value)?;
            } else if value.is_nan() {
                map.serialize_entry(name, "NaN")?;
            } else {
                map.serialize_entry(name, if *value > 0.0 { "Infinity" } else { "-Infinity" })?;
            }
        }
        map.end()
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Word(String),
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, f64>, D::Error> {
        let read = |(name, value)| {
            let value = match value {
                Written::Number(value) => value,
                Written::Word(word) => match word.as_str() {
                    "NaN" => f64::NAN,
                    "Infinity" => f64::INFINITY,
                    "-Infinity" => f64::NEG_INFINITY,
                    other => return Err(D::Error::custom(format!("`{other}` is no number"))),
                },
            };
            Ok((name, value))
        };
        BTreeMap::<String, Written>::deserialize(deserializer)?.into_iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_form_on_the_disk() {
        let record = MetricRecord::new(3).with("success", 0.5).with("loss", f64::NAN).with("a", f64::INFINITY).with("b", f64::NEG_INFINITY);
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(text, r#"{"iteration":3,"values":{"a":"Infinity","b":"-Infinity","loss":"NaN","success":0.5}}"#);
        assert!(serde_json::from_str::<MetricRecord>(r#"{"iteration":3,"values":{"a":"many"}}"#).is_err());
    }

    proptest! {
        #[test]
        fn every_float_survives(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            let text = serde_json::to_string(&MetricRecord::new(0).with("x", value)).unwrap();
            let back = serde_json::from_str::<MetricRecord>(&text).unwrap().values["x"];
            prop_assert!(back.to_bits() == bits || (value.is_nan() && back.is_nan()), "{text}");
        }
    }
}
