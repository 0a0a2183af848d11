//! Reading the fields of a request, each with its name in what is said of it. `null` is as good as left out.

use super::error::ApiError;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// The object that a request's body is.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// # Errors
    /// If the body is no JSON, or no object.
    pub(super) fn parse(body: &[u8]) -> Result<Fields, ApiError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Fields(fields)),
            Ok(_) => Err(ApiError::wrong("the body has to be a JSON object")),
            Err(error) => Err(ApiError::wrong(format!("the body is no JSON: {error}"))),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn read<'a, T>(&'a self, name: &str, takes: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<Option<T>, ApiError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| ApiError::field(name, format!("`{name}` takes {takes}")))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        self.read(name, "a string", Value::as_str)
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        self.read(name, "`true` or `false`", Value::as_bool)
    }

    pub(super) fn number(&self, name: &str, within: RangeInclusive<f64>) -> Result<Option<f64>, ApiError> {
        let takes = format!("a number from {} to {}", within.start(), within.end());
        self.read(name, &takes, |value| value.as_f64().filter(|number| within.contains(number)))
    }

    pub(super) fn count(&self, name: &str, within: RangeInclusive<usize>) -> Result<Option<usize>, ApiError> {
        let takes = match *within.end() {
            usize::MAX => format!("a whole number from {}", within.start()),
            most => format!("a whole number from {} to {most}", within.start()),
        };
        let count = |value: &Value| value.as_u64().and_then(|count| usize::try_from(count).ok()).filter(|count| within.contains(count));
        self.read(name, &takes, count)
    }

    /// All 64 bits of one; what is below zero counts from the other end.
    pub(super) fn seed(&self, name: &str) -> Result<Option<u64>, ApiError> {
        self.read(name, "a whole number of 64 bits", |value| value.as_u64().or_else(|| value.as_i64().map(i64::cast_unsigned)))
    }

    /// A string, or a list of up to `most`.
    pub(super) fn texts(&self, name: &str, most: usize) -> Result<Option<Vec<String>>, ApiError> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        self.read(name, &format!("a string, or a list of up to {most} strings"), |value| match value {
            Value::Array(list) if list.len() <= most => list.iter().map(text).collect(),
            one => text(one).map(|text| vec![text]),
        })
    }

    /// Refuses fields that would change what is asked for, and that this server does not heed. `idle` says which values ask for nothing.
    pub(super) fn refuse(&self, names: &[&str], idle: fn(&Value) -> bool) -> Result<(), ApiError> {
        match names.iter().find(|name| self.get(name).is_some_and(|value| !idle(value))) {
            Some(name) => Err(ApiError::unsupported(name, format!("`{name}` is not supported by this server"))),
            None => Ok(()),
        }
    }
}
