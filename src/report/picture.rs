//! Rows of numbers over iterations, as shades: entropy by the number of the turn, success by family of tasks.

use super::curve::{Group, Points};
use super::metric::{BY_FAMILY, BY_TURN};
use std::collections::{BTreeMap, BTreeSet};

/// No screen shows more rows or columns; beyond these, neighbours are one, with their mean.
const ROWS: usize = 50;
const COLUMNS: usize = 90;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Picture {
    pub title: String,
    /// One sentence, for those who do not see it too.
    pub note: String,
    /// Index into the palette.
    pub color: usize,
    /// What darkest and lightest are: `1.25 nats`.
    pub highest: f64,
    /// `%` for a share, otherwise a unit.
    pub unit: &'static str,
    /// From the first iteration to the last.
    pub span: (f64, f64),
    /// Words with one value for each column; none where it was not measured.
    pub rows: Vec<(String, Vec<Option<f64>>)>,
}

/// Of each method that recorded such rows.
pub(super) fn pictures(groups: &[Group]) -> Vec<Picture> {
    let several = groups.len() > 1;
    let named = |title: &str, group: &Group| if several { format!("{title}: {}", group.name) } else { title.to_string() };
    let mut found = Vec::new();
    for group in groups {
        let turns = rows(group, BY_TURN, "");
        if turns.len() > 1 {
            let note = "Each row is the number of a turn in its episode, the first above; dark is undecided. Mean over tokens and seeds.";
            let highest = highest(&turns);
            let picture = Picture {
                title: named("Entropy by turn", group),
                note: note.into(),
                color: group.color,
                highest,
                unit: "nats",
                span: (0.0, 0.0),
                rows: Vec::new(),
            };
            found.push(filled(picture, turns));
        }
        let families = rows(group, BY_FAMILY, "/success");
        if families.len() > 1 {
            let note = "Each row is a family of tasks; dark is success, of the iteration's own episodes. Mean over seeds.";
            let picture = Picture {
                title: named("Success by family", group),
                note: note.into(),
                color: group.color,
                highest: 1.0,
                unit: "%",
                span: (0.0, 0.0),
                rows: Vec::new(),
            };
            found.push(filled(picture, families));
        }
    }
    found
}

/// The rows of one kind by what stands between `before` and `after`, each the mean over the seeds that measured it.
fn rows(group: &Group, before: &str, after: &str) -> Vec<(String, Points)> {
    let metrics: BTreeSet<&str> = group.seeds.iter().flat_map(|(_, metrics)| metrics.keys().map(String::as_str)).collect();
    let word = |name: &str| Some(name.strip_prefix(before)?.strip_suffix(after)?.to_string());
    metrics.into_iter().filter_map(|name| Some((word(name)?, mean(group, name)))).collect()
}

/// Unlike the mean of a curve also where some seeds have no value: long episodes are rare.
fn mean(group: &Group, name: &str) -> Points {
    let mut sums: BTreeMap<u64, (f64, usize)> = BTreeMap::new();
    for (x, y) in group.seeds.iter().filter_map(|(_, metrics)| metrics.get(name)).flatten().filter(|(x, y)| *x >= 0.0 && y.is_finite()) {
        let (sum, count) = sums.entry(x.to_bits()).or_default();
        *sum += y;
        *count += 1;
    }
    sums.into_iter().map(|(x, (sum, count))| (f64::from_bits(x), sum / count as f64)).collect()
}

fn highest(rows: &[(String, Points)]) -> f64 {
    rows.iter().flat_map(|(_, points)| points).map(|(_, y)| *y).fold(0.0, f64::max)
}

fn filled(picture: Picture, rows: Vec<(String, Points)>) -> Picture {
    let places = || rows.iter().flat_map(|(_, points)| points).map(|(x, _)| *x);
    let (first, last) = (places().fold(f64::INFINITY, f64::min), places().fold(0.0, f64::max));
    let columns = ((last - first) as usize).saturating_add(1).min(COLUMNS);
    let column = |x: f64| (((x - first) / (last - first + 1.0)) * columns as f64) as usize;
    let together = rows.len().div_ceil(ROWS);
    let rows = rows.chunks(together).filter_map(|chunk| {
        let mut sums = vec![(0.0, 0usize); columns];
        for (x, y) in chunk.iter().flat_map(|(_, points)| points) {
            if let Some((sum, count)) = sums.get_mut(column(*x)) {
                *sum += y;
                *count += 1;
            }
        }
        let values = sums.into_iter().map(|(sum, count)| (count > 0).then(|| sum / count as f64)).collect();
        Some((chunk.first()?.0.trim_start_matches('0').to_string(), values))
    });
    Picture { span: (first, last), rows: rows.collect(), ..picture }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(metrics: &[(&str, &[(f64, f64)])]) -> Group {
        let of = metrics.iter().map(|(name, points)| ((*name).to_string(), points.to_vec())).collect();
        Group { name: "ppo".into(), color: 1, seeds: vec![("seed 0".into(), of)] }
    }

    #[test]
    fn turns_and_families_are_rows() {
        let found = pictures(&[group(&[
            ("entropy/turn/001", &[(0.0, 1.0), (1.0, 0.5)]),
            ("entropy/turn/002", &[(1.0, 2.0)]),
            ("family/put/success", &[(0.0, 0.5), (1.0, 1.0)]),
            ("family/heat/success", &[(0.0, 0.0), (1.0, 0.25)]),
            ("entropy", &[(0.0, 1.0)]),
        ])]);
        let [turns, families] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((turns.title.as_str(), turns.highest, turns.span), ("Entropy by turn", 2.0, (0.0, 1.0)));
        assert_eq!(turns.rows, [("1".to_string(), vec![Some(1.0), Some(0.5)]), ("2".into(), vec![None, Some(2.0)])]);
        assert_eq!(families.rows[0], ("heat".to_string(), vec![Some(0.0), Some(0.25)]));
    }

    #[test]
    fn what_is_long_is_brought_together() {
        let points: Vec<(f64, f64)> = (0..1000).map(|x| (f64::from(x), 1.0)).collect();
        let names: Vec<String> = (1..=120).map(|turn| format!("entropy/turn/{turn:03}")).collect();
        let metrics: Vec<(&str, &[(f64, f64)])> = names.iter().map(|name| (name.as_str(), points.as_slice())).collect();
        let found = pictures(&[group(&metrics)]);
        assert_eq!((found[0].rows.len(), found[0].rows[0].1.len()), (40, COLUMNS));
        assert!(found[0].rows.iter().all(|(_, values)| values.iter().all(|value| *value == Some(1.0))));
        assert!(pictures(&[group(&[("success", &[(0.0, 1.0)])])]).is_empty());
    }
}
