//! A picture of rows: shades of one colour.

use super::super::markup::Markup;
use super::super::number::short;
use super::super::palette;
use super::super::picture::Picture;
use super::marks::{label, place};
use super::{CHARACTER, RIGHT, WIDTH, framed};

/// Shades, from nothing to the colour itself.
const SHADES: usize = 8;
/// A row is never higher.
const TALLEST: f64 = 14.0;
const HEIGHT: f64 = 150.0;
const TOP: f64 = 22.0;
/// Characters of a row's word.
const LONGEST: usize = 18;

/// The picture as one `<svg>` element. `id` must be unique in the page and fit an XML name.
pub(in crate::report) fn draw(m: &mut Markup, picture: &Picture, id: &str) {
    let row_height = (HEIGHT / picture.rows.len().max(1) as f64).min(TALLEST);
    let bottom = TOP + row_height * picture.rows.len() as f64;
    let words: Vec<String> = picture.rows.iter().map(|(word, _)| word.chars().take(LONGEST).collect()).collect();
    let left = 10.0 + CHARACTER * words.iter().map(|word| word.chars().count()).max().unwrap_or(0) as f64;
    framed(m, id, (&picture.title, &description(picture)), bottom + 36.0, &[], |m| {
        label(m, left, 12.0, "start", &scale(picture));
        cells(m, picture, (left, row_height));
        // as many words as there is room for
        let every = (12.0 / row_height).ceil().max(1.0) as usize;
        for (at, word) in words.iter().enumerate().step_by(every) {
            label(m, left - 4.0, TOP + row_height * (at as f64 + 0.5) + 4.0, "end", word);
        }
        label(m, left, bottom + 14.0, "start", &picture.span.0.to_string());
        label(m, WIDTH - RIGHT, bottom + 14.0, "end", &picture.span.1.to_string());
        label(m, f64::midpoint(left, WIDTH - RIGHT), bottom + 28.0, "middle", "iteration");
    });
}

/// One path for each shade, with all its cells.
fn cells(m: &mut Markup, picture: &Picture, (left, height): (f64, f64)) {
    let columns = picture.rows.iter().map(|(_, values)| values.len()).max().unwrap_or(0).max(1);
    let width = (WIDTH - RIGHT - left) / columns as f64;
    let mut shades = vec![String::new(); SHADES + 1];
    for (row, (_, values)) in picture.rows.iter().enumerate() {
        for (column, value) in values.iter().enumerate() {
            let Some(shade) = value.map(|value| shade(value, picture.highest)) else { continue };
            let (x, y) = (left + width * column as f64, TOP + height * row as f64);
            shades[shade].push_str(&format!("M{} {}h{}v{}H{}z", place(x), place(y), place(width), place(height), place(x)));
        }
    }
    let class = format!("band {}", palette::class(picture.color));
    for (shade, d) in shades.iter().enumerate().filter(|(_, d)| !d.is_empty()) {
        // what is 0 is still seen to have been measured
        let opacity = format!("{:.2}", 0.04 + 0.96 * shade as f64 / SHADES as f64);
        m.empty(
            "path",
            &[("class", &class), ("d", d), ("fill", palette::hue(picture.color)), ("fill-opacity", &opacity), ("stroke", "none")],
        );
    }
}

fn shade(value: f64, highest: f64) -> usize {
    if highest > 0.0 { ((value / highest).clamp(0.0, 1.0) * SHADES as f64).round() as usize } else { 0 }
}

fn scale(picture: &Picture) -> String {
    match picture.unit {
        "%" => "light: 0 %, dark: 100 %".into(),
        unit => format!("light: 0, dark: {} {unit}", short(picture.highest)),
    }
}

fn description(picture: &Picture) -> String {
    let ends = picture.rows.iter().filter_map(|(word, values)| {
        let mut known = values.iter().flatten();
        let first = known.next()?;
        Some(format!("{word}: from {} to {}", short(*first), short(*known.next_back().unwrap_or(first))))
    });
    format!("{} {}.", picture.note, ends.take(12).collect::<Vec<_>>().join("; "))
}
