//! Methods beside each other, split by split: by their seeds, on the same tasks.

use super::data::ReportData;
use super::over_seeds::{Measure, OverSeeds};
use super::table::{Table, TableRow};
use crate::stats::{Bootstrap, Comparison, Sample, compare, holm, mean};
use serde::Serialize;

/// Which pairs are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Against {
    /// Each with the highest. Which that is was seen first, so p is corrected for all pairs that there are.
    #[default]
    Highest,
    /// Each with each.
    All,
    /// Each with this one: its row's name, or its pipeline's.
    Named(String),
}

/// A name that no method has, with those that there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no method is called `{name}`; there are {}", .known.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "))]
pub struct Unknown {
    /// As given.
    pub name: String,
    /// In the order of the table.
    pub known: Vec<String>,
}

/// One split.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// As the table's column is called.
    pub split: String,
    /// What is compared.
    pub measure: Measure,
    /// Tasks of the panel; of the first method, where they differ.
    pub tasks: usize,
    /// In the order of the table.
    pub methods: Vec<Measured>,
    /// Among how many comparisons p is corrected.
    pub family: usize,
    /// Of `methods`.
    pub pairs: Vec<Pair>,
    /// Methods of which no tasks were recorded, so that nothing can be compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// One method on one split.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// As its row is called.
    pub name: String,
    /// Each seed with its mean over the panel.
    pub seeds: Vec<(String, f64)>,
    /// The mean over these.
    pub mean: f64,
    /// Where there are several.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub over_seeds: Option<OverSeeds>,
}

/// Two of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// A method's name.
    pub first: String,
    /// The one that it is compared with.
    pub second: String,
    /// The first less the second.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// The p of its test, by Holm; where there is a test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holm: Option<f64>,
}

/// Compares what was trained, on every split. What nothing trained is left out.
///
/// # Errors
/// A name in `against` that no method has.
pub fn comparisons(data: &ReportData, measure: Measure, against: &Against) -> Result<Vec<Compared>, Unknown> {
    let table = Table::new(data);
    if let Against::Named(name) = against {
        let known: Vec<String> = table.rows.iter().filter(|row| !row.is_yardstick()).map(|row| row.name.clone()).collect();
        let is = |row: &TableRow| !row.is_yardstick() && (row.name == *name || row.pipeline == *name);
        if !table.rows.iter().any(is) {
            return Err(Unknown { name: name.clone(), known });
        }
    }
    Ok((0..table.splits.len()).filter_map(|split| one_split(&table, split, measure, against)).collect())
}

struct Method {
    name: String,
    pipeline: String,
    sample: Sample,
}

fn one_split(table: &Table, split: usize, measure: Measure, against: &Against) -> Option<Compared> {
    let column = table.splits.get(split)?;
    let (mut methods, mut left_out) = (Vec::new(), Vec::new());
    for (row, cell) in table.ranked(split).0 {
        match cell.sample(measure) {
            Some(sample) => methods.push(Method { name: row.name.clone(), pipeline: row.pipeline.clone(), sample: sample.clone() }),
            None => left_out.push(row.name.clone()),
        }
    }
    let height = |method: &Method| mean(&method.sample.means());
    let count = methods.len();
    let all_pairs = count * count.saturating_sub(1) / 2;
    let (pairs, family): (Vec<(usize, usize)>, usize) = match against {
        Against::All => ((0..count).flat_map(|a| (a + 1..count).map(move |b| (b, a))).collect(), all_pairs),
        Against::Highest => {
            let best = (0..count).max_by(|a, b| height(&methods[*a]).total_cmp(&height(&methods[*b])));
            (best.into_iter().flat_map(|best| (0..count).filter(move |a| *a != best).map(move |a| (a, best))).collect(), all_pairs)
        }
        Against::Named(name) => {
            let one = methods.iter().position(|method| method.name == *name || method.pipeline == *name);
            (
                one.into_iter().flat_map(|one| (0..count).filter(move |a| *a != one).map(move |a| (a, one))).collect(),
                count.saturating_sub(1),
            )
        }
    };
    let found = pairs.into_iter().filter_map(|(a, b)| {
        let (first, second) = (methods.get(a)?, methods.get(b)?);
        let comparison = compare(&first.sample, &second.sample, Bootstrap::default(), family)?;
        Some(Pair { first: first.name.clone(), second: second.name.clone(), comparison, holm: None })
    });
    let mut pairs: Vec<Pair> = found.collect();
    let p: Vec<f64> = pairs.iter().filter_map(|pair| pair.comparison.test.p()).collect();
    let mut adjusted = holm(&p, family).into_iter();
    for pair in pairs.iter_mut().filter(|pair| pair.comparison.test.p().is_some()) {
        pair.holm = adjusted.next();
    }
    let measured = |method: &Method| Measured {
        name: method.name.clone(),
        seeds: method.sample.seeds.iter().map(|seed| seed.seed.clone()).zip(method.sample.means()).collect(),
        mean: height(method),
        over_seeds: OverSeeds::of(&method.sample),
    };
    let tasks = methods.first().map_or(0, |method| method.sample.strata.len());
    let methods = methods.iter().map(measured).collect();
    Some(Compared { split: column.name.clone(), measure, tasks, methods, family, pairs, left_out })
}

#[cfg(test)]
#[path = "comparisons_tests.rs"]
mod tests;
