//! Checkpoints of an RL stage: everything that the next iteration depends on.

use super::super::shared::adamw;
use super::learner::Learner;
use super::select::Selection;
use crate::model::AdamW;
use crate::objective::History;
use crate::stage::{Context, RunError};
use crate::store::{read_json, write_json};
use serde::{Deserialize, Serialize};

const STATE: &str = "state.json";
const POLICY: &str = "policy.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const CRITIC: &str = "critic.safetensors";
const CRITIC_OPTIMIZER: &str = "critic_optimizer.safetensors";

#[derive(Serialize, Deserialize)]
struct State {
    history: History,
    selection: Selection,
}

pub fn save(learner: &Learner, selection: &Selection, done: usize, context: &mut dyn Context) -> Result<(), RunError> {
    let state = State { history: learner.history.clone(), selection: selection.clone() };
    context.folder().save_checkpoint(done as u64, |folder| {
        learner.policy.weights.save_trained(&folder.join(POLICY))?;
        learner.optimizer.save(&folder.join(OPTIMIZER))?;
        if let Some((critic, optimizer)) = &learner.critic {
            critic.weights().save(&folder.join(CRITIC))?;
            optimizer.save(&folder.join(CRITIC_OPTIMIZER))?;
        }
        Ok(write_json(&folder.join(STATE), &state)?)
    })?;
    Ok(())
}

/// Goes back to the folder's last checkpoint, if it has one; gives the iteration to go on with.
pub fn resume(learner: &mut Learner, selection: &mut Selection, context: &mut dyn Context) -> Result<usize, RunError> {
    let Some(checkpoint) = context.folder().checkpoint().cloned() else { return Ok(0) };
    let weights = &learner.policy.weights;
    weights.restore_trained(&checkpoint.file(POLICY))?;
    learner.optimizer = AdamW::load(&checkpoint.file(OPTIMIZER), learner.optimizer.config().clone(), weights)?;
    if let (Some((critic, optimizer)), Some(kind)) = (&mut learner.critic, &learner.critic_optimizer) {
        critic.weights().restore_trained(&checkpoint.file(CRITIC))?;
        *optimizer = AdamW::load(&checkpoint.file(CRITIC_OPTIMIZER), adamw(kind.adamw()), critic.weights())?;
    }
    let state: State = read_json(&checkpoint.file(STATE))?;
    learner.history = state.history;
    *selection = state.selection;
    Ok(checkpoint.iteration as usize)
}
