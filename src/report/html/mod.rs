//! The page: one file that opens offline, in light and dark, on paper and on a phone, and reads without scripts. Of a run that goes on it is the same page with
//! more parts, which a server sends again as they change.

mod comparisons;
mod curves;
mod episodes;
mod live;
mod machine;
mod pipelines;
mod results;

use super::curve::sections;
use super::data::{FORMAT, ReportData};
use super::live::Standing;
use super::markup::Markup;
use super::summary::summary;
use super::table::Table;

/// Nothing is ever loaded: a browser refuses even what a hostile text would smuggle in.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
/// Of a page that is served: its script and its news come from where it came from itself, and no text in it is ever run.
pub const LIVE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'";
/// The script of a page that is served.
pub const LIVE_SCRIPT: &str = concat!(include_str!("../hover.js"), include_str!("../live.js"));

const NO_RESULTS: &str =
    "No evaluation results: none of the reported stages is an evaluation. Name `evaluate` stages in the report's `of`.";
const NO_CURVES: &str = "No curves: none of the reported stages recorded metrics. Name `rl` or `sft` stages in the report's `of`.";

/// A piece of the page that is drawn as a whole: an element with an `id`.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its `id` in the page.
    pub id: &'static str,
    drawn: Markup,
}

impl Part {
    fn new(id: &'static str, name: &'static str, body: impl FnOnce(&mut Markup)) -> Self {
        let mut m = Markup::new();
        m.element(name, &[("id", id)], body);
        Self { id, drawn: m }
    }

    fn section(id: &'static str, heading: &'static str, body: impl FnOnce(&mut Markup)) -> Self {
        Self::new(id, "section", |m| {
            m.leaf("h2", &[], heading);
            m.newline();
            body(m);
        })
    }

    /// The element.
    pub fn html(&self) -> &str {
        self.drawn.as_str()
    }
}

/// The whole page. It is well-formed XML too, so it can be checked, and cut, with XML tools.
pub fn html(data: &ReportData) -> String {
    let table = Table::new(data);
    let head = Part::new("head", "div", |m| {
        m.leaf("h1", &[], title(data));
        says(m, data, summary(data));
    });
    let parts = [
        Part::section("results", "Results", |m| results::write(m, data, &table, NO_RESULTS)),
        Part::section("curves", "Curves", |m| curves::write(m, &sections(data), NO_CURVES)),
        Part::section("objectives", "Objectives", |m| pipelines::objectives(m, data)),
        Part::section("pipelines", "Resolved pipelines", |m| pipelines::resolved(m, data)),
        Part::section("episodes", "Example episodes", |m| episodes::write(m, data, "No example episodes were given to this report.")),
        Part::section("machine", "Machine and how to repeat it", |m| machine::write(m, data)),
    ];
    document(title(data), POLICY, None, |m| {
        m.element("header", &[], |m| {
            m.append(&head.drawn);
            contents(m, &parts);
        });
        main(m, &parts);
        let made = env!("CARGO_PKG_VERSION");
        m.leaf("footer", &[], format!("Made by epo-run {made}, report format {FORMAT}. The same numbers are in report.json."));
        m.newline();
        m.element("script", &[], |m| m.fixed(include_str!("../hover.js")));
    })
}

/// The parts of the page of a run that goes on, the head first.
pub fn live_parts(data: &ReportData, standing: &Standing) -> Vec<Part> {
    let table = Table::new(data);
    vec![
        Part::new("head", "div", |m| {
            m.leaf("h1", &[], title(data));
            live::state(m, standing);
            says(m, data, if table.is_empty() { Vec::new() } else { summary(data) });
        }),
        Part::section("stages", "Stages", |m| live::stages(m, standing)),
        Part::section("curves", "Curves", |m| curves::write(m, &sections(data), "Nothing is measured yet.")),
        Part::section("latest", "Latest episodes", |m| live::latest(m, data, standing)),
        Part::section("results", "Results", |m| results::write(m, data, &table, "No evaluation is finished yet.")),
        Part::section("objectives", "Objectives", |m| pipelines::objectives(m, data)),
        Part::section("pipelines", "Resolved pipelines", |m| pipelines::resolved(m, data)),
        Part::section("episodes", "Episodes of evaluations", |m| episodes::write(m, data, "No evaluation is finished yet.")),
    ]
}

/// The page that these parts come to. `revision` is what its script tells the server that it has; `script` is its address.
pub fn live_html(title: &str, parts: &[Part], revision: &str, script: &str) -> String {
    let Some((head, rest)) = parts.split_first() else { return String::new() };
    document(title, LIVE_POLICY, Some(revision), |m| {
        m.element("header", &[], |m| {
            m.append(&head.drawn);
            live::controls(m);
            contents(m, rest);
        });
        main(m, rest);
        let made = env!("CARGO_PKG_VERSION");
        m.leaf("footer", &[], format!("epo-run {made} watches a run. A `report` stage writes what is measured into one file."));
        m.newline();
        m.element("script", &[("src", script)], |_| {});
    })
}

/// The page's heading.
fn title(data: &ReportData) -> &str {
    if data.title.is_empty() { "Report" } else { &data.title }
}

fn document(title: &str, policy: &'static str, revision: Option<&str>, body: impl FnOnce(&mut Markup)) -> String {
    let mut m = Markup::new();
    m.fixed("<!DOCTYPE html>\n");
    m.element("html", &[("lang", "en")], |m| {
        m.element("head", &[], |m| head(m, title, policy));
        m.newline();
        let attributes: Vec<(&'static str, &str)> = revision.iter().map(|revision| ("data-revision", *revision)).collect();
        m.element("body", &attributes, body);
    });
    m.newline();
    m.finish()
}

fn head(m: &mut Markup, title: &str, policy: &'static str) {
    m.empty("meta", &[("charset", "utf-8")]);
    m.empty("meta", &[("http-equiv", "Content-Security-Policy"), ("content", policy)]);
    m.empty("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    m.empty("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    m.leaf("title", &[], title);
    m.newline();
    m.element("style", &[], |m| m.fixed(include_str!("../page.css")));
}

/// What there is to say in sentences.
fn says(m: &mut Markup, data: &ReportData, sentences: Vec<String>) {
    if !sentences.is_empty() {
        m.element("p", &[("class", "summary")], |m| {
            for sentence in sentences {
                m.leaf("span", &[], sentence.replace(" %", "\u{a0}%"));
                m.text(" ");
            }
        });
    }
    if !data.notes.is_empty() {
        m.element("ul", &[("class", "notes")], |m| data.notes.iter().for_each(|note| m.leaf("li", &[], note)));
    }
}

fn contents(m: &mut Markup, parts: &[Part]) {
    m.element("nav", &[("aria-label", "Contents")], |m| {
        for part in parts {
            let words = match part.id {
                "stages" => "Stages",
                "results" => "Results",
                "curves" => "Curves",
                "latest" => "Latest episodes",
                "objectives" => "Objectives",
                "pipelines" => "Pipelines",
                "episodes" => "Episodes",
                _ => "Machine",
            };
            m.leaf("a", &[("href", &format!("#{}", part.id))], words);
            m.text(" ");
        }
    });
}

fn main(m: &mut Markup, parts: &[Part]) {
    m.newline();
    m.element("main", &[], |m| {
        for part in parts {
            m.append(&part.drawn);
            m.newline();
        }
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
