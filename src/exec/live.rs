//! A run that goes on, as a page shows it: what is measured so far, and how its tasks stand. Read from its folder, so that it can be watched by another process
//! than the one at work on it.

use super::pace::{Told, told};
use crate::lang::load::Root;
use crate::report::{Latest, PipelineStanding, ReportData, RunStanding, Standing, TaskProgress, TaskStanding, TaskState};
use crate::spec::{PipelineSpec, Request, compile, library};
use crate::stage::{InputFolder, gather, latest_episodes};
use crate::store::{Digest, EventRecord, Lock, RunState, RunSummary, Seen, State, Store, StoreError, in_words};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// What takes no time that is worth counting.
const QUICK: [&str; 3] = ["tokenizer", "export", "report"];
const EVALUATE: &str = "evaluate";
const TRAIN: &str = "rl";

/// Of `plan.json` what is shown.
#[derive(Debug, Deserialize)]
struct Planned {
    pipelines: Vec<PlannedPipeline>,
    tasks: Vec<PlannedTask>,
}

#[derive(Debug, Deserialize)]
struct PlannedPipeline {
    name: String,
    label: String,
    title: String,
    stages: Vec<PlannedStage>,
}

#[derive(Debug, Deserialize)]
struct PlannedStage {
    name: String,
    kind: String,
    task: Digest,
}

#[derive(Debug, Deserialize)]
struct PlannedTask {
    digest: Digest,
    name: String,
}

/// A run at one moment.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// What a report of all its stages would show.
    pub data: ReportData,
    /// How far it is.
    pub standing: Standing,
}

/// A run that is looked at again and again.
#[derive(Debug)]
pub struct Watching {
    store: Store,
    run: RunSummary,
    plan: Planned,
    /// What its text comes to; empty where it is not understood.
    specs: Vec<PipelineSpec>,
}

impl Watching {
    /// # Errors
    /// If the run's plan cannot be read.
    pub fn new(store: &Store, run: &RunSummary) -> Result<Self, StoreError> {
        let wrong = |error: serde_json::Error| StoreError::Refused(format!("the plan of {} cannot be read: {error}", run.id));
        let plan = serde_json::from_value(run.plan()?).map_err(wrong)?;
        let text = run.resolved().unwrap_or_default();
        let compiled = compile(&Request { root: Root::Text { name: "resolved.epo", text: &text }, overrides: &[], library: library() });
        Ok(Self { store: store.clone(), run: run.clone(), plan, specs: compiled.pipelines })
    }

    /// Other than before when there may be something new to see.
    pub fn seen(&self) -> Seen {
        self.store.seen(&self.run, self.plan.tasks.iter().map(|task| &task.digest))
    }

    /// # Errors
    /// If the run is gone, or something of it is damaged.
    pub fn look(&self) -> Result<Watched, StoreError> {
        let run = self.store.again(&self.run)?;
        let events = run.events()?;
        let told = told(&events);
        let state = match run.state {
            RunState::Running => RunStanding::Running,
            RunState::Finished => RunStanding::Finished,
            RunState::Failed => RunStanding::Failed,
            RunState::Interrupted => RunStanding::Interrupted,
            RunState::Unreadable => RunStanding::Lost,
        };
        let mut standing = Standing { run: run.id.clone(), state, first: run.first, last: run.last, ..Standing::default() };
        let none = Told::default();
        let of = |task: &PlannedTask| told.get(task.name.as_str()).unwrap_or(&none);
        standing.tasks = self.plan.tasks.iter().map(|task| self.task(task, of(task), state)).collect();
        standing.pipelines = self.pipelines();
        standing.left = self.left(&standing, &self.plan.tasks.iter().map(of).collect::<Vec<_>>());
        standing.warnings = warnings(&events);
        match self.latest(&standing, of) {
            Ok(latest) => standing.latest = latest,
            Err(error) => standing.warnings.insert(0, ("episodes.jsonl".into(), error.to_string())),
        }
        let mut data = gather(None, &self.inputs(&standing)).map_err(|error| StoreError::Refused(error.to_string()))?;
        data.title = self.title();
        Ok(Watched { data, standing })
    }

    /// Of the only pipeline, or of the run.
    fn title(&self) -> String {
        let first = self.plan.pipelines.first();
        match first.filter(|first| self.plan.pipelines.iter().all(|pipeline| pipeline.name == first.name)) {
            Some(only) => only.title.clone(),
            None => self.run.name.clone(),
        }
    }

    fn index(&self, digest: &Digest) -> Option<usize> {
        self.plan.tasks.iter().position(|task| task.digest == *digest)
    }

    /// The first stage that a task is.
    fn member(&self, task: &PlannedTask) -> Option<(&PlannedPipeline, &PlannedStage)> {
        let mut all = self.plan.pipelines.iter().flat_map(|pipeline| pipeline.stages.iter().map(move |stage| (pipeline, stage)));
        all.find(|(_, stage)| stage.task == task.digest)
    }

    fn task(&self, task: &PlannedTask, told: &Told, run: RunStanding) -> TaskStanding {
        let status = self.store.status(&task.digest).ok().flatten();
        let folder = self.store.task_path(&task.digest);
        let state = match status.as_ref().map(|status| status.state) {
            None => TaskState::Waiting,
            Some(State::Finished) => TaskState::Done,
            // It is tried again.
            Some(State::Failed) if run == RunStanding::Running => TaskState::Waiting,
            Some(State::Failed) => TaskState::Failed,
            Some(State::Running) if Lock::holder(&folder).is_some() => TaskState::Running,
            Some(State::Running) => TaskState::Stopped,
        };
        let time = match state {
            TaskState::Done => told.took().map(in_words),
            TaskState::Running => told.left().map(|time| format!("about {} left", in_words(time))),
            _ => None,
        };
        let shown = told.progress.as_ref().filter(|_| !matches!(state, TaskState::Done | TaskState::Waiting));
        let problem = status.and_then(|status| status.error).filter(|_| state == TaskState::Failed);
        let kind = self.member(task).map(|(_, stage)| stage.kind.clone()).unwrap_or_default();
        let progress: Option<TaskProgress> = shown.cloned();
        TaskStanding { name: task.name.clone(), kind, state, progress, time, problem }
    }

    fn pipelines(&self) -> Vec<PipelineStanding> {
        let stages = |pipeline: &PlannedPipeline| {
            pipeline.stages.iter().filter_map(|stage| Some((stage.name.clone(), self.index(&stage.task)?))).collect()
        };
        let one = |pipeline: &PlannedPipeline| PipelineStanding {
            name: pipeline.name.clone(),
            label: pipeline.label.clone(),
            title: pipeline.title.clone(),
            stages: stages(pipeline),
        };
        self.plan.pipelines.iter().map(one).collect()
    }

    /// From what the tasks that run have done, and from tasks of the same stage with another seed.
    fn left(&self, standing: &Standing, told: &[&Told]) -> Option<String> {
        if standing.state != RunStanding::Running {
            return None;
        }
        let named = |task: &PlannedTask| self.member(task).map(|(pipeline, stage)| (&pipeline.name, &stage.name));
        let all = || self.plan.tasks.iter().zip(told).zip(&standing.tasks);
        let like = |wanted: &PlannedTask| {
            let begun = |state: TaskState| matches!(state, TaskState::Done | TaskState::Running);
            let alike = all().filter(|((task, _), standing)| begun(standing.state) && named(task) == named(wanted));
            let took: Vec<Duration> = alike.filter_map(|((_, told), _)| told.whole()).collect();
            took.iter().sum::<Duration>().checked_div(u32::try_from(took.len()).ok()?)
        };
        let (mut sum, mut unknown) = (Duration::ZERO, false);
        for ((task, told), standing) in all().filter(|(_, standing)| standing.state != TaskState::Done) {
            let time = match standing.state {
                TaskState::Running => told.left(),
                _ if QUICK.contains(&standing.kind.as_str()) => Some(Duration::ZERO),
                _ => like(task),
            };
            sum += time.unwrap_or_default();
            unknown |= time.is_none();
        }
        match (sum.is_zero(), unknown) {
            (true, _) => None,
            (false, false) => Some(format!("about {} left", in_words(sum))),
            (false, true) => Some(format!("more than {} left", in_words(sum))),
        }
    }

    /// Of the training that runs, or ran last.
    fn latest<'t>(&self, standing: &Standing, told: impl Fn(&PlannedTask) -> &'t Told) -> Result<Vec<Latest>, StoreError> {
        let trained = self.plan.tasks.iter().zip(&standing.tasks).filter(|(_, standing)| standing.kind == TRAIN);
        let begun = trained.max_by_key(|(task, standing)| (standing.state == TaskState::Running, told(task).started));
        let Some((task, (pipeline, stage))) = begun.and_then(|(task, _)| Some((task, self.member(task)?))) else { return Ok(Vec::new()) };
        let mut latest = latest_episodes(&self.store.task_path(&task.digest))?;
        for one in &mut latest {
            one.key = format!("{}/{}", task.digest.short(), one.key);
            (one.episode.pipeline, one.episode.label) = (pipeline.name.clone(), pipeline.label.clone());
            one.episode.stage.clone_from(&stage.name);
        }
        Ok(latest)
    }

    /// All stages that left something to show.
    fn inputs(&self, standing: &Standing) -> Vec<InputFolder> {
        let mut inputs = Vec::new();
        for pipeline in &self.plan.pipelines {
            let spec = self.specs.iter().find(|spec| spec.name == pipeline.name && spec.label_text() == pipeline.label);
            for stage in &pipeline.stages {
                let state = self.index(&stage.task).and_then(|index| standing.tasks.get(index)).map(|task| task.state);
                if stage.kind == EVALUATE && state != Some(TaskState::Done) {
                    continue;
                }
                let folder: PathBuf = self.store.task_path(&stage.task);
                inputs.push(InputFolder {
                    pipeline: pipeline.name.clone(),
                    label: pipeline.label.clone(),
                    stage: stage.name.clone(),
                    title: pipeline.title.clone(),
                    equation: spec.map(|spec| spec.equation.clone()).unwrap_or_default(),
                    resolved: spec.map(|spec| spec.resolved.clone()).unwrap_or_default(),
                    folder,
                    ..InputFolder::of(&stage.kind, stage.task.hex())
                });
            }
        }
        inputs
    }
}

/// Of the last execution, the last first.
fn warnings(events: &[EventRecord]) -> Vec<(String, String)> {
    use crate::store::Event::{RunStarted, Warning};
    let last = events.iter().rev().take_while(|record| !matches!(record.event, RunStarted { .. }));
    let warning = |record: &EventRecord| match &record.event {
        Warning { task, line } => Some((task.clone(), line.clone())),
        _ => None,
    };
    last.filter_map(warning).collect()
}
