use super::error::StoreError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::io::Read;
use std::path::Path;

/// A blake3 hash in lower-case hex (64 characters): names a task, a plan, or the content of a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Digest(String);

impl Digest {
    /// Of a value's canonical JSON: keys sorted, no spaces, numbers in the shortest text that reads back the same.
    pub fn of(value: &Value) -> Self {
        Self::of_bytes(canonical(value).as_bytes())
    }

    /// Of the bytes as they are.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes).to_hex().to_string())
    }

    /// Of a file's content, and its length.
    pub fn of_file(path: &Path) -> Result<(Self, u64), StoreError> {
        let file = std::fs::File::open(path).map_err(StoreError::io("open", path))?;
        Self::of_reader(file).map_err(StoreError::io("read", path))
    }

    pub(crate) fn of_reader(reader: impl Read) -> std::io::Result<(Self, u64)> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(reader)?;
        Ok((Self::finish(&hasher), hasher.count()))
    }

    pub(crate) fn finish(hasher: &blake3::Hasher) -> Self {
        Self(hasher.finalize().to_hex().to_string())
    }

    /// All 64 characters.
    pub fn hex(&self) -> &str {
        &self.0
    }

    /// The first 8 characters, for people and folder names.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is no digest (64 hexadecimal digits)"))
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

/// JSON with the keys of every object sorted and no spaces: equal values, equal text. Numbers are written as `serde_json` writes them (shortest
/// text that reads back the same); `1` and `1.0` are different texts, so a field must always be serialised from the same type.
pub(crate) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (i, (key, item)) in fields.into_iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(item, text);
            }
            text.push('}');
        }
        other => text.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn order_of_keys_does_not_matter_and_everything_else_does() {
        let a: Value = serde_json::from_str(r#"{"b": [1, 2.50], "a": {"y": "\"", "x": null}}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"a": {"x": null, "y": "\""}, "b": [1, 2.5]}"#).unwrap();
        assert_eq!(canonical(&a), r#"{"a":{"x":null,"y":"\""},"b":[1,2.5]}"#);
        assert_eq!(Digest::of(&a), Digest::of(&b));
        for other in
            [json!({"a": {"x": null, "y": "\""}, "b": [2.5, 1]}), json!({"a": {"x": null, "y": "\""}, "b": [1, 2.5000000000000004]})]
        {
            assert_ne!(Digest::of(&a), Digest::of(&other));
        }
    }

    #[test]
    fn only_hex_is_read_back() {
        let digest = Digest::of_bytes(b"x");
        let text = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&text).unwrap(), digest);
        for bad in ["\"../../etc\"", "\"abc\"", &text.to_uppercase()] {
            assert!(serde_json::from_str::<Digest>(bad).is_err(), "{bad}");
        }
    }
}
