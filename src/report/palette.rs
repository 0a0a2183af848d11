//! Six colours that stay apart for people with any common kind of colour blindness, on white and on the page's dark ground.

/// Written into every figure.
pub(super) const LIGHT: [&str; 6] = ["#0f5798", "#e17a00", "#158a5f", "#744366", "#5f8ef7", "#bc421a"];
/// Set by the page's style where the reader's system is dark.
#[cfg(test)]
pub(super) const DARK: [&str; 6] = ["#3f88e8", "#f4c94e", "#2fbf7f", "#d590ae", "#b7caff", "#ea5a24"];
const CLASSES: [&str; 6] = ["c0", "c1", "c2", "c3", "c4", "c5"];
/// The seventh line begins again with the first colour, dashed; the thirteenth dotted.
const DASHES: [&str; 3] = ["", "7 3", "2 3"];

pub(super) fn hue(color: usize) -> &'static str {
    LIGHT[color % LIGHT.len()]
}

pub(super) fn class(color: usize) -> &'static str {
    CLASSES[color % CLASSES.len()]
}

pub(super) fn dash(color: usize) -> &'static str {
    DASHES[color / LIGHT.len() % DASHES.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    type Matrix = [[f64; 3]; 3];

    /// Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB: no deficiency, protanopia, deuteranopia, tritanopia.
    const SEEN: [Matrix; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ];

    fn linear(hex: &str) -> [f64; 3] {
        [1, 3, 5].map(|at| {
            let c = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).expect("two hexadecimal digits")) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn luminance([r, g, b]: [f64; 3]) -> f64 {
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(linear(a)) + 0.05, luminance(linear(b)) + 0.05);
        a.max(b) / a.min(b)
    }

    /// CIE L*a*b* of what is seen of a colour.
    fn lab(hex: &str, matrix: &Matrix) -> [f64; 3] {
        let c = linear(hex);
        let [r, g, b] = matrix.map(|row| (row[0] * c[0] + row[1] * c[1] + row[2] * c[2]).clamp(0.0, 1.0));
        let f = |t: f64| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
        let y = f(luminance([r, g, b]));
        let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    #[test]
    fn every_two_colours_differ_for_every_eye() {
        for palette in [LIGHT, DARK] {
            for matrix in &SEEN {
                for (index, a) in palette.iter().enumerate() {
                    for b in &palette[index + 1..] {
                        let (p, q) = (lab(a, matrix), lab(b, matrix));
                        let distance = p.iter().zip(q).map(|(p, q)| (p - q).powi(2)).sum::<f64>().sqrt();
                        assert!(distance > 15.0, "{a} and {b} are {distance:.1} apart");
                    }
                }
            }
        }
    }

    /// WCAG 2.1 asks 3:1 of graphics.
    #[test]
    fn every_colour_stands_out_from_its_ground() {
        for (palette, ground) in [(LIGHT, "#ffffff"), (DARK, "#15181c")] {
            for color in palette {
                assert!(contrast(color, ground) >= 2.95, "{color} on {ground}: {:.2}", contrast(color, ground));
            }
        }
    }

    #[test]
    fn the_page_uses_the_dark_palette() {
        let style = include_str!("page.css");
        assert!(style.contains("#15181c"));
        for (index, color) in DARK.iter().enumerate() {
            assert!(style.contains(&format!("--c{index}: {color}")), "{color} is not in page.css");
        }
        for (index, color) in LIGHT.iter().enumerate() {
            assert!(style.contains(&format!("--c{index}: {color}")), "{color} is not in page.css");
        }
    }
}
