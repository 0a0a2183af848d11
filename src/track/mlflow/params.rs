//! What a task is, as parameters: `optimizer.adamw.lr` is `0.001`.

use serde_json::Value;

/// The most letters of a value that a server takes.
const LONGEST: usize = 6000;
/// Of a name.
const LONGEST_NAME: usize = 250;

/// Every field of a task's identity that says something, and which of its inputs are which tasks.
pub(super) fn params(key: &Value) -> Vec<(String, String)> {
    let mut found = vec![("kind".to_owned(), written(&key["kind"]))];
    flatten("", &key["identity"], &mut found);
    if let Some(seed) = key["seed"].as_u64() {
        found.push(("seed_of_stage".into(), seed.to_string()));
    }
    found
}

fn flatten(path: &str, value: &Value, found: &mut Vec<(String, String)>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Null => {}
        Value::Object(fields) => fields.iter().for_each(|(name, value)| flatten(&below(name), value, found)),
        // Short lists are read as they are written.
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            items.iter().enumerate().for_each(|(at, value)| flatten(&below(&at.to_string()), value, found));
        }
        plain => found.push((name(path), written(plain))),
    }
}

fn written(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.chars().take(LONGEST).collect()
}

/// As a server takes it: what else stands in a name becomes `_`.
pub(super) fn name(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() || "_-./ :".contains(c) { c } else { '_' }).take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_have_their_paths() {
        let key = json!({
            "kind": "rl",
            "identity": { "optimizer": { "adamw": { "lr": 0.001, "clip_norm": null } }, "kinds": ["study", "kitchen"], "also": [{ "replay": 3 }], "x[y]": "a" },
        });
        let expected =
            [("kind", "rl"), ("optimizer.adamw.lr", "0.001"), ("kinds", "[\"study\",\"kitchen\"]"), ("also.0.replay", "3"), ("x_y_", "a")];
        assert_eq!(params(&key), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(params(&json!({ "identity": { "long": "x".repeat(9000) } }))[1].1.len(), LONGEST);
    }
}
