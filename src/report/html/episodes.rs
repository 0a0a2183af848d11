//! Episodes to read.

use super::super::curve::title;
use super::super::data::{EpisodeExample, ReportData, ResultRow, TurnExample};
use super::super::markup::Markup;
use super::super::number::{counted, short};
use super::missing;

pub(super) fn write(m: &mut Markup, data: &ReportData) {
    if data.examples.is_empty() {
        missing(m, "No example episodes were given to this report.");
        return;
    }
    // Entropies are drawn to one scale, so that episodes can be compared.
    let entropies = data.examples.iter().flat_map(|e| e.turns.iter().filter_map(|t| t.entropy)).filter(|e| e.is_finite());
    let largest = entropies.fold(0.0, f64::max);
    for (at, example) in data.examples.iter().enumerate() {
        let id = id(at);
        let mut attributes = vec![("class", "episode"), ("id", id.as_str())];
        if at == 0 {
            attributes.push(("open", "open"));
        }
        m.element("details", &attributes, |m| {
            m.element("summary", &[], |m| head(m, data, example));
            if example.turns.is_empty() {
                missing(m, "No turns were recorded.");
            }
            m.element("ol", &[("class", "turns")], |m| example.turns.iter().for_each(|t| turn(m, t, largest)));
        });
        m.newline();
    }
}

/// The address of the first example of a result's stage and split.
pub(super) fn first_of(data: &ReportData, row: &ResultRow) -> Option<String> {
    let same = |e: &EpisodeExample| e.stage == row.stage && e.split == row.split && e.pipeline == row.pipeline && e.label == row.label;
    data.examples.iter().position(same).map(id)
}

fn id(at: usize) -> String {
    format!("episode-{}", at + 1)
}

fn head(m: &mut Markup, data: &ReportData, example: &EpisodeExample) {
    let (class, words) = if example.success { ("won", "success") } else { ("lost-episode", "failure") };
    m.leaf("span", &[("class", class)], words);
    m.text(" ");
    let goal = if example.goal.is_empty() { &example.task } else { &example.goal };
    m.leaf("b", &[], goal);
    m.element("span", &[("class", "fine")], |m| {
        let parts = [
            title(data, &example.pipeline),
            example.label.clone(),
            example.stage.clone(),
            example.split.clone(),
            example.task.clone(),
            counted(example.turns.len(), "turn"),
            format!("score {}", short(example.score)),
        ];
        m.text(parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" · "));
    });
}

fn turn(m: &mut Markup, turn: &TurnExample, largest: f64) {
    m.element("li", &[], |m| {
        m.leaf("p", &[("class", "observation")], turn.observation.trim());
        m.element("p", &[("class", "action")], |m| {
            m.leaf("code", &[], turn.action.trim());
            if let Some(entropy) = turn.entropy {
                let width = if largest > 0.0 && entropy.is_finite() { (40.0 * entropy / largest).clamp(0.0, 40.0) } else { 0.0 };
                m.element("span", &[("class", "fine")], |m| {
                    m.element(
                        "svg",
                        &[("class", "bar"), ("viewBox", "0 0 40 6"), ("width", "40"), ("height", "6"), ("aria-hidden", "true")],
                        |m| {
                            m.empty("path", &[("class", "track"), ("d", "M0 3H40")]);
                            m.empty("path", &[("class", "full"), ("d", &format!("M0 3H{width:.1}"))]);
                        },
                    );
                    m.text(format!(" entropy {} nats", short(entropy)));
                });
            }
        });
    });
    m.newline();
}
