use super::super::comparisons_text::comparisons_text;
use super::super::data::{ByTask, ResultRow};
use super::*;

/// A seed that reaches these tasks of twenty.
fn row(actor: &str, pipeline: &str, seed: u32, reached: &[usize]) -> ResultRow {
    let success: Vec<f64> = (0..20).map(|task| if reached.contains(&task) { 1.0 } else { 0.0 }).collect();
    ResultRow {
        actor: actor.into(),
        pipeline: pipeline.into(),
        label: format!("seed={seed}"),
        split: "house.seen".into(),
        successes: reached.len() as u64,
        episodes: 20,
        panel_hash: "one".into(),
        tasks: ByTask { families: (0..20).map(|task| task / 10).collect(), score: success.iter().map(|s| 10.0 * s).collect(), success },
        ..ResultRow::default()
    }
}

fn data() -> ReportData {
    let first = |n: usize| (0..n).collect::<Vec<usize>>();
    let mut results = Vec::new();
    for (seed, [a, b, c]) in [[12, 8, 3], [13, 9, 3], [11, 8, 17], [14, 9, 18]].into_iter().enumerate() {
        results.extend([
            row("after A", "a", seed as u32, &first(a)),
            row("after B", "b", seed as u32, &first(b)),
            row("after C", "c", seed as u32, &first(c)),
        ]);
    }
    results.push(row("expert", "", 0, &first(20)));
    ReportData { results, ..ReportData::default() }
}

#[test]
fn each_is_compared_with_the_highest_and_corrected_for_all_pairs() {
    let found = comparisons(&data(), Measure::Success, &Against::Highest).expect("no name");
    let [seen] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((seen.split.as_str(), seen.tasks, seen.family), ("seen", 20, 3));
    assert_eq!(seen.methods.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["after A", "after B", "after C"]);
    assert_eq!(
        seen.pairs.iter().map(|p| (p.first.as_str(), p.second.as_str())).collect::<Vec<_>>(),
        [("after B", "after A"), ("after C", "after A")]
    );
    let pair = &seen.pairs[0];
    // Differences of −4, −4, −3 and −5 tasks of twenty: t = −4/(√(2/3)/2), p of it with 3 degrees of freedom.
    let p = pair.comparison.test.p().expect("a test");
    assert!((pair.comparison.difference + 0.2).abs() < 1e-12 && pair.comparison.signs == Some(0.125), "{pair:?}");
    assert!((p - 0.002_265).abs() < 2e-5, "{p}");
    assert!((pair.holm.expect("p") - 3.0 * p).abs() < 1e-12 && pair.comparison.chance == 0.0);
    let heaps = seen.methods[2].over_seeds.as_ref().and_then(|seeds| seeds.heaps.clone()).expect("two heaps");
    assert_eq!(heaps.low.0, ["0", "1"]);
}

#[test]
fn a_named_method_is_what_the_others_are_compared_with() {
    let named = |name: &str| comparisons(&data(), Measure::Score, &Against::Named(name.into()));
    let found = named("b").expect("a pipeline");
    assert_eq!((found[0].family, found[0].pairs.len()), (2, 2));
    assert!((found[0].pairs[0].comparison.difference - 2.0).abs() < 1e-12, "{:?}", found[0].pairs[0]);
    assert_eq!(named("after B").expect("a row"), found);
    assert_eq!(named("x").expect_err("no method").to_string(), "no method is called `x`; there are `after A`, `after B`, `after C`");
    assert_eq!(comparisons(&data(), Measure::Success, &Against::All).expect("all")[0].pairs.len(), 3);
}

#[test]
fn what_has_no_tasks_is_left_out_and_said() {
    let mut data = data();
    data.results.iter_mut().filter(|row| row.pipeline == "b").for_each(|row| row.tasks = ByTask::default());
    let found = comparisons(&data, Measure::Success, &Against::Highest).expect("no name");
    assert_eq!((found[0].left_out.as_slice(), found[0].methods.len()), (&["after B".to_string()][..], 2));
    assert!(comparisons_text(&found).contains("not compared, since their tasks were not recorded or differ between seeds: after B\n"));
}

#[test]
fn in_words() {
    let text = comparisons_text(&comparisons(&data(), Measure::Success, &Against::Highest).expect("no name"));
    for line in [
        "seen: success in %, 20 tasks\n",
        "warning: after C: the seeds fall into two heaps (seeds 0, 1 at 15.0; seeds 2, 3 at 87.5): their mean speaks of neither\n",
        "Holm: among 3 comparisons\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(
        text.lines().any(|line| line.starts_with("  after B - after A") && line.contains("-20.0") && line.contains("0.0023")),
        "{text}"
    );
}

#[test]
fn the_table_ranks_by_the_test_over_seeds() {
    use super::super::table::Standing::{BelowBest, Best, NotRanked, OverlapsBest};
    let table = Table::new(&data());
    let standing: Vec<_> = table.column(0).map(|(_, cell)| cell.standing).collect();
    assert_eq!(standing, [Best, BelowBest, OverlapsBest, NotRanked]);
    let cell = table.column(0).next().expect("a cell").1;
    assert_eq!(cell.interval, cell.over_seeds.as_ref().map(|seeds| seeds.interval));
}

/// Three seeds that never succeed do not show that nothing ever will.
#[test]
fn where_nothing_varies_the_interval_is_not_empty() {
    let data = ReportData { results: (0..3).map(|seed| row("after A", "a", seed, &[])).collect(), ..ReportData::default() };
    let found = comparisons(&data, Measure::Success, &Against::Highest).expect("no name");
    let interval = found[0].methods[0].over_seeds.as_ref().map(|seeds| seeds.interval);
    assert_eq!(interval, crate::report::wilson(0, 20));
}
