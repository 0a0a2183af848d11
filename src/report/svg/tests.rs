use super::super::chart::{Band, Line};
use super::*;
use proptest::prelude::*;

fn line(points: &[(f64, f64)]) -> Line {
    Line { name: "a".into(), color: 0, stroke: Stroke::Thick, points: points.to_vec() }
}

fn figure(lines: Vec<Line>, bands: Vec<Band>) -> Figure {
    let panel = Panel { height: 100.0, unit: "nats".into(), bands, lines, ..Panel::default() };
    Figure { title: "T".into(), description: "D.".into(), horizontal: "iteration".into(), panels: vec![panel], legend: false }
}

fn svg(figure: &Figure, id: &str) -> String {
    let mut m = Markup::new();
    draw(&mut m, figure, id);
    m.finish()
}

fn drawn(points: &[(f64, f64)]) -> String {
    svg(&figure(vec![line(points)], Vec::new()), "f")
}

/// The `d` of each path with this class.
fn paths(text: &str, class: &str) -> Vec<String> {
    let parsed = roxmltree::Document::parse(text).expect("well formed");
    let wanted = parsed.descendants().filter(|n| n.attribute("class").is_some_and(|c| c.split(' ').any(|c| c == class)));
    wanted.filter_map(|n| n.attribute("d").map(str::to_string)).collect()
}

#[test]
fn a_line_goes_where_its_points_are() {
    // Ticks 0, 2, … 10 on 100 units of height from y = 22; the axis begins at x = 30 and ends at 350.
    assert_eq!(paths(&drawn(&[(0.0, 0.0), (5.0, 10.0), (10.0, 5.0)]), "thick"), ["M30 122L190 22L350 72"]);
}

#[test]
fn a_value_that_is_not_finite_is_a_gap_and_a_mark() {
    let text = drawn(&[(0.0, 0.0), (1.0, 1.0), (2.0, f64::NAN), (3.0, 1.0), (4.0, 0.0)]);
    assert_eq!(paths(&text, "thick")[0].matches('M').count(), 2);
    assert_eq!(paths(&text, "lost").len(), 1);
    assert!(text.contains("<title>a: not a number at iteration 2</title>"), "{text}");
    assert!(!text.contains("NaN"));
}

#[test]
fn one_point_is_a_dot() {
    for points in [&[(3.0, 0.4)][..], &[(2.0, f64::INFINITY), (3.0, 0.4), (4.0, f64::NAN)]] {
        let text = drawn(points);
        assert_eq!(text.matches("<circle").count(), 1, "{text}");
    }
}

#[test]
fn nothing_to_draw_is_said() {
    assert!(drawn(&[]).contains("nothing recorded"));
    assert!(drawn(&[(0.0, f64::NAN)]).contains("no finite value"));
    assert!(!drawn(&[(0.0, 0.0)]).contains("no finite value"));
}

#[test]
fn a_band_lies_between_its_bounds_and_breaks_at_gaps() {
    let points = vec![(0.0, 0.0, 10.0), (1.0, 0.0, 10.0), (2.0, f64::NAN, 10.0), (3.0, 5.0, 10.0), (4.0, 5.0, 10.0)];
    let text = svg(&figure(Vec::new(), vec![Band { name: "corridor".into(), color: 1, points }]), "f");
    assert_eq!(paths(&text, "band"), ["M30 22L110 22L110 122L30 122ZM270 22L350 22L350 72L270 72Z"]);
}

#[test]
fn a_long_line_keeps_its_spikes_and_loses_its_weight() {
    let mut points: Vec<(f64, f64)> = (0..100_000).map(|i| (f64::from(i), (f64::from(i) * 0.01).sin())).collect();
    points[77_777].1 = 50.0;
    let text = drawn(&points);
    assert!(text.len() < 100_000, "{} bytes", text.len());
    let highest =
        paths(&text, "thick")[0].split(['M', 'L']).filter_map(|p| p.split(' ').nth(1)?.parse::<f64>().ok()).fold(f64::MAX, f64::min);
    // The axis runs from −20 to 60.
    assert_eq!(highest, 22.0 + 100.0 * (60.0 - 50.0) / 80.0);
}

#[test]
fn every_value_can_be_read_under_the_pointer() {
    let text = drawn(&[(0.0, 0.5), (1.0, f64::NAN), (2.0, 0.123456)]);
    assert!(text.contains(r#"data-name="a" data-values="0:0.5;1:not a number;2:0.1235""#), "{text}");
}

#[test]
fn a_figure_says_what_it_shows() {
    let text = drawn(&[(0.0, 0.5), (7.0, 0.25)]);
    assert!(
        text.contains(r#"<title id="f-title">T</title><desc id="f-text">D. a: 0.5 nats at iteration 0, 0.25 nats at 7.</desc>"#),
        "{text}"
    );
    assert!(text.contains(r#"role="img" aria-labelledby="f-title f-text""#));
}

#[test]
fn the_legend_names_every_line_once_and_wraps() {
    let names = ["entropy", "reference", "a long name that needs its own row of the legend", "entropy"];
    let lines = names.iter().map(|name| Line { name: name.to_string(), ..line(&[(0.0, 1.0), (1.0, 2.0)]) }).collect();
    let text = svg(&Figure { legend: true, ..figure(lines, Vec::new()) }, "f");
    assert_eq!(text.matches(">entropy</text>").count(), 1);
    // Two rows of 16 above the 22 that every figure has.
    assert!(text.contains("viewBox=\"0 0 360 190\""), "{text}");
}

#[test]
fn the_seventh_colour_is_the_first_dashed() {
    let of = |color| svg(&figure(vec![Line { color, ..line(&[(0.0, 1.0), (1.0, 2.0)]) }], Vec::new()), "f");
    assert!(!of(0).contains("stroke-dasharray"));
    assert!(of(6).contains("class=\"thick c0\"") && of(6).contains("stroke-dasharray=\"7 3\""));
}

proptest! {
    /// Any points at all: well formed, nothing outside the drawing, no NaN.
    #[test]
    fn everything_drawn_lies_in_the_drawing(
        lines in proptest::collection::vec(proptest::collection::vec((0u64..1000, any::<f64>()), 0..12), 0..4),
        band in proptest::collection::vec((0u64..1000, any::<f64>(), any::<f64>()), 0..6),
        percent in any::<bool>(),
    ) {
        let lines = lines.into_iter().map(|points| line(&points.into_iter().map(|(x, y)| (x as f64, y)).collect::<Vec<_>>())).collect();
        let band = Band { name: "b".into(), color: 9, points: band.into_iter().map(|(x, a, b)| (x as f64, a, b)).collect() };
        let mut figure = figure(lines, vec![band]);
        figure.panels[0].format = if percent { Format::Percent } else { Format::Plain };
        let text = svg(&figure, "f");
        let parsed = roxmltree::Document::parse(&text).expect("well formed");
        for node in parsed.descendants() {
            let class = node.attribute("class").unwrap_or("");
            if class.starts_with("thick") || class.starts_with("band") {
                let numbers = node.attribute("d").unwrap_or("").split(['M', 'L', 'Z', ' ']).filter(|n| !n.is_empty());
                for number in numbers {
                    let number: f64 = number.parse().expect("a number");
                    prop_assert!((0.0..=WIDTH).contains(&number), "{}", text);
                }
            }
            for name in ["cx", "cy", "x", "y"] {
                if let Some(value) = node.attribute(name) {
                    prop_assert!(value.parse::<f64>().is_ok_and(|v| (0.0..=WIDTH).contains(&v)), "{name}={value}");
                }
            }
        }
    }
}
