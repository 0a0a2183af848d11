use super::super::data::ResultRow;
use super::*;

fn data() -> ReportData {
    let row = |actor: &str, label: &str, split: &str, successes: u64, episodes: u64| ResultRow {
        actor: actor.into(),
        label: label.into(),
        split: split.into(),
        successes,
        episodes,
        ..ResultRow::default()
    };
    ReportData {
        results: vec![
            row("expert", "", "house.seen", 60, 60),
            row("after warm-up", "", "house.seen", 25, 60),
            row("after 强化学习", "seed=0", "house.seen", 40, 60),
            row("after 强化学习", "seed=1", "house.seen", 45, 60),
            row("after 强化学习", "seed=0", "house.unseen", 3, 60),
            row("after PPO + EPO", "", "house.seen", 50, 60),
        ],
        ..ReportData::default()
    }
}

#[test]
fn columns_stand_side_by_side_where_they_fit() {
    let expected = [
        "                   seen                              unseen",
        "expert           100.0 %  [94.0, 100.0]  (60/60)",
        "after warm-up     41.7 %  [30.1, 54.3]   (25/60)",
        "after 强化学习    70.8 %~ [62.2, 78.2]   (85/120)    5.0 %* [1.7, 13.7]    (3/60)",
        "  seed 0          66.7 %                             5.0 %",
        "  seed 1          75.0 %",
        "after PPO + EPO   83.3 %* [72.0, 90.7]   (50/60)",
        "* highest trained   ~ within noise of it (overlapping intervals)   [ ] 95 % Wilson interval",
        "",
    ];
    assert_eq!(text(&data(), 100), expected.join("\n"));
}

#[test]
fn otherwise_one_line_holds_one_split() {
    let expected = "\
expert           seen   100.0 %  [94.0, 100.0]  (60/60)
after warm-up    seen    41.7 %  [30.1, 54.3]   (25/60)
after 强化学习   seen    70.8 %~ [62.2, 78.2]   (85/120)
                 unseen   5.0 %* [1.7, 13.7]    (3/60)
  seed 0         seen    66.7 %
                 unseen   5.0 %
  seed 1         seen    75.0 %
after PPO + EPO  seen    83.3 %* [72.0, 90.7]   (50/60)
* highest trained   ~ within noise of it (overlapping intervals)   [ ] 95 % Wilson interval
";
    assert_eq!(text(&data(), 60), expected);
}

#[test]
fn a_name_cannot_move_the_cursor() {
    let mut data = data();
    data.results[0].actor = "\u{1b}[2Jexpert\n".into();
    assert!(text(&data, 100).contains("\u{fffd}[2Jexpert\u{fffd} "));
}

#[test]
fn figures_of_the_environment_stand_below_as_means_over_all_episodes() {
    let row = |label: &str, episodes: u64, score: f64, paper: f64| ResultRow {
        actor: "after PPO".into(),
        label: label.into(),
        split: "lab.l0".into(),
        episodes,
        figures: [("score".to_string(), score), ("success_paper".to_string(), paper)].into(),
        ..ResultRow::default()
    };
    let without = ResultRow { actor: "random".into(), split: "lab.l0".into(), episodes: 10, ..ResultRow::default() };
    let data = ReportData { results: vec![without, row("seed=0", 30, 12.0, 0.25), row("seed=1", 10, 20.0, 0.75)], ..ReportData::default() };
    let said = text(&data, 100);
    let below: Vec<&str> = said.lines().skip_while(|line| *line != "score").collect();
    let expected = [
        "score",
        "             l0",
        "random",
        "after PPO         14",
        "",
        "success_paper",
        "             l0",
        "random",
        "after PPO     37.5 %",
    ];
    assert_eq!(below, expected);
}
