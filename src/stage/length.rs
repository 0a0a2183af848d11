//! Stages that repeat something, and when more of it goes on from less.

use crate::kind::Identity;
use crate::store::MetricRecord;

/// How often a stage repeats what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// The field that counts, by its name in the identity.
    pub field: &'static str,
    /// Its value.
    pub count: u64,
}

/// Quantities by which a run is another one from its first step on if it is longer.
const OF_THE_WHOLE: [&str; 2] = ["iterations", "progress"];

/// Why a longer run is no continuation of a shorter one: the first of these parts that depends on how long the whole is.
pub(crate) fn depends_on_length(parts: &[(&str, &dyn Identity)]) -> Result<(), String> {
    for (name, part) in parts {
        if let Some(quantity) = mentioned(&part.identity()) {
            return Err(format!("its `{name}` depends on `{quantity}`, which is another from the first step on"));
        }
    }
    Ok(())
}

/// The first of [`OF_THE_WHOLE`] in the texts of equations and schedules.
fn mentioned(identity: &serde_json::Value) -> Option<&'static str> {
    use serde_json::Value;
    match identity {
        Value::String(text) => {
            let text = without_strings(text);
            let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            words.find_map(|word| OF_THE_WHOLE.into_iter().find(|known| *known == word))
        }
        Value::Array(items) => items.iter().find_map(mentioned),
        Value::Object(fields) => fields.values().find_map(mentioned),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// What is looked for in a text is no quantity.
fn without_strings(text: &str) -> String {
    let (mut within, mut escaped) = (false, false);
    let mut outside = |c: char| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        within ^= ends;
        !within && !ends
    };
    text.chars().map(|c| if outside(c) { c } else { ' ' }).collect()
}

/// After which iteration the first of the best evaluations on a split was made, counted from 1.
pub(crate) fn best_of(records: &[MetricRecord], split: &str) -> Option<u64> {
    let name = format!("eval/{split}/success");
    let mut best: Option<(f64, u64)> = None;
    for record in records {
        if let Some(share) = record.values.get(&name)
            && best.is_none_or(|(most, _)| *share > most)
        {
            best = Some((*share, record.iteration + 1));
        }
    }
    best.map(|(_, done)| done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_depends_on_the_whole_stands_in_the_way() {
        let depends = |text: &str| depends_on_length(&[("optimizer", &text.to_string())]);
        assert_eq!(depends("0.001 * 0.99 ^ iteration"), Ok(()));
        assert_eq!(depends("my_progress + iteration"), Ok(()));
        assert_eq!(depends(r#"contains(response, "a \"progress") * iteration"#), Ok(()));
        assert!(depends("0.001 * (1 - progress)").unwrap_err().contains("its `optimizer` depends on `progress`"));
        assert!(depends("iteration / iterations").unwrap_err().contains("`iterations`"));
    }

    #[test]
    fn the_first_of_equal_evaluations_is_the_best() {
        let record = |iteration, share| MetricRecord::new(iteration).with("eval/house.seen/success", share);
        let records = [record(0, 0.25), MetricRecord::new(1), record(2, 0.5), record(4, 0.5)];
        assert_eq!(best_of(&records, "house.seen"), Some(3));
        assert_eq!(best_of(&records, "house.other"), None);
    }
}
