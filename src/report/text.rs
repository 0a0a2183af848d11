//! The table for the terminal.

use super::comparisons::{Against, comparisons};
use super::comparisons_text::comparisons_text;
use super::data::ReportData;
use super::number::{bounds, count, figure_text, percent};
use super::over_seeds::Measure;
use super::table::{Cell, Standing, Table};
use unicode_width::UnicodeWidthStr;

/// Success by actor and split, aligned; side by side where that fits into `width` columns, else one line per actor and split. Ends with a newline.
///
/// Words from files and environments lose their control characters: a name cannot move the cursor.
pub fn text(data: &ReportData, width: usize) -> String {
    let table = Table::new(data);
    if table.is_empty() {
        return "no evaluation results\n".into();
    }
    let mut out = fitted(&table, &lines(&table), width);
    out.push_str(&notes(&table));
    for figure in table.figures() {
        out.push_str(&format!("\n{}\n", plain(figure)));
        out.push_str(&fitted(&table, &figures(&table, figure), width));
    }
    for split in table.splits.iter().filter(|s| !s.one_panel) {
        out.push_str(&format!("{}: results come from different lists of tasks\n", plain(&split.name)));
    }
    for note in &data.notes {
        out.push_str(&format!("{}\n", plain(note)));
    }
    out.push_str(&over_seeds(data, &table));
    out
}

/// Where methods have several seeds: what these say of each, and how the methods stand to the highest.
fn over_seeds(data: &ReportData, table: &Table) -> String {
    if !table.has_seeds() {
        return String::new();
    }
    comparisons(data, Measure::Success, &Against::Highest).map(|all| format!("\n{}", comparisons_text(&all))).unwrap_or_default()
}

fn fitted(table: &Table, lines: &[Line], width: usize) -> String {
    let out = wide(table, lines);
    if out.lines().any(|line| line.width() > width) { narrow(table, lines) } else { out }
}

/// One of the environment's own figures.
fn figures(table: &Table, figure: &str) -> Vec<Line> {
    let of = |cell: &Option<Cell>| Some(format!("{:>9}", figure_text(figure, *cell.as_ref()?.figures.get(figure)?)));
    table.rows.iter().map(|row| (plain(&row.name), row.cells.iter().map(of).collect())).collect()
}

/// A name with one text per split.
type Line = (String, Vec<Option<String>>);

fn lines(table: &Table) -> Vec<Line> {
    let mut lines = Vec::new();
    for row in &table.rows {
        let cells = row.cells.iter().map(|c| c.as_ref().map(|c| written(c, mark(c.standing)))).collect();
        lines.push((plain(&row.name), cells));
        let mut seeds: Vec<&str> = Vec::new();
        for seed in row.cells.iter().flatten().filter(|c| c.seeds.len() > 1).flat_map(|c| &c.seeds) {
            if !seeds.contains(&seed.label.as_str()) {
                seeds.push(&seed.label);
            }
        }
        for label in seeds {
            let of_seed = |cell: &Cell| {
                let rates: Vec<String> = cell.seeds.iter().filter(|s| s.label == label).map(|s| share(s.rate, ' ')).collect();
                (!rates.is_empty()).then(|| rates.join(", "))
            };
            let name = if label.is_empty() { "no seed" } else { label };
            lines.push((format!("  {}", plain(name)), row.cells.iter().map(|c| c.as_ref().and_then(of_seed)).collect()));
        }
    }
    lines
}

/// ` 83.3 %* [72.0, 90.7] (50/60)`
fn written(cell: &Cell, mark: char) -> String {
    let interval = cell.interval.map(|i| format!("{:<14} ", bounds(i))).unwrap_or_default();
    format!("{} {interval}{}", share(cell.rate, mark), count(cell.rate))
}

fn share(rate: super::Rate, mark: char) -> String {
    format!("{:>7}{mark}", rate.share().map_or_else(|| "-".into(), percent))
}

fn mark(standing: Standing) -> char {
    match standing {
        Standing::Best => '*',
        Standing::OverlapsBest => '~',
        Standing::BelowBest | Standing::NotRanked => ' ',
    }
}

fn notes(table: &Table) -> String {
    let any = |wanted| table.rows.iter().any(|r| r.cells.iter().flatten().any(|c| c.standing == wanted));
    let marks = match (any(Standing::Best), any(Standing::OverlapsBest)) {
        (true, true) => format!("* highest trained   ~ within noise of it ({})   ", table.rule()),
        (true, false) => "* highest trained   ".to_string(),
        _ => String::new(),
    };
    format!("{marks}[ ] {}\n", table.intervals())
}

fn wide(table: &Table, lines: &[Line]) -> String {
    let first = lines.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let widths: Vec<usize> = table
        .splits
        .iter()
        .enumerate()
        .map(|(at, split)| {
            lines
                .iter()
                .filter_map(|(_, cells)| cells.get(at)?.as_ref())
                .map(|c| c.width())
                .max()
                .unwrap_or(0)
                .max(plain(&split.name).width() + 2)
        })
        .collect();
    let mut out = String::new();
    let heads = table.splits.iter().map(|s| Some(format!("  {}", plain(&s.name)))).collect();
    for (name, cells) in std::iter::once(&(String::new(), heads)).chain(lines) {
        let mut line = padded(name, first);
        for (cell, width) in cells.iter().zip(&widths) {
            line.push_str("  ");
            line.push_str(&padded(cell.as_deref().unwrap_or(""), *width));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn narrow(table: &Table, lines: &[Line]) -> String {
    let first = lines.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let second = table.splits.iter().map(|s| plain(&s.name).width()).max().unwrap_or(0);
    let mut out = String::new();
    for (name, cells) in lines {
        let mut name = name.as_str();
        for (cell, split) in cells.iter().zip(&table.splits).filter_map(|(c, s)| Some((c.as_ref()?, s))) {
            let line = format!("{}  {} {cell}", padded(name, first), padded(&plain(&split.name), second));
            out.push_str(line.trim_end());
            out.push('\n');
            name = "";
        }
    }
    out
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Without control characters.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
