//! Reports from outside: the page of a whole run, of nothing, and of hostile text.

mod sample;

use epo::report::{
    ByTask, Curve, EpisodeExample, MetricRecord, PipelineInfo, Rate, ReportData, ResultRow, TurnExample, from_json, html, json, summary,
    text,
};
use proptest::prelude::*;
use roxmltree::{Document, Node, ParsingOptions};
use sample::sample;

fn parse(page: &str) -> Document<'_> {
    Document::parse_with_options(page, ParsingOptions { allow_dtd: true, ..ParsingOptions::default() }).expect("the page is well formed")
}

/// All text of a part of the page, white space as one space.
fn words(node: Node) -> String {
    let text: String = node.descendants().filter(|n| n.is_text()).filter_map(|n| n.text()).flat_map(|t| [t, " "]).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn part<'a>(page: &'a Document<'a>, id: &str) -> Node<'a, 'a> {
    page.descendants().find(|n| n.attribute("id") == Some(id)).unwrap_or_else(|| panic!("no element with id {id}"))
}

#[test]
fn the_sample_is_written_for_people_to_look_at() {
    let page = html(&sample());
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join("report.html"), &page).expect("written");
    std::fs::write(folder.join("report.json"), json(&sample()).expect("json")).expect("written");
    std::fs::write(folder.join("report.txt"), text(&sample(), 140)).expect("written");
    parse(&page);
    // One pipeline without seeds, in the middle of its training; and nothing at all.
    let mut single = sample();
    single.pipelines.retain(|p| p.name == "ppo_epo" && p.label == "seed=0");
    single.curves.retain(|c| c.pipeline == "base" || c.pipeline == "ppo_epo" && c.label == "seed=0");
    single.curves.iter_mut().for_each(|c| c.records.truncate(if c.kind == "rl" { 6 } else { 1 }));
    single.results.retain(|r| r.label.is_empty() || r.pipeline == "ppo_epo" && r.label == "seed=0");
    for (name, data) in [("single", single), ("empty", ReportData::default())] {
        let page = html(&data);
        std::fs::write(folder.join(format!("{name}.html")), &page).expect("written");
        parse(&page);
    }
}

#[test]
fn the_page_is_the_same_every_time_and_survives_json() {
    let data = sample();
    let page = html(&data);
    assert_eq!(page, html(&sample()));
    // NaN comes back as NaN, so the page does not change.
    assert_eq!(page, html(&from_json(&json(&data).expect("json")).expect("a report")));
}

#[test]
fn every_result_is_on_the_page() {
    let data = sample();
    let page = html(&data);
    let page = parse(&page);
    let results = words(part(&page, "results"));
    for row in &data.results {
        assert!(results.contains(&format!("({}/{})", row.successes, row.episodes)), "{row:?}");
        let interval = row.rate().interval().expect("a rate");
        assert!(results.contains(&format!("[{:.1}, {:.1}]", interval.low * 100.0, interval.high * 100.0)), "{row:?}");
        for family in row.families.keys() {
            assert!(results.contains(family.as_str()), "{family}");
        }
    }
    // Pooled over three seeds.
    let pooled = data.results.iter().filter(|r| r.actor == "after PPO + EPO" && r.split == "house.seen");
    let pooled = pooled.fold(Rate::default(), |sum, r| sum.plus(r.rate()));
    assert_eq!(pooled.episodes, 180);
    assert!(results.contains(&format!("({}/180)", pooled.successes)));
}

#[test]
fn every_metric_has_its_chart_and_every_chart_its_words() {
    let data = sample();
    let page = html(&data);
    let page = parse(&page);
    let charts: Vec<Node> = part(&page, "curves").descendants().filter(|n| n.attribute("class") == Some("chart")).collect();
    let titles: Vec<String> =
        charts.iter().filter_map(|c| c.children().find(|n| n.has_tag_name(("http://www.w3.org/2000/svg", "title")))).map(words).collect();
    for title in [
        "Success while training",
        "Success on house.seen",
        "Success on house.unseen",
        "Return",
        "Turns",
        "Entropy",
        "Entropy in its corridor: PPO + EPO",
        "KL divergence",
        "Clip fraction",
        "Loss: surrogate",
        "Loss: fit",
        "Loss: smooth",
        "Gradient norm",
        "Learning rate",
        "Loss: likelihood",
    ] {
        assert!(titles.iter().any(|t| t == title), "{title} is not among {titles:?}");
    }
    for chart in &charts {
        assert_eq!(chart.attribute("role"), Some("img"));
        let named: Vec<&str> = chart.attribute("aria-labelledby").expect("named").split(' ').collect();
        for id in named {
            let found: Vec<Node> = page.descendants().filter(|n| n.attribute("id") == Some(id)).collect();
            assert_eq!(found.len(), 1, "{id}");
            assert!(!words(found[0]).is_empty(), "{id}");
        }
        for at in chart.descendants().filter_map(|n| n.attribute("d")) {
            assert!(!at.contains("NaN") && !at.contains("inf"), "{at}");
        }
    }
    // The lost gradient is said, not hidden.
    assert!(words(part(&page, "curves")).contains("GRPO, seed 2: not a number at iteration 31"));
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let page = html(&sample());
    let parsed = parse(&page);
    for node in parsed.descendants().filter(|n| n.is_element()) {
        assert!(!["img", "link", "iframe", "object", "embed", "image", "use", "audio", "video"].contains(&node.tag_name().name()));
        for name in ["src", "href", "srcset", "data", "action"] {
            let address = node.attribute(name).unwrap_or("#");
            assert!(address.starts_with('#'), "{name}={address}");
        }
    }
    let style = words(parsed.descendants().find(|n| n.has_tag_name("style")).expect("a style"));
    assert!(!style.contains("url(") && !style.contains("@import"));
    // All links lead somewhere.
    for link in parsed.descendants().filter_map(|n| n.attribute("href")) {
        part(&parsed, link.trim_start_matches('#'));
    }
}

#[test]
fn nothing_gives_a_page_that_says_what_is_missing() {
    let page = html(&ReportData::default());
    let page = parse(&page);
    for (id, says) in [
        ("results", "No evaluation results: none of the reported stages is an evaluation."),
        ("curves", "No curves: none of the reported stages recorded metrics."),
        ("objectives", "No objective: none of the reported pipelines has a loss ."),
        ("pipelines", "No pipeline text was given to this report."),
        ("episodes", "No example episodes were given to this report."),
        ("machine", "The command was not recorded. Nothing about the machine was recorded."),
    ] {
        assert!(words(part(&page, id)).contains(says), "{id}: {}", words(part(&page, id)));
    }
    assert_eq!(summary(&ReportData::default()), ["This report has no results of an evaluation, so it names no best policy."]);
    assert_eq!(text(&ReportData::default(), 80), "no evaluation results\n");
}

const HOSTILE: &str = "</script></style></title>--><img src=x onerror=\"alert('1')\">&amp;]]>\u{1b}[2J\0";

fn hostile() -> ReportData {
    let evil = || HOSTILE.to_string();
    ReportData {
        title: evil(),
        pipelines: vec![PipelineInfo { name: evil(), label: evil(), title: evil(), equation: vec![(evil(), evil())], resolved: evil() }],
        curves: vec![Curve {
            pipeline: evil(),
            label: evil(),
            stage: evil(),
            kind: evil(),
            records: vec![MetricRecord {
                iteration: 0,
                values: [(evil(), f64::NAN), (format!("loss/{HOSTILE}"), 1.0), ("entropy.low".into(), 0.1)].into(),
            }],
        }],
        results: vec![ResultRow {
            actor: evil(),
            pipeline: evil(),
            label: evil(),
            stage: evil(),
            split: evil(),
            successes: 9,
            episodes: 3,
            mean_score: f64::NAN,
            mean_turns: f64::INFINITY,
            families: [(evil(), (1, 0))].into(),
            figures: [(evil(), f64::NAN), ("success_evil".into(), f64::INFINITY)].into(),
            panel_hash: evil(),
            tasks: ByTask { families: vec![7], success: vec![f64::NAN, 2.0], score: vec![f64::INFINITY] },
        }],
        notes: vec![evil()],
        examples: vec![EpisodeExample {
            pipeline: evil(),
            label: evil(),
            stage: evil(),
            split: evil(),
            task: evil(),
            goal: evil(),
            success: false,
            score: f64::NAN,
            turns: vec![TurnExample {
                observation: evil(),
                response: Some(evil()),
                action: evil(),
                reward: Some(f64::INFINITY),
                invalid: true,
                entropy: Some(f64::NAN),
            }],
        }],
        machine: [(evil(), evil())].into(),
        command: evil(),
    }
}

#[test]
fn hostile_text_stays_text() {
    let page = html(&hostile());
    let parsed = parse(&page);
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.matches("</script>").count(), 1);
    assert_eq!(page.matches("</style>").count(), 1);
    assert!(parsed.descendants().all(|n| !n.has_tag_name("img") && n.attributes().all(|a| !a.name().starts_with("on"))));
    assert!(!page.contains('\u{1b}') && !page.contains('\0'));
    // It is shown, as it was, but for the characters that no page may hold.
    let shown = HOSTILE.replace(['\u{1b}', '\0'], "\u{fffd}");
    for id in ["results", "curves", "objectives", "pipelines", "episodes", "machine"] {
        let node = part(&parsed, id);
        assert!(node.descendants().filter(|n| n.is_element()).any(|n| words(n).contains(&words_of(&shown))), "{id}");
    }
    assert!(!text(&hostile(), 80).contains('\u{1b}'));
}

fn words_of(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_data_gives_a_page(
        names in proptest::collection::vec(any::<String>(), 6),
        metrics in proptest::collection::vec((0u64..20, "(success|entropy|entropy.low|entropy.high|phase|eval/a/success|x)", any::<f64>(), 0usize..3), 0..40),
        results in proptest::collection::vec((0usize..3, 0usize..3, 0usize..3, any::<u64>(), any::<u64>(), any::<f64>()), 0..12),
        width in 0usize..200,
    ) {
        let name = |at: usize| names[at].clone();
        let mut data = ReportData { title: name(5), command: name(4), ..ReportData::default() };
        data.curves = metrics.into_iter().map(|(iteration, metric, value, at)| Curve {
            pipeline: name(at), label: name(at + 1), stage: name(at + 2), kind: String::new(),
            records: vec![MetricRecord { iteration, values: [(metric, value)].into() }],
        }).collect();
        data.results = results.into_iter().map(|(a, b, c, successes, episodes, score)| ResultRow {
            actor: name(a), pipeline: name(b), label: name(c), split: name(a + b), successes, episodes, mean_score: score, ..ResultRow::default()
        }).collect();
        parse(&html(&data));
        let table = text(&data, width);
        prop_assert!(table.ends_with('\n') && table.chars().all(|c| c == '\n' || !c.is_control()));
        prop_assert!(from_json(&json(&data).expect("json")).is_ok());
    }
}
