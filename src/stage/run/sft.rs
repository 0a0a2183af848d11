//! Supervised learning.

use super::shared::{adamw, compute, policy};
use crate::lang::Diagnostic;
use crate::model::{AdamW, Row, ScoreGradients, evaluate};
use crate::policy::Policy;
use crate::rollout::{Episode, prompt_ids, response_room};
use crate::stage::sft::Sft;
use crate::stage::{Context, Progress, RunError};
use crate::store::{MetricRecord, read_lines};
use rand_chacha::rand_core::RngCore;
use serde::{Deserialize, Serialize};

const STATE: &str = "state.json";
const POLICY: &str = "policy.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";

/// Points of the curves, and checkpoints, of a whole run at most.
const RECORDS: usize = 60;
const CHECKPOINTS: usize = 10;

/// Sums since the last record; part of a checkpoint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Sums {
    nll: f64,
    entropy: f64,
    tokens: f64,
    norm: f64,
    updates: f64,
}

pub fn run(stage: &Sft, context: &mut dyn Context) -> Result<(), RunError> {
    let policy = policy(context, &stage.policy)?;
    let rows = rows(stage, context, &policy)?;
    let per_epoch = rows.len().div_ceil(stage.minibatch.0);
    let total = per_epoch * stage.epochs.0;
    let settings = stage.optimizer.adamw();
    let mut optimizer = AdamW::new(adamw(settings), &policy.weights)?;
    let (mut start, mut sums) = (0, Sums::default());
    if let Some(checkpoint) = context.folder().checkpoint() {
        policy.weights.restore_trained(&checkpoint.file(POLICY))?;
        optimizer = AdamW::load(&checkpoint.file(OPTIMIZER), adamw(settings), &policy.weights)?;
        sums = crate::store::read_json(&checkpoint.file(STATE))?;
        start = checkpoint.iteration as usize;
    }
    let record_every = total.div_ceil(RECORDS).max(1);
    let save_every = total.div_ceil(CHECKPOINTS).max(1);
    let compute = compute(context, stage.micro_batch.0, stage.checkpointing);
    let mut order = (usize::MAX, Vec::new());
    for update in start..total {
        let epoch = update / per_epoch;
        if order.0 != epoch {
            order = (epoch, shuffled(rows.len(), context.seeds().child("epoch", epoch as u64)));
        }
        let from = update % per_epoch * stage.minibatch.0;
        let to = (from + stage.minibatch.0).min(rows.len());
        let minibatch: Vec<Row> = order.1[from..to].iter().map(|&i| rows[i].clone()).collect();
        let evaluation = evaluate(&policy.weights, &minibatch, policy.temperature(), &compute)?;
        let tokens = evaluation.scores.logp.len().max(1) as f64;
        let nll = -evaluation.scores.logp.iter().map(|&x| f64::from(x)).sum::<f64>() / tokens;
        let entropy = evaluation.scores.entropy.iter().map(|&x| f64::from(x)).sum::<f64>() / tokens;
        let slope = (-1.0 / tokens) as f32;
        let slopes = ScoreGradients { logp: vec![slope; evaluation.scores.logp.len()], entropy: Vec::new() };
        let mut gradients = evaluation.backward(&slopes)?;
        let norm = match settings.clip_norm {
            Some(most) => gradients.clip(most.0)?,
            None => gradients.norm()?,
        };
        let progress = update as f64 / total as f64;
        let lr = settings.lr.at(progress * stage.epochs.0 as f64, stage.epochs.0 as f64, progress);
        if !(nll.is_finite() && norm.is_finite()) {
            let last = if sums.tokens > 0.0 { format!("; its last mean was {:.4}", sums.nll / sums.tokens) } else { String::new() };
            let message = format!("the loss is not finite in update {} of {total} (learning rate {lr:e}){last}", update + 1);
            let place = stage.optimizer.span;
            return Err(RunError::At(Box::new(
                Diagnostic::error("E0504", place, message).help("lower the learning rate or set `clip_norm`"),
            )));
        }
        optimizer.step(&policy.weights, &gradients, lr)?;
        sums = Sums {
            nll: sums.nll + nll * tokens,
            entropy: sums.entropy + entropy * tokens,
            tokens: sums.tokens + tokens,
            norm: sums.norm + norm,
            updates: sums.updates + 1.0,
        };
        let done = update + 1;
        if done.is_multiple_of(record_every) || done == total {
            let loss = sums.nll / sums.tokens;
            let record = MetricRecord::new(done as u64)
                .with("loss/nll", loss)
                .with("entropy", sums.entropy / sums.tokens)
                .with("gradient_norm", sums.norm / sums.updates)
                .with("learning_rate", lr)
                .with("epoch", done as f64 / per_epoch as f64);
            context.folder().metric(&record)?;
            sums = Sums::default();
            let notes = vec![("loss", format!("{loss:.3}")), ("epoch", format!("{:.1}", done as f64 / per_epoch as f64))];
            context.progress(Progress { done: done as u64, total: total as u64, unit: "updates", notes });
        }
        let stop = context.interrupted();
        if (done.is_multiple_of(save_every) || stop) && done < total {
            context.folder().save_checkpoint(done as u64, |folder| {
                policy.weights.save_trained(&folder.join(POLICY))?;
                optimizer.save(&folder.join(OPTIMIZER))?;
                Ok(crate::store::write_json(&folder.join(STATE), &sums)?)
            })?;
        }
        if stop && done < total {
            return Err(RunError::Interrupted);
        }
    }
    context.folder().write_output("policy", |folder| Ok(policy.save(folder)?))?;
    Ok(())
}

/// Every turn of the episodes in which there was something to choose.
fn rows(stage: &Sft, context: &dyn Context, policy: &Policy) -> Result<Vec<Row>, RunError> {
    let mut rows = Vec::new();
    for input in stage.episodes.iter().flat_map(|e| context.inputs(&e.0.field)) {
        let episodes: Vec<Episode> = read_lines(&input.folder.join("episodes.jsonl"))?;
        for episode in episodes {
            let limit = episode.limit;
            for turn in episode.turns {
                let (Some(prompt), Some(admissible), Some(limit)) = (&turn.prompt, &turn.admissible, limit) else {
                    let message = format!("the episodes of `{}` have no prompts to learn from; use a `collect` stage", input.task_name());
                    return Err(RunError::Failed(message));
                };
                let response = turn.response.as_ref().unwrap_or(&turn.action);
                // what the action was in the response is what another action would have been in its place
                let responses: Vec<String> = admissible.iter().map(|a| response.replacen(&turn.action, a, 1)).collect();
                let room = response_room(policy, &policy.decode, &responses)?;
                let ids = prompt_ids(policy, limit, prompt, room)?;
                let row = policy.demonstration(ids, response, &responses)?;
                if !row.targets.is_empty() {
                    rows.push(row);
                }
            }
        }
    }
    if rows.is_empty() {
        return Err(RunError::Failed("there is nothing to learn: the episodes have no turn with a choice".into()));
    }
    Ok(rows)
}

/// A permutation of 0..n (Fisher–Yates).
pub(super) fn shuffled(n: usize, seed: crate::seed::Seed) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    let mut rng = seed.rng();
    for i in (1..n).rev() {
        order.swap(i, (rng.next_u64() % (i as u64 + 1)) as usize);
    }
    order
}
