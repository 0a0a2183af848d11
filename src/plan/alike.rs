//! Which tasks take about as long as one another: those that do as much of the same, whatever they learn from it.

use super::{Plan, Task};
use crate::stage::Length;
use crate::store::{Digest, Pace, Store};
use serde_json::Value;
use std::collections::BTreeMap;

/// Whether two machines, as `machine.json` has them, take about as long.
pub(super) fn machines(a: &Value, b: &Value) -> bool {
    let part = |machine: &Value| {
        let own = ["cores", "system", "features"].map(|name| machine[name].clone());
        (own, ["threads", "device"].map(|name| machine["settings"][name].clone()))
    };
    // What an engine did, it did elsewhere.
    let here = |machine: &Value| machine["settings"]["engine"].as_str().is_none_or(|engine| engine == "local");
    part(a) == part(b) && here(a) == here(b)
}

/// Fields of stages that say what is learned and not how much is done.
const FREE: [&str; 9] = ["loss", "advantage", "optimizer", "weights", "rewards", "shaping", "temperature", "log", "hash"];

/// How far inputs are followed.
const DEEPEST: usize = 32;

/// The tasks of a store whose pace is known.
pub(super) struct Known<'a> {
    plan: &'a Plan,
    store: &'a Store,
    /// By what tasks are like: the pace, and how often the task repeated what it does.
    paces: BTreeMap<String, (Pace, Option<u64>)>,
}

impl<'a> Known<'a> {
    pub(super) fn new(plan: &'a Plan, store: &'a Store, paces: &BTreeMap<Digest, Pace>) -> Self {
        let mut known = Self { plan, store, paces: BTreeMap::new() };
        let lengths: BTreeMap<&str, &str> =
            plan.tasks.iter().filter_map(|task| Some((task.stage.kind(), task.stage.length()?.field))).collect();
        for (digest, pace) in paces {
            let Some(key) = known.key(digest.hex()) else { continue };
            let field = key["kind"].as_str().and_then(|kind| lengths.get(kind)).copied();
            let count = field.and_then(|field| key["identity"][field].as_u64());
            known.paces.insert(known.likeness(&key, field, DEEPEST), (pace.clone(), count));
        }
        known
    }

    /// The pace of a task, by one that is like it.
    pub(super) fn pace(&self, task: &Task) -> Option<Pace> {
        let length = task.stage.length();
        let (pace, count) = self.paces.get(&self.likeness(&task.key, length.map(|length| length.field), DEEPEST))?;
        let longer = match (length, count) {
            (Some(Length { count: now, .. }), Some(then)) if *then > 0 => now as f64 / *then as f64,
            _ => 1.0,
        };
        Some(Pace { seconds: pace.seconds * longer, ..pace.clone() })
    }

    fn key(&self, digest: &str) -> Option<Value> {
        if let Some(task) = self.plan.tasks.iter().find(|task| task.digest.hex() == digest) {
            return Some(task.key.clone());
        }
        Some(self.store.status(&Digest::try_from(digest.to_owned()).ok()?).ok()??.key)
    }

    /// What takes time of a task: its identity without what is free and without its length, the data that it reads, and the shape of its policy.
    fn likeness(&self, key: &Value, length: Option<&str>, deep: usize) -> String {
        let mut identity = without_free(&key["identity"]);
        if let (Some(fields), Some(length)) = (identity.as_object_mut(), length) {
            fields.remove(length);
        }
        let inputs = key["inputs"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut given: Vec<String> = Vec::new();
        for input in inputs {
            let (field, upstream) =
                (input["field"].as_str().unwrap_or_default(), input["task"].as_str().and_then(|digest| self.key(digest)));
            let Some(upstream) = upstream else { continue };
            if field.starts_with("episodes") && deep > 0 {
                given.push(self.likeness(&upstream, None, deep - 1));
            } else if let Some(policy) = self.policy(upstream) {
                given.push(format!("{field} {policy}"));
            }
        }
        format!("{} {identity} {given:?}", key["kind"])
    }

    /// The policy that a stage's policy was once made as.
    fn policy(&self, mut key: Value) -> Option<Value> {
        for _ in 0..DEEPEST {
            let policy = &key["identity"]["policy"];
            if !policy["input"].is_string() {
                return (!policy.is_null()).then(|| without_free(policy));
            }
            let inputs = key["inputs"].as_array()?;
            let input = inputs.iter().find(|input| input["field"] == policy["input"])?;
            key = self.key(input["task"].as_str()?)?;
        }
        None
    }
}

fn without_free(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| !FREE.contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), without_free(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_free).collect(),
        other => other.clone(),
    }
}
