//! Comparisons for the terminal.

use super::comparisons::{Compared, Measured, Pair};
use super::number::short;
use super::over_seeds::Measure;
use crate::stats::{Interval, Test};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// What the methods came to, and each pair, split by split. Words from files lose their control characters.
pub fn comparisons_text(all: &[Compared]) -> String {
    let mut out = String::new();
    for compared in all {
        let _ = writeln!(out, "{}{}: {}", if out.is_empty() { "" } else { "\n" }, plain(&compared.split), what(compared));
        let methods: Vec<Vec<String>> = compared.methods.iter().map(|method| method_line(method, compared.measure)).collect();
        out.push_str(&aligned(&["", "mean", "95 %", "middle half", "seeds from .. to", "deviation"], &methods));
        for method in &compared.methods {
            let warning = method.over_seeds.as_ref().and_then(|seeds| seeds.warning(|mean| value(mean, compared.measure)));
            if let Some(warning) = warning {
                let _ = writeln!(out, "warning: {}: {}", plain(&method.name), plain(&warning));
            }
        }
        if !compared.left_out.is_empty() {
            let names: Vec<String> = compared.left_out.iter().map(|name| plain(name)).collect();
            let _ = writeln!(out, "not compared, since their tasks were not recorded or differ between seeds: {}", names.join(", "));
        }
        if !compared.pairs.is_empty() {
            let pairs: Vec<Vec<String>> = compared.pairs.iter().map(|pair| pair_line(pair, compared.measure)).collect();
            out.push('\n');
            out.push_str(&aligned(&["", "difference", "95 %", "p", "p, Holm", "chance", "could see"], &pairs));
        }
    }
    if all.iter().any(|compared| !compared.pairs.is_empty()) {
        out.push_str(&legend(all));
    }
    out
}

fn what(compared: &Compared) -> String {
    let measure = match compared.measure {
        Measure::Success => "success in %",
        Measure::Score => "score",
    };
    let tasks = if compared.tasks == 1 { "1 task".into() } else { format!("{} tasks", compared.tasks) };
    format!("{measure}, {tasks}")
}

pub(super) fn method_line(method: &Measured, measure: Measure) -> Vec<String> {
    let means = || method.seeds.iter().map(|(_, mean)| *mean);
    let (low, high) = (means().fold(f64::INFINITY, f64::min), means().fold(f64::NEG_INFINITY, f64::max));
    let mut line = vec![plain(&method.name), value(method.mean, measure)];
    match &method.over_seeds {
        Some(seeds) => line.extend([
            bounds(seeds.interval, measure),
            value(seeds.interquartile, measure),
            format!("{} from {} to {}", method.seeds.len(), value(low, measure), value(high, measure)),
            value(seeds.deviation, measure),
        ]),
        None => line.extend([String::new(), String::new(), "1".into()]),
    }
    line
}

pub(super) fn pair_line(pair: &Pair, measure: Measure) -> Vec<String> {
    let Pair { first, second, comparison, holm } = pair;
    let p = |p: Option<f64>| p.map_or_else(|| "-".into(), p_value);
    let mark = match comparison.test {
        Test::PairedSeeds(_) => "",
        Test::Seeds(_) => "ᵘ",
        Test::Policies { .. } => "ᵗ",
        Test::None => "",
    };
    vec![
        format!("{} - {}", plain(first), plain(second)),
        signed(comparison.difference, measure),
        bounds(comparison.interval, measure),
        format!("{}{mark}", p(comparison.test.p())),
        p(*holm),
        format!("{:.2}", comparison.chance),
        comparison.smallest.map_or_else(|| "-".into(), |smallest| value(smallest, measure)),
    ]
}

pub(super) fn legend(all: &[Compared]) -> String {
    let tests = || all.iter().flat_map(|compared| &compared.pairs).map(|pair| pair.comparison.test);
    let families: Vec<String> = all.iter().map(|compared| compared.family.to_string()).collect();
    let mut words = vec![
        "95 %: drawing seeds and tasks 5000 times".to_string(),
        format!("p: two-sided t test over seeds, paired where both have the same; Holm: among {} comparisons", families.join(", ")),
        "chance: that a seed of the first is higher than one of the second".into(),
        "could see: the difference that so many seeds with this spread find four times in five".into(),
    ];
    if tests().any(|test| matches!(test, Test::Seeds(_))) {
        words.push("ᵘ: the seeds are not the same, so nothing is paired".into());
    }
    if tests().any(|test| matches!(test, Test::Policies { .. })) {
        words.push("ᵗ: one seed each; McNemar's test over tasks, of these two policies and of no methods".into());
    }
    words.iter().map(|line| format!("{line}\n")).collect()
}

/// `0.012`, `< 0.0001`
fn p_value(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".into() } else { format!("{p:.4}") }
}

/// Of a share the percents, without their sign.
pub(super) fn value(value: f64, measure: Measure) -> String {
    match measure {
        Measure::Success => format!("{:.1}", value * 100.0),
        Measure::Score => short(value),
    }
}

fn signed(difference: f64, measure: Measure) -> String {
    let text = value(difference.abs(), measure);
    match difference {
        d if d < 0.0 => format!("-{text}"),
        _ => format!("+{text}"),
    }
}

fn bounds(interval: Interval, measure: Measure) -> String {
    format!("[{}, {}]", value(interval.low, measure), value(interval.high, measure))
}

/// The first column to the left, the others to the right; columns without a word in them are left out.
fn aligned(heads: &[&str], lines: &[Vec<String>]) -> String {
    let cell = |line: &Vec<String>, at: usize| line.get(at).cloned().unwrap_or_default();
    let used: Vec<usize> = (0..heads.len()).filter(|at| lines.iter().any(|line| !cell(line, *at).is_empty())).collect();
    let mut out = String::new();
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_string()).collect();
    let widths: Vec<usize> =
        used.iter().map(|at| lines.iter().chain([&heads]).map(|line| cell(line, *at).width()).max().unwrap_or(0)).collect();
    for line in std::iter::once(&heads).chain(lines) {
        let mut text = String::new();
        for (place, (at, width)) in used.iter().zip(&widths).enumerate() {
            let cell = cell(line, *at);
            let space = " ".repeat(width.saturating_sub(cell.width()));
            text.push_str(&if place == 0 { format!("  {cell}{space}") } else { format!("  {space}{cell}") });
        }
        let _ = writeln!(out, "{}", text.trim_end());
    }
    out
}

/// Without control characters.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
