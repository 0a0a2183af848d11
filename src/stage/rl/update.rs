//! Passes of minibatches over the collected batch.

use super::super::error::RunError;
use super::super::minibatch::{Keep, count, fill, units};
use super::super::updater::{Spoilt, not_finite};
use super::evaluated::Evaluated;
use super::fields::{Log, Rl};
use super::learner::{Learner, set};
use crate::equation::Now;
use crate::lang::Span;
use crate::model::{Row, ScoreGradients, Tokens};
use crate::objective::{Batch, Detail, ObjectiveError};
use crate::seed::Seed;
use std::collections::BTreeMap;

/// What is said of an iteration's updates: means over its minibatches.
#[derive(Debug, Default)]
pub(crate) struct Updates {
    pub values: BTreeMap<String, f64>,
    pub count: usize,
    /// The largest difference between the log-probabilities of the sampler and of the trainer, before the first update.
    first_gap: Option<f64>,
}

pub(crate) fn update(
    stage: &Rl,
    learner: &mut Learner,
    batch: &Batch,
    rows: &Learned,
    iteration: usize,
    seed: Seed,
) -> Result<Updates, RunError> {
    let layout = batch.rows();
    let keys = match stage.keep.and(learner.objective.needs().whole) {
        Keep::Rows => None,
        Keep::Episodes => layout.episode.as_deref(),
        Keep::Groups => layout.group.as_deref(),
    };
    let units = units(batch.row_count(), keys);
    let count = count(&units, stage.minibatch.map(|rows| rows.0));
    let orders = (0..stage.epochs.0).map(|epoch| seed.child("epoch", epoch as u64).permutation(units.len()));
    let minibatches: Vec<Vec<usize>> = orders.flat_map(|order| fill(&units, &order, count)).collect();
    let (count, iterations) = (minibatches.len(), stage.iterations.0 as f64);
    let at = |part: f64| Now { iteration: iteration as f64, iterations, progress: (iteration as f64 + part) / iterations };
    let mut updates = Updates::default();
    for (number, indices) in minibatches.iter().enumerate() {
        let minibatch = Minibatch::new(batch, rows, indices)?;
        step(stage, learner, minibatch, at(number as f64 / count as f64), &mut updates)?;
        updates.count += 1;
    }
    for value in updates.values.values_mut() {
        *value /= count as f64;
    }
    if let Some(gap) = updates.first_gap {
        updates.values.insert("rollout_gap".into(), gap);
    }
    updates.values.insert("learning_rate".into(), learner.updater.rate(at(0.0)));
    Ok(updates)
}

/// What an iteration learns from.
pub(crate) struct Learned {
    /// In the batch's order.
    pub rows: Vec<Row>,
    /// So many of the first are of episodes that the iteration played itself.
    pub own: usize,
}

/// What one update is made of.
struct Minibatch {
    batch: Batch,
    rows: Vec<Row>,
    /// Which of them the iteration played itself.
    own: Vec<bool>,
}

impl Minibatch {
    fn new(batch: &Batch, rows: &Learned, indices: &[usize]) -> Result<Self, RunError> {
        let batch = batch.select(indices).map_err(|e| RunError::Failed(e.to_string()))?;
        let own = indices.iter().map(|&i| i < rows.own).collect();
        Ok(Self { batch, rows: indices.iter().map(|&i| rows.rows[i].clone()).collect(), own })
    }
}

fn step(stage: &Rl, learner: &mut Learner, minibatch: Minibatch, now: Now, updates: &mut Updates) -> Result<(), RunError> {
    let Minibatch { mut batch, rows, own } = minibatch;
    let needs = learner.objective.needs().clone();
    let tokens = Tokens::of(&rows);
    updates.add("tokens", tokens.all as f64);
    updates.add("tokens_shared", tokens.shared());
    let critic = learner.critic.as_ref().filter(|_| needs.has("value")).map(|(critic, _)| critic);
    let others = learner.figures.others(&rows, &learner.compute)?;
    let asked = (learner.temperature, learner.figures.asked(&others));
    let evaluated = Evaluated::of(&learner.policy.weights, critic, &rows, asked, &learner.compute)?;
    set(&mut batch, "logp", wide(&evaluated.scores().logp))?;
    set(&mut batch, "entropy", wide(&evaluated.scores().entropy))?;
    learner.figures.set(&mut batch, evaluated.figures())?;
    divergence(&batch, &own, &evaluated.scores().logp, updates);
    if let Some(values) = evaluated.values() {
        set(&mut batch, "value", wide(values))?;
    }
    let detail = Detail { term_gradients: stage.log == Log::Gradients, ..Detail::default() };
    let found = match learner.objective.evaluate_in(&batch, &learner.history, detail) {
        Ok(found) => found,
        Err(error) => return Err(with_last_value(&error, &learner.last_terms, now.iteration)),
    };
    learner.last_terms = found.terms.iter().map(|(name, value)| (name.clone(), *value)).collect();
    learner.last_terms.insert("minimize".into(), found.minimize);
    updates.add("loss/minimize", found.minimize);
    for (name, value) in &found.terms {
        updates.add(&format!("loss/{name}"), *value);
    }
    for (name, norms) in &found.term_gradients {
        updates.add(&format!("gradient/{name}"), norms.whole());
    }
    let slopes = ScoreGradients { logp: narrow(found.gradient.logp), entropy: narrow(found.gradient.entropy) };
    let figures = learner.figures.slopes(&found.gradient.figures);
    let number = updates.count + 1;
    let refusal = |whose: &'static str, rule: Span| {
        move |spoilt| match spoilt {
            Spoilt::Gradient => not_finite(
                stage.loss.0.span,
                format!("the gradient of the {whose} is not finite, in iteration {}, update {number}", now.iteration),
            ),
            Spoilt::Weights { name, rate } => not_finite(
                rule,
                format!(
                    "`{name}` of the {whose} is not finite after iteration {}, update {number} (learning rate {rate:e})",
                    now.iteration
                ),
            ),
        }
    };
    let slopes = needs.gradient.policy().then_some((&slopes, figures.as_slice()));
    let pulled = evaluated.backward(slopes, found.gradient.value.map(|slopes| narrow(Some(slopes))).as_deref())?;
    if let Some(gradients) = pulled.policy {
        let norm = learner.updater.step(gradients, now, refusal("policy", stage.optimizer.span))?;
        updates.add("gradient_norm", norm);
    }
    if let Some(gradients) = pulled.critic {
        let own = stage.critic.as_ref().and_then(|critic| critic.optimizer());
        let rule = own.unwrap_or(&stage.optimizer).span;
        if let Some((_, updater)) = &mut learner.critic {
            let norm = updater.step(gradients, now, refusal("critic", rule))?;
            updates.add("critic_gradient_norm", norm);
        }
    }
    Ok(())
}

/// The message about a term that is not finite, with the value it had last.
fn with_last_value(error: &ObjectiveError, last: &BTreeMap<String, f64>, iteration: f64) -> RunError {
    let mut diagnostic = error.diagnostic();
    if let ObjectiveError::NonFinite(at) = error {
        diagnostic = match last.get(&at.term) {
            Some(value) => diagnostic.help(format!("in iteration {iteration}; the last finite value of `{}` was {value}", at.term)),
            None => diagnostic.help(format!("in iteration {iteration}; `{}` had no finite value before", at.term)),
        };
    }
    RunError::At(Box::new(diagnostic))
}

/// How far the policy has moved since it collected the batch.
fn divergence(batch: &Batch, own: &[bool], logp: &[f32], updates: &mut Updates) {
    let Some(old) = batch.get("old_logp") else { return };
    let n = old.len().max(1) as f64;
    let own = own.iter().zip(&batch.rows().lengths).flat_map(|(own, length)| std::iter::repeat_n(*own, *length));
    let ratios = old.iter().zip(logp).map(|(old, new)| f64::from(*new) - old);
    let (mut kl, mut clipped, mut gap) = (0.0, 0.0, 0.0f64);
    for (d, own) in ratios.zip(own) {
        // the k3 estimate of KL(old ‖ new)
        kl += d.exp() - 1.0 - d;
        clipped += f64::from(u8::from((d.exp() - 1.0).abs() > 0.2));
        if own {
            gap = gap.max(d.abs());
        }
    }
    if updates.count == 0 {
        updates.first_gap = Some(gap);
    }
    updates.add("kl", kl / n);
    updates.add("clip_fraction", clipped / n);
}

impl Updates {
    fn add(&mut self, name: &str, value: f64) {
        *self.values.entry(name.to_string()).or_insert(0.0) += value;
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

fn narrow(values: Option<Vec<f64>>) -> Vec<f32> {
    values.unwrap_or_default().into_iter().map(|x| x as f32).collect()
}
