//! Why a task will run, or need not.

use super::longer::{Beginning, Middle, beginning, middle};
use super::{Plan, Task};
use crate::lang::Diagnostic;
use crate::store::{Digest, Lock, State, Status, Store, StoreError};
use serde_json::Value;
use std::fmt;

/// Why a task will run, or need not. Its text is what `epo-run plan` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Finished.
    UpToDate {
        /// The run that finished it: `ppo_epo/7f3a9c41`.
        by: String,
    },
    /// Another process is at work on it.
    Busy {
        /// 0 where the lock does not tell.
        pid: u32,
        /// Where it runs, if not here. A process of another machine may have died: only a run, which waits, finds out.
        host: Option<String>,
    },
    /// Stopped or failed.
    HalfDone {
        /// Of the checkpoint from which it goes on; `None`: from the beginning.
        iteration: Option<u64>,
        /// The message, if it failed.
        error: Option<String>,
    },
    /// Not what this stage was when it was last run.
    Changed {
        /// Its own fields that differ, as paths: `optimizer.lr`.
        fields: Vec<String>,
        /// Its inputs that differ: `warm.last`, `other.train.best`.
        inputs: Vec<String>,
    },
    /// Half done, with other content of a folder or file outside of the store than lies there; it is another task.
    Replaced {
        /// Paths, as written.
        what: Vec<String>,
        /// Of the checkpoint from which it would go on.
        iteration: u64,
    },
    /// Its beginning is there, as a stage that stopped in the middle.
    Begun {
        /// After how many iterations.
        steps: u64,
    },
    /// More iterations than a run that is there.
    Longer {
        /// The field that counts: `iterations`.
        field: &'static str,
        /// How many that run had.
        from: u64,
        /// The checkpoint from which it goes on; an error: why it begins anew.
        start: Result<u64, String>,
    },
    /// No earlier run has a stage of this name, or only the engine's version differs.
    New,
    /// `--fresh`.
    Fresh,
    /// What lies there cannot be used as it is.
    Damaged {
        /// The file and what is wrong with it.
        problem: String,
    },
}

impl Reason {
    pub(crate) fn is_up_to_date(&self) -> bool {
        matches!(self, Self::UpToDate { .. })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::UpToDate { by } if by.is_empty() => f.write_str("up to date"),
            Self::UpToDate { by } => write!(f, "up to date (made by {by})"),
            Self::Busy { pid: 0, .. } => f.write_str("another epo-run is at work on it"),
            Self::Busy { pid, host: None } => write!(f, "another epo-run (pid {pid}) is at work on it"),
            Self::Busy { pid, host: Some(host) } => write!(f, "another epo-run (pid {pid} on {host}) is at work on it"),
            Self::HalfDone { iteration, error } => {
                match error {
                    Some(error) => write!(f, "failed before ({error}): ")?,
                    None => f.write_str("half done: ")?,
                }
                match iteration {
                    Some(iteration) => write!(f, "goes on at iteration {iteration}"),
                    None => f.write_str("begins again"),
                }
            }
            Self::Changed { fields, inputs } => {
                if !fields.is_empty() {
                    write!(f, "changed: {}", some_of(fields))?;
                }
                if !inputs.is_empty() {
                    let (input, and) =
                        (if inputs.len() == 1 { "input" } else { "inputs" }, if fields.is_empty() { "changed: " } else { "; " });
                    write!(f, "{and}its {input} {} changed", some_of(inputs))?;
                }
                Ok(())
            }
            Self::Replaced { what, iteration } => {
                let what: Vec<String> = what.iter().map(|path| format!("`{path}`")).collect();
                write!(f, "half done at iteration {iteration} with another content of {}", some_of(&what))
            }
            Self::Begun { steps } => write!(f, "goes on at {steps} of its own beginning"),
            Self::Longer { field, from, start: Ok(checkpoint) } => {
                write!(f, "changed: {field}; goes on at {checkpoint} of the run with {field} = {from}")
            }
            Self::Longer { field, from, start: Err(why) } => {
                write!(f, "changed: {field}; does not go on from the run with {field} = {from}: {why}")
            }
            Self::New => f.write_str("new"),
            Self::Fresh => f.write_str("asked for again"),
            Self::Damaged { problem } => write!(f, "damaged: {problem}"),
        }
    }
}

fn some_of(names: &[String]) -> String {
    match names {
        [first, second, third, _, ..] => format!("{first}, {second}, {third} and {} more", names.len() - 3),
        few => few.join(", "),
    }
}

/// One reason for each task of the plan, in its order. `run_name` is the name of the run's folder: earlier runs under it are looked at first.
pub fn reasons(plan: &Plan, store: &Store, run_name: &str) -> Result<Vec<Reason>, StoreError> {
    let earlier = Earlier::read(store, run_name)?;
    plan.tasks.iter().map(|task| reason(plan, task, store, &earlier)).collect()
}

/// `E0506` for each task that cannot be gone on with, since what it is made of was replaced.
pub fn refusals(plan: &Plan, reasons: &[Reason]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (task, reason) in plan.tasks.iter().zip(reasons) {
        let (Reason::Replaced { what, .. }, Some(first)) = (reason, task.members.first()) else { continue };
        let message = format!("`{}` is {reason}; it cannot go on with what lies there now", plan.name(task));
        let back = format!("put back what lay in {} to go on, or begin anew with `--fresh`", super::outside::names(what));
        found.push(Diagnostic::error("E0506", first.span, message).help(back));
    }
    found
}

fn reason(plan: &Plan, task: &Task, store: &Store, earlier: &Earlier) -> Result<Reason, StoreError> {
    let path = store.task_path(&task.digest);
    if let Some(holder) = Lock::holder(&path) {
        return Ok(Reason::Busy { pid: holder.pid, host: holder.host });
    }
    let status = match store.status(&task.digest) {
        Err(StoreError::Damaged { path, problem }) => return Ok(Reason::Damaged { problem: format!("`{}`: {problem}", path.display()) }),
        other => other?,
    };
    Ok(match status {
        Some(status) if status.state == State::Finished => match task.problem(&status, &path) {
            None => Reason::UpToDate { by: status.by },
            Some(problem) => Reason::Damaged { problem },
        },
        Some(status) => Reason::HalfDone { iteration: store.resumes_at(&task.digest)?, error: status.error },
        None => match (middle(task, store)?, beginning(task, store)?) {
            (Some(Middle { steps, .. }), _) => Reason::Begun { steps },
            (None, Some(Beginning { field, count, start, .. })) => {
                Reason::Longer { field, from: count, start: start.map(|(checkpoint, _)| checkpoint) }
            }
            (None, None) => against_earlier(plan, task, store, earlier)?,
        },
    })
}

/// By what a stage of this name was when it was last begun.
fn against_earlier(plan: &Plan, task: &Task, store: &Store, earlier: &Earlier) -> Result<Reason, StoreError> {
    let Some((digest, status)) = earlier.task_of(plan, task, store) else { return Ok(Reason::New) };
    let what = replaced(&status.key, &task.key);
    let begun = if status.state == State::Finished { None } else { store.resumes_at(&digest)? };
    Ok(match begun {
        Some(iteration) if !what.is_empty() => Reason::Replaced { what, iteration },
        _ => compare(plan, task, &status.key),
    })
}

/// Tasks of earlier runs by the stage they were the work of, newest run first.
struct Earlier(Vec<(StageName, Digest)>);

#[derive(PartialEq, Eq)]
struct StageName {
    pipeline: String,
    label: String,
    stage: String,
}

impl Earlier {
    fn read(store: &Store, run_name: &str) -> Result<Self, StoreError> {
        let mut runs = store.runs()?;
        runs.sort_by(|a, b| (b.name == run_name, &b.last, &b.id).cmp(&(a.name == run_name, &a.last, &a.id)));
        let mut found = Vec::new();
        for run in runs {
            // A plan of a form unknown here only makes the reason poorer.
            let plan = run.plan().unwrap_or_default();
            for pipeline in list(&plan["pipelines"]) {
                for stage in list(&pipeline["stages"]) {
                    let Ok(digest) = Digest::try_from(text(&stage["task"])) else { continue };
                    let name =
                        StageName { pipeline: text(&pipeline["name"]), label: text(&pipeline["label"]), stage: text(&stage["name"]) };
                    found.push((name, digest));
                }
            }
        }
        Ok(Self(found))
    }

    /// What the stage's task was when it was last begun.
    fn task_of(&self, plan: &Plan, task: &Task, store: &Store) -> Option<(Digest, Status)> {
        for member in &task.members {
            let Some(instance) = plan.instances.get(member.instance) else { continue };
            let name = StageName { pipeline: instance.name.clone(), label: instance.label_text(), stage: member.stage.clone() };
            for (_, digest) in self.0.iter().filter(|(n, d)| *n == name && *d != task.digest) {
                if let Ok(Some(status)) = store.status(digest) {
                    return Some((digest.clone(), status));
                }
            }
        }
        None
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], |v| v.as_slice())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn compare(plan: &Plan, task: &Task, old: &Value) -> Reason {
    let mut fields = Vec::new();
    let new = &task.key;
    for part in ["kind", "seed"] {
        if old.get(part) != new.get(part) {
            fields.push(part.to_owned());
        }
    }
    if old["kind"] == new["kind"] {
        differences(&old["identity"], &new["identity"], "", &mut fields);
    }
    for path in changed_contents(old, new) {
        fields.push(format!("the content of `{path}`"));
    }
    let (before, now) = (list(&old["inputs"]), list(&new["inputs"]));
    let mut inputs = Vec::new();
    for (i, input) in task.inputs.iter().enumerate() {
        if before.get(i) != now.get(i) {
            let own = task.members.iter().any(|m| m.instance == input.instance);
            let pipeline = plan.instances.get(input.instance).filter(|_| !own).map(|p| format!("{}.", p.display_name()));
            inputs.push(format!("{}{}.{}", pipeline.unwrap_or_default(), input.stage, input.output));
        }
    }
    if before.len() > now.len() {
        fields.extend(before.iter().skip(now.len()).map(|i| text(&i["field"])));
        fields.dedup();
    }
    match fields.is_empty() && inputs.is_empty() {
        true => Reason::New, // another version of the engine
        false => Reason::Changed { fields, inputs },
    }
}

/// Paths outside of the store whose content is not what it was.
fn changed_contents(old: &Value, new: &Value) -> Vec<String> {
    let none = serde_json::Map::new();
    let (old, new) = (old["contents"].as_object().unwrap_or(&none), new["contents"].as_object().unwrap_or(&none));
    new.iter().filter(|(path, hash)| old.get(*path).is_some_and(|old| old != *hash)).map(|(path, _)| path.clone()).collect()
}

/// As [`changed_contents`], where nothing else differs.
fn replaced(old: &Value, new: &Value) -> Vec<String> {
    let rest = |key: &Value| {
        let mut key = key.clone();
        key.as_object_mut().map(|fields| fields.remove("contents"));
        key
    };
    if rest(old) == rest(new) { changed_contents(old, new) } else { Vec::new() }
}

/// The paths of the values that differ, as they would be written: `loss.minimize`, `optimizer.lr`.
fn differences(old: &Value, new: &Value, path: &str, found: &mut Vec<String>) {
    if old == new {
        return;
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in b {
                differences(a.get(name).unwrap_or(&Value::Null), value, &below(name), found);
            }
            for (name, _) in a.iter().filter(|(name, value)| !b.contains_key(*name) && !value.is_null()) {
                found.push(below(name));
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                differences(a, b, &format!("{path}[{i}]"), found);
            }
        }
        _ => found.push(if path.is_empty() { "its declaration".into() } else { path.to_owned() }),
    }
}
