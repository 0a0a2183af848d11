//! Figures as SVG. Colours stand twice: as an attribute, so that a figure cut out of the page still has them, and as a class (`c0`…`c5`), so that
//! the page's style can give its dark ones.

mod legend;
mod marks;
mod rows;

use super::chart::{Figure, Format, Panel, Stroke};
use super::markup::{Attributes, Markup};
use super::number;
use super::scale::{Scale, drawable};
pub(super) use rows::draw as draw_picture;

use marks::{draw_band, draw_line, label, path, place};

const WIDTH: f64 = 360.0;
const RIGHT: f64 = 10.0;
/// Between panels: room for the unit of the lower one.
const BETWEEN: f64 = 26.0;
const CHARACTER: f64 = 6.0;

/// The short line beside a name in a legend.
pub(super) fn swatch(m: &mut Markup, color: usize) {
    m.element("svg", &[("class", "swatch"), ("viewBox", "0 0 22 8"), ("width", "22"), ("height", "8"), ("aria-hidden", "true")], |m| {
        path(m, "M1 4H21", color, Stroke::Thick, &[]);
    });
}

/// The figure as one `<svg>` element. `id` must be unique in the page and fit an XML name.
pub(super) fn draw(m: &mut Markup, figure: &Figure, id: &str) {
    let scales: Vec<Scale> = figure.panels.iter().map(vertical).collect();
    let horizontal = horizontal(figure);
    let left = left_margin(&scales);
    let legend = if figure.legend { legend::rows(figure, left) } else { Vec::new() };
    let top = 22.0 + 16.0 * legend.len() as f64;
    let plots: f64 = figure.panels.iter().map(|p| p.height).sum::<f64>() + BETWEEN * figure.panels.len().saturating_sub(1) as f64;
    let height = top + plots + 36.0;
    // What the script needs to say the values at a place, for which a chart takes the focus.
    let read: &[(&'static str, &str)] = &[
        ("tabindex", "0"),
        ("data-left", &place(left)),
        ("data-right", &place(WIDTH - RIGHT)),
        ("data-low", &horizontal.low.to_string()),
        ("data-high", &horizontal.high.to_string()),
    ];
    framed(m, id, (&figure.title, &description(figure)), height, read, |m| {
        let frame = Frame { left, right: WIDTH - RIGHT, horizontal: &horizontal };
        legend::draw(m, &legend);
        let mut y = top;
        for (index, (panel, scale)) in figure.panels.iter().zip(&scales).enumerate() {
            let area = Area { frame: &frame, top: y, bottom: y + panel.height, scale };
            draw_panel(m, panel, &area, index + 1 == figure.panels.len());
            y += panel.height + BETWEEN;
        }
        label(m, (left + WIDTH - RIGHT) / 2.0, height - 4.0, "middle", &figure.horizontal);
    });
}

/// A drawing with its name and its words for those who do not see it.
fn framed(m: &mut Markup, id: &str, (title, words): (&str, &str), height: f64, more: Attributes, body: impl FnOnce(&mut Markup)) {
    let (title_id, text_id) = (format!("{id}-title"), format!("{id}-text"));
    let (labels, size) = (format!("{title_id} {text_id}"), format!("0 0 {WIDTH} {height:.0}"));
    let mut attributes = vec![
        ("xmlns", "http://www.w3.org/2000/svg"),
        ("class", "chart"),
        ("role", "img"),
        ("aria-labelledby", labels.as_str()),
        ("viewBox", size.as_str()),
        ("font-size", "11"),
    ];
    attributes.extend(more);
    m.element("svg", &attributes, |m| {
        m.leaf("title", &[("id", &title_id)], title);
        m.leaf("desc", &[("id", &text_id)], words);
        body(m);
    });
}

struct Frame<'a> {
    left: f64,
    right: f64,
    horizontal: &'a Scale,
}

/// The plotting area of one panel.
struct Area<'a> {
    frame: &'a Frame<'a>,
    top: f64,
    bottom: f64,
    scale: &'a Scale,
}

impl Area<'_> {
    fn x(&self, value: f64) -> f64 {
        self.frame.left + self.frame.horizontal.fraction(value) * (self.frame.right - self.frame.left)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - self.scale.fraction(value) * (self.bottom - self.top)
    }
}

fn vertical(panel: &Panel) -> Scale {
    let lines = panel.lines.iter().flat_map(|l| l.points.iter().map(|p| p.1));
    let bands = panel.bands.iter().flat_map(|b| b.points.iter().flat_map(|p| [p.1, p.2]));
    let asked = panel.range.into_iter().flat_map(|(low, high)| [low, high]);
    let (low, high) = extent(lines.chain(bands).chain(asked)).unwrap_or((0.0, 1.0));
    Scale::around(low, high, panel.format, if panel.height < 100.0 { 2 } else { 5 })
}

fn horizontal(figure: &Figure) -> Scale {
    let lines = figure.panels.iter().flat_map(|p| p.lines.iter().flat_map(|l| l.points.iter().map(|p| p.0)));
    let bands = figure.panels.iter().flat_map(|p| p.bands.iter().flat_map(|b| b.points.iter().map(|p| p.0)));
    let (low, high) = extent(lines.chain(bands)).unwrap_or((0.0, 1.0));
    Scale::within(low, high, Format::Whole, 6)
}

fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|v| drawable(*v)).fold(None, |extent, v| match extent {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

fn left_margin(scales: &[Scale]) -> f64 {
    let widest = scales.iter().flat_map(|s| s.ticks.iter().map(|t| s.write(*t).len())).max().unwrap_or(1);
    (widest as f64 * CHARACTER + 12.0).clamp(30.0, 90.0)
}

fn draw_panel(m: &mut Markup, panel: &Panel, area: &Area, last: bool) {
    let (left, right) = (place(area.frame.left), place(area.frame.right));
    m.element("g", &[("class", "axis")], |m| {
        for tick in &area.scale.ticks {
            let y = area.y(*tick);
            let at = place(y);
            m.empty("path", &[("class", "grid"), ("d", &format!("M{left} {at}H{right}")), ("stroke", "#ddd"), ("stroke-width", "1")]);
            label(m, area.frame.left - 6.0, y + 3.8, "end", &area.scale.write(*tick));
        }
        let bottom = place(area.bottom);
        for tick in &area.frame.horizontal.ticks {
            let at = place(area.x(*tick));
            m.empty("path", &[("class", "tick"), ("d", &format!("M{at} {bottom}v4")), ("stroke", "#888"), ("stroke-width", "1")]);
            if last {
                label(m, area.x(*tick), area.bottom + 16.0, "middle", &area.frame.horizontal.write(*tick));
            }
        }
        m.empty("path", &[("class", "tick"), ("d", &format!("M{left} {bottom}H{right}")), ("stroke", "#888"), ("stroke-width", "1")]);
        label(m, 2.0, area.top - 9.0, "start", &panel.unit);
    });
    for band in &panel.bands {
        draw_band(m, band, area);
    }
    // Thin lines first: means lie on top of their seeds.
    for stroke in [Stroke::Thin, Stroke::Reference, Stroke::Thick] {
        for line in panel.lines.iter().filter(|l| l.stroke == stroke) {
            draw_line(m, line, panel.format, area);
        }
    }
    let points = || {
        panel.lines.iter().flat_map(|l| l.points.iter().map(|p| p.1)).chain(panel.bands.iter().flat_map(|b| b.points.iter().map(|p| p.1)))
    };
    if !points().any(drawable) {
        let words = if points().next().is_some() { "no finite value" } else { "nothing recorded" };
        label(m, f64::midpoint(area.frame.left, area.frame.right), f64::midpoint(area.top, area.bottom), "middle", words);
    }
}

fn description(figure: &Figure) -> String {
    let mut text = figure.description.clone();
    for panel in &figure.panels {
        let written = |y: f64| {
            let value = if panel.format == Format::Percent && y.is_finite() { number::percent(y) } else { number::short(y) };
            // A percentage has its sign; a panel of one quantity is labelled with its name in place of a unit.
            let bare = panel.unit.is_empty() || panel.format == Format::Percent || panel.lines.iter().any(|l| l.name == panel.unit);
            if bare { value } else { format!("{value} {}", panel.unit) }
        };
        for line in panel.lines.iter().filter(|l| l.stroke != Stroke::Thin) {
            if let (Some(first), Some(last)) = (line.points.first(), line.points.last()) {
                text.push_str(&format!(
                    " {}: {} at {} {}, {} at {}.",
                    line.name,
                    written(first.1),
                    figure.horizontal,
                    first.0,
                    written(last.1),
                    last.0
                ));
            }
        }
    }
    text.trim().to_string()
}

#[cfg(test)]
mod tests;
