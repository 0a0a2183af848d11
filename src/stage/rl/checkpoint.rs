//! Checkpoints of an RL stage: everything that the next iteration depends on.

use super::super::context::Context;
use super::super::error::RunError;
use super::super::updater::{CRITIC, POLICY};
use super::foreign::Foreign;
use super::learner::Learner;
use super::selection::Selection;
use crate::objective::History;
use crate::store::{Failure, read_json, write_json};
use serde::{Deserialize, Serialize};
use std::path::Path;

const STATE: &str = "state.json";

#[derive(Serialize, Deserialize)]
struct State {
    history: History,
    selection: Selection,
}

/// After `done` iterations; `due`: one of the stage's own, not only because the user asked to stop.
pub(crate) fn save(
    (learner, selection, foreign): (&Learner, &Selection, &Foreign),
    (done, due): (usize, bool),
    context: &mut dyn Context,
) -> Result<(), RunError> {
    let state = State { history: learner.history.clone(), selection: selection.clone() };
    let fill = |folder: &Path| -> Result<(), Failure> {
        learner.updater.save(folder, POLICY)?;
        if let Some((_, updater)) = &learner.critic {
            updater.save(folder, CRITIC)?;
        }
        foreign.save(folder)?;
        Ok(write_json(&folder.join(STATE), &state)?)
    };
    match due {
        true => context.folder().save_checkpoint(done as u64, fill)?,
        false => context.folder().save_before_stop(done as u64, fill)?,
    }
    Ok(())
}

/// Goes back to the folder's last checkpoint, if it has one; gives the iteration to go on with.
pub(crate) fn resume(
    learner: &mut Learner,
    selection: &mut Selection,
    foreign: &mut Foreign,
    context: &mut dyn Context,
) -> Result<usize, RunError> {
    let Some(checkpoint) = context.folder().checkpoint().cloned() else { return Ok(0) };
    learner.updater.restore(&checkpoint.folder, POLICY)?;
    if let Some((_, updater)) = &mut learner.critic {
        updater.restore(&checkpoint.folder, CRITIC)?;
    }
    let state: State = read_json(&checkpoint.file(STATE))?;
    foreign.restore(&checkpoint.folder)?;
    learner.history = state.history;
    *selection = state.selection;
    Ok(checkpoint.iteration as usize)
}
