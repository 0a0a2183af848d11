//! Engines that run tasks elsewhere, with programs that say what Slurm's would: messages, and what is asked. `scripts/slurm-check.sh` has the real one.

#[cfg(unix)]
mod place;
#[cfg(unix)]
mod slurm;
#[cfg(unix)]
mod task;
