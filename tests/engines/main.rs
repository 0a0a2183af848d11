//! Engines that run tasks elsewhere, with programs and a server that say what Slurm and Ray would: messages, and what is asked. `scripts/slurm-check.sh` and
//! `scripts/ray-check.sh` have the real ones.

#![cfg(unix)]

mod place;
mod ranks;
mod ray;
mod slurm;
mod task;
