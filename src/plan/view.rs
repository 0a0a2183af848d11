//! A plan for eyes, for programs, and for graphviz.

use super::{Plan, Reason, Takes, Task};
use crate::lang::{on_one_line, pad};
use serde_json::{Value, json};
use std::fmt::Write;

/// A few lines for each instance. A task that an earlier instance asked for already is said once. `takes`: of each task, or none.
pub fn text(plan: &Plan, reasons: Option<&[Reason]>, takes: &[Takes]) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", headline(plan, reasons));
    let stages = || plan.tasks.iter().flat_map(|t| &t.members);
    let width = stages().map(|m| m.stage.chars().count()).max().unwrap_or(0);
    let kinds = plan.tasks.iter().map(|t| t.stage.kind().len()).max().unwrap_or(0);
    for (i, instance) in plan.instances.iter().enumerate() {
        let mut lines = String::new();
        let mut shared: Vec<(String, Vec<&str>)> = Vec::new();
        for (t, task) in plan.tasks.iter().enumerate() {
            for member in task.members.iter().filter(|m| m.instance == i) {
                match task.members.first() {
                    Some(first) if first != member => {
                        let with = plan.instances.get(first.instance).map(|p| p.display_name()).unwrap_or_default();
                        match shared.iter_mut().find(|(name, _)| *name == with) {
                            Some((_, stages)) => stages.push(&member.stage),
                            None => shared.push((with, vec![&member.stage])),
                        }
                    }
                    _ => {
                        let reason = reasons.and_then(|r| r.get(t)).map(|r| format!("  {r}")).unwrap_or_default();
                        let _ = writeln!(lines, "  {}  {:kinds$}{reason}", pad(&member.stage, width), task.stage.kind());
                        if !task.figures.is_empty() && !reasons.and_then(|r| r.get(t)).is_some_and(Reason::is_up_to_date) {
                            let _ = writeln!(lines, "  {}  {}", pad("", width), figures(task));
                        }
                        let takes = takes.get(t).map(Takes::text).unwrap_or_default();
                        if !takes.is_empty() {
                            let _ = writeln!(lines, "  {}  {takes}", pad("", width));
                        }
                    }
                }
            }
        }
        for (with, stages) in shared {
            let _ = writeln!(lines, "  {} shared with {with}", stages.join(", "));
        }
        if !lines.is_empty() {
            let lines: Vec<&str> = lines.lines().map(str::trim_end).collect();
            let _ = writeln!(out, "\n{}{}\n{}", instance.display_name(), title(&instance.title), lines.join("\n"));
        }
    }
    out
}

fn title(title: &str) -> String {
    if title.is_empty() { String::new() } else { format!(": {}", on_one_line(title)) }
}

fn figures(task: &Task) -> String {
    task.figures.iter().map(|f| format!("{} {}", f.name, f.value)).collect::<Vec<_>>().join(" · ")
}

fn headline(plan: &Plan, reasons: Option<&[Reason]>) -> String {
    let tasks = plan.tasks.len();
    let of = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let mut line = format!("plan {}: {}", plan.digest.short(), of(tasks, "task"));
    if let Some(reasons) = reasons {
        match reasons.iter().filter(|r| r.is_up_to_date()).count() {
            done if done == tasks => line.push_str(", everything is up to date"),
            0 => line.push_str(", all to run"),
            done => {
                let _ = write!(line, ", {done} up to date, {} to run", tasks - done);
            }
        }
    }
    line
}

/// The whole plan; with `reasons`, each task has one in words, and whether it is up to date. `takes`: of each task, or none.
pub fn json(plan: &Plan, reasons: Option<&[Reason]>, takes: &[Takes]) -> Value {
    let digest_of = |index: usize| plan.tasks.get(index).map(|t| t.digest.hex());
    let stage = |instance: usize| {
        let mut stages: Vec<(usize, Value)> = Vec::new();
        for task in &plan.tasks {
            for member in task.members.iter().filter(|m| m.instance == instance) {
                let position = plan.instances.get(instance).and_then(|p| p.stages.iter().position(|s| s.name == member.stage));
                let value = json!({ "name": member.stage, "kind": task.stage.kind(), "task": task.digest.hex() });
                stages.push((position.unwrap_or(0), value));
            }
        }
        stages.sort_by_key(|(position, _)| *position);
        stages.into_iter().map(|(_, value)| value).collect::<Vec<_>>()
    };
    let pipelines: Vec<Value> = plan
        .instances
        .iter()
        .enumerate()
        .map(|(i, p)| json!({ "name": p.name, "label": p.label_text(), "title": p.title, "seed": p.seed, "stages": stage(i) }))
        .filter(|p| p["stages"].as_array().is_some_and(|s| !s.is_empty()))
        .collect();
    let tasks: Vec<Value> = plan
        .tasks
        .iter()
        .enumerate()
        .map(|(i, task)| {
            let mut value = json!({
                "digest": task.digest.hex(),
                "name": plan.name(task),
                "stages": task.members.iter().map(|m| plan.stage_name(m.instance, &m.stage)).collect::<Vec<_>>(),
                "outputs": task.stage.outputs(),
                "key": task.key,
                "after": task.after.iter().filter_map(|t| digest_of(*t)).collect::<Vec<_>>(),
                "arithmetic": task.figures,
            });
            if let Some(reason) = reasons.and_then(|r| r.get(i)) {
                value["up_to_date"] = reason.is_up_to_date().into();
                value["reason"] = reason.to_string().into();
            }
            if let Some(takes) = takes.get(i) {
                takes.json(&mut value);
            }
            value
        })
        .collect();
    json!({ "format": crate::store::FORMAT, "digest": plan.digest.hex(), "pipelines": pipelines, "tasks": tasks })
}

/// For `dot -Tsvg`. Tasks that are up to date are grey.
pub fn dot(plan: &Plan, reasons: Option<&[Reason]>) -> String {
    let mut out = String::from("digraph plan {\n  rankdir = LR;\n  node [shape = box, fontname = \"sans-serif\"];\n");
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    for (i, task) in plan.tasks.iter().enumerate() {
        let more = match task.members.len() {
            0 | 1 => String::new(),
            n => format!(" (+{})", n - 1),
        };
        let label = format!("{}{more}\n{}", plan.name(task), task.stage.kind());
        let label = quoted(&label).replace('\n', "\\n");
        let grey = match reasons.and_then(|r| r.get(i)).is_some_and(Reason::is_up_to_date) {
            true => ", color = gray, fontcolor = gray",
            false => "",
        };
        let _ = writeln!(out, "  t{i} [label = {label}{grey}];");
    }
    for (i, task) in plan.tasks.iter().enumerate() {
        for input in &task.inputs {
            let label = if input.field == input.output { input.field.clone() } else { format!("{} as {}", input.output, input.field) };
            let _ = writeln!(out, "  t{} -> t{i} [label = {}];", input.task, quoted(&label));
        }
        for after in &task.after {
            let _ = writeln!(out, "  t{after} -> t{i} [style = dashed];");
        }
    }
    out.push_str("}\n");
    out
}
