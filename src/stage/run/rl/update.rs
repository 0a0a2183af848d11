//! Passes of minibatches over the collected batch.

use super::super::sft::shuffled;
use super::learner::{Learner, rate, set};
use crate::lang::{Diagnostic, Span};
use crate::model::{Gradients, Row, ScoreGradients, evaluate};
use crate::objective::{Batch, Detail, ObjectiveError, Whole};
use crate::policy::Adamw;
use crate::seed::Seed;
use crate::stage::RunError;
use crate::stage::rl::{Log, Rl};
use std::collections::BTreeMap;

/// What is said of an iteration's updates: means over its minibatches.
#[derive(Debug, Default)]
pub struct Report {
    pub values: BTreeMap<String, f64>,
    pub updates: usize,
    /// The largest difference between the log-probabilities of the sampler and of the trainer, before the first update.
    first_gap: Option<f64>,
}

pub fn update(stage: &Rl, learner: &mut Learner, batch: &Batch, rows: &[Row], iteration: usize, seed: Seed) -> Result<Report, RunError> {
    let units = units(batch, learner.objective.needs().whole);
    let mut minibatches = Vec::new();
    for epoch in 0..stage.epochs.0 {
        let order = shuffled(units.len(), seed.child("epoch", epoch as u64));
        minibatches.extend(fill(&units, &order, stage.minibatch.map(|m| m.0)));
    }
    let mut report = Report::default();
    let count = minibatches.len();
    for (number, indices) in minibatches.iter().enumerate() {
        let part = number as f64 / count as f64;
        step(stage, learner, batch, rows, indices, iteration, part, &mut report)?;
        report.updates += 1;
    }
    for value in report.values.values_mut() {
        *value /= count as f64;
    }
    if let Some(gap) = report.first_gap {
        report.values.insert("rollout_gap".into(), gap);
    }
    report.values.insert("learning_rate".into(), rate(stage.optimizer.adamw(), iteration, stage.iterations.0, 0.0));
    Ok(report)
}

/// What may not be torn apart: rows, or all rows of an episode or a group.
fn units(batch: &Batch, whole: Whole) -> Vec<Vec<usize>> {
    let rows = batch.rows();
    let key = match whole {
        Whole::Rows => None,
        Whole::Episodes => rows.episode.as_ref(),
        Whole::Groups => rows.group.as_ref(),
    };
    let Some(key) = key else { return (0..batch.row_count()).map(|i| vec![i]).collect() };
    let mut units: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (row, key) in key.iter().enumerate() {
        units.entry(*key).or_default().push(row);
    }
    units.into_values().collect()
}

/// Minibatches of about `most` rows: as many as are needed, of sizes as equal as the units allow.
fn fill(units: &[Vec<usize>], order: &[usize], most: Option<usize>) -> Vec<Vec<usize>> {
    let total: usize = units.iter().map(Vec::len).sum();
    let count = most.map_or(1, |most| total.div_ceil(most)).max(1);
    let mut filled: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut done = 0;
    for &unit in order {
        let at = (done * count / total.max(1)).min(count - 1);
        filled[at].extend(&units[unit]);
        done += units[unit].len();
    }
    filled.retain(|m| !m.is_empty());
    // the rows of a minibatch in the batch's order: what is summed is summed alike
    filled.iter_mut().for_each(|m| m.sort_unstable());
    filled
}

#[allow(clippy::too_many_arguments)]
fn step(
    stage: &Rl,
    learner: &mut Learner,
    batch: &Batch,
    rows: &[Row],
    indices: &[usize],
    iteration: usize,
    part: f64,
    report: &mut Report,
) -> Result<(), RunError> {
    let mut part_batch = batch.select(indices).map_err(|e| RunError::Failed(e.to_string()))?;
    let mine: Vec<Row> = indices.iter().map(|&i| rows[i].clone()).collect();
    let needs = learner.objective.needs().clone();
    let policy = evaluate(&learner.policy.weights, &mine, learner.temperature, &learner.compute)?;
    set(&mut part_batch, "logp", wide(&policy.scores.logp))?;
    set(&mut part_batch, "entropy", wide(&policy.scores.entropy))?;
    divergence(&part_batch, &policy.scores.logp, report);
    let critic = match &learner.critic {
        Some((critic, _)) if needs.has("value") => Some(critic.evaluate(&mine, &learner.compute)?),
        _ => None,
    };
    if let Some(critic) = &critic {
        set(&mut part_batch, "value", wide(&critic.values))?;
    }
    let detail = Detail { term_gradients: stage.log == Log::Gradients, ..Detail::default() };
    let found = match learner.objective.evaluate_in(&part_batch, &learner.history, detail) {
        Ok(found) => found,
        Err(error) => return Err(with_last_value(&error, &learner.last_terms, iteration)),
    };
    learner.last_terms = found.terms.iter().map(|(name, value)| (name.clone(), *value)).collect();
    learner.last_terms.insert("minimize".into(), found.minimize);
    report.add("loss/minimize", found.minimize);
    for (name, value) in &found.terms {
        report.add(&format!("loss/{name}"), *value);
    }
    for (name, norms) in &found.term_gradients {
        let norm = (norms.logp.powi(2) + norms.entropy.powi(2) + norms.value.powi(2)).sqrt();
        report.add(&format!("gradient/{name}"), norm);
    }
    let slopes = ScoreGradients { logp: narrow(found.gradient.logp), entropy: narrow(found.gradient.entropy) };
    if needs.gradient.logp || needs.gradient.entropy {
        let gradients = policy.backward(&slopes)?;
        let settings = stage.optimizer.adamw();
        let norm = apply(gradients, settings, stage.loss.0.span, "policy", |gradients| {
            let lr = rate(settings, iteration, stage.iterations.0, part);
            learner.optimizer.step(&learner.policy.weights, gradients, lr)
        })?;
        report.add("gradient_norm", norm);
    }
    if let (Some(evaluation), Some(slopes)) = (critic, found.gradient.value) {
        let gradients = evaluation.backward(&narrow(Some(slopes)))?;
        if let (Some((critic, optimizer)), Some(kind)) = (&mut learner.critic, &learner.critic_optimizer) {
            let settings = kind.adamw();
            let norm = apply(gradients, settings, stage.loss.0.span, "critic", |gradients| {
                let lr = rate(settings, iteration, stage.iterations.0, part);
                optimizer.step(critic.weights(), gradients, lr)
            })?;
            report.add("critic_gradient_norm", norm);
        }
    }
    Ok(())
}

/// The message about a term that is not finite, with the value it had last.
fn with_last_value(error: &ObjectiveError, last: &BTreeMap<String, f64>, iteration: usize) -> RunError {
    let mut diagnostic = error.diagnostic();
    if let ObjectiveError::NonFinite(at) = error {
        diagnostic = match last.get(&at.term) {
            Some(value) => diagnostic.help(format!("in iteration {iteration}; the last finite value of `{}` was {value}", at.term)),
            None => diagnostic.help(format!("in iteration {iteration}; `{}` had no finite value before", at.term)),
        };
    }
    RunError::At(Box::new(diagnostic))
}

/// Clips, refuses what is not finite, and makes the step; gives the norm before clipping.
fn apply(
    mut gradients: Gradients,
    settings: &Adamw,
    place: Span,
    whose: &str,
    step: impl FnOnce(&Gradients) -> Result<(), crate::model::ModelError>,
) -> Result<f64, RunError> {
    let norm = match settings.clip_norm {
        Some(most) => gradients.clip(most.0)?,
        None => gradients.norm()?,
    };
    if !norm.is_finite() {
        let message = format!("the gradient of the {whose} is not finite");
        return Err(RunError::At(Box::new(Diagnostic::error("E0504", place, message).help("lower the learning rate or set `clip_norm`"))));
    }
    step(&gradients)?;
    Ok(norm)
}

/// How far the policy has moved since it collected the batch.
fn divergence(batch: &Batch, logp: &[f32], report: &mut Report) {
    let Some(old) = batch.get("old_logp") else { return };
    let n = old.len().max(1) as f64;
    let ratios = old.iter().zip(logp).map(|(old, new)| f64::from(*new) - old);
    let (mut kl, mut clipped, mut gap) = (0.0, 0.0, 0.0f64);
    for d in ratios {
        // the k3 estimate of KL(old ‖ new)
        kl += d.exp() - 1.0 - d;
        clipped += f64::from(u8::from((d.exp() - 1.0).abs() > 0.2));
        gap = gap.max(d.abs());
    }
    if report.updates == 0 {
        report.first_gap = Some(gap);
    }
    report.add("kl", kl / n);
    report.add("clip_fraction", clipped / n);
}

impl Report {
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
