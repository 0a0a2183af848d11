//! Engines that run the tasks of a plan elsewhere. Each task becomes a job, `epo-run task …` in the same working folder and with the same run folder, which
//! lie on a file system that all machines share. Scheduling is the engine's; here is what it is asked, and the watching of what jobs write.

mod execute;
mod job;
mod listen;
mod log;
mod open;
mod ranks;
mod ray;
mod slurm;

use crate::exec::ExecError;
use crate::store::{Digest, StoreError};
use std::collections::BTreeMap;

pub(crate) use execute::{Handing, execute};
pub(crate) use job::{Job, JobOptions, Needs, Site};
pub(crate) use ray::{Ray, RayOptions};
pub(crate) use slurm::{Slurm, SlurmOptions};

/// How a job stands, as its engine says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JobState {
    /// Not begun; a reason in the engine's words, where it is one that somebody has to do something about.
    Waiting(Option<String>),
    Running,
    /// It ended as it should.
    Done,
    /// It did not; in words.
    Failed(String),
    /// By somebody, or because what it comes after failed.
    Cancelled,
}

impl JobState {
    /// Whether it will still do something.
    pub(crate) fn is_alive(&self) -> bool {
        matches!(self, Self::Waiting(_) | Self::Running)
    }
}

/// What an engine can be asked. It is told tasks once, with what each comes after, and decides all the rest.
pub(crate) trait Engine {
    /// As files and settings say it: `slurm`.
    fn key(&self) -> &'static str;

    /// For people: `Slurm`.
    fn name(&self) -> &'static str;

    /// Whether it starts several processes of MPI for one job.
    fn starts_ranks(&self) -> bool;

    /// Whether it is there.
    ///
    /// # Errors
    /// What is missing, and what to do.
    fn look(&mut self) -> Result<(), ExecError>;

    /// Hands over jobs; each stands behind those that it comes after, and runs only if they end well. `known`: the names of jobs that were handed over
    /// earlier, by their tasks. `note` is told the name of each as soon as the engine has it.
    ///
    /// # Errors
    /// What the engine refuses, in its words.
    fn submit(&mut self, site: &Site, jobs: &[Job], known: &BTreeMap<Digest, String>, note: &mut Note<'_>) -> Result<(), ExecError>;

    /// How the jobs of a run stand, of these names; one that the engine knows nothing of any more is left out.
    ///
    /// # Errors
    /// If it does not answer.
    fn states(&mut self, site: &Site, names: &[String]) -> Result<BTreeMap<String, JobState>, ExecError>;

    /// Takes jobs back, begun or not.
    ///
    /// # Errors
    /// If it does not answer.
    fn cancel(&mut self, site: &Site, names: &[String]) -> Result<(), ExecError>;
}

/// Writes down under which name an engine knows the job of a task.
pub(crate) type Note<'a> = dyn FnMut(&Digest, String) -> Result<(), StoreError> + 'a;
