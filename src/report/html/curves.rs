//! The charts, by kind of stage.

use super::super::curve::{Group, Section};
use super::super::markup::Markup;
use super::super::svg;
use super::missing;

/// `none` stands where there is nothing to show.
pub(super) fn write(m: &mut Markup, sections: &[Section], none: &'static str) {
    if sections.iter().all(|s| s.charts.is_empty()) {
        missing(m, none);
        return;
    }
    for (at, section) in sections.iter().enumerate().filter(|(_, s)| !s.charts.is_empty()) {
        m.element("div", &[("class", "curves")], |m| {
            m.element("h3", &[], |m| heading(m, &section.kind));
            legend(m, &section.groups);
            m.newline();
            m.element("div", &[("class", "grid")], |m| {
                for (index, (caption, figure)) in section.charts.iter().enumerate() {
                    m.element("figure", &[], |m| {
                        m.leaf("h4", &[], &figure.title);
                        svg::draw(m, figure, &format!("figure-{at}-{index}"));
                        m.leaf("figcaption", &[], caption);
                    });
                    m.newline();
                }
                for (index, picture) in section.pictures.iter().enumerate() {
                    m.element("figure", &[], |m| {
                        m.leaf("h4", &[], &picture.title);
                        svg::draw_picture(m, picture, &format!("picture-{at}-{index}"));
                        m.leaf("figcaption", &[], &picture.note);
                    });
                    m.newline();
                }
            });
            if section.groups.iter().any(|g| g.seeds.len() > 1) {
                m.leaf("p", &[("class", "note")], "Thin lines: single seeds. Thick lines: their mean, where every seed has a value.");
                if section.groups.iter().any(|g| g.seeds.len() > 2) {
                    m.leaf("p", &[("class", "note")], "Shaded: the 95 % interval of that mean over seeds (t, from three seeds on).");
                }
            }
            if section.lost() {
                m.leaf("p", &[("class", "note")], "× at the lower edge: a value that is not finite.");
            }
        });
        m.newline();
    }
}

fn heading(m: &mut Markup, kind: &str) {
    match kind {
        "rl" => m.text("Reinforcement learning"),
        "sft" => m.text("Supervised fine-tuning"),
        other => {
            m.text("Stage ");
            m.leaf("code", &[], other);
        }
    }
}

fn legend(m: &mut Markup, groups: &[Group]) {
    m.element("ul", &[("class", "legend")], |m| {
        for group in groups {
            m.element("li", &[], |m| {
                svg::swatch(m, group.color);
                m.text(" ");
                m.text(&group.name);
            });
        }
    });
}
