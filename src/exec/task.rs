//! One task of a plan, for an engine that runs each where it likes.

use super::sharing::Sharing;
use super::{ExecError, Execution, Options, Watch, finished, look_outside};
use crate::plan::Plan;
use crate::store::{Journal, Store, StoreError};

/// Does one task, whose inputs are finished; what happens is written into the journal. A task that was finished in the meantime is taken.
pub(crate) fn execute_task(
    plan: &Plan,
    index: usize,
    store: &Store,
    journal: &mut dyn Journal,
    options: &Options,
    watch: &mut dyn Watch,
) -> Result<(), ExecError> {
    let Some(task) = plan.tasks.get(index) else { return Ok(()) };
    let mut sharing = Sharing::open(options, watch);
    if finished(store, task)?.is_none() && !sharing.has(task) {
        for input in task.inputs.iter().filter_map(|input| plan.tasks.get(input.task)) {
            if finished(store, input)?.is_none() {
                let message = format!("`{}` cannot be run: its input `{}` is not finished", plan.name(task), plan.name(input));
                return Err(StoreError::Refused(message).into());
            }
        }
        look_outside(plan, |other| other == index, options, watch)?;
    }
    Execution { plan, store, options, watch: &mut *watch, sharing: &mut sharing, made: Vec::new(), taken: Vec::new() }
        .one(index, journal)?;
    sharing.end(watch);
    Ok(())
}
