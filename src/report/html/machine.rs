//! What it ran on, and the command that runs it again.

use super::super::data::ReportData;
use super::super::markup::Markup;
use super::missing;

pub(super) fn write(m: &mut Markup, data: &ReportData) {
    if data.command.is_empty() {
        missing(m, "The command was not recorded.");
    } else {
        m.leaf("p", &[], "This command makes the report again; tasks that are already done are taken from the run folder.");
        m.leaf("pre", &[("class", "command")], &data.command);
    }
    if data.machine.is_empty() {
        missing(m, "Nothing about the machine was recorded.");
        return;
    }
    m.element("table", &[("class", "facts")], |m| {
        for (name, value) in &data.machine {
            m.element("tr", &[], |m| {
                m.leaf("th", &[("scope", "row")], name);
                m.leaf("td", &[], value);
            });
        }
    });
}
