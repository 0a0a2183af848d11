//! Slurm, by its own commands: `sbatch`, `squeue`, `sacct`, `scancel`.

mod arrays;
mod command;
mod script;
mod states;

use super::{Engine, Job, JobState, Note, Site};
use crate::exec::ExecError;
use crate::store::Digest;
use arrays::Batch;
use command::{run, there};
use std::collections::BTreeMap;

/// What settings say of Slurm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlurmOptions {
    /// Further words for `sbatch`: `--partition=gpu`.
    pub options: Vec<String>,
    /// Lines of a shell before the program: `module load …`.
    pub setup: Vec<String>,
    /// Seconds before the end of a job's time at which it is told to write a checkpoint.
    pub ahead: u64,
}

impl Default for SlurmOptions {
    fn default() -> Self {
        Self { options: Vec::new(), setup: Vec::new(), ahead: 120 }
    }
}

/// The cluster whose commands are on the `PATH`.
#[derive(Debug)]
pub(crate) struct Slurm {
    pub options: SlurmOptions,
}

/// The most jobs that are spoken of in one command.
const AT_ONCE: usize = 500;

impl Engine for Slurm {
    fn key(&self) -> &'static str {
        "slurm"
    }

    fn name(&self) -> &'static str {
        "Slurm"
    }

    fn starts_ranks(&self) -> bool {
        true
    }

    fn look(&mut self) -> Result<(), ExecError> {
        there()
    }

    fn submit(&mut self, site: &Site, jobs: &[Job], known: &BTreeMap<Digest, String>, note: &mut Note<'_>) -> Result<(), ExecError> {
        let mut known = known.clone();
        for group in arrays::groups(jobs) {
            let mut batches = arrays::batches(&group, &known);
            batches.reverse();
            while let Some(batch) = batches.pop() {
                let job = match self.hand_over(site, &batch) {
                    // Some clusters have no arrays, or smaller ones.
                    Err(ExecError::Engine { message, .. }) if batch.is_array() && message.contains("array") => {
                        batches.extend(batch.alone().flat_map(|job| arrays::batches(&[job], &known)));
                        continue;
                    }
                    other => other?,
                };
                for (number, of) in &batch.jobs {
                    let name = batch.name(job, *number);
                    note(&of.task, name.clone())?;
                    known.insert(of.task.clone(), name);
                }
            }
        }
        Ok(())
    }

    fn states(&mut self, site: &Site, names: &[String]) -> Result<BTreeMap<String, JobState>, ExecError> {
        states::of(&script::comment(site), names)
    }

    fn cancel(&mut self, _: &Site, names: &[String]) -> Result<(), ExecError> {
        for some in names.chunks(AT_ONCE) {
            // A batch script hears it, as well as what it started.
            run("scancel", some, None)?;
        }
        Ok(())
    }
}

impl Slurm {
    /// The number of the job that a batch became.
    fn hand_over(&self, site: &Site, batch: &Batch<'_>) -> Result<u64, ExecError> {
        let said = run("sbatch", &script::words(site, batch, &self.options), Some(&script::text(site, batch, &self.options)))?;
        job_number(&said).ok_or_else(|| {
            let message = format!("`sbatch` gave no number of a job, but `{}`", said.trim());
            ExecError::Engine { message, help: None }
        })
    }
}

/// Out of `17` or `17;cluster`, possibly behind what a site says to everybody.
fn job_number(said: &str) -> Option<u64> {
    said.lines().rev().find_map(|line| line.split(';').next()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_job() {
        for (said, number) in [("17\n", Some(17)), ("Welcome.\n18;tiny\n", Some(18)), ("", None), ("sbatch: what?\n", None)] {
            assert_eq!(job_number(said), number);
        }
    }
}
