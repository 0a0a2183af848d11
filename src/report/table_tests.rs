use super::*;

fn row(actor: &str, pipeline: &str, label: &str, split: &str, successes: u64, episodes: u64) -> ResultRow {
    ResultRow {
        actor: actor.into(),
        pipeline: pipeline.into(),
        label: label.into(),
        stage: "test".into(),
        split: split.into(),
        successes,
        episodes,
        ..ResultRow::default()
    }
}

fn table(results: Vec<ResultRow>) -> Table {
    Table::new(&ReportData { results, ..ReportData::default() })
}

fn names(table: &Table) -> Vec<&str> {
    table.rows.iter().map(|r| r.name.as_str()).collect()
}

fn standings(table: &Table, split: usize) -> Vec<Standing> {
    table.column(split).map(|(_, cell)| cell.standing).collect()
}

#[test]
fn seeds_are_pooled_and_listed() {
    let mut first = row("after PPO", "ppo", "seed=0", "house.seen", 50, 60);
    first.families = [("put".to_string(), (5, 10)), ("heat".to_string(), (45, 50))].into();
    let mut second = row("after PPO", "ppo", "seed=1", "house.seen", 40, 60);
    second.families = [("put".to_string(), (7, 10))].into();
    let table = table(vec![first, second]);
    let cell = table.rows[0].cells[0].as_ref().expect("a cell");
    assert_eq!(cell.rate, Rate { successes: 90, episodes: 120 });
    assert_eq!(cell.interval, crate::report::wilson(90, 120));
    assert_eq!(cell.seeds.iter().map(|s| (s.label.as_str(), s.rate.successes)).collect::<Vec<_>>(), [("seed 0", 50), ("seed 1", 40)]);
    assert_eq!(cell.families["put"], Rate { successes: 12, episodes: 20 });
    assert_eq!(cell.families["heat"], Rate { successes: 45, episodes: 50 });
}

#[test]
fn actors_stand_to_the_best_trained_one() {
    use Standing::*;
    let table = table(vec![
        row("expert", "", "", "seen", 60, 60),
        row("after warm-up", "", "", "seen", 25, 60),
        row("after PPO", "a", "", "seen", 45, 60),
        row("after EPO", "b", "", "seen", 50, 60),
        row("after GRPO", "c", "", "seen", 0, 0),
    ]);
    assert_eq!(standings(&table, 0), [NotRanked, BelowBest, OverlapsBest, Best, NotRanked]);
}

#[test]
fn equal_shares_are_both_best() {
    let table = table(vec![row("a", "a", "", "seen", 45, 60), row("b", "b", "", "seen", 45, 60)]);
    assert_eq!(standings(&table, 0), [Standing::Best, Standing::Best]);
}

#[test]
fn splits_have_short_names_in_the_order_of_distance() {
    let results = ["house.unseen", "lab.seen", "house.train", "own"].map(|s| row("a", "a", "", s, 1, 2)).into();
    let found = table(results);
    assert_eq!(found.splits.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["train", "seen", "unseen", "own"]);
    let found = table(["house.seen", "lab.seen"].map(|s| row("a", "a", "", s, 1, 2)).into());
    assert_eq!(found.splits.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["house.seen", "lab.seen"]);
}

#[test]
fn an_actor_that_was_not_evaluated_has_no_cell() {
    let table = table(vec![row("a", "a", "", "seen", 1, 2), row("b", "b", "", "unseen", 1, 2)]);
    assert!(table.rows[0].cells[0].is_some() && table.rows[0].cells[1].is_none());
    assert_eq!(table.rows[1].cells.len(), 2);
}

#[test]
fn rows_of_one_name_are_told_apart() {
    let found = table(vec![row("after RL", "ppo", "", "seen", 1, 2), row("after RL", "grpo", "", "seen", 1, 2)]);
    assert_eq!(names(&found), ["after RL · ppo", "after RL · grpo"]);
    let found = table(vec![row("after RL", "p", "lambda=1, seed=0", "seen", 1, 2), row("after RL", "p", "seed=0, lambda=2", "seen", 1, 2)]);
    assert_eq!(names(&found), ["after RL · lambda=1", "after RL · lambda=2"]);
}

#[test]
fn two_stages_on_one_split_are_not_seeds_of_each_other() {
    let greedy = ResultRow { stage: "greedy".into(), ..row("after RL", "p", "", "seen", 2, 2) };
    let found = table(vec![row("after RL", "p", "", "seen", 1, 2), greedy]);
    assert_eq!(names(&found), ["after RL · test", "after RL · greedy"]);
    // On different splits they are one row.
    let unseen = ResultRow { stage: "unseen".into(), ..row("after RL", "p", "", "unseen", 2, 2) };
    assert_eq!(names(&table(vec![row("after RL", "p", "", "seen", 1, 2), unseen])), ["after RL"]);
}

#[test]
fn a_result_given_twice_counts_once() {
    let found = table(vec![row("a", "a", "", "seen", 1, 2), row("a", "a", "", "seen", 1, 2)]);
    assert_eq!(found.rows[0].cells[0].as_ref().map(|c| c.rate), Some(Rate { successes: 1, episodes: 2 }));
}

#[test]
fn different_panels_are_noticed() {
    let with = |actor: &str, panel: &str| ResultRow { panel_hash: panel.into(), ..row(actor, "a", "", "seen", 1, 2) };
    assert!(table(vec![with("a", "x"), with("b", "x"), with("c", "")]).splits[0].one_panel);
    assert!(!table(vec![with("a", "x"), with("b", "y")]).splits[0].one_panel);
}
