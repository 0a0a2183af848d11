//! Episodes to read.

use super::super::curve::title;
use super::super::data::{EpisodeExample, ReportData, ResultRow, TurnExample};
use super::super::markup::Markup;
use super::super::number::{counted, short};
use super::missing;

/// `none` stands where there is nothing to show.
pub(super) fn write(m: &mut Markup, data: &ReportData, none: &'static str) {
    if data.examples.is_empty() {
        missing(m, none);
        return;
    }
    let largest = largest(data.examples.iter());
    for (at, example) in data.examples.iter().enumerate() {
        let (id, more) = (id(at), [example.stage.clone(), example.split.clone()]);
        one(m, data, example, largest, (at == 0, &[("id", &id)], &more));
    }
}

/// Entropies are drawn to one scale, so that episodes can be compared.
pub(super) fn largest<'e>(examples: impl Iterator<Item = &'e EpisodeExample>) -> f64 {
    examples.flat_map(|e| e.turns.iter().filter_map(|t| t.entropy)).filter(|e| e.is_finite()).fold(0.0, f64::max)
}

/// The address of the first example of a result's stage and split.
pub(super) fn first_of(data: &ReportData, row: &ResultRow) -> Option<String> {
    let same = |e: &EpisodeExample| e.stage == row.stage && e.split == row.split && e.pipeline == row.pipeline && e.label == row.label;
    data.examples.iter().position(same).map(id)
}

fn id(at: usize) -> String {
    format!("episode-{}", at + 1)
}

/// One episode: whether it stands open, what tells it from others, and words beside its goal.
pub(super) fn one(
    m: &mut Markup,
    data: &ReportData,
    example: &EpisodeExample,
    largest: f64,
    (open, marks, more): (bool, &[(&'static str, &str)], &[String]),
) {
    let mut attributes = vec![("class", "episode")];
    attributes.extend(marks);
    if open {
        attributes.push(("open", "open"));
    }
    m.element("details", &attributes, |m| {
        m.element("summary", &[], |m| head(m, data, example, more));
        if example.turns.is_empty() {
            missing(m, "No turns were recorded.");
        }
        m.element("ol", &[("class", "turns")], |m| example.turns.iter().for_each(|t| turn(m, t, largest)));
    });
    m.newline();
}

fn head(m: &mut Markup, data: &ReportData, example: &EpisodeExample, more: &[String]) {
    let (class, words) = if example.success { ("won", "success") } else { ("lost-episode", "failure") };
    m.leaf("span", &[("class", class)], words);
    m.text(" ");
    let goal = if example.goal.is_empty() { &example.task } else { &example.goal };
    m.leaf("b", &[], goal);
    m.element("span", &[("class", "fine")], |m| {
        let whose = [title(data, &example.pipeline), example.label.clone()];
        let about = [example.task.clone(), counted(example.turns.len(), "turn"), format!("score {}", short(example.score))];
        let parts = whose.iter().chain(more).chain(&about).filter(|p| !p.is_empty());
        m.text(parts.cloned().collect::<Vec<_>>().join(" · "));
    });
}

fn turn(m: &mut Markup, turn: &TurnExample, largest: f64) {
    m.element("li", &[], |m| {
        m.leaf("p", &[("class", "observation")], turn.observation.trim());
        if let Some(response) = &turn.response {
            m.leaf("p", &[("class", "response")], response.trim());
        }
        m.element("p", &[("class", "action")], |m| {
            m.leaf("code", &[], turn.action.trim());
            if turn.invalid {
                m.leaf("span", &[("class", "invalid")], "not valid");
            }
            if let Some(reward) = turn.reward.filter(|reward| *reward != 0.0) {
                m.leaf("span", &[("class", "reward")], format!("reward {}", short(reward)));
            }
            if let Some(entropy) = turn.entropy {
                m.element("span", &[("class", "fine")], |m| {
                    bar(m, if largest > 0.0 && entropy.is_finite() { entropy / largest } else { 0.0 });
                    m.text(format!(" entropy {} nats", short(entropy)));
                });
            }
        });
    });
    m.newline();
}

/// A share as a short bar.
fn bar(m: &mut Markup, share: f64) {
    let width = (40.0 * share).clamp(0.0, 40.0);
    let attributes = [("class", "bar"), ("viewBox", "0 0 40 6"), ("width", "40"), ("height", "6"), ("aria-hidden", "true")];
    m.element("svg", &attributes, |m| {
        m.empty("path", &[("class", "track"), ("d", "M0 3H40")]);
        m.empty("path", &[("class", "full"), ("d", &format!("M0 3H{width:.1}"))]);
    });
}
