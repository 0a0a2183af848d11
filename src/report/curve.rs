//! Curves as sections of charts: instances that differ in their seed alone become one group, in one colour, with its mean.

use super::chart::{Band, Figure, Line, Panel, Stroke};
use super::data::{Curve, ReportData};
use super::label;
use super::metric::{CORRIDOR, CUTS, is_row_of_a_picture, metric};
use super::picture::{Picture, pictures};
use super::{corridor, number};
use crate::stats::{deviation, mean, t_quantile};
use std::collections::{BTreeMap, BTreeSet};

/// The charts of all stages of one kind.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Section {
    /// `rl`, `sft`, or a stage's name.
    pub kind: String,
    pub groups: Vec<Group>,
    /// (caption, figure)
    pub charts: Vec<(String, Figure)>,
    /// Over turns or families, and iterations.
    pub pictures: Vec<Picture>,
}

impl Section {
    /// Whether some value is not finite.
    pub(super) fn lost(&self) -> bool {
        let lines = self.charts.iter().flat_map(|(_, figure)| figure.panels.iter().flat_map(|p| &p.lines));
        lines.flat_map(|l| &l.points).any(|(_, y)| !y.is_finite())
    }
}

/// One pipeline (and variant and stage), with its seeds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    pub name: String,
    pub color: usize,
    /// (seed or instance, metric → points in increasing iteration)
    pub seeds: Vec<(String, BTreeMap<String, Points>)>,
}

pub(super) type Points = Vec<(f64, f64)>;

impl Group {
    /// The points of one metric: the seed's own, or the mean over all seeds at the iterations where each of them has a finite value.
    /// Where all seeds were measured and one is not finite, the mean is not either.
    pub(super) fn mean(&self, name: &str) -> Points {
        let mut seeds = self.seeds.iter().filter_map(|(_, metrics)| metrics.get(name));
        let Some(first) = seeds.next() else { return Vec::new() };
        let mut sums: BTreeMap<u64, (f64, usize)> = first.iter().map(|(x, y)| (x.to_bits(), (*y, 1))).collect();
        let mut measured = 1;
        for points in seeds {
            measured += 1;
            for (x, y) in points {
                if let Some((sum, count)) = sums.get_mut(&x.to_bits()) {
                    *sum += y;
                    *count += 1;
                }
            }
        }
        let complete = sums.into_iter().filter(|(_, (_, count))| *count == measured);
        complete.map(|(x, (sum, count))| (f64::from_bits(x), sum / count as f64)).collect()
    }

    /// The mean with its 95 % interval over seeds (mean ± t·deviation/√n), where three or more have a finite value. Within `range`, where that bounds
    /// the metric on both sides.
    pub(super) fn band(&self, name: &str, range: Option<(f64, f64)>) -> Option<Band> {
        let seeds: Vec<&Points> = self.seeds.iter().filter_map(|(_, metrics)| metrics.get(name)).collect();
        if seeds.len() < 3 {
            return None;
        }
        let mut values: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for (x, y) in seeds.iter().flat_map(|points| points.iter()) {
            values.entry(x.to_bits()).or_default().push(*y);
        }
        let n = seeds.len() as f64;
        let t = t_quantile(0.975, n - 1.0);
        let (least, most) = range.filter(|(low, high)| low < high).unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let points = values.into_iter().filter(|(_, values)| values.len() == seeds.len()).map(|(x, values)| {
            let (middle, half) = (mean(&values), t * deviation(&values) / n.sqrt());
            (f64::from_bits(x), (middle - half).max(least), (middle + half).min(most))
        });
        Some(Band { name: format!("{}, 95 % over seeds", self.name), color: self.color, points: points.collect() })
    }

    /// How many seeds measured this metric.
    fn measured(&self, name: &str) -> usize {
        self.seeds.iter().filter(|(_, metrics)| metrics.contains_key(name)).count()
    }

    /// Thin lines for several seeds, a thick one for the mean or for the only one.
    pub(super) fn lines(&self, name: &str) -> Vec<Line> {
        let line = |name: &str, stroke, points| Line { name: name.into(), color: self.color, stroke, points };
        let mut lines = Vec::new();
        if self.measured(name) > 1 {
            let seeds = self.seeds.iter().filter_map(|(seed, metrics)| Some((seed, metrics.get(name)?)));
            lines.extend(seeds.map(|(seed, points)| line(&format!("{}, {seed}", self.name), Stroke::Thin, points.clone())));
        }
        let mean = self.mean(name);
        if !mean.is_empty() {
            lines.push(line(&self.name, Stroke::Thick, mean));
        }
        lines
    }
}

/// The sections of a report, in the order in which the curves name their kinds.
pub(super) fn sections(data: &ReportData) -> Vec<Section> {
    let mut kinds: Vec<&str> = Vec::new();
    for curve in &data.curves {
        if !kinds.contains(&kind(curve)) {
            kinds.push(kind(curve));
        }
    }
    let mut colors = Vec::new();
    kinds.into_iter().map(|of| section(data, of, &mut colors)).collect()
}

fn kind(curve: &Curve) -> &str {
    if curve.kind.is_empty() { &curve.stage } else { &curve.kind }
}

/// (pipeline, variant, how many stages of this kind the pipeline has before this one): the same colour in every section.
type ColorKey = (String, String, usize);

fn section(data: &ReportData, of: &str, colors: &mut Vec<ColorKey>) -> Section {
    let curves: Vec<&Curve> = data.curves.iter().filter(|c| kind(c) == of).collect();
    let several_stages = curves.iter().map(|c| &c.stage).collect::<BTreeSet<_>>().len() > 1;
    let mut keys: Vec<(String, String, String)> = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    for curve in curves {
        let (variant, seed) = label::split(&curve.label);
        let key = (curve.pipeline.clone(), variant.clone(), curve.stage.clone());
        let instance = (seed.map_or_else(|| curve.label.clone(), |s| format!("seed {s}")), points(curve));
        if let Some(at) = keys.iter().position(|k| *k == key) {
            groups[at].seeds.push(instance);
            continue;
        }
        let earlier = keys.iter().filter(|k| k.0 == key.0 && k.1 == key.1).count();
        let color_key = (key.0.clone(), key.1.clone(), earlier);
        let color = colors.iter().position(|k| *k == color_key).unwrap_or_else(|| {
            colors.push(color_key);
            colors.len() - 1
        });
        let parts = [title(data, &curve.pipeline), variant, if several_stages { curve.stage.clone() } else { String::new() }];
        let name = parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" · ");
        keys.push(key);
        groups.push(Group { name, color, seeds: vec![instance] });
    }
    tell_apart(&mut groups, &keys);
    let charts = charts(data, &groups);
    let pictures = pictures(&groups);
    Section { kind: of.to_string(), groups, charts, pictures }
}

/// A pipeline's words for people, or its name.
pub(super) fn title(data: &ReportData, pipeline: &str) -> String {
    let titled = data.pipelines.iter().find(|p| p.name == pipeline && !p.title.is_empty());
    titled.map_or_else(|| pipeline.to_string(), |p| p.title.clone())
}

/// Two pipelines with one title get their names beside it.
fn tell_apart(groups: &mut [Group], keys: &[(String, String, String)]) {
    let names: Vec<String> = groups.iter().map(|g| g.name.clone()).collect();
    for (group, (pipeline, _, _)) in groups.iter_mut().zip(keys) {
        if names.iter().filter(|n| **n == group.name).count() > 1 {
            group.name = format!("{} · {pipeline}", group.name);
        }
    }
}

fn points(curve: &Curve) -> BTreeMap<String, Points> {
    // A run that went on after an interruption may have written an iteration twice: the later record counts.
    let mut metrics: BTreeMap<&str, BTreeMap<u64, f64>> = BTreeMap::new();
    for record in &curve.records {
        for (name, value) in &record.values {
            metrics.entry(name).or_default().insert(record.iteration, *value);
        }
    }
    metrics.into_iter().map(|(name, points)| (name.to_string(), points.into_iter().map(|(x, y)| (x as f64, y)).collect())).collect()
}

fn charts(data: &ReportData, groups: &[Group]) -> Vec<(String, Figure)> {
    let names: BTreeSet<&str> =
        groups.iter().flat_map(|g| g.seeds.iter().flat_map(|(_, metrics)| metrics.keys().map(String::as_str))).collect();
    // Nothing cut is nothing to look at.
    let cut = |name: &&str| !CUTS.contains(name) || groups.iter().any(|g| g.mean(name).iter().any(|(_, share)| *share != 0.0));
    let names: BTreeSet<&str> = names.into_iter().filter(cut).filter(|name| !is_row_of_a_picture(name)).collect();
    let has_entropy = names.contains("entropy");
    let mut ordered: Vec<&str> = names.into_iter().filter(|name| !(has_entropy && CORRIDOR.contains(name))).collect();
    // The terms of a loss in the order in which the equations name them.
    let terms: Vec<&str> = data.pipelines.iter().flat_map(|p| p.equation.iter().map(|(term, _)| term.as_str())).collect();
    let place = |name: &str| name.strip_prefix("loss/").and_then(|term| terms.iter().position(|t| *t == term));
    ordered.sort_by_key(|name| (metric(name).rank, place(name).unwrap_or(usize::MAX), *name));
    let mut charts = Vec::new();
    for name in ordered {
        let corridors: Vec<(String, Figure)> =
            if name == "entropy" { groups.iter().filter_map(|g| corridor::figure(g, groups.len() > 1)).collect() } else { Vec::new() };
        // One pipeline's entropy is wholly in its corridor chart; several are compared first.
        if groups.len() > 1 || corridors.is_empty() {
            charts.push(plain(groups, name));
        }
        charts.extend(corridors);
    }
    charts
}

fn plain(groups: &[Group], name: &str) -> (String, Figure) {
    let metric = metric(name);
    let lines: Vec<Line> = groups.iter().flat_map(|g| g.lines(name)).collect();
    let bands = groups.iter().filter_map(|g| g.band(name, metric.range)).collect();
    let panel = Panel { height: 150.0, unit: metric.unit.into(), format: metric.format, range: metric.range, bands, lines };
    let shown = panel.lines.iter().filter(|l| l.stroke == Stroke::Thick).count();
    let description = format!("{} {} over iterations.", metric.note, number::counted(shown, "line")).trim().to_string();
    let figure = Figure { title: metric.title, description, horizontal: "iteration".into(), panels: vec![panel], legend: false };
    (metric.note.to_string(), figure)
}

#[cfg(test)]
#[path = "curve_tests.rs"]
mod tests;
