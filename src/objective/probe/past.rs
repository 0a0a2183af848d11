//! What earlier iterations left, as a batch file says it.

use super::super::error::ObjectiveError;
use super::super::history::{Entry, History};
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

fn entries(field: &str, value: &Value) -> Result<Vec<Entry>, ProbeError> {
    let expected = "a list with a number, or an object of numbers by turn, for each earlier iteration";
    let wrong = |i: usize, found: &Value| shape(field, expected.into(), format!("entry {i} is {}", words(found)));
    let by_turn = |i: usize, turns: &serde_json::Map<String, Value>| {
        let mut pairs = Vec::new();
        for (turn, value) in turns {
            let turn = turn.parse().map_err(|_| shape(field, expected.into(), format!("entry {i} has a turn `{turn}`")))?;
            pairs.push((turn, value.as_f64().ok_or_else(|| wrong(i, value))?));
        }
        pairs.sort_by_key(|(turn, _): &(u64, f64)| *turn);
        Ok(Entry::ByTurn(pairs))
    };
    let entry = |(i, entry): (usize, &Value)| match entry {
        Value::Null => Ok(Entry::Whole(None)),
        Value::Object(turns) => by_turn(i, turns),
        number => number.as_f64().map(|x| Entry::Whole(Some(x))).ok_or_else(|| wrong(i, number)),
    };
    list(field, expected, value)?.iter().enumerate().map(entry).collect()
}
