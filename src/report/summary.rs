//! The finding in sentences: what is best on each split, and what cannot be told from it.

use super::data::ReportData;
use super::number::{bounds, count, counted, listed, percent, rate};
use super::table::{Cell, Standing, Table, TableRow};
use std::collections::BTreeSet;

/// One sentence or more per split, and one about what was run. Plain text.
pub fn summary(data: &ReportData) -> Vec<String> {
    let table = Table::new(data);
    let mut sentences: Vec<String> = (0..table.splits.len()).filter_map(|split| of_split(&table, split)).collect();
    if sentences.is_empty() {
        sentences.push("This report has no results of an evaluation, so it names no best policy.".into());
    }
    let compared = |wanted| table.rows.iter().any(|r| r.cells.iter().flatten().any(|c| c.standing == wanted));
    let rule = match table.has_seeds() {
        true => format!("Within noise: {}.", table.rule()),
        false => "Within noise means that the 95 % intervals overlap.".to_string(),
    };
    let words = extent(data).into_iter().chain((compared(Standing::OverlapsBest) || compared(Standing::BelowBest)).then_some(rule));
    sentences.extend(Some(words.collect::<Vec<_>>().join(" ")).filter(|w| !w.is_empty()));
    sentences
}

fn of_split(table: &Table, split: usize) -> Option<String> {
    let column = table.splits.get(split)?;
    let standing = |wanted: Standing| table.column(split).filter(move |(_, cell)| cell.standing == wanted);
    let best: Vec<(&TableRow, &Cell)> = standing(Standing::Best).collect();
    let close: Vec<String> = standing(Standing::OverlapsBest).map(named).collect();
    let below: Vec<String> = standing(Standing::BelowBest).map(named).collect();
    let on = &column.name;
    let mut text = match best.as_slice() {
        [] => return Some(format!("On {on}, no trained policy was evaluated.")),
        [only] if close.is_empty() && below.is_empty() => format!("On {on}: {}, {}.", only.0.name, written(only.1)),
        [only] => format!("Highest on {on}: {}, {}.", only.0.name, written(only.1)),
        [first, ..] => {
            let names: Vec<String> = best.iter().map(|(row, _)| row.name.clone()).collect();
            let share = first.1.rate.share().map(percent).unwrap_or_default();
            format!("Highest on {on}, equal: {}, {share} each.", listed(&names))
        }
    };
    match (close.is_empty(), below.is_empty()) {
        (true, true) => {}
        (false, true) => text.push_str(&format!(" Within noise of that: {}.", listed(&close))),
        (true, false) => text.push_str(&format!(" Lower by more than noise: {}.", listed(&below))),
        (false, false) => {
            text.push_str(&format!(" Within noise of that: {}; lower by more than noise: {}.", listed(&close), listed(&below)));
        }
    }
    for (row, cell) in table.column(split) {
        if let Some(warning) = cell.over_seeds.as_ref().and_then(|seeds| seeds.warning(percent)) {
            text.push_str(&format!(" Of {}, {warning}.", row.name));
        }
    }
    if !column.one_panel {
        text.push_str(" These results come from different lists of tasks, so part of a difference may be the tasks'.");
    }
    Some(text)
}

/// `83.3 % [72.0, 90.7] (50/60)`
fn written(cell: &Cell) -> String {
    match (&cell.over_seeds, cell.rate.share()) {
        (Some(seeds), Some(share)) => format!("{} {} {}", percent(share), bounds(seeds.interval), count(cell.rate)),
        _ => rate(cell.rate),
    }
}

fn named((row, cell): (&TableRow, &Cell)) -> String {
    format!("{} ({})", row.name, cell.rate.share().map_or_else(|| "no rate".into(), percent))
}

/// How much there is: pipelines, instances, episodes.
fn extent(data: &ReportData) -> Option<String> {
    let names: BTreeSet<&str> = data.pipelines.iter().map(|p| p.name.as_str()).collect();
    let episodes: u64 = data.results.iter().fold(0, |sum, r| sum.saturating_add(r.episodes));
    let mut parts = Vec::new();
    if !names.is_empty() {
        let instances =
            if data.pipelines.len() > names.len() { format!(" in {}", counted(data.pipelines.len(), "instance")) } else { String::new() };
        parts.push(format!("{}{instances}", counted(names.len(), "pipeline")));
    }
    if episodes > 0 {
        parts.push(format!("{} of evaluation", counted(episodes as usize, "episode")));
    }
    (!parts.is_empty()).then(|| format!("The report covers {}.", listed(&parts)))
}

#[cfg(test)]
mod tests {
    use super::super::data::{PipelineInfo, ResultRow};
    use super::*;

    fn row(actor: &str, successes: u64, episodes: u64) -> ResultRow {
        ResultRow { actor: actor.into(), split: "house.seen".into(), successes, episodes, ..ResultRow::default() }
    }

    fn of(results: Vec<ResultRow>) -> Vec<String> {
        summary(&ReportData { results, ..ReportData::default() })
    }

    #[test]
    fn the_best_is_named_with_what_is_within_noise_and_what_is_not() {
        assert_eq!(
            of(vec![row("expert", 60, 60), row("after warm-up", 25, 60), row("after PPO", 45, 60), row("after EPO", 50, 60)]),
            [
                "Highest on seen: after EPO, 83.3 % [72.0, 90.7] (50/60). Within noise of that: after PPO (75.0 %); lower by more than noise: after warm-up \
             (41.7 %).",
                "The report covers 240 episodes of evaluation. Within noise means that the 95 % intervals overlap."
            ]
        );
    }

    #[test]
    fn one_policy_is_not_compared() {
        assert_eq!(of(vec![row("after EPO", 50, 60)])[0], "On seen: after EPO, 83.3 % [72.0, 90.7] (50/60).");
        assert_eq!(of(vec![row("expert", 60, 60)])[0], "On seen, no trained policy was evaluated.");
    }

    #[test]
    fn equals_share_the_first_place() {
        let found = of(vec![row("after PPO", 50, 60), row("after EPO", 50, 60), row("after warm-up", 25, 60)]);
        assert_eq!(
            found[0],
            "Highest on seen, equal: after PPO and after EPO, 83.3 % each. Lower by more than noise: after warm-up (41.7 %)."
        );
    }

    #[test]
    fn other_tasks_are_a_reason_to_doubt() {
        let with = |actor: &str, panel: &str| ResultRow { panel_hash: panel.into(), ..row(actor, 50, 60) };
        let found = of(vec![with("after PPO", "x"), with("after EPO", "y")]);
        assert!(
            found[0].ends_with("These results come from different lists of tasks, so part of a difference may be the tasks'."),
            "{}",
            found[0]
        );
    }

    #[test]
    fn pipelines_and_their_instances_are_counted() {
        let instance = |name: &str, label: &str| PipelineInfo { name: name.into(), label: label.into(), ..PipelineInfo::default() };
        let pipelines = vec![instance("a", "seed=0"), instance("a", "seed=1"), instance("b", "")];
        let found = summary(&ReportData { pipelines, ..ReportData::default() });
        assert_eq!(found[1], "The report covers 2 pipelines in 3 instances.");
    }
}
