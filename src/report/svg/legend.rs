//! The names of lines and bands, written into the drawing.

use super::super::chart::{Figure, Stroke};
use super::super::markup::Markup;
use super::super::palette;
use super::marks::{label, path, place};
use super::{CHARACTER, WIDTH};
use unicode_width::UnicodeWidthStr;

/// Names with their horizontal places.
pub(super) type Row = Vec<(f64, Mark, String)>;

pub(super) enum Mark {
    Line(usize, Stroke),
    Band(usize),
}

pub(super) fn rows(figure: &Figure, left: f64) -> Vec<Row> {
    // The panels below say in their units what they show.
    let Some(panel) = figure.panels.first() else { return Vec::new() };
    let lines = panel.lines.iter().filter(|l| l.stroke != Stroke::Thin).map(|l| (Mark::Line(l.color, l.stroke), &l.name));
    let bands = panel.bands.iter().map(|b| (Mark::Band(b.color), &b.name));
    let mut rows: Vec<Row> = Vec::new();
    let (mut x, mut named) = (left, Vec::new());
    for (mark, name) in lines.chain(bands) {
        if name.is_empty() || named.contains(&name) {
            continue;
        }
        named.push(name);
        let width = 28.0 + name.width() as f64 * CHARACTER + 12.0;
        if rows.is_empty() || (x > left && x + width > WIDTH) {
            rows.push(Vec::new());
            x = left;
        }
        if let Some(row) = rows.last_mut() {
            row.push((x, mark, name.clone()));
        }
        x += width;
    }
    rows
}

pub(super) fn draw(m: &mut Markup, rows: &[Row]) {
    for (index, row) in rows.iter().enumerate() {
        let y = 10.0 + 16.0 * index as f64;
        for (x, mark, name) in row {
            match mark {
                Mark::Line(color, stroke) => path(m, &format!("M{} {}h22", place(*x), place(y)), *color, *stroke, &[]),
                Mark::Band(color) => {
                    let class = format!("band {}", palette::class(*color));
                    let d = format!("M{} {}h22v10h-22Z", place(*x), place(y - 5.0));
                    m.empty("path", &[("class", &class), ("d", &d), ("fill", palette::hue(*color)), ("fill-opacity", "0.14")]);
                }
            }
            label(m, x + 28.0, y + 3.8, "start", name);
        }
    }
}
