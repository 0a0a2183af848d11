//! Episodes for tests.

use crate::env::Task;
use crate::rollout::{Ending, Episode, Turn};

pub(crate) fn episode(family: &str, group: u64, actions: &[&str], score: f64) -> Episode {
    let turn = |action: &&str| Turn {
        observation: String::new(),
        action: (*action).into(),
        response: None,
        prompt: None,
        prompt_data: Vec::new(),
        admissible: None,
        label: None,
        reward: 0.0,
        valid: true,
        prompt_cut: false,
        response_cut: false,
        entropy: None,
        logprobs: None,
        answered: false,
        sample: None,
    };
    Episode {
        task: Task { id: format!("{family}/{group}"), family: family.into() },
        group,
        member: 0,
        goal: String::new(),
        limit: None,
        conversation: None,
        labelled: false,
        turns: actions.iter().map(turn).collect(),
        score,
        success: false,
        ending: Ending::Terminated,
        full: None,
        figures: Vec::new(),
    }
}
