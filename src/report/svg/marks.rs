//! Lines, bands, dots and words: what a panel is drawn with.

use super::super::chart::{Band, Format, Line, Stroke};
use super::super::markup::Markup;
use super::super::scale::drawable;
use super::super::{number, palette};
use super::Area;

/// A line has at most about four times this many points: no screen shows more.
const COLUMNS: usize = 400;

pub(in crate::report) fn draw_line(m: &mut Markup, line: &Line, format: Format, area: &Area) {
    let mut d = String::new();
    let mut dots = Vec::new();
    for run in line.points.split(|p| !drawable(p.1) || !drawable(p.0)) {
        match run {
            [] => {}
            [(x, y)] => dots.push((*x, *y)),
            _ => {
                for (index, (x, y)) in thinned(run).into_iter().enumerate() {
                    let letter = if index == 0 { 'M' } else { 'L' };
                    d.push_str(&format!("{letter}{} {}", place(area.x(x)), place(area.y(y))));
                }
            }
        }
    }
    let name = &line.name;
    let values = if line.stroke == Stroke::Thin { String::new() } else { values(line, format) };
    let data: &[(&'static str, &str)] = if values.is_empty() { &[] } else { &[("data-name", name), ("data-values", &values)] };
    if !d.is_empty() || !values.is_empty() {
        path(m, if d.is_empty() { "M0 0" } else { &d }, line.color, line.stroke, data);
    }
    let (fill, class) = (palette::hue(line.color), palette::class(line.color));
    for (x, y) in dots {
        let radius = if line.stroke == Stroke::Thick { "3" } else { "1.8" };
        let class = format!("dot {class}");
        m.empty("circle", &[("class", &class), ("cx", &place(area.x(x))), ("cy", &place(area.y(y))), ("r", radius), ("fill", fill)]);
    }
    for (x, y) in line.points.iter().filter(|p| drawable(p.0) && !drawable(p.1)) {
        let d = format!("M{} {}l5 -5m0 5l-5 -5", place(area.x(*x) - 2.5), place(area.bottom - 2.0));
        let class = format!("lost {class}");
        m.element("path", &[("class", &class), ("d", &d), ("stroke", fill), ("stroke-width", "1.2"), ("fill", "none")], |m| {
            m.leaf("title", &[], format!("{name}: {} at iteration {x}", number::short(*y)));
        });
    }
}

pub(in crate::report) fn draw_band(m: &mut Markup, band: &Band, area: &Area) {
    let mut d = String::new();
    for run in band.points.split(|p| !(drawable(p.0) && drawable(p.1) && drawable(p.2))) {
        let corner = |x: f64, y: f64| format!("{} {}", place(area.x(x)), place(area.y(y)));
        let upper = run.iter().map(|p| corner(p.0, p.2));
        let lower = run.iter().rev().map(|p| corner(p.0, p.1));
        let corners: Vec<String> = upper.chain(lower).collect();
        if !corners.is_empty() {
            d.push_str(&format!("M{}Z", corners.join("L")));
        }
    }
    if !d.is_empty() {
        let class = format!("band {}", palette::class(band.color));
        m.empty("path", &[("class", &class), ("d", &d), ("fill", palette::hue(band.color)), ("fill-opacity", "0.14"), ("stroke", "none")]);
    }
}

/// What a pointer over the figure reads: `x:value` pairs, as written for people.
fn values(line: &Line, format: Format) -> String {
    let written = |y: f64| if format == Format::Percent && y.is_finite() { number::percent(y) } else { number::short(y) };
    let thin: Vec<(f64, f64)> = if line.points.len() > 2 * COLUMNS { thinned(&line.points) } else { line.points.clone() };
    thin.iter().map(|(x, y)| format!("{x}:{}", written(*y))).collect::<Vec<_>>().join(";")
}

/// Of a long run, the first, least, greatest and last point of each of [`COLUMNS`] columns: the drawing is the same, the file small.
fn thinned(run: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if run.len() <= 2 * COLUMNS {
        return run.to_vec();
    }
    let mut kept = Vec::new();
    for column in run.chunks(run.len().div_ceil(COLUMNS)) {
        let by_height = |a: &&(usize, &(f64, f64)), b: &&(usize, &(f64, f64))| a.1.1.total_cmp(&b.1.1);
        let numbered: Vec<(usize, &(f64, f64))> = column.iter().enumerate().collect();
        let ends = [numbered.first(), numbered.iter().min_by(by_height), numbered.iter().max_by(by_height), numbered.last()];
        let mut places: Vec<usize> = ends.into_iter().flatten().map(|(index, _)| *index).collect();
        places.sort_unstable();
        places.dedup();
        kept.extend(places.into_iter().filter_map(|index| column.get(index).copied()));
    }
    kept
}

pub(in crate::report) fn path(m: &mut Markup, d: &str, color: usize, stroke: Stroke, data: &[(&'static str, &str)]) {
    let dash = match stroke {
        Stroke::Reference => "4 3",
        _ => palette::dash(color),
    };
    let (class, width, opacity) = match stroke {
        Stroke::Thin => ("thin", "0.9", "0.45"),
        Stroke::Thick => ("thick", "1.8", "1"),
        Stroke::Reference => ("reference", "1.3", "0.9"),
    };
    let class = format!("{class} {}", palette::class(color));
    let mut attributes = vec![
        ("class", class.as_str()),
        ("d", d),
        ("fill", "none"),
        ("stroke", palette::hue(color)),
        ("stroke-width", width),
        ("stroke-opacity", opacity),
        ("stroke-linejoin", "round"),
    ];
    if !dash.is_empty() {
        attributes.push(("stroke-dasharray", dash));
    }
    attributes.extend_from_slice(data);
    m.empty("path", &attributes);
}

pub(in crate::report) fn label(m: &mut Markup, x: f64, y: f64, anchor: &str, text: &str) {
    if !text.is_empty() {
        m.leaf("text", &[("x", &place(x)), ("y", &place(y)), ("text-anchor", anchor), ("fill", "#555")], text);
    }
}

/// A coordinate: one decimal, no `-0`, no trailing `.0`.
pub(in crate::report) fn place(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    if rounded == 0.0 { "0".into() } else { rounded.to_string() }
}
