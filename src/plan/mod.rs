//! What would be done: pipelines unfolded into tasks, each named by the digest of all that can change its results.
//!
//! Making a plan is pure. The same pipelines give the same plan on every machine; only the [`reason`]s, which look into a store, differ.

mod build;
mod cycle;
mod reason;
#[cfg(test)]
mod tests;
mod unused;
mod view;

use crate::lang::{Diagnostic, Diagnostics, Span};
use crate::spec::PipelineSpec;
use crate::stage::{Artifact, Figure, Stage};
use crate::store::Digest;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

pub use reason::{Reason, reasons};
pub use view::{dot, json, text};

/// The version of task keys. Raising it makes every task a new one: to be done when the engine computes something else from the same text.
pub const TASK_FORMAT: u32 = 1;

/// One piece of work. Several stages share one if nothing that can change its results differs between them.
#[derive(Clone, Debug)]
pub struct Task {
    pub digest: Digest,
    /// What the digest is the hash of: format, kind, identity, inputs, and where it draws its seed.
    pub key: Value,
    pub stage: Arc<dyn Stage>,
    /// 0 where it draws nothing.
    pub seed: u64,
    /// The stages it is the work of; the first gives it its name and the order it asks for.
    pub members: Vec<Member>,
    pub inputs: Vec<TaskInput>,
    /// Tasks that come earlier for order alone.
    pub after: Vec<usize>,
    pub figures: Vec<Figure>,
}

/// One stage of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Index into [`Plan::instances`].
    pub instance: usize,
    pub stage: String,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TaskInput {
    pub field: String,
    /// Index into [`Plan::tasks`]; always an earlier one.
    pub task: usize,
    pub output: String,
    pub artifact: Artifact,
    /// The instance and stage that were named.
    pub instance: usize,
    pub stage: String,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub instances: Vec<PipelineSpec>,
    /// In the order in which they are run: by instance and stage as written, but nothing before what it needs.
    pub tasks: Vec<Task>,
    pub digest: Digest,
    pub warnings: Vec<Diagnostic>,
}

impl Plan {
    /// Plans every stage of every instance.
    ///
    /// Errors: `E0401` stages that use one another in a circle; `E0402` a stage that is used and not there.
    pub fn new(instances: &[PipelineSpec]) -> Result<Plan, Diagnostics> {
        build::build(instances, None)
    }

    /// Plans the instances that are named (`ppo_epo`, or one of its instances, `ppo_epo[seed=1]`) and what they need; all where `names` is empty.
    ///
    /// Errors: as [`Plan::new`]; `E0403` a name that no pipeline has.
    pub fn only(instances: &[PipelineSpec], names: &[String]) -> Result<Plan, Diagnostics> {
        if names.is_empty() {
            return Self::new(instances);
        }
        let mut selected = BTreeSet::new();
        let mut diagnostics = Diagnostics::default();
        for name in names {
            let before = selected.len();
            selected.extend((0..instances.len()).filter(|i| instances[*i].name == *name || instances[*i].display_name() == *name));
            if selected.len() == before && !instances.iter().any(|i| i.name == *name || i.display_name() == *name) {
                let known: BTreeSet<&str> = instances.iter().map(|i| i.name.as_str()).collect();
                let list = known.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
                let message = format!("no pipeline is called `{name}`");
                diagnostics.push(Diagnostic::bare("E0403", message).did_you_mean(name, known).help(format!("the pipelines here: {list}")));
            }
        }
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        build::build(instances, Some(&selected))
    }

    /// As messages and events call a task: `ppo_epo[seed=1].train`.
    pub fn name(&self, task: &Task) -> String {
        task.members.first().map_or_else(String::new, |m| self.stage_name(m.instance, &m.stage))
    }

    pub fn stage_name(&self, instance: usize, stage: &str) -> String {
        match self.instances.get(instance) {
            Some(instance) => format!("{}.{stage}", instance.display_name()),
            None => stage.to_owned(),
        }
    }

    /// Name in a run's `tasks/` and task, for every stage: `ppo_epo.train.seed-1`.
    pub fn links(&self) -> Vec<(String, Digest)> {
        let link = |task: &Task, member: &Member| Some((self.link_name(member)?, task.digest.clone()));
        self.tasks.iter().flat_map(|task| task.members.iter().filter_map(move |member| link(task, member))).collect()
    }

    /// A name for files: `ppo_epo.train.seed-1`.
    pub fn link_name(&self, member: &Member) -> Option<String> {
        let instance = self.instances.get(member.instance)?;
        let mut name = format!("{}.{}", instance.name, member.stage);
        for (key, value) in &instance.label {
            name.push_str(&format!(".{key}-{value}"));
        }
        Some(name)
    }

    /// The name of the run's folder: the pipeline's where there is but one, otherwise the file's.
    pub fn run_name(&self, file_stem: &str) -> String {
        let names: BTreeSet<&str> =
            self.tasks.iter().flat_map(|t| &t.members).filter_map(|m| Some(self.instances.get(m.instance)?.name.as_str())).collect();
        match names.first() {
            Some(name) if names.len() == 1 => (*name).to_owned(),
            _ => file_stem.to_owned(),
        }
    }

    /// The planned pipelines flattened to one text; instances of one pipeline whose texts are equal stand there once.
    pub fn resolved(&self) -> String {
        let planned: BTreeSet<usize> = self.tasks.iter().flat_map(|t| &t.members).map(|m| m.instance).collect();
        let mut texts: Vec<&str> = Vec::new();
        for instance in planned.iter().filter_map(|i| self.instances.get(*i)) {
            if !texts.contains(&instance.resolved.as_str()) {
                texts.push(&instance.resolved);
            }
        }
        texts.join("\n")
    }

    /// What the plan writes down of itself: `plan.json`.
    pub fn record(&self) -> Value {
        view::json(self, None)
    }
}
