//! What the tasks that are to run will ask of this machine: memory, and time.

use super::{Plan, Reason, Task, alike};
use crate::lang::Diagnostic;
use crate::stage::{Inputs, Length, Memory, Size};
use crate::store::{Pace, Store, StoreError, in_words};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// The machine that a plan is to run on.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// Whether models compute on the CPU.
    pub cpu: bool,
    /// Worker threads.
    pub threads: usize,
    /// Where fetched models are kept.
    pub models: &'a Path,
    /// Bytes that are free where models lie; `None` where that is not known.
    pub free: Option<u64>,
    /// `machine.json` as a run would write it.
    pub machine: &'a Value,
}

/// What one task will ask for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Takes {
    pub(crate) memory: Option<Memory>,
    /// How long, by what a task of the like took here.
    pub(crate) time: Option<Pace>,
}

impl Takes {
    /// `memory at most 0.4 GiB · about 12 min, as ppo.train took`; empty where nothing is known.
    pub(super) fn text(&self) -> String {
        let memory = self.memory.filter(|memory| memory.all() > 0).map(|memory| {
            let parts = [("models", memory.models), ("learning", memory.training), ("playing", memory.playing), ("games", memory.games)];
            let parts: Vec<String> =
                parts.iter().filter(|(_, bytes)| *bytes > 0).map(|(name, bytes)| format!("{name} {}", bytes_in_words(*bytes))).collect();
            match parts.as_slice() {
                [one] => format!("memory at most {one}"),
                _ => format!("memory at most {} = {}", bytes_in_words(memory.all()), parts.join(" + ")),
            }
        });
        let time = self.time.as_ref().map(|pace| format!("about {}, as {} took", seconds_in_words(pace.seconds), pace.task));
        [memory, time].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    pub(super) fn json(&self, task: &mut Value) {
        if let Some(Memory { models, training, playing, games }) = self.memory {
            task["memory"] = json!({ "models": models, "learning": training, "playing": playing, "games": games });
        }
        if let Some(pace) = &self.time {
            task["seconds"] = json!({ "about": pace.seconds, "as": pace.task });
        }
    }
}

/// What all of them together will ask for: the most memory of one, since one runs at a time, and the time of those of which it is known.
pub fn text(plan: &Plan, takes: &[Takes], reasons: &[Reason], free: Option<u64>) -> String {
    let mut out = String::new();
    let most = plan.tasks.iter().zip(takes).filter_map(|(task, takes)| Some((takes.memory?.all(), task))).max_by_key(|(bytes, _)| *bytes);
    if let Some((bytes, task)) = most.filter(|(bytes, _)| *bytes > 0) {
        let free = free.map(|free| format!("; {} are free", bytes_in_words(free))).unwrap_or_default();
        let _ = writeln!(out, "  memory  at most {}, in {}{free}", bytes_in_words(bytes), plan.name(task));
    }
    let known: Vec<f64> = takes.iter().filter_map(|takes| Some(takes.time.as_ref()?.seconds)).collect();
    let to_run = reasons.iter().filter(|reason| !reason.is_up_to_date()).count();
    if !known.is_empty() {
        let of = if known.len() == to_run {
            String::new()
        } else {
            format!(" for {} of {to_run} tasks; of the others none is like one that was run here", known.len())
        };
        let _ = writeln!(out, "  time    about {}{of}", seconds_in_words(known.iter().sum()));
    }
    if out.is_empty() { out } else { format!("\ntakes\n{out}") }
}

fn seconds_in_words(seconds: f64) -> String {
    in_words(Duration::try_from_secs_f64(seconds.max(1.0)).unwrap_or(Duration::MAX))
}

/// The memory that each task that is to run will ask for; of the others nothing.
pub fn takes(plan: &Plan, reasons: &[Reason], here: &Here<'_>) -> Vec<Takes> {
    let takes = |(index, task): (usize, &Task)| match reasons.get(index) {
        Some(reason) if !reason.is_up_to_date() => {
            Takes { memory: task.stage.load().memory(here.cpu, here.threads, &Given { plan, task, models: here.models }), time: None }
        }
        _ => Takes::default(),
    };
    plan.tasks.iter().enumerate().map(takes).collect()
}

/// The time that each will ask for, where a task of the like was run here.
///
/// # Errors
/// If the store cannot be read.
pub fn times(plan: &Plan, reasons: &[Reason], store: &Store, here: &Here<'_>, takes: &mut [Takes]) -> Result<(), StoreError> {
    let paces = store.paces(|machine| alike::machines(machine, here.machine))?;
    let known = alike::Known::new(plan, store, &paces);
    for ((task, reason), takes) in plan.tasks.iter().zip(reasons).zip(takes).filter(|((_, reason), _)| !reason.is_up_to_date()) {
        takes.time = known.pace(task).map(|pace| Pace { seconds: pace.seconds * left(reason, task.stage.length()), ..pace });
    }
    Ok(())
}

/// The share that is still to be done of a task that goes on from the middle.
fn left(reason: &Reason, length: Option<Length>) -> f64 {
    let done = match reason {
        Reason::HalfDone { iteration: Some(done), .. } | Reason::Begun { steps: done } | Reason::Longer { start: Ok(done), .. } => *done,
        _ => 0,
    };
    match length {
        // Checkpoints of other stages count something else than their length does.
        Some(Length { field: "iterations", count }) if count > 0 => 1.0 - (done as f64 / count as f64).min(1.0),
        _ => 1.0,
    }
}

/// `W0402` for each task whose models alone are more than is free.
pub fn too_large(plan: &Plan, takes: &[Takes], free: Option<u64>) -> Vec<Diagnostic> {
    let Some(free) = free else { return Vec::new() };
    let large = |(task, takes): (&Task, &Takes)| {
        let models = takes.memory.filter(|memory| memory.models > free)?.models;
        let message =
            format!("`{}` needs about {} for its models, and {} are free", plan.name(task), bytes_in_words(models), bytes_in_words(free));
        let warning = Diagnostic::warning("W0402", task.members.first()?.span, message);
        Some(warning.help("take a smaller model or an adapter (`adapter = lora { … }`), or a machine with more memory"))
    };
    plan.tasks.iter().zip(takes).filter_map(large).collect()
}

/// `1.5 GiB`, `80 MiB`
fn bytes_in_words(bytes: u64) -> String {
    match bytes >> 20 {
        0..1024 => format!("{} MiB", (bytes as f64 / f64::from(1u32 << 20)).ceil()),
        _ => format!("{:.1} GiB", bytes as f64 / f64::from(1u32 << 30)),
    }
}

/// The inputs of a task, as far as the plan knows them.
struct Given<'a> {
    plan: &'a Plan,
    task: &'a Task,
    models: &'a Path,
}

impl<'a> Given<'a> {
    fn from(&self, field: &str) -> Option<Given<'a>> {
        let input = self.task.inputs.iter().find(|input| input.field == field)?;
        Some(Given { task: self.plan.tasks.get(input.task)?, ..*self })
    }
}

impl Inputs for Given<'_> {
    fn models(&self) -> &Path {
        self.models
    }

    fn vocabulary(&self, field: &str) -> Option<usize> {
        self.from(field)?.task.stage.vocabulary()
    }

    fn policy(&self, field: &str) -> Option<Size> {
        let given = self.from(field)?;
        given.task.stage.load().policy(&given)
    }
}
