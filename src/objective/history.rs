//! What `history(…)` remembers over the iterations of a run.

use super::program::{CarryExpr, HistoryExpr};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One row for each `history` expression by its id, one entry for each iteration so far; and what each `carry` hands to the next iteration. Part of a
/// checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    rows: BTreeMap<String, Vec<Entry>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    carried: BTreeMap<String, f64>,
}

/// What one iteration leaves for later ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    /// The value in one iteration; `None` if the batch had nothing to average.
    Whole(Option<f64>),
    /// By the number of the turn, or by what else lasts over iterations, ascending.
    ByKey(Vec<(u64, f64)>),
    /// All that there were.
    Values(Vec<f64>),
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

    /// The number that an iteration is handed.
    pub(super) fn carried(&self, expression: &CarryExpr) -> f64 {
        self.carried.get(&expression.id).copied().unwrap_or(expression.start)
    }

    /// What the next iteration is handed.
    pub(super) fn carry(&mut self, id: &str, number: f64) {
        self.carried.insert(id.to_owned(), number);
    }

    /// The mean over the past; `first`, if it is given, where there is none.
    pub(super) fn mean(&self, expression: &HistoryExpr, first: Option<f64>) -> Option<f64> {
        if let Some(quantile) = expression.quantile {
            return self.quantile(expression, quantile).or(first);
        }
        self.average(expression, first, |entry| match entry {
            Entry::Whole(value) => *value,
            Entry::ByKey(_) | Entry::Values(_) => None,
        })
    }

    /// Of all values that were remembered, between two of them on the line between them.
    fn quantile(&self, expression: &HistoryExpr, quantile: f64) -> Option<f64> {
        let mut values: Vec<f64> = Vec::new();
        for entry in self.within(expression) {
            match entry {
                Entry::Whole(value) => values.extend(value),
                Entry::Values(all) => values.extend(all),
                Entry::ByKey(all) => values.extend(all.iter().map(|(_, value)| value)),
            }
        }
        values.sort_by(f64::total_cmp);
        let place = quantile * values.len().checked_sub(1)? as f64;
        let (low, high) = (values.get(place.floor() as usize)?, values.get(place.ceil() as usize)?);
        Some(low + (high - low) * place.fract())
    }

    /// The entries that an expression looks back on.
    fn within(&self, expression: &HistoryExpr) -> &[Entry] {
        let entries = self.entries(&expression.id);
        let oldest = entries.len().saturating_sub(expression.window.unwrap_or(entries.len()));
        entries.get(oldest..).unwrap_or_default()
    }

    /// The mean over the earlier iterations in which there was something of this turn, task or state.
    pub(super) fn mean_of(&self, expression: &HistoryExpr, id: u64, first: Option<f64>) -> Option<f64> {
        self.average(expression, first, |entry| match entry {
            Entry::Whole(value) => *value,
            Entry::Values(_) => None,
            Entry::ByKey(values) => values.binary_search_by_key(&id, |(own, _)| *own).ok().and_then(|at| Some(values.get(at)?.1)),
        })
    }

    fn average(&self, expression: &HistoryExpr, first: Option<f64>, value: impl Fn(&Entry) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = self.within(expression).iter().filter_map(value).collect();
        if values.is_empty() {
            return first;
        }
        if expression.decay.is_none() && expression.prior == 0.0 {
            return Some(values.iter().sum::<f64>() / values.len() as f64);
        }
        let decay = expression.decay.unwrap_or(1.0);
        let before = first.map_or((0.0, 0.0), |first| (expression.prior * first, expression.prior));
        let (sum, weight) = values.iter().fold(before, |(sum, weight), value| (sum * decay + value, weight * decay + 1.0));
        Some(sum / weight)
    }
}
