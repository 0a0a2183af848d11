//! What the turns of episodes say, for equations.

use crate::objective::Texts;
use crate::rollout::Episode;

/// Of all turns, in their order. The response is the action where that is all of it.
pub(crate) fn texts<'e>(episodes: impl Iterator<Item = &'e Episode>) -> Texts {
    let (mut response, mut action, mut observation) = (Vec::new(), Vec::new(), Vec::new());
    for turn in episodes.flat_map(|episode| &episode.turns) {
        response.push(turn.response.as_ref().unwrap_or(&turn.action).clone());
        action.push(turn.action.clone());
        observation.push(turn.observation.clone());
    }
    Texts { response: Some(response), action: Some(action), observation: Some(observation) }
}
