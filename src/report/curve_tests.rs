use super::super::data::{MetricRecord, PipelineInfo};
use super::*;

fn curve(pipeline: &str, label: &str, stage: &str, metric: &str, values: &[(u64, f64)]) -> Curve {
    let records =
        values.iter().map(|(iteration, value)| MetricRecord { iteration: *iteration, values: [(metric.to_string(), *value)].into() });
    Curve { pipeline: pipeline.into(), label: label.into(), stage: stage.into(), kind: "rl".into(), records: records.collect() }
}

fn one(data: &ReportData) -> Section {
    sections(data).into_iter().next().expect("a section")
}

fn of(curves: Vec<Curve>) -> ReportData {
    ReportData { curves, ..ReportData::default() }
}

fn names(section: &Section) -> Vec<&str> {
    section.groups.iter().map(|g| g.name.as_str()).collect()
}

fn titles(section: &Section) -> Vec<&str> {
    section.charts.iter().map(|(_, f)| f.title.as_str()).collect()
}

#[test]
fn seeds_are_thin_and_their_mean_is_thick() {
    let data = of(vec![
        curve("ppo", "seed=0", "train", "success", &[(0, 0.2), (1, 0.4), (2, 0.6)]),
        curve("ppo", "seed=1", "train", "success", &[(0, 0.4), (1, 0.8)]),
    ]);
    let section = one(&data);
    assert_eq!(names(&section), ["ppo"]);
    let lines = &section.charts[0].1.panels[0].lines;
    assert_eq!(
        lines.iter().map(|l| (l.name.as_str(), l.stroke)).collect::<Vec<_>>(),
        [("ppo, seed 0", Stroke::Thin), ("ppo, seed 1", Stroke::Thin), ("ppo", Stroke::Thick)]
    );
    // The mean ends where the first seed ends: a mean over fewer seeds would jump.
    let mean: Vec<(f64, f64)> = lines[2].points.iter().map(|(x, y)| (*x, (y * 1e9).round() / 1e9)).collect();
    assert_eq!(mean, [(0.0, 0.3), (1.0, 0.6)]);
}

#[test]
fn a_mean_over_something_not_finite_is_not_finite() {
    let data = of(vec![
        curve("ppo", "seed=0", "train", "kl", &[(0, 0.2), (1, f64::NAN)]),
        curve("ppo", "seed=1", "train", "kl", &[(0, 0.4), (1, 0.8)]),
    ]);
    let section = one(&data);
    assert!(section.groups[0].mean("kl")[1].1.is_nan());
    assert!(section.lost());
}

#[test]
fn swept_values_are_groups_of_their_own() {
    let data = of(vec![
        curve("sweep", "lambda=0.001, seed=0", "train", "success", &[(0, 0.1)]),
        curve("sweep", "lambda=0.003, seed=0", "train", "success", &[(0, 0.2)]),
        curve("sweep", "lambda=0.001, seed=1", "train", "success", &[(0, 0.3)]),
    ]);
    let section = one(&data);
    assert_eq!(names(&section), ["sweep · lambda=0.001", "sweep · lambda=0.003"]);
    assert_eq!(section.groups[0].seeds.len(), 2);
    assert_ne!(section.groups[0].color, section.groups[1].color);
}

#[test]
fn a_pipeline_keeps_its_colour_in_every_section() {
    let warm_up = |pipeline| Curve { kind: "sft".into(), ..curve(pipeline, "", "warm_up", "loss/x", &[(0, 1.0)]) };
    let train = |pipeline| curve(pipeline, "", "train", "success", &[(0, 1.0)]);
    let sections = sections(&of(vec![warm_up("a"), warm_up("b"), train("b"), train("a")]));
    assert_eq!(sections.iter().map(|s| s.kind.as_str()).collect::<Vec<_>>(), ["sft", "rl"]);
    let color = |section: usize, name: &str| sections[section].groups.iter().find(|g| g.name == name).map(|g| g.color);
    assert_eq!(color(0, "a"), color(1, "a"));
    assert_eq!(color(0, "b"), color(1, "b"));
    assert_ne!(color(0, "a"), color(0, "b"));
}

#[test]
fn stages_of_one_kind_share_their_charts_and_are_named() {
    let data = of(vec![curve("all", "", "ppo", "success", &[(0, 0.1)]), curve("all", "", "grpo", "success", &[(0, 0.2)])]);
    let section = one(&data);
    assert_eq!(names(&section), ["all · ppo", "all · grpo"]);
    assert_eq!(titles(&section), ["Success while training"]);
    assert_ne!(section.groups[0].color, section.groups[1].color);
}

#[test]
fn titles_stand_for_names_unless_two_are_the_same() {
    let pipeline = |name: &str, title: &str| PipelineInfo { name: name.into(), title: title.into(), ..PipelineInfo::default() };
    let mut data = of(vec![curve("a", "", "train", "kl", &[(0, 0.1)]), curve("b", "", "train", "kl", &[(0, 0.2)])]);
    data.pipelines = vec![pipeline("a", "PPO"), pipeline("b", "")];
    assert_eq!(names(&one(&data)), ["PPO", "b"]);
    data.pipelines = vec![pipeline("a", "PPO"), pipeline("b", "PPO")];
    assert_eq!(names(&one(&data)), ["PPO · a", "PPO · b"]);
}

#[test]
fn an_iteration_written_twice_counts_once() {
    let data = of(vec![curve("a", "", "train", "kl", &[(0, 0.1), (1, 0.2), (1, 0.3), (2, 0.4)])]);
    assert_eq!(one(&data).groups[0].mean("kl"), [(0.0, 0.1), (1.0, 0.3), (2.0, 0.4)]);
}

#[test]
fn loss_terms_stand_in_the_order_of_the_equation() {
    let mut data = of(["fit", "surrogate", "drift", "other"].map(|t| curve("a", "", "train", &format!("loss/{t}"), &[(0, 0.1)])).into());
    let equation = ["surrogate", "drift", "fit"].map(|t| (t.to_string(), "x".to_string())).into();
    data.pipelines = vec![PipelineInfo { name: "a".into(), equation, ..PipelineInfo::default() }];
    assert_eq!(titles(&one(&data)), ["Loss: surrogate", "Loss: drift", "Loss: fit", "Loss: other"]);
}

fn with_corridor(pipeline: &str) -> Curve {
    let record = |iteration: u64| {
        let mut values: BTreeMap<String, f64> = [("entropy".to_string(), 0.5), ("phase".to_string(), 2.0)].into();
        // The history is empty at first.
        if iteration > 0 {
            values.extend([("entropy.reference", 0.6), ("entropy.low", 0.3), ("entropy.high", 0.9)].map(|(k, v)| (k.to_string(), v)));
        }
        MetricRecord { iteration, values }
    };
    Curve { records: (0..3).map(record).collect(), ..curve(pipeline, "", "train", "", &[]) }
}

#[test]
fn the_corridor_is_drawn_with_its_entropy() {
    let section = one(&of(vec![with_corridor("epo")]));
    assert_eq!(titles(&section), ["Entropy in its corridor"]);
    let panels = &section.charts[0].1.panels;
    assert_eq!(panels[0].bands[0].points, [(1.0, 0.3, 0.9), (2.0, 0.3, 0.9)]);
    assert_eq!(
        panels[0].lines.iter().map(|l| (l.name.as_str(), l.stroke)).collect::<Vec<_>>(),
        [("entropy", Stroke::Thick), ("reference", Stroke::Reference)]
    );
    assert_eq!(panels[1].lines[0].points.len(), 3);
}

#[test]
fn several_entropies_are_compared_and_each_corridor_has_its_chart() {
    let section = one(&of(vec![with_corridor("epo"), curve("ppo", "", "train", "entropy", &[(0, 0.4)])]));
    assert_eq!(titles(&section), ["Entropy", "Entropy in its corridor: epo"]);
}

#[test]
fn a_corridor_without_entropy_is_still_drawn() {
    let data = of(vec![curve("a", "", "train", "entropy.reference", &[(0, 0.4)]), curve("a", "", "train", "phase", &[(0, 2.0)])]);
    assert_eq!(titles(&one(&data)), ["Entropy: reference", "Phase weight β"]);
}
