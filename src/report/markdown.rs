//! The table as Markdown, for pages that are kept beside the text: success by method and split, and how entropy moved while each learned.

use super::data::{Curve, ReportData};
use super::label;
use super::number::{bounds, count, percent, rate, short};
use super::table::{Cell, Standing, Table, TableRow};
use std::fmt::Write;

/// A table and the notes that its marks need. Ends with a newline.
pub fn markdown(data: &ReportData) -> String {
    let table = Table::new(data);
    let with_entropy = table.rows.iter().any(|row| entropy(data, row).is_some());
    let mut heads = vec![String::new()];
    heads.extend(table.splits.iter().map(|split| cleaned(&split.name)));
    if with_entropy {
        heads.extend(["entropy", "its spread", "seeds"].map(String::from));
    }
    let mut out = line(&heads);
    let _ = writeln!(out, "|{}", "---|".repeat(heads.len()));
    for row in &table.rows {
        let mut cells = vec![cleaned(&row.name)];
        cells.extend(row.cells.iter().map(|cell| cell.as_ref().map(success).unwrap_or_default()));
        if with_entropy {
            let found = entropy(data, row);
            cells.extend(found.map_or([const { String::new() }; 3], |e| [short(e.mean), short(e.spread), e.seeds.to_string()]));
        }
        out.push_str(&line(&cells));
    }
    let intervals = if table.has_seeds() { table.intervals() } else { "95 % Wilson interval over the episodes of all seeds" };
    let _ = writeln!(out, "\n\\* highest trained of the column, ~ within noise of it ({}). [ ] {intervals}.", table.rule());
    if with_entropy {
        out.push_str("Entropy: mean over the iterations, in nats; its spread: standard deviation over the iterations of a seed, averaged over seeds.\n");
    }
    out
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn success(cell: &Cell) -> String {
    let mark = match cell.standing {
        Standing::Best => " \\*",
        Standing::OverlapsBest => " ~",
        Standing::BelowBest | Standing::NotRanked => "",
    };
    let text = match (&cell.over_seeds, cell.rate.share()) {
        (Some(seeds), Some(share)) => format!("{} {} {}", percent(share), bounds(seeds.interval), count(cell.rate)),
        _ => rate(cell.rate),
    };
    format!("{text}{mark}")
}

/// Words from files on one line of a table: no columns, links or elements of their own.
fn cleaned(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() => out.push(' '),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '[' | ']' | '`' | '\\' | '*' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

struct Entropy {
    mean: f64,
    spread: f64,
    seeds: usize,
}

/// Of the learning that led to a row.
fn entropy(data: &ReportData, row: &TableRow) -> Option<Entropy> {
    let own = |curve: &&Curve| curve.kind == "rl" && curve.pipeline == row.pipeline && label::split(&curve.label).0 == row.variant;
    let seeds: Vec<Vec<f64>> = data
        .curves
        .iter()
        .filter(own)
        .map(|curve| curve.records.iter().filter_map(|r| r.values.get("entropy").copied()).filter(|v| v.is_finite()).collect())
        .filter(|values: &Vec<f64>| !values.is_empty())
        .collect();
    if seeds.is_empty() {
        return None;
    }
    let over = |of: &dyn Fn(&[f64]) -> f64| seeds.iter().map(|values| of(values)).sum::<f64>() / seeds.len() as f64;
    Some(Entropy { mean: over(&mean), spread: over(&deviation), seeds: seeds.len() })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Unbiased; 0 for a single value.
fn deviation(values: &[f64]) -> f64 {
    let middle = mean(values);
    let squares: f64 = values.iter().map(|v| (v - middle).powi(2)).sum();
    (squares / (values.len().max(2) - 1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::data::{MetricRecord, ResultRow};
    use super::*;

    fn row(actor: &str, pipeline: &str, seed: u32, successes: u64) -> ResultRow {
        let (label, split) = (format!("seed={seed}"), "house.seen".to_string());
        ResultRow { actor: actor.into(), pipeline: pipeline.into(), label, split, successes, episodes: 60, ..ResultRow::default() }
    }

    fn curve(pipeline: &str, seed: u32, entropy: &[f64]) -> Curve {
        let record = |(i, e): (usize, &f64)| MetricRecord { iteration: i as u64, values: [("entropy".to_string(), *e)].into() };
        let records = entropy.iter().enumerate().map(record).collect();
        Curve { pipeline: pipeline.into(), label: format!("seed={seed}"), stage: "train".into(), kind: "rl".into(), records }
    }

    #[test]
    fn seeds_are_pooled_and_entropy_is_summed_up() {
        let results = vec![row("after PPO", "ppo", 0, 50), row("after PPO", "ppo", 1, 40), row("after G|RPO", "grpo", 0, 10)];
        let curves = vec![curve("ppo", 0, &[1.0, 3.0, f64::NAN]), curve("ppo", 1, &[2.0]), curve("grpo", 0, &[0.5, 0.5])];
        let text = markdown(&ReportData { curves, results, ..ReportData::default() });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "|  | seen | entropy | its spread | seeds |");
        assert_eq!(lines[2], "| after PPO | 75.0 % [66.6, 81.9] (90/120) \\* | 2 | 0.7071 | 2 |");
        assert_eq!(lines[3], "| after G\\|RPO | 16.7 % [9.3, 28.0] (10/60) | 0.5 | 0 | 1 |");
    }

    #[test]
    fn names_are_words_and_nothing_else() {
        assert_eq!(cleaned("<img src=x> & [a](b) `c` | \u{1b}*"), "&lt;img src=x&gt; &amp; \\[a\\](b) \\`c\\` \\|  \\*");
    }

    #[test]
    fn without_learning_there_are_no_columns_for_it() {
        let text = markdown(&ReportData { results: vec![row("random", "", 0, 3)], ..ReportData::default() });
        assert!(text.starts_with("|  | seen |\n|---|---|\n| random | 5.0 % [1.7, 13.7] (3/60) |\n"), "{text}");
    }
}
