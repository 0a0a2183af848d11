//! What would be done: pipelines unfolded into tasks, each named by the digest of all that can change its results.
//!
//! Making a plan is pure. The same pipelines give the same plan on every machine; only the [reasons](reasons()), which look into a store, differ.

mod alike;
mod build;
mod cheapest;
mod check;
mod cycle;
mod goes_on;
mod longer;
mod outside;
mod reason;
mod takes;
#[cfg(test)]
mod tests;
mod unused;
mod view;

use crate::lang::{Diagnostic, Diagnostics, Span};
use crate::spec::PipelineSpec;
use crate::stage::{Artifact, Content, Contents, Figure, Resources, Stage};
use crate::store::{Digest, Status};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use crate::stage::Place;
pub use check::check;
pub(crate) use longer::{Beginning, Middle, STATE, beginning, middle};
pub(crate) use outside::Need;
pub use outside::{Needed, needed, text as outside_text};
pub use reason::{Reason, reasons, refusals};
pub use takes::{Here, Takes, takes, text as takes_text, times, too_large};
pub use view::{dot, json, text};

/// The version of task keys. Raising it makes every task a new one: to be done when the engine computes something else from the same text.
pub const TASK_FORMAT: u32 = 4;

/// What the folders and files outside of the store hold that a plan's tasks are made of, by the path as written; `None` where that is not known.
pub type Known = BTreeMap<PathBuf, Option<Content>>;

/// One piece of work. Several stages share one if nothing that can change its results differs between them.
#[derive(Clone, Debug)]
pub struct Task {
    /// Names the task's folder: equal digests are one task.
    pub digest: Digest,
    /// What the digest is the hash of: format, kind, identity, the content of what lies outside, inputs, and where it draws its seed.
    pub key: Value,
    /// What is run.
    pub stage: Arc<dyn Stage>,
    /// 0 where it draws nothing.
    pub seed: u64,
    /// The stages it is the work of; the first gives it its name and the order it asks for.
    pub members: Vec<Member>,
    /// In the order of the stage's fields.
    pub inputs: Vec<TaskInput>,
    /// Tasks that come earlier for order alone.
    pub after: Vec<usize>,
    /// Every task that is done before it where both are to be done: those of its inputs, those of `after`, and what is its own beginning.
    pub before: Vec<usize>,
    /// What the stages that it is the work of ask of a machine, of each the most.
    pub needs: Resources,
    /// What the plan shows beside the task: iterations, episodes, tokens.
    pub figures: Vec<Figure>,
}

impl Task {
    /// Why the folder of a finished task cannot be taken: a file in it is not what it was finished with, or an output that the stage promises is not
    /// among those.
    pub(crate) fn problem(&self, status: &Status, folder: &Path) -> Option<String> {
        let in_logs = |artifact| matches!(artifact, Artifact::Metrics | Artifact::Episodes);
        let promised = self.stage.outputs().into_iter().filter(|output| !in_logs(output.artifact));
        let missing = promised.map(|output| output.name).find(|name| !status.outputs.contains_key(*name));
        status.problem(folder).or_else(|| missing.map(|name| format!("its output `{name}` is missing")))
    }
}

/// One stage of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Index into [`Plan::instances`].
    pub instance: usize,
    /// Its name in the pipeline: `train`.
    pub stage: String,
    /// Where the stage is declared.
    pub span: Span,
}

/// An output of an earlier task that a field of the stage names.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskInput {
    /// The field: `policy`, `episodes`.
    pub field: String,
    /// Index into [`Plan::tasks`]; always an earlier one.
    pub task: usize,
    /// `best`, `last`, `results`, …
    pub output: String,
    /// What the output holds.
    pub artifact: Artifact,
    /// Index into [`Plan::instances`] of the pipeline that was named.
    pub instance: usize,
    /// The stage that was named.
    pub stage: String,
    /// Where it was named.
    pub span: Span,
}

/// What a run does, in order.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The pipelines that were given; those that were not asked for have tasks only where others need them.
    pub instances: Vec<PipelineSpec>,
    /// In the order in which they are run: by instance and stage as written, but nothing before what it needs.
    pub tasks: Vec<Task>,
    /// Names the run's folder: the hash of the tasks' digests and of the names of their stages.
    pub digest: Digest,
    /// What lies outside of the store and is part of what tasks are.
    pub contents: Known,
    /// `W0401`: stages whose outputs nothing uses.
    pub warnings: Vec<Diagnostic>,
}

impl Plan {
    /// Plans every stage of every instance.
    ///
    /// Errors: `E0401` stages that use one another in a circle; `E0402` a stage that is used and not there.
    pub fn new(instances: &[PipelineSpec]) -> Result<Plan, Diagnostics> {
        build::build(instances, None, Known::new())
    }

    /// [`Plan::only`] with the content of the models that it names by folders and files of this machine. Of one that is not there, what was seen last
    /// counts.
    ///
    /// # Errors
    /// As there.
    pub fn with_contents(instances: &[PipelineSpec], names: &[String], contents: &mut Contents) -> Result<Plan, Diagnostics> {
        let plan = Self::only(instances, names)?;
        let known: Known = outside::content_paths(&plan).into_iter().map(|path| (path.to_path_buf(), contents.of(path))).collect();
        match known.is_empty() {
            true => Ok(plan),
            false => Self::chosen(instances, names, known),
        }
    }

    /// Plans the instances that are named (`ppo_epo`, or one of its instances, `ppo_epo[seed=1]`) and what they need; all where `names` is empty.
    ///
    /// Errors: as [`Plan::new`]; `E0403` a name that no pipeline has.
    pub fn only(instances: &[PipelineSpec], names: &[String]) -> Result<Plan, Diagnostics> {
        Self::chosen(instances, names, Known::new())
    }

    /// What [`Plan::only`] says, errors or warnings.
    fn messages(instances: &[PipelineSpec], names: &[String]) -> Diagnostics {
        selected(instances, names).map_or_else(|errors| errors, |selected| build::messages(instances, selected.as_ref()))
    }

    fn chosen(instances: &[PipelineSpec], names: &[String], contents: Known) -> Result<Plan, Diagnostics> {
        build::build(instances, selected(instances, names)?.as_ref(), contents)
    }

    /// As messages and events call a task: `ppo_epo[seed=1].train`.
    pub fn name(&self, task: &Task) -> String {
        task.members.first().map_or_else(String::new, |m| self.stage_name(m.instance, &m.stage))
    }

    /// `ppo_epo[seed=1].train`; the stage alone where there is no such instance.
    pub fn stage_name(&self, instance: usize, stage: &str) -> String {
        match self.instances.get(instance) {
            Some(instance) => format!("{}.{stage}", instance.display_name()),
            None => stage.to_owned(),
        }
    }

    /// Name in a run's `tasks/` and task, for every stage: `ppo_epo.train.seed-1`.
    pub(crate) fn links(&self) -> Vec<(String, Digest)> {
        let link = |task: &Task, member: &Member| Some((self.link_name(member)?, task.digest.clone()));
        self.tasks.iter().flat_map(|task| task.members.iter().filter_map(move |member| link(task, member))).collect()
    }

    /// A name for files: `ppo_epo.train.seed-1`.
    pub(crate) fn link_name(&self, member: &Member) -> Option<String> {
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

    /// What the plan writes down of itself: `plan.json`.
    pub(crate) fn record(&self) -> Value {
        view::json(self, None, &[])
    }
}

/// The instances that are named; `None` for all.
fn selected(instances: &[PipelineSpec], names: &[String]) -> Result<Option<BTreeSet<usize>>, Diagnostics> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut selected = BTreeSet::new();
    let mut diagnostics = Diagnostics::default();
    for name in names {
        let before = selected.len();
        selected.extend((0..instances.len()).filter(|i| instances[*i].is_called(name)));
        if selected.len() == before && !instances.iter().any(|i| i.is_called(name)) {
            let known: BTreeSet<&str> = instances.iter().map(|i| i.name.as_str()).collect();
            let list = known.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
            let message = format!("no pipeline is called `{name}`");
            diagnostics.push(Diagnostic::bare("E0403", message).did_you_mean(name, known).help(format!("the pipelines here: {list}")));
        }
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    Ok(Some(selected))
}
