//! From episodes to a batch.

use super::super::context::Context;
use super::super::error::RunError;
use super::super::tasks::say_failures;
use super::fields::Rl;
use super::learner::{Learner, set};
use crate::env::{Panel, World};
use crate::model::Row;
use crate::objective::{Batch, Rows};
use crate::rollout::{Assignment, Episode, Player, Rollout};
use crate::seed::Seed;
use rand_chacha::rand_core::RngCore;

/// What an iteration learns from.
pub(crate) struct Collected {
    pub batch: Batch,
    /// The policy's rows in the batch's order.
    pub rows: Vec<Row>,
    pub episodes: Vec<Episode>,
}

pub(crate) fn collect(
    stage: &Rl,
    learner: &mut Learner,
    world: &dyn World,
    panel: &Panel,
    iteration: usize,
    context: &mut dyn Context,
) -> Result<Collected, RunError> {
    let assignments = assignments(stage, panel, iteration, context);
    let player = Player::Policy { policy: &learner.policy, decode: &learner.decode };
    let rollout = Rollout { environment: &stage.on.environment, world, player, keep_prompts: false, threads: context.threads() };
    let mut episodes = rollout.play(&assignments)?;
    say_failures(context, &episodes);
    let learned: Vec<&Episode> = episodes.iter().filter(|e| !e.failed() && !e.turns.is_empty()).collect();
    if learned.is_empty() {
        return Err(RunError::Failed(format!("all {} episodes of iteration {iteration} broke down", episodes.len())));
    }
    let (mut batch, rows) = batch(stage, &learned)?;
    if learner.needs().has("uniform") {
        let mut rng = context.seeds().child("iteration", iteration as u64).child("uniform", 0).rng();
        let drawn = (0..batch.token_count()).map(|_| unit(&mut rng)).collect();
        set(&mut batch, "uniform", drawn)?;
    }
    learner.look(&mut batch, &rows)?;
    for turn in episodes.iter_mut().flat_map(|e| &mut e.turns) {
        turn.prompt = None;
    }
    Ok(Collected { batch, rows, episodes })
}

/// In [0, 1), of 53 bits.
fn unit(rng: &mut impl RngCore) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// The members of a group share the task and its seed.
fn assignments(stage: &Rl, panel: &Panel, iteration: usize, context: &dyn Context) -> Vec<Assignment> {
    let (seeds, size) = (context.seeds(), stage.group_size.0 as u64);
    let groups = stage.groups.0 as u64;
    let mut all = Vec::with_capacity(stage.episodes());
    for group in 0..groups {
        let task = &panel.tasks[task_index(seeds, panel.tasks.len(), iteration as u64 * groups + group)];
        let world_seed = seeds.child("iteration", iteration as u64).child("group", group);
        for member in 0..size {
            let seed = world_seed.child("episode", member);
            all.push(Assignment { task: task.clone(), group, member, world_seed, seed });
        }
    }
    all
}

/// The task of a group: the panel is gone through in a new order each time, without replacement, whatever the iteration that asks.
fn task_index(seed: Seed, tasks: usize, group: u64) -> usize {
    let round = group / tasks as u64;
    seed.child("panel", round).permutation(tasks)[(group % tasks as u64) as usize]
}

fn batch(stage: &Rl, episodes: &[&Episode]) -> Result<(Batch, Vec<Row>), RunError> {
    let play = &stage.on.environment.play;
    let mut layout = Rows::default();
    let (mut group, mut episode_of, mut anchor, mut turn_index, mut task) = (vec![], vec![], vec![], vec![], vec![]);
    let (mut prompt_cut, mut response_cut) = (vec![], vec![]);
    let (mut reward, mut outcome, mut valid, mut score, mut success) = (vec![], vec![], vec![], vec![], vec![]);
    let (mut logp, mut entropy, mut rows) = (vec![], vec![], vec![]);
    for (number, episode) in episodes.iter().enumerate() {
        for (index, turn) in episode.turns.iter().enumerate() {
            let Some(sample) = &turn.sample else {
                return Err(RunError::Failed("a turn was played without the policy".into()));
            };
            let penalty = if turn.valid { 0.0 } else { play.invalid_penalty.0 };
            layout.lengths.push(sample.row.targets.len());
            group.push(episode.group);
            episode_of.push(number as u64);
            anchor.push(key_of(&turn.observation));
            task.push(key_of(&episode.task.id));
            turn_index.push(index as u64);
            reward.push(turn.reward - penalty);
            outcome.push(episode.score - penalty);
            valid.push(flag(turn.valid));
            prompt_cut.push(flag(turn.prompt_cut));
            response_cut.push(flag(turn.response_cut));
            score.push(episode.score);
            success.push(flag(episode.success));
            logp.extend(sample.logp.iter().map(|&x| f64::from(x)));
            entropy.extend(sample.entropy.iter().map(|&x| f64::from(x)));
            rows.push(sample.row.clone());
        }
    }
    layout.group = Some(group);
    layout.episode = Some(episode_of);
    layout.anchor = Some(anchor);
    layout.turn_index = Some(turn_index);
    layout.task = Some(task);
    let wrong = |error: crate::objective::BatchError| RunError::Failed(error.to_string());
    let mut batch = Batch::new(layout).map_err(wrong)?;
    set(&mut batch, "reward", reward)?;
    set(&mut batch, "outcome", outcome)?;
    set(&mut batch, "valid", valid)?;
    set(&mut batch, "prompt_cut", prompt_cut)?;
    set(&mut batch, "response_cut", response_cut)?;
    for (name, values) in [("score", score), ("success", success)] {
        batch.set_by_row(name, &values).map_err(wrong)?;
    }
    set(&mut batch, "old_logp", logp.clone())?;
    set(&mut batch, "rollout_logp", logp)?;
    set(&mut batch, "entropy", entropy.clone())?;
    set(&mut batch, "old_entropy", entropy)?;
    Ok((batch, rows))
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// A number for an observed state or a task, the same in every iteration.
fn key_of(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(first)
}
