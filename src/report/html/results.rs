//! The table of results, its families, and every row as it was given.

use super::super::data::{ReportData, ResultRow};
use super::super::interval::Rate;
use super::super::markup::Markup;
use super::super::number::{bounds, count, figure_text, percent, short};
use super::super::table::{Cell, Standing, Table};
use super::{comparisons, episodes, instance, missing, scrolling};

/// `none` stands where there is nothing to show.
pub(super) fn write(m: &mut Markup, data: &ReportData, table: &Table, none: &'static str) {
    if table.is_empty() {
        missing(m, none);
        return;
    }
    main_table(m, table);
    notes(m, table);
    if table.has_seeds() {
        comparisons::write(m, data);
    }
    figures(m, table);
    families(m, table);
    all_rows(m, data);
}

fn main_table(m: &mut Markup, table: &Table) {
    m.element("table", &[("class", "results")], |m| {
        m.leaf("caption", &[], format!("Share of episodes that succeed, with {} (successes/episodes)", table.intervals()));
        m.element("thead", &[], |m| {
            m.element("tr", &[], |m| {
                m.leaf("th", &[("scope", "col")], "actor");
                for split in &table.splits {
                    m.leaf("th", &[("scope", "col"), ("title", &split.key)], &split.name);
                }
            });
        });
        m.newline();
        m.element("tbody", &[], |m| {
            for row in &table.rows {
                m.element("tr", &[("class", if row.is_yardstick() { "yardstick" } else { "trained" })], |m| {
                    m.leaf("th", &[("scope", "row")], &row.name);
                    for (found, split) in row.cells.iter().zip(&table.splits) {
                        match found {
                            Some(found) => cell(m, found, &split.name),
                            None => m.leaf("td", &[("data-split", &split.name), ("class", "none")], "–"),
                        }
                    }
                });
                m.newline();
            }
        });
    });
    m.newline();
}

fn cell(m: &mut Markup, cell: &Cell, split: &str) {
    let (class, mark) = match cell.standing {
        Standing::Best => ("best", ""),
        Standing::OverlapsBest => ("close", "≈"),
        Standing::BelowBest | Standing::NotRanked => ("", ""),
    };
    m.element("td", &[("data-split", split), ("class", class)], |m| {
        let share = cell.rate.share().map_or_else(|| "no rate".into(), percent);
        m.leaf("span", &[("class", "share")], share);
        if !mark.is_empty() {
            m.leaf("span", &[("class", "mark"), ("title", "within noise of the highest")], mark);
        }
        whisker(m, cell);
        let interval = cell.interval.map(|i| format!("{} ", bounds(i))).unwrap_or_default();
        m.leaf("span", &[("class", "fine")], format!("{interval}{}", count(cell.rate)));
        if cell.seeds.len() > 1 {
            m.element("span", &[("class", "fine seeds")], |m| {
                for (at, seed) in cell.seeds.iter().enumerate() {
                    let share = seed.rate.share().map_or_else(|| "no rate".into(), percent);
                    m.leaf("span", &[("title", &format!("{} {}", seed.label, count(seed.rate)))], share);
                    m.text(if at + 1 < cell.seeds.len() { " · " } else { "" });
                }
            });
        }
    });
}

/// The share as a dot, its interval as a line, on 0 to 100 %; single seeds as small strokes. The numbers stand beside it.
fn whisker(m: &mut Markup, cell: &Cell) {
    let (Some(share), Some(interval)) = (cell.rate.share(), cell.interval) else { return };
    let x = |share: f64| format!("{:.1}", 4.0 + 112.0 * share);
    m.element(
        "svg",
        &[("class", "whisker"), ("viewBox", "0 0 120 14"), ("width", "120"), ("height", "14"), ("aria-hidden", "true")],
        |m| {
            m.empty("path", &[("class", "track"), ("d", "M4 7H116M4 4V10M60 5V9M116 4V10")]);
            if cell.seeds.len() > 1 {
                for share in cell.seeds.iter().filter_map(|s| s.rate.share()) {
                    m.empty("path", &[("class", "seed"), ("d", &format!("M{} 1.5V12.5", x(share)))]);
                }
            }
            m.empty("path", &[("class", "interval"), ("d", &format!("M{} 7H{}", x(interval.low), x(interval.high)))]);
            m.empty("circle", &[("class", "point"), ("cx", &x(share)), ("cy", "7"), ("r", "3.4")]);
        },
    );
}

fn notes(m: &mut Markup, table: &Table) {
    let any = |wanted| table.rows.iter().any(|r| r.cells.iter().flatten().any(|c| c.standing == wanted));
    m.element("p", &[("class", "note")], |m| {
        if any(Standing::Best) {
            m.text("Bold: the highest trained policy of its column. ");
        }
        if any(Standing::OverlapsBest) {
            m.text(format!("≈: lower, but within noise of it ({}). ", table.rule()));
        }
        if table.rows.iter().any(|r| r.cells.iter().flatten().any(|c| c.seeds.len() > 1)) {
            m.text("Seeds are listed below the share of all of them together (strokes in the drawing). ");
            if table.rows.iter().flat_map(|r| r.cells.iter().flatten()).any(|c| c.seeds.len() > 1 && c.over_seeds.is_none()) {
                m.text("Where tasks were not recorded, an interval covers chance in the episodes alone; how far trainings differ shows in the seeds. ");
            }
        }
        for split in table.splits.iter().filter(|s| !s.one_panel) {
            m.text(format!("The results on {} come from different lists of tasks. ", split.name));
        }
    });
    m.newline();
}

/// What else the environment says of its episodes: means, one table for each figure.
fn figures(m: &mut Markup, table: &Table) {
    let names = table.figures();
    if names.is_empty() {
        return;
    }
    m.element("details", &[("open", "")], |m| {
        m.leaf("summary", &[], "The environment's own figures");
        for name in names {
            m.leaf("h3", &[], name);
            scrolling(m, name, |m| {
                m.element("table", &[("class", "plain")], |m| {
                    m.element("tr", &[], |m| {
                        m.leaf("th", &[("scope", "col")], "actor");
                        table.splits.iter().for_each(|split| m.leaf("th", &[("scope", "col")], &split.name));
                    });
                    for row in &table.rows {
                        m.element("tr", &[], |m| {
                            m.leaf("th", &[("scope", "row")], &row.name);
                            for cell in &row.cells {
                                let value = cell.as_ref().and_then(|cell| cell.figures.get(name));
                                m.leaf("td", &[], value.map_or_else(|| "–".into(), |value| figure_text(name, *value)));
                            }
                        });
                    }
                });
            });
        }
    });
    m.newline();
}

fn families(m: &mut Markup, table: &Table) {
    let splits: Vec<usize> = (0..table.splits.len()).filter(|split| !table.families(*split).is_empty()).collect();
    if splits.is_empty() {
        return;
    }
    m.element("details", &[], |m| {
        m.leaf("summary", &[], "By family of tasks");
        for (split, column) in table.splits.iter().enumerate().filter(|(at, _)| splits.contains(at)) {
            let names = table.families(split);
            m.leaf("h3", &[], &column.name);
            scrolling(m, &format!("families on {}", column.name), |m| {
                m.element("table", &[("class", "plain")], |m| {
                    m.element("tr", &[], |m| {
                        m.leaf("th", &[("scope", "col")], "actor");
                        for family in &names {
                            m.leaf("th", &[("scope", "col")], family);
                        }
                    });
                    for (row, cell) in table.column(split) {
                        m.element("tr", &[], |m| {
                            m.leaf("th", &[("scope", "row")], &row.name);
                            for family in &names {
                                m.element("td", &[], |m| family_cell(m, cell.families.get(*family)));
                            }
                        });
                    }
                });
            });
        }
    });
    m.newline();
}

fn family_cell(m: &mut Markup, rate: Option<&Rate>) {
    let Some(rate) = rate else {
        m.text("–");
        return;
    };
    m.text(rate.share().map_or_else(|| "no rate".into(), percent));
    let interval = rate.interval().map(|i| format!("{} ", bounds(i))).unwrap_or_default();
    m.leaf("span", &[("class", "fine")], format!("{interval}{}", count(*rate)));
}

fn all_rows(m: &mut Markup, data: &ReportData) {
    m.element("details", &[], |m| {
        m.leaf("summary", &[], "Every result, with scores, turns and panels");
        scrolling(m, "every result", |m| {
            m.element("table", &[("class", "plain")], |m| {
                m.element("tr", &[], |m| {
                    for head in ["actor", "pipeline", "stage", "split", "success", "mean score", "mean turns", "panel", "episodes"] {
                        m.leaf("th", &[("scope", "col")], head);
                    }
                });
                data.results.iter().for_each(|row| one_row(m, data, row));
            });
        });
        m.leaf("p", &[("class", "note")], "Panel: the hash of the list of tasks. Rows with one hash played the same tasks.");
    });
    m.newline();
}

fn one_row(m: &mut Markup, data: &ReportData, row: &ResultRow) {
    m.element("tr", &[], |m| {
        m.leaf("th", &[("scope", "row")], &row.actor);
        m.leaf("td", &[("class", "code")], instance(&row.pipeline, &row.label));
        m.leaf("td", &[("class", "code")], &row.stage);
        m.leaf("td", &[("class", "code")], &row.split);
        m.element("td", &[], |m| family_cell(m, Some(&row.rate())));
        m.leaf("td", &[], short(row.mean_score));
        m.leaf("td", &[], short(row.mean_turns));
        let shown: String = row.panel_hash.chars().take(12).collect();
        m.leaf("td", &[("class", "code"), ("title", &row.panel_hash)], if shown.is_empty() { "–".into() } else { shown });
        m.element("td", &[], |m| match episodes::first_of(data, row) {
            Some(id) => m.leaf("a", &[("href", &format!("#{id}"))], "read"),
            None => m.text("–"),
        });
    });
}
