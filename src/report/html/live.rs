//! What the page of a run that goes on has beside the report: how it stands, its stages, its latest episodes.

use super::super::data::ReportData;
use super::super::live::{PipelineStanding, RunStanding, Standing, TaskStanding, TaskState};
use super::super::markup::Markup;
use super::super::number::{counted, percent};
use super::{episodes, instance, missing, scrolling};

/// The run in a line.
pub(super) fn state(m: &mut Markup, standing: &Standing) {
    let (class, word) = match standing.state {
        RunStanding::Running => ("running", "running"),
        RunStanding::Finished => ("done", "finished"),
        RunStanding::Failed => ("failed", "failed"),
        RunStanding::Interrupted => ("stopped", "interrupted"),
        RunStanding::Lost => ("failed", "its folder is gone, or cannot be read"),
    };
    let done = standing.tasks.iter().filter(|task| task.state == TaskState::Done).count();
    m.element("p", &[("class", "state")], |m| {
        m.leaf("b", &[("class", class)], word);
        m.text(" ");
        m.leaf("code", &[], &standing.run);
        m.text(format!(" · {done} of {} done", counted(standing.tasks.len(), "task")));
        if let Some(left) = &standing.left {
            m.text(format!(" · {left}"));
        }
        if !standing.last.is_empty() {
            m.text(format!(" · last heard {}", moment(&standing.last)));
        }
    });
}

/// `2026-05-01T12:00:00.123Z` → `2026-05-01 12:00:00 UTC`.
fn moment(time: &str) -> String {
    let plain = time.split('.').next().unwrap_or_default().trim_end_matches('Z').replace('T', " ");
    format!("{plain} UTC")
}

/// What the script answers; hidden until it runs.
pub(super) fn controls(m: &mut Markup) {
    m.element("p", &[("class", "controls"), ("id", "controls"), ("hidden", "hidden")], |m| {
        m.leaf("button", &[("type", "button"), ("id", "pause"), ("aria-pressed", "false")], "Pause");
        m.text(" ");
        m.leaf("span", &[("id", "connection"), ("role", "status")], "");
    });
}

pub(super) fn stages(m: &mut Markup, standing: &Standing) {
    let of_interest = |task: &&TaskStanding| matches!(task.state, TaskState::Running | TaskState::Failed | TaskState::Stopped);
    let working: Vec<&TaskStanding> = standing.tasks.iter().filter(of_interest).collect();
    if !working.is_empty() {
        m.element("ul", &[("class", "working")], |m| working.iter().for_each(|task| m.element("li", &[], |m| one(m, task))));
        m.newline();
    }
    let mut rest = standing.pipelines.as_slice();
    while let Some(first) = rest.first() {
        // Instances of the same stages stand in one table.
        let same = rest.iter().take_while(|other| columns(other).eq(columns(first))).count();
        let (group, others) = rest.split_at(same.max(1));
        table(m, group, &standing.tasks);
        rest = others;
    }
    if standing.tasks.is_empty() {
        missing(m, "This run has no tasks.");
    }
    warnings(m, standing);
}

fn columns(pipeline: &PipelineStanding) -> impl Iterator<Item = &str> {
    pipeline.stages.iter().map(|(name, _)| name.as_str())
}

fn one(m: &mut Markup, task: &TaskStanding) {
    m.leaf("code", &[], &task.name);
    m.text(format!(" {} ", task.kind));
    m.leaf("b", &[("class", class(task.state))], word(task.state));
    if let Some(progress) = &task.progress {
        if progress.total > 0 {
            let (value, most) = (progress.done.min(progress.total).to_string(), progress.total.to_string());
            m.element("progress", &[("value", &value), ("max", &most), ("aria-label", &task.name)], |m| m.text(""));
        }
        m.element("span", &[("class", "fine")], |m| {
            let of = if progress.total > 0 { format!("{}/{}", progress.done, progress.total) } else { progress.done.to_string() };
            let mut parts = vec![format!("{of} {}", progress.unit)];
            parts.extend(progress.notes.iter().map(|(name, value)| format!("{name} {value}")));
            parts.extend(task.time.clone());
            m.text(parts.join(" · "));
        });
    }
    if let Some(problem) = &task.problem {
        m.leaf("p", &[("class", "problem")], problem);
    }
}

fn table(m: &mut Markup, group: &[PipelineStanding], tasks: &[TaskStanding]) {
    let Some(first) = group.first() else { return };
    scrolling(m, &format!("stages of {}", first.name), |m| {
        m.element("table", &[("class", "plain stages")], |m| {
            m.element("tr", &[], |m| {
                m.leaf("th", &[("scope", "col")], "pipeline");
                columns(first).for_each(|name| m.leaf("th", &[("scope", "col")], name));
            });
            for pipeline in group {
                m.element("tr", &[], |m| {
                    m.element("th", &[("scope", "row")], |m| {
                        if pipeline.title != pipeline.name {
                            m.text(format!("{} ", pipeline.title));
                        }
                        m.leaf("code", &[], instance(&pipeline.name, &pipeline.label));
                    });
                    pipeline.stages.iter().for_each(|(_, task)| m.element("td", &[], |m| cell(m, tasks.get(*task))));
                });
            }
        });
    });
    m.newline();
}

fn cell(m: &mut Markup, task: Option<&TaskStanding>) {
    let Some(task) = task else {
        m.text("–");
        return;
    };
    m.leaf("span", &[("class", class(task.state))], word(task.state));
    let share = task.progress.as_ref().and_then(|progress| progress.share()).map(percent);
    let more = if task.state == TaskState::Done { task.time.clone() } else { share };
    if let Some(more) = more {
        m.leaf("span", &[("class", "fine")], more);
    }
}

fn class(state: TaskState) -> &'static str {
    match state {
        TaskState::Waiting => "waiting",
        TaskState::Running => "running",
        TaskState::Done => "done",
        TaskState::Failed => "failed",
        TaskState::Stopped => "stopped",
    }
}

fn word(state: TaskState) -> &'static str {
    match state {
        TaskState::Waiting => "waits",
        other => class(other),
    }
}

fn warnings(m: &mut Markup, standing: &Standing) {
    if standing.warnings.is_empty() {
        return;
    }
    m.element("details", &[("open", "open"), ("class", "warnings")], |m| {
        m.leaf("summary", &[], counted(standing.warnings.len(), "warning"));
        m.element("ul", &[], |m| {
            for (task, line) in &standing.warnings {
                m.element("li", &[], |m| {
                    m.leaf("code", &[], task);
                    m.text(format!(" {line}"));
                });
            }
        });
    });
    m.newline();
}

pub(super) fn latest(m: &mut Markup, data: &ReportData, standing: &Standing) {
    if standing.latest.is_empty() {
        missing(m, "No training by reinforcement has played an episode yet.");
        return;
    }
    let largest = episodes::largest(standing.latest.iter().map(|latest| &latest.episode));
    for (at, latest) in standing.latest.iter().enumerate() {
        let more = [latest.episode.stage.clone(), format!("iteration {}", latest.iteration)];
        episodes::one(m, data, &latest.episode, largest, (at == 0, &[("data-key", &latest.key)], &more));
    }
}
