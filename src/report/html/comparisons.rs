//! Methods beside each other, by their seeds.

use super::super::comparisons::{Against, Compared, comparisons};
use super::super::comparisons_text::{legend, method_line, pair_line};
use super::super::data::ReportData;
use super::super::markup::Markup;
use super::super::over_seeds::Measure;
use super::scrolling;

const METHODS: [&str; 6] = ["method", "mean", "95 %", "middle half", "seeds from .. to", "deviation"];
const PAIRS: [&str; 7] = ["difference", "points", "95 %", "p", "p, Holm", "chance", "could see"];

pub(super) fn write(m: &mut Markup, data: &ReportData) {
    let all = comparisons(data, Measure::Success, &Against::Highest).unwrap_or_default();
    m.element("details", &[("open", "")], |m| {
        m.leaf("summary", &[], "Over seeds: what each method came to, and how it stands to the highest");
        for compared in all.iter().filter(|compared| !compared.methods.is_empty()) {
            m.leaf("h3", &[], format!("{}: success in %, {} tasks", compared.split, compared.tasks));
            one(m, compared);
        }
        m.element("ul", &[("class", "note")], |m| legend(&all).lines().for_each(|line| m.leaf("li", &[], line)));
    });
    m.newline();
}

fn one(m: &mut Markup, compared: &Compared) {
    let methods = compared.methods.iter().map(|method| method_line(method, compared.measure)).collect();
    table(m, &format!("methods on {}", compared.split), &METHODS, methods);
    if !compared.pairs.is_empty() {
        let pairs = compared.pairs.iter().map(|pair| pair_line(pair, compared.measure)).collect();
        table(m, &format!("differences on {}", compared.split), &PAIRS, pairs);
    }
    if !compared.left_out.is_empty() {
        let names = compared.left_out.join(", ");
        m.leaf("p", &[("class", "note")], format!("Not compared, since their tasks were not recorded or differ between seeds: {names}."));
    }
}

fn table(m: &mut Markup, label: &str, heads: &[&str], lines: Vec<Vec<String>>) {
    scrolling(m, label, |m| {
        m.element("table", &[("class", "plain")], |m| {
            m.element("tr", &[], |m| heads.iter().for_each(|head| m.leaf("th", &[("scope", "col")], *head)));
            for line in lines {
                m.element("tr", &[], |m| {
                    for (at, cell) in line.iter().enumerate() {
                        match at {
                            0 => m.leaf("th", &[("scope", "row")], cell),
                            _ => m.leaf("td", &[], if cell.is_empty() { "–" } else { cell }),
                        }
                    }
                });
            }
        });
    });
}
