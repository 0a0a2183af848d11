//! What an engine is told of a task.

use crate::plan::{Plan, Task};
use crate::stage::Resources;
use crate::store::Digest;
use std::path::PathBuf;

/// What settings say of jobs, whichever engine has them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JobOptions {
    /// The program that a node starts; by default the one that hands tasks over.
    pub program: Option<PathBuf>,
    /// Processes that share a stage which can be shared and does not say how many.
    pub ranks: usize,
    /// Cores of a stage that does not say how many.
    pub cpus: usize,
    /// Graphics processors.
    pub gpus: usize,
    /// Gibibytes; `None`: what the cluster gives.
    pub memory: Option<f64>,
    /// Minutes; `None`: what the cluster gives.
    pub time: Option<f64>,
    /// Ctrl-C takes jobs back; otherwise they go on.
    pub cancel: bool,
}

impl Default for JobOptions {
    fn default() -> Self {
        Self { program: None, ranks: 1, cpus: 1, gpus: 0, memory: None, time: None, cancel: false }
    }
}

/// What a job asks of a machine, settings included.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Needs {
    /// Processes of MPI.
    pub ranks: usize,
    /// Of each rank.
    pub cpus: usize,
    pub gpus: usize,
    /// Mebibytes, of each rank.
    pub memory: Option<u64>,
    /// Seconds.
    pub time: Option<u64>,
}

impl Needs {
    /// `shared`: whether several ranks can share the stage.
    pub(crate) fn of(stage: &Resources, shared: bool, options: &JobOptions) -> Self {
        let whole = |number: f64| number.ceil().max(1.0) as u64;
        Self {
            ranks: if shared { stage.ranks.map_or(options.ranks, |n| n.0) } else { 1 },
            cpus: stage.cpus.map_or(options.cpus, |n| n.0),
            gpus: stage.gpus.unwrap_or(options.gpus),
            memory: stage.memory.map(|n| n.0).or(options.memory).map(|gib| whole(gib * 1024.0)),
            time: stage.time.map(|n| n.0).or(options.time).map(|minutes| whole(minutes * 60.0)),
        }
    }
}

/// A task as an engine is given it.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub task: Digest,
    /// `ppo[seed=1].train`.
    pub name: String,
    /// `ppo.train`: that of other seeds and sweeps is the same.
    pub stage: String,
    /// Tells it from those.
    pub instance: usize,
    pub needs: Needs,
    /// Tasks that are to end well before it, of those that are not finished.
    pub after: Vec<Digest>,
}

impl Job {
    pub(crate) fn new(plan: &Plan, task: &Task, options: &JobOptions, is_open: impl Fn(usize) -> bool) -> Self {
        let first = task.members.first();
        let instance = first.map_or(0, |member| member.instance);
        let pipeline = plan.instances.get(instance).map_or("", |instance| instance.name.as_str());
        Self {
            task: task.digest.clone(),
            name: plan.name(task),
            stage: format!("{pipeline}.{}", first.map_or("", |member| member.stage.as_str())),
            instance,
            needs: Needs::of(&task.needs, task.stage.is_shared(), options),
            after: task
                .before
                .iter()
                .filter(|index| is_open(**index))
                .filter_map(|index| Some(plan.tasks.get(*index)?.digest.clone()))
                .collect(),
        }
    }
}

/// Where jobs run, and what they run.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The run's folder, from the root.
    pub run: PathBuf,
    /// `ppo/7f3a9c41`.
    pub id: String,
    /// The folder of the tasks, from the root.
    pub tasks: PathBuf,
    /// The folder that the command was given in: names of files in settings and recipes are seen from there.
    pub folder: PathBuf,
    /// The program, from the root.
    pub program: PathBuf,
    /// Settings of the command line, `--runs` among them.
    pub settings: Vec<String>,
    /// Worker threads where a setting says how many; otherwise a job has as many as cores.
    pub threads: Option<usize>,
}

impl Site {
    /// The words behind the program; where the task's digest stands is `None`.
    pub(crate) fn words(&self, needs: &Needs) -> Vec<Option<String>> {
        let own = ["task".to_owned(), self.id.clone()].map(Some);
        let version = ["--submitted-by".to_owned(), env!("CARGO_PKG_VERSION").to_owned()];
        let threads = ["--threads".to_owned(), self.threads.unwrap_or(needs.cpus).to_string()];
        let rest = version.into_iter().chain(self.settings.iter().cloned()).chain(threads);
        own.into_iter().chain([None]).chain(rest.map(Some)).collect()
    }

    /// Where what a job says is kept.
    pub(crate) fn jobs(&self) -> PathBuf {
        self.run.join("jobs")
    }

    /// What a job said on its way, for people.
    pub(crate) fn log(&self, task: &Digest) -> PathBuf {
        self.jobs().join(format!("{}.log", task.hex()))
    }
}
