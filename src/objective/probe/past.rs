//! What earlier iterations left, as a batch file says it.

use super::super::error::ObjectiveError;
use super::super::history::{Entry, History};
use super::super::layout::lasting_id;
use super::super::program::HistoryExpr;
use super::read::{ProbeError, list, shape, words};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One entry for each earlier iteration, oldest first.
#[derive(Clone, Debug)]
pub(super) enum Past {
    /// For whatever looks back.
    One(Vec<Entry>),
    /// By what is averaged, as `show --objective` prints it.
    Each(BTreeMap<String, Vec<Entry>>),
}

impl Past {
    pub(super) fn read(value: &Value) -> Result<Self, ProbeError> {
        match value {
            Value::Object(lists) => {
                lists.iter().map(|(text, list)| Ok((text.clone(), entries(text, list)?))).collect::<Result<_, _>>().map(Self::Each)
            }
            list => entries("history", list).map(Self::One),
        }
    }

    /// The past of all these expressions. Those that the answer depends on must have one, and one list cannot be the past of two of them.
    pub(super) fn history(&self, needed: &[&HistoryExpr], all: &[&HistoryExpr]) -> Result<History, ObjectiveError> {
        let texts: BTreeSet<&str> = needed.iter().map(|e| e.text.as_str()).collect();
        for expression in needed {
            let place = expression.place;
            match self {
                Self::One(entries) if texts.len() > 1 && !entries.is_empty() => {
                    let texts = texts.iter().map(|text| (*text).to_string()).collect();
                    return Err(ObjectiveError::SeveralHistories { texts, place });
                }
                Self::Each(lists) if !lists.contains_key(&expression.text) => {
                    return Err(ObjectiveError::NoHistory { text: expression.text.clone(), place });
                }
                _ => {}
            }
        }
        let mut history = History::default();
        for expression in all {
            let entries = match self {
                Self::One(entries) => entries,
                Self::Each(lists) => lists.get(&expression.text).map_or(&[][..], Vec::as_slice),
            };
            if history.entries(&expression.id).is_empty() {
                entries.iter().for_each(|entry| history.push(&expression.id, entry.clone()));
            }
        }
        Ok(history)
    }
}

/// The present numbers of `carry` expressions; where there is none it is what it starts with.
#[derive(Clone, Debug, Default)]
pub(super) enum Carried {
    #[default]
    None,
    /// Of whatever is carried.
    One(f64),
    /// By name, as the answer has them.
    Each(BTreeMap<String, f64>),
}

impl Carried {
    pub(super) fn read(value: &Value) -> Result<Self, ProbeError> {
        let expected = || "a number, or an object with a number for each `carry`".to_owned();
        let number = |value: &Value| value.as_f64().ok_or_else(|| shape("carried", expected(), format!("it is {}", words(value))));
        match value {
            Value::Object(numbers) => {
                numbers.iter().map(|(name, x)| Ok((name.clone(), number(x)?))).collect::<Result<_, _>>().map(Self::Each)
            }
            one => number(one).map(Self::One),
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        match self {
            Self::None => None,
            Self::One(number) => Some(*number),
            Self::Each(numbers) => numbers.get(name).copied(),
        }
    }
}

fn entries(field: &str, value: &Value) -> Result<Vec<Entry>, ProbeError> {
    let expected = "a list with a number, a list of numbers, or an object of numbers by turn, for each earlier iteration";
    let wrong = |i: usize, found: &Value| shape(field, expected.into(), format!("entry {i} is {}", words(found)));
    let by_key = |i: usize, turns: &serde_json::Map<String, Value>| {
        let mut pairs = Vec::new();
        for (key, value) in turns {
            let parts: Result<Vec<u64>, _> = key.split(',').map(|part| part.trim().parse()).collect();
            let parts = parts.map_err(|_| shape(field, expected.into(), format!("entry {i} has a turn `{key}`")))?;
            pairs.push((lasting_id(&parts), value.as_f64().ok_or_else(|| wrong(i, value))?));
        }
        pairs.sort_by_key(|(id, _): &(u64, f64)| *id);
        Ok(Entry::ByKey(pairs))
    };
    let entry = |(i, entry): (usize, &Value)| match entry {
        Value::Null => Ok(Entry::Whole(None)),
        Value::Object(keys) => by_key(i, keys),
        Value::Array(all) => {
            let numbers = all.iter().map(|value| value.as_f64().ok_or_else(|| wrong(i, value)));
            Ok(Entry::Values(numbers.collect::<Result<_, _>>()?))
        }
        number => number.as_f64().map(|x| Entry::Whole(Some(x))).ok_or_else(|| wrong(i, number)),
    };
    list(field, expected, value)?.iter().enumerate().map(entry).collect()
}
