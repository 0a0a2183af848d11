//! Several processes that execute one plan: the first does what one alone would do, the others run beside it the stages that are shared.

use super::context::{Heard, TaskContext};
use super::{Options, inputs, panicked};
use crate::plan::{Plan, Task};
use crate::ranks::{Ranks, RanksError};
use crate::stage::{Context, RunError};
use crate::store::{Store, TaskFolder};
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the first rank tells the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Order {
    /// There is no more to do.
    End,
    /// To run a task's stage.
    Run {
        /// Of this program.
        version: String,
        /// Its place in the plan.
        index: usize,
        digest: String,
        /// The checkpoint that it goes on from.
        from: Option<u64>,
    },
}

impl Order {
    pub(super) fn of(index: usize, task: &Task, from: Option<u64>) -> Order {
        Order::Run { version: env!("CARGO_PKG_VERSION").into(), index, digest: task.digest.hex().into(), from }
    }
}

/// Runs a stage; all ranks come to its end together, or hear why one of them does not.
pub(super) fn together(ranks: &Ranks, task: &Task, context: &mut dyn Context) -> Result<(), RunError> {
    let result = catch_unwind(AssertUnwindSafe(|| task.stage.run(context))).unwrap_or_else(|panic| Err(panicked(panic)));
    match result {
        Ok(()) => Ok(ranks.wait()?),
        Err(error) => {
            ranks.fail(&error.to_string());
            Err(error)
        }
    }
}

/// What a rank that is not the first does, instead of [`execute`](super::execute): runs what it is told to, until the first one [dismisses](dismiss) it. It reads from
/// the run folder, and writes nothing. What goes wrong is said by the first one.
///
/// # Errors
/// If the others cannot be reached.
pub fn follow(plan: &Plan, store: &Store, options: &Options) -> Result<(), RanksError> {
    loop {
        let Order::Run { version, index, digest, from } = options.ranks.announced()? else { return Ok(()) };
        let own = env!("CARGO_PKG_VERSION");
        match plan.tasks.get(index).filter(|task| task.digest.hex() == digest) {
            _ if version != own => options.ranks.fail(&format!("it is version {own} of epo-run, the first rank is {version}")),
            // What comes of it is the first one's to tell.
            Some(task) => drop(run(plan, store, options, task, from)),
            None => options.ranks.fail("its plan is another one; all ranks need the same file, the same settings and the same models"),
        }
    }
}

fn run(plan: &Plan, store: &Store, options: &Options, task: &Task, from: Option<u64>) -> Result<(), RunError> {
    let folder = TaskFolder::beside(store.task_path(&task.digest), from).inspect_err(|error| options.ranks.fail(&error.to_string()))?;
    let mut hear = |_: Heard| {};
    let inputs = inputs(plan, store, task);
    let mut context = TaskContext::new(task.seed, options, inputs, folder, &mut hear).knowing(&plan.contents).among(&options.ranks);
    together(&options.ranks, task, &mut context)
}

/// What a rank does that has no plan: it tells the first one why, as soon as that wants to share a stage.
///
/// # Errors
/// If the others cannot be reached.
pub fn refuse(ranks: &Ranks, why: &str) -> Result<(), RanksError> {
    while let Order::Run { .. } = ranks.announced()? {
        ranks.fail(why);
    }
    Ok(())
}

/// The first rank has no more to do for the others. To be called however the execution ended; those that are gone need no word.
pub fn dismiss(ranks: &Ranks) {
    let _ = ranks.announce(&Order::End);
}
