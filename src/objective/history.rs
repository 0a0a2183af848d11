//! What `history(…)` remembers over the iterations of a run.

use super::program::HistoryExpr;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One row for each `history` expression by its id, one entry for each iteration so far. Part of a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    rows: BTreeMap<String, Vec<Entry>>,
}

/// What one iteration leaves for later ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    /// The value in one iteration; `None` if the batch had nothing to average.
    Whole(Option<f64>),
    /// By the number of the turn, ascending.
    ByTurn(Vec<(u64, f64)>),
}

impl History {
    /// Of the next iteration.
    pub fn push(&mut self, id: &str, entry: Entry) {
        self.rows.entry(id.to_owned()).or_default().push(entry);
    }

    /// The entries of an expression, oldest first.
    pub fn entries(&self, id: &str) -> &[Entry] {
        self.rows.get(id).map_or(&[], Vec::as_slice)
    }

    /// The mean over the past; `None` if there is none.
    pub fn mean(&self, expression: &HistoryExpr) -> Option<f64> {
        self.average(expression, |entry| match entry {
            Entry::Whole(value) => *value,
            Entry::ByTurn(_) => None,
        })
    }

    /// The mean over the earlier iterations in which there was a turn of this number.
    pub fn mean_of_turn(&self, expression: &HistoryExpr, turn: u64) -> Option<f64> {
        self.average(expression, |entry| match entry {
            Entry::Whole(value) => *value,
            Entry::ByTurn(values) => values.iter().find(|(number, _)| *number == turn).map(|(_, value)| *value),
        })
    }

    fn average(&self, expression: &HistoryExpr, value: impl Fn(&Entry) -> Option<f64>) -> Option<f64> {
        let entries = self.entries(&expression.id);
        let oldest = entries.len().saturating_sub(expression.window.unwrap_or(entries.len()));
        let values: Vec<f64> = entries.get(oldest..)?.iter().filter_map(value).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}
