//! Jobs that are several processes of MPI: whether an engine can start them, and this program can be one of them.

use super::{Engine, Job, JobOptions};
use crate::exec::{ExecError, Watch};

/// Where the engine starts one process for a job, one it is, and that is said once: results are the same.
///
/// # Errors
/// If the program that would be started cannot share a stage.
pub(super) fn look(engine: &dyn Engine, options: &JobOptions, jobs: &mut [Job], watch: &mut dyn Watch) -> Result<(), ExecError> {
    let Some(first) = jobs.iter().find(|job| job.needs.ranks > 1) else { return Ok(()) };
    let asked = format!("`{}` asks for {} ranks", first.name, first.needs.ranks);
    if !engine.starts_ranks() {
        watch.warn(&format!("{asked}, and {} starts one process for a task: each is done by one", engine.name()));
        jobs.iter_mut().for_each(|job| job.needs.ranks = 1);
        return Ok(());
    }
    // What another program can do, its job says.
    if cfg!(feature = "mpi") || options.program.is_some() {
        return Ok(());
    }
    Err(ExecError::Engine {
        message: format!("{asked}, and this epo-run was built without them"),
        help: Some("`cargo build --release --features mpi`; `jobs.program` says where one lies that has them; or leave `ranks` out".into()),
    })
}
