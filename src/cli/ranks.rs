//! `mpirun -np 4 epo-run FILE`, or a job of Slurm with several ranks: which of several processes this is, and what those do that are not the first.

use super::compiled::Planned;
use super::{DONE, FAILED, Settings, complain, tell};
use crate::exec::{Interrupt, Options, follow, refuse};
use crate::ranks::Ranks;
use crate::store::Store;
use candle_core::Device;
use std::sync::Mutex;

/// Where launchers say which process it is: Open MPI's own, and what Slurm and others pass on.
const RANK: [&str; 3] = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"];
/// Of how many.
#[cfg(not(feature = "mpi"))]
const SIZE: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"];
/// Of how many on this machine.
const HERE: [&str; 2] = ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"];

fn number(variables: &[&str]) -> Option<usize> {
    variables.iter().find_map(|name| std::env::var(name).ok()?.parse().ok())
}

/// How many share this machine, as the launcher says.
pub(super) fn on_this_machine() -> usize {
    number(&HERE).unwrap_or(1).max(1)
}

/// The ranks that a launcher has started; alone where there is no launcher.
///
/// # Errors
/// A sentence, if there are several and this program cannot be one of them.
pub(super) fn join() -> Result<Ranks, String> {
    if number(&RANK).is_none() {
        return Ok(Ranks::ALONE);
    }
    #[cfg(feature = "mpi")]
    return crate::ranks::join().map_err(str::to_owned);
    #[cfg(not(feature = "mpi"))]
    match number(&SIZE).unwrap_or(1) {
        0 | 1 => Ok(Ranks::ALONE),
        size => Err(format!("started as one of {size} ranks, but this binary was built without them (cargo build --features mpi)")),
    }
}

/// Several ranks compute on the CPU: a row's bits depend on its company on a GPU.
///
/// # Errors
/// A sentence.
pub(super) fn device(ranks: &Ranks, setting: &str) -> Result<Device, String> {
    match (ranks.size(), setting) {
        (1, _) => super::device::open(setting),
        (size, "cuda") => Err(format!("the setting `device` is `cuda`, and {size} ranks share work on the CPU only")),
        _ => Ok(Device::Cpu),
    }
}

/// What a rank that is not the first would have said.
static HELD: Mutex<Option<Vec<String>>> = Mutex::new(None);

fn with_held<R>(work: impl FnOnce(&mut Option<Vec<String>>) -> R) -> R {
    work(&mut HELD.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
}

/// From now on the first rank alone speaks.
pub(super) fn hush() {
    if number(&RANK).is_some_and(|rank| rank > 0) {
        with_held(|held| *held = Some(Vec::new()));
    }
}

/// Keeps a line where this is not the first rank; else gives it back, to be said.
pub(super) fn hold(line: &str) -> bool {
    with_held(|held| held.as_mut().map(|held| held.push(line.to_owned())).is_some())
}

fn held() -> String {
    with_held(|held| held.take().unwrap_or_default().join("\n"))
}

/// Says what was kept, where a rank ends by itself.
pub(super) fn speak() {
    let text = held();
    if !text.is_empty() {
        tell(&format!("rank {}: {text}", number(&RANK).unwrap_or_default()));
    }
}

/// Beside the first rank, until that is done. `plan`: what the first one executes too.
pub(super) fn beside(ranks: &Ranks, settings: &Settings, plan: impl FnOnce() -> Result<Planned, u8>) -> u8 {
    let result = match plan() {
        Ok(planned) => {
            // The first one is asked to stop.
            if let Err(error) = Interrupt::left_to_another() {
                return complain(&format!("cannot listen for Ctrl-C: {error}"));
            }
            let options = Options {
                threads: settings.threads(),
                machine: settings.values.machine.clone(),
                ranks: ranks.clone(),
                ..Options::default()
            };
            follow(&planned.plan, &Store::new(&settings.values.runs), &options)
        }
        Err(_) => refuse(ranks, &format!("it cannot plan this file\n{}", held())),
    };
    match result {
        Ok(()) => {
            // The first rank has said what there is to say.
            drop(held());
            DONE
        }
        Err(error) => {
            complain(&error.to_string());
            FAILED
        }
    }
}
