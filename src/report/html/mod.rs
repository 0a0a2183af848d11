//! The page: one file that opens offline, in light and dark, on paper and on a phone, and reads without scripts.

mod comparisons;
mod curves;
mod episodes;
mod machine;
mod pipelines;
mod results;

use super::curve::sections;
use super::data::{FORMAT, ReportData};
use super::markup::Markup;
use super::summary::summary;
use super::table::Table;

/// Nothing is ever loaded: a browser refuses even what a hostile text would smuggle in.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// The whole page. It is well-formed XML too, so it can be checked, and cut, with XML tools.
pub fn html(data: &ReportData) -> String {
    let title = if data.title.is_empty() { "Report" } else { &data.title };
    let table = Table::new(data);
    let sections = sections(data);
    let mut m = Markup::new();
    m.fixed("<!DOCTYPE html>\n");
    m.element("html", &[("lang", "en")], |m| {
        m.element("head", &[], |m| head(m, title));
        m.newline();
        m.element("body", &[], |m| {
            m.element("header", &[], |m| {
                m.leaf("h1", &[], title);
                m.element("p", &[("class", "summary")], |m| {
                    for sentence in summary(data) {
                        m.leaf("span", &[], sentence.replace(" %", "\u{a0}%"));
                        m.text(" ");
                    }
                });
                if !data.notes.is_empty() {
                    m.element("ul", &[("class", "notes")], |m| data.notes.iter().for_each(|note| m.leaf("li", &[], note)));
                }
                contents(m);
            });
            m.newline();
            m.element("main", &[], |m| {
                part(m, "results", "Results", |m| results::write(m, data, &table));
                part(m, "curves", "Curves", |m| curves::write(m, &sections));
                part(m, "objectives", "Objectives", |m| pipelines::objectives(m, data));
                part(m, "pipelines", "Resolved pipelines", |m| pipelines::resolved(m, data));
                part(m, "episodes", "Example episodes", |m| episodes::write(m, data));
                part(m, "machine", "Machine and how to repeat it", |m| machine::write(m, data));
            });
            m.newline();
            m.element("footer", &[], |m| {
                m.text(format!(
                    "Made by epo-run {}, report format {FORMAT}. The same numbers are in report.json.",
                    env!("CARGO_PKG_VERSION")
                ));
            });
            m.newline();
            m.element("script", &[], |m| m.fixed(include_str!("../hover.js")));
        });
    });
    m.newline();
    m.finish()
}

fn head(m: &mut Markup, title: &str) {
    m.empty("meta", &[("charset", "utf-8")]);
    m.empty("meta", &[("http-equiv", "Content-Security-Policy"), ("content", POLICY)]);
    m.empty("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    m.empty("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    m.leaf("title", &[], title);
    m.newline();
    m.element("style", &[], |m| m.fixed(include_str!("../page.css")));
}

fn contents(m: &mut Markup) {
    m.element("nav", &[("aria-label", "Contents")], |m| {
        for (address, words) in [
            ("#results", "Results"),
            ("#curves", "Curves"),
            ("#objectives", "Objectives"),
            ("#pipelines", "Pipelines"),
            ("#episodes", "Episodes"),
            ("#machine", "Machine"),
        ] {
            m.leaf("a", &[("href", address)], words);
            m.text(" ");
        }
    });
}

fn part(m: &mut Markup, id: &'static str, heading: &'static str, body: impl FnOnce(&mut Markup)) {
    m.element("section", &[("id", id)], |m| {
        m.leaf("h2", &[], heading);
        m.newline();
        body(m);
    });
    m.newline();
}

/// What stands where there is nothing to show; names of the language stand in backticks.
fn missing(m: &mut Markup, words: &'static str) {
    m.element("p", &[("class", "missing")], |m| {
        for (at, piece) in words.split('`').enumerate() {
            if at % 2 == 1 { m.leaf("code", &[], piece) } else { m.text(piece) }
        }
    });
}

/// A table may be wider than a phone: then it scrolls, not the page.
fn scrolling(m: &mut Markup, label: &str, body: impl FnOnce(&mut Markup)) {
    m.element("div", &[("class", "scroll"), ("role", "region"), ("aria-label", label), ("tabindex", "0")], body);
}

/// `ppo_epo`, or `ppo_epo[seed=1]`.
fn instance(pipeline: &str, label: &str) -> String {
    if label.is_empty() { pipeline.to_string() } else { format!("{pipeline}[{label}]") }
}
