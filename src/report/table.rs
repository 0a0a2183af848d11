//! Success by actor and split. Seeds are brought together, and listed; within a split every trained actor stands to the best one.

use super::compare::{Comparison, compare};
use super::data::{ReportData, ResultRow, is_yardstick};
use super::interval::{Interval, Rate};
use super::label;
use super::over_seeds::{Measure, OverSeeds, sample};
use crate::stats::{Sample, holm, test};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Table {
    /// The columns.
    pub splits: Vec<Split>,
    /// In the order in which the data names the actors.
    pub rows: Vec<TableRow>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Split {
    /// As in the pipeline: `house.seen`.
    pub key: String,
    /// What stands over the column: `seen`, or the whole key where two splits end alike.
    pub name: String,
    /// Whether all its results were measured on one list of tasks. Results without a panel hash are taken to be.
    pub one_panel: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct TableRow {
    pub name: String,
    pub actor: String,
    pub pipeline: String,
    pub variant: String,
    /// One for each of [`Table::splits`].
    pub cells: Vec<Option<Cell>>,
}

/// One actor on one split, over all seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Cell {
    pub rate: Rate,
    /// Over seeds and tasks where there are several seeds and their tasks are known; otherwise Wilson's, over episodes.
    pub interval: Option<Interval>,
    /// Where there are several seeds and their tasks are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_seeds: Option<OverSeeds>,
    /// What each seed came to on each task, where it is known: success, and score.
    #[serde(skip)]
    samples: [Option<Sample>; 2],
    pub standing: Standing,
    pub seeds: Vec<SeedCell>,
    pub families: BTreeMap<String, Rate>,
    /// The environment's own figures: means over all episodes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct SeedCell {
    /// `seed 1`, or empty where nothing was unfolded.
    pub label: String,
    pub rate: Rate,
}

/// How a cell stands to the highest trained one of its column: by a test over seeds where both have several, otherwise by 95 % Wilson intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    Best,
    /// Lower, but not by more than noise: the test's p, by Holm among all pairs of the column, is above 5 %; or the intervals overlap.
    OverlapsBest,
    BelowBest,
    /// An expert or random actor, or a cell without episodes.
    NotRanked,
}

/// (actor, pipeline, variant, how many other stages evaluated the same before)
type RowKey = (String, String, String, usize);

impl Table {
    pub(super) fn new(data: &ReportData) -> Self {
        let mut results: Vec<&ResultRow> = Vec::new();
        for row in &data.results {
            // A stage that is named twice in a report counts once.
            if !results.contains(&row) {
                results.push(row);
            }
        }
        let splits = splits(&results);
        let keys = row_keys(&results);
        let mut ordered: Vec<&RowKey> = Vec::new();
        for key in &keys {
            if !ordered.contains(&key) {
                ordered.push(key);
            }
        }
        let mut rows: Vec<TableRow> = Vec::new();
        for key in &ordered {
            let members: Vec<&ResultRow> = results.iter().zip(&keys).filter(|(_, k)| k == key).map(|(r, _)| *r).collect();
            let cells = splits.iter().map(|split| cell(members.iter().copied().filter(|r| r.split == split.key))).collect();
            let name = if key.2.is_empty() { key.0.clone() } else { format!("{} · {}", key.0, key.2) };
            rows.push(TableRow { name, actor: key.0.clone(), pipeline: key.1.clone(), variant: key.2.clone(), cells });
        }
        tell_apart(&mut rows, &results, &keys, &ordered);
        let mut table = Self { splits, rows };
        table.rank();
        table
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The cells of one column with their rows' names.
    pub(super) fn column(&self, split: usize) -> impl Iterator<Item = (&TableRow, &Cell)> {
        self.rows.iter().filter_map(move |row| Some((row, row.cells.get(split)?.as_ref()?)))
    }

    /// All families of tasks on one split, by name.
    pub(super) fn families(&self, split: usize) -> BTreeSet<&str> {
        self.column(split).flat_map(|(_, cell)| cell.families.keys().map(String::as_str)).collect()
    }

    /// Whether there is a cell over several seeds whose tasks are known.
    pub(super) fn has_seeds(&self) -> bool {
        self.cells().any(|cell| cell.over_seeds.is_some())
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.rows.iter().flat_map(|row| row.cells.iter().flatten())
    }

    /// What the intervals of the cells are.
    pub(super) fn intervals(&self) -> &'static str {
        match (self.has_seeds(), self.cells().any(|cell| cell.over_seeds.is_none())) {
            (true, false) => "95 % interval over seeds and tasks",
            (true, true) => "95 % interval over seeds and tasks, of one seed Wilson's over episodes",
            _ => "95 % Wilson interval",
        }
    }

    /// By which rule a cell is within noise of the highest.
    pub(super) fn rule(&self) -> &'static str {
        let ranked = || self.rows.iter().filter(|row| !row.is_yardstick()).flat_map(|row| row.cells.iter().flatten());
        match (self.has_seeds(), ranked().any(|cell| cell.over_seeds.is_none())) {
            (true, false) => "t test over seeds, p above 5 % by Holm",
            (true, true) => "t test over seeds, p above 5 % by Holm; of one seed overlapping intervals",
            _ => "overlapping intervals",
        }
    }

    /// The names of all figures of environments.
    pub(super) fn figures(&self) -> BTreeSet<&str> {
        self.rows.iter().flat_map(|row| row.cells.iter().flatten()).flat_map(|cell| cell.figures.keys().map(String::as_str)).collect()
    }

    /// The cells of one column that are ranked, with their rows' names, and which of them is the highest.
    pub(super) fn ranked(&self, split: usize) -> (Vec<(&TableRow, &Cell)>, Option<usize>) {
        let ranked: Vec<(&TableRow, &Cell)> =
            self.column(split).filter(|(row, cell)| !row.is_yardstick() && cell.rate.share().is_some()).collect();
        let share = |at: &usize| ranked.get(*at).and_then(|(_, cell)| cell.rate.share()).unwrap_or(-1.0);
        // of equal ones the last, as it stands
        let best = (0..ranked.len()).max_by(|a, b| share(a).total_cmp(&share(b)));
        (ranked, best)
    }

    fn rank(&mut self) {
        for split in 0..self.splits.len() {
            let (ranked, best) = self.ranked(split);
            let Some((_, best)) = best.and_then(|best| ranked.get(best)).copied() else { continue };
            let p: Vec<Option<f64>> = ranked
                .iter()
                .map(|(_, cell)| test(cell.sample(Measure::Success)?, best.sample(Measure::Success)?).of_methods_p())
                .collect();
            let known: Vec<f64> = p.iter().flatten().copied().collect();
            let mut adjusted = holm(&known, ranked.len() * (ranked.len() - 1) / 2).into_iter();
            let standing = |(cell, p): (&Cell, Option<f64>)| match compare(cell.rate, best.rate) {
                Comparison::Unknown => Standing::NotRanked,
                _ if cell.rate.share() == best.rate.share() => Standing::Best,
                _ if p.is_some_and(|p| p > 0.05) => Standing::OverlapsBest,
                _ if p.is_some() => Standing::BelowBest,
                Comparison::Overlap => Standing::OverlapsBest,
                Comparison::Above | Comparison::Below => Standing::BelowBest,
            };
            let mut standings = ranked
                .iter()
                .zip(p)
                .map(|((_, cell), p)| standing((cell, p.and_then(|_| adjusted.next()))))
                .collect::<Vec<_>>()
                .into_iter();
            for row in self.rows.iter_mut().filter(|row| !row.is_yardstick()) {
                let Some(Some(cell)) = row.cells.get_mut(split) else { continue };
                if cell.rate.share().is_some() {
                    cell.standing = standings.next().unwrap_or(Standing::NotRanked);
                }
            }
        }
    }
}

impl Cell {
    /// What each seed came to on each task, where it is known.
    pub(super) fn sample(&self, measure: Measure) -> Option<&Sample> {
        let [success, score] = &self.samples;
        match measure {
            Measure::Success => success.as_ref(),
            Measure::Score => score.as_ref(),
        }
    }
}

impl TableRow {
    pub(super) fn is_yardstick(&self) -> bool {
        is_yardstick(&self.actor)
    }
}

fn splits(results: &[&ResultRow]) -> Vec<Split> {
    let mut keys: Vec<&str> = Vec::new();
    for row in results {
        if !keys.contains(&row.split.as_str()) {
            keys.push(&row.split);
        }
    }
    let last = |key: &str| key.rsplit('.').next().unwrap_or(key).to_string();
    // What was trained on stands first, what is farthest from it last.
    keys.sort_by_key(|key| match last(key).as_str() {
        "train" => 0,
        "seen" => 1,
        "unseen" => 2,
        _ => 3,
    });
    let named = |key: &&str| {
        let alone = keys.iter().filter(|other| last(other) == last(key)).count() == 1;
        let name = if alone { last(key) } else { key.to_string() };
        let name = if name.is_empty() { "(no split)".to_string() } else { name };
        let panels: BTreeSet<&str> =
            results.iter().filter(|r| r.split == **key && !r.panel_hash.is_empty()).map(|r| r.panel_hash.as_str()).collect();
        Split { key: key.to_string(), name, one_panel: panels.len() <= 1 }
    };
    keys.iter().map(named).collect()
}

/// Rows of one actor, pipeline and variant are one row of the table, unless two stages evaluated it on one split: those are not seeds of each other.
fn row_keys(results: &[&ResultRow]) -> Vec<RowKey> {
    let mut stages: BTreeMap<(&str, &str, String, &str), Vec<&str>> = BTreeMap::new();
    let mut keys = Vec::new();
    for row in results {
        let (variant, _) = label::split(&row.label);
        let seen = stages.entry((&row.actor, &row.pipeline, variant.clone(), &row.split)).or_default();
        let nth = seen.iter().position(|s| *s == row.stage).unwrap_or_else(|| {
            seen.push(&row.stage);
            seen.len() - 1
        });
        keys.push((row.actor.clone(), row.pipeline.clone(), variant, nth));
    }
    keys
}

fn cell<'a>(results: impl Iterator<Item = &'a ResultRow>) -> Option<Cell> {
    let results: Vec<&ResultRow> = results.collect();
    let samples = [Measure::Success, Measure::Score].map(|measure| sample(&results, measure));
    let over_seeds = samples[0].as_ref().and_then(OverSeeds::of);
    let mut seeds = Vec::new();
    let mut families: BTreeMap<String, Rate> = BTreeMap::new();
    let mut figures: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    let mut rate = Rate::default();
    for row in results {
        rate = rate.plus(row.rate());
        for (name, mean) in &row.figures {
            let (sum, count) = figures.entry(name.clone()).or_default();
            *sum += mean * row.episodes as f64;
            *count += row.episodes as f64;
        }
        for (family, (successes, episodes)) in &row.families {
            let sum = families.entry(family.clone()).or_default();
            *sum = sum.plus(Rate { successes: *successes, episodes: *episodes });
        }
        let (_, seed) = label::split(&row.label);
        seeds.push(SeedCell { label: seed.map(|s| format!("seed {s}")).unwrap_or_default(), rate: row.rate() });
    }
    let figures = figures.into_iter().map(|(name, (sum, count))| (name, sum / count)).collect();
    let interval = over_seeds.as_ref().map(|seeds| seeds.interval).or_else(|| rate.interval());
    let found = Cell { rate, interval, over_seeds, samples, standing: Standing::NotRanked, seeds, families, figures };
    (!found.seeds.is_empty()).then_some(found)
}

/// Rows of one name get their pipeline beside it, and if that does not help their stages.
fn tell_apart(rows: &mut [TableRow], results: &[&ResultRow], keys: &[RowKey], ordered: &[&RowKey]) {
    let twice = |rows: &[TableRow], name: &str| rows.iter().filter(|r| r.name == name).count() > 1;
    let before = rows.to_vec();
    for row in rows.iter_mut() {
        let pipelines: BTreeSet<&str> = before.iter().filter(|r| r.name == row.name).map(|r| r.pipeline.as_str()).collect();
        if pipelines.len() > 1 && !row.pipeline.is_empty() {
            row.name = format!("{} · {}", row.name, row.pipeline);
        }
    }
    let before = rows.to_vec();
    for (row, key) in rows.iter_mut().zip(ordered) {
        if twice(&before, &row.name) {
            let stages: BTreeSet<&str> = results.iter().zip(keys).filter(|(_, k)| k == key).map(|(r, _)| r.stage.as_str()).collect();
            row.name = format!("{} · {}", row.name, stages.into_iter().collect::<Vec<_>>().join(", "));
        }
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
