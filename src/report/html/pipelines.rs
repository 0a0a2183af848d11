//! The objective of each pipeline as equations, and the resolved text.

use super::super::curve::title;
use super::super::data::{PipelineInfo, ReportData};
use super::super::highlight::pieces;
use super::super::markup::Markup;
use super::{instance, missing};

pub(super) fn objectives(m: &mut Markup, data: &ReportData) {
    let groups = grouped(data.pipelines.iter().filter(|p| !p.equation.is_empty()), |a, b| a.name == b.name && a.equation == b.equation);
    let Some(first) = groups.first().and_then(|g| g.first()).copied() else {
        missing(m, "No objective: none of the reported pipelines has a `loss`.");
        return;
    };
    m.element("div", &[("class", "equations")], |m| {
        for group in &groups {
            let Some(one) = group.first().copied() else { continue };
            m.element("div", &[("class", "equation")], |m| {
                m.element("h3", &[], |m| {
                    m.text(title(data, &one.name));
                    m.text(" ");
                    let names = if groups.iter().filter(|g| g.iter().any(|p| p.name == one.name)).count() > 1 {
                        labels(group)
                    } else {
                        one.name.clone()
                    };
                    m.leaf("code", &[], names);
                });
                equation(m, one, first);
            });
            m.newline();
        }
    });
    if groups.len() > 1 {
        let words = format!("Marked lines differ from {}: changed, added, or (struck through) left out.", title(data, &first.name));
        m.leaf("p", &[("class", "note")], words);
    }
}

fn equation(m: &mut Markup, one: &PipelineInfo, first: &PipelineInfo) {
    m.element("table", &[], |m| {
        for (term, text) in &one.equation {
            let same = first.equation.iter().any(|(t, x)| t == term && x == text);
            line(m, if same { "" } else { "changed" }, term, text);
        }
        for (term, text) in first.equation.iter().filter(|(term, _)| one.equation.iter().all(|(t, _)| t != term)) {
            line(m, "changed gone", term, text);
        }
    });
}

fn line(m: &mut Markup, class: &str, term: &str, text: &str) {
    m.element("tr", &[("class", class)], |m| {
        m.leaf("th", &[("scope", "row")], term);
        m.element("td", &[], |m| colored(m, text));
    });
}

pub(super) fn resolved(m: &mut Markup, data: &ReportData) {
    let groups = grouped(data.pipelines.iter().filter(|p| !p.resolved.is_empty()), |a, b| a.resolved == b.resolved);
    if groups.is_empty() {
        missing(m, "No pipeline text was given to this report.");
        return;
    }
    m.leaf("p", &[("class", "note")], "With all imports and inherited lines written out: each runs alone, as a file of its own.");
    for group in &groups {
        let Some(one) = group.first() else { continue };
        m.element("details", &[], |m| {
            m.element("summary", &[], |m| {
                m.text(title(data, &one.name));
                m.text(" ");
                m.leaf("code", &[], labels(group));
            });
            m.element("pre", &[("class", "epo")], |m| colored(m, &one.resolved));
        });
        m.newline();
    }
}

fn colored(m: &mut Markup, text: &str) {
    for (class, piece) in pieces(text) {
        match class {
            Some(class) => m.leaf("span", &[("class", class)], piece),
            None => m.text(piece),
        }
    }
}

/// Instances that say the same are shown once, in the order of their first.
fn grouped<'a>(
    pipelines: impl Iterator<Item = &'a PipelineInfo>,
    same: impl Fn(&PipelineInfo, &PipelineInfo) -> bool,
) -> Vec<Vec<&'a PipelineInfo>> {
    let mut groups: Vec<Vec<&PipelineInfo>> = Vec::new();
    for pipeline in pipelines {
        match groups.iter_mut().find(|g| g.first().is_some_and(|first| same(first, pipeline))) {
            Some(group) => group.push(pipeline),
            None => groups.push(vec![pipeline]),
        }
    }
    groups
}

fn labels(group: &[&PipelineInfo]) -> String {
    group.iter().map(|p| instance(&p.name, &p.label)).collect::<Vec<_>>().join(", ")
}
