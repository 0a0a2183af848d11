//! How a run stands while it goes on: what the page of a run shows beside the report.

use super::data::EpisodeExample;

/// A run, at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// `ppo_epo/7f3a9c41`.
    pub run: String,
    /// As of the same moment.
    pub state: RunStanding,
    /// Time of the first event, UTC; empty where there is none.
    pub first: String,
    /// Time of the last event.
    pub last: String,
    /// How long all that is left will take, in words.
    pub left: Option<String>,
    /// In the order of the plan.
    pub tasks: Vec<TaskStanding>,
    /// The instances that take part.
    pub pipelines: Vec<PipelineStanding>,
    /// What was warned of, a task and a line each, the last first.
    pub warnings: Vec<(String, String)>,
    /// Episodes of the training that goes on, or went on last; the last first.
    pub latest: Vec<Latest>,
}

/// Whether a run goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunStanding {
    /// A process is at work on it.
    #[default]
    Running,
    /// Every task is finished.
    Finished,
    /// A task failed.
    Failed,
    /// Stopped or killed.
    Interrupted,
    /// Its folder is gone, or cannot be read.
    Lost,
}

/// A task of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskStanding {
    /// `ppo_epo[seed=1].train`.
    pub name: String,
    /// The stage's word: `rl`.
    pub kind: String,
    /// As of the same moment.
    pub state: TaskState,
    /// None where it said nothing yet.
    pub progress: Option<TaskProgress>,
    /// Of a finished task how long it took, of a running one how long it will take: in words.
    pub time: Option<String>,
    /// Why it failed.
    pub problem: Option<String>,
}

/// Whether a task goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskState {
    /// Its turn is yet to come.
    #[default]
    Waiting,
    /// A process is at work on it.
    Running,
    /// Finished, now or earlier.
    Done,
    /// With an error.
    Failed,
    /// Begun, and nobody is at work on it.
    Stopped,
}

/// What a task said last of how far it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskProgress {
    /// From 0.
    pub done: u64,
    /// 0: not known.
    pub total: u64,
    /// What is counted: `iterations`.
    pub unit: String,
    /// `success` and `41 %`.
    pub notes: Vec<(String, String)>,
}

impl TaskProgress {
    /// In 0..1, where it is known.
    pub fn share(&self) -> Option<f64> {
        (self.total > 0).then(|| (self.done as f64 / self.total as f64).clamp(0.0, 1.0))
    }
}

/// One instance of a pipeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PipelineStanding {
    /// `ppo_epo`.
    pub name: String,
    /// `seed=1`.
    pub label: String,
    /// `PPO + EPO`; its name where none was written.
    pub title: String,
    /// Names of its stages in order, and which of the tasks each is.
    pub stages: Vec<(String, usize)>,
}

/// An episode of a training that goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Latest {
    /// No other episode of the run has it.
    pub key: String,
    /// From 0.
    pub iteration: u64,
    /// What was said.
    pub episode: EpisodeExample,
}
