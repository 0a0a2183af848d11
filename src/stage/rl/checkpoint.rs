//! Checkpoints of an RL stage: everything that the next iteration depends on.

use super::super::context::{Context, InputFolder};
use super::super::error::RunError;
use super::super::policies::input;
use super::super::updater::{CRITIC, POLICY};
use super::fields::Rl;
use super::foreign::Foreign;
use super::learner::Learner;
use super::selection::Selection;
use crate::kind::Identity;
use crate::objective::History;
use crate::store::{Failure, output_path, read_json, write_json};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const STATE: &str = "state.json";

/// The output that others go on from.
pub(crate) const STATE_OUTPUT: &str = "state";

/// The output that is selected.
const BEST: &str = "best";

#[derive(Serialize, Deserialize)]
struct State {
    history: History,
    selection: Selection,
}

/// All of it, into a folder.
fn fill(learner: &Learner, selection: &Selection, foreign: &Foreign, folder: &Path) -> Result<(), Failure> {
    learner.updater.save(folder, POLICY)?;
    if let Some((_, updater)) = &learner.critic {
        updater.save(folder, CRITIC)?;
    }
    foreign.save(folder)?;
    let state = State { history: learner.history.clone(), selection: selection.clone() };
    Ok(write_json(&folder.join(STATE), &state)?)
}

/// After `done` iterations; `due`: one of the stage's own, not only because the user asked to stop.
pub(crate) fn save(
    (learner, selection, foreign): (&Learner, &Selection, &Foreign),
    (done, due): (usize, bool),
    context: &mut dyn Context,
) -> Result<(), RunError> {
    let fill = |folder: &Path| fill(learner, selection, foreign, folder);
    match due {
        true => context.folder().save_checkpoint(done as u64, fill)?,
        false => context.folder().save_before_stop(done as u64, fill)?,
    }
    Ok(())
}

/// As an output, for others to go on from.
pub(crate) fn write_state(learner: &Learner, selection: &Selection, foreign: &Foreign, context: &mut dyn Context) -> Result<(), RunError> {
    Ok(context.folder().write_output(STATE_OUTPUT, |folder| fill(learner, selection, foreign, folder))?)
}

/// Goes back to the folder's last checkpoint, if it has one, or takes over the training that the stage goes on from; gives the iteration to go on with.
pub(crate) fn resume(
    stage: &Rl,
    learner: &mut Learner,
    selection: &mut Selection,
    foreign: &mut Foreign,
    context: &mut dyn Context,
) -> Result<usize, RunError> {
    let (folder, iteration) = match (context.folder().checkpoint().cloned(), &stage.from) {
        (Some(own), _) => (own.folder, own.iteration),
        (None, Some(from)) => {
            let taken = take_over(stage, &input(context, &from.0.field)?, context)?;
            // What the first rank has copied, all read.
            context.ranks().wait()?;
            taken
        }
        (None, None) => return Ok(0),
    };
    learner.updater.restore(&folder, POLICY)?;
    if let Some((_, updater)) = learner.critic.as_mut().filter(|_| CRITIC.are_in(&folder)) {
        updater.restore(&folder, CRITIC)?;
    }
    let state: State = read_json(&folder.join(STATE))?;
    foreign.restore(&folder)?;
    learner.history = state.history;
    // What another training selected counts only where its policy was taken over.
    if context.folder().has_output(BEST) {
        *selection = state.selection;
    }
    Ok(iteration as usize)
}

/// The folder with another training's state, and after how many iterations that is. Its metrics and episodes become this one's own, and so does its
/// best policy where the same split selects it.
fn take_over(stage: &Rl, other: &InputFolder, context: &mut dyn Context) -> Result<(PathBuf, u64), RunError> {
    let done = other.stops_after.ok_or_else(|| RunError::Failed(format!("{} is no training in the middle", other.task_name())))?;
    let selected = stage.select_on.as_ref().map(Identity::identity);
    context.folder().take_logs(&other.folder)?;
    if selected.is_some() && other.identity["select_on"] == selected.unwrap_or_default() && output_path(&other.folder, BEST).is_dir() {
        context.folder().take_output(&other.folder, BEST)?;
    }
    context.say(&format!("goes on from {}, after {done} iterations", other.task_name()));
    Ok((other.path(), done))
}
