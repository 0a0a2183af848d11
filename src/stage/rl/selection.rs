//! Evaluations during training, and the best policy so far.

use super::super::context::Context;
use super::super::error::RunError;
use super::super::results::SplitResult;
use super::super::tasks::{once_each, open};
use super::fields::Rl;
use super::learner::Learner;
use crate::rollout::{Player, Rollout};
use serde::{Deserialize, Serialize};

/// Part of a checkpoint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Selection {
    /// Whether the stage selects at all.
    on: bool,
    pub best: Option<Best>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Best {
    pub iteration: usize,
    pub successes: usize,
    pub episodes: usize,
}

impl Selection {
    pub(crate) fn new(stage: &Rl) -> Self {
        Self { on: stage.select_on.is_some(), best: None }
    }

    /// Evaluates after an iteration if it is time, and keeps the policy if it is the best so far. The same tasks and the same draws each time.
    pub(crate) fn after(
        &mut self,
        stage: &Rl,
        learner: &Learner,
        iteration: usize,
        context: &mut dyn Context,
    ) -> Result<Option<Vec<(String, f64)>>, RunError> {
        let Some(split) = &stage.select_on else { return Ok(None) };
        let done = iteration + 1;
        if !done.is_multiple_of(stage.evaluate_every.0) && done != stage.iterations.0 {
            return Ok(None);
        }
        let (world, panel) = open(context, split)?;
        let assignments = once_each(&panel, 1, context.seeds().child("select", 0));
        let decode = stage.evaluate_decode.as_ref().map_or(&learner.decode, |decode| &**decode);
        let player = Player::Policy { policy: &learner.policy, decode };
        let rollout = Rollout {
            environment: &split.environment,
            world: &*world,
            player,
            keep_prompts: false,
            labels: None,
            threads: context.threads(),
        };
        let episodes = rollout.play_among(context.ranks(), &assignments)?;
        let result = SplitResult::new(&split.name, &panel.hash, &episodes);
        if self.best.as_ref().is_none_or(|b| result.successes > b.successes) {
            self.best = Some(Best { iteration: done, successes: result.successes, episodes: result.episodes });
            context.folder().write_output("best", |at| Ok(learner.policy.save(at)?))?;
        }
        let share = result.successes as f64 / result.episodes.max(1) as f64;
        Ok(Some(vec![
            (format!("eval/{}/success", split.name), share),
            (format!("eval/{}/return", split.name), result.mean_score),
            (format!("eval/{}/turns", split.name), result.mean_turns),
        ]))
    }

    pub(crate) fn finish(&self, context: &mut dyn Context) {
        if let Some(best) = &self.best {
            context.say(&format!("best after iteration {}: {} of {} episodes", best.iteration, best.successes, best.episodes));
        }
    }
}
