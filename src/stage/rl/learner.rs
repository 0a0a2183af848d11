//! Everything that an RL stage trains or compares with.

use super::super::context::Context;
use super::super::error::RunError;
use super::super::histogram::Histogram;
use super::super::policies::policy;
use super::super::updater::{Updater, compute};
use super::fields::Rl;
use super::figures::Figures;
use super::rewards::Rewards;
use crate::equation::Now;
use crate::lang::Diagnostics;
use crate::model::{Compute, Row, Weights, score, score_with_figures};
use crate::objective::{Advantage, Batch, History, Mixture, Needs, Objective, Rows, TextQuestion};
use crate::policy::{Decode, Estimator, Policy, PolicyInput, WEIGHTS};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) struct Learner {
    pub policy: Policy,
    pub updater: Updater,
    pub critic: Option<(Estimator, Updater)>,
    /// For `ref_logp`, if an equation mentions it.
    pub reference: Option<Arc<Weights>>,
    /// For `teacher_logp`, if an equation mentions it.
    pub teacher: Option<Arc<Weights>>,
    /// What the loss asks of the distributions of a minibatch.
    pub figures: Figures,
    pub objective: Objective,
    pub advantage: Option<Advantage>,
    pub rewards: Rewards,
    pub history: History,
    /// What the weights of the splits depend on, where it is what was played.
    pub mixture: Option<Mixture>,
    pub compute: Compute,
    pub decode: Decode,
    pub temperature: f64,
    /// The terms of the last evaluation, for the message about one that is not finite. Not part of a checkpoint: it changes no result.
    pub last_terms: BTreeMap<String, f64>,
    iterations: usize,
}

impl Learner {
    /// The gradients of the next update are looked at.
    pub(crate) fn look_at_gradients(&mut self) {
        self.updater.look();
        if let Some((_, updater)) = &mut self.critic {
            updater.look();
        }
    }

    /// How the gradients that were looked at are spread: `policy/layers.0…`, `critic/…`.
    pub(crate) fn seen(&mut self) -> Vec<(String, Histogram)> {
        let critic = self.critic.as_mut().map(|(_, updater)| ("critic", updater));
        let named = |(whose, updater): (&str, &mut Updater)| {
            updater.seen().into_iter().map(move |(name, seen)| (format!("{whose}/{name}"), seen)).collect::<Vec<_>>()
        };
        [("policy", &mut self.updater)].into_iter().chain(critic).flat_map(named).collect()
    }

    pub(crate) fn new(stage: &Rl, context: &mut dyn Context) -> Result<Self, RunError> {
        let (objective, advantage) =
            stage.equations(&mut Diagnostics::default()).ok_or_else(|| RunError::Failed("the equations do not check".into()))?;
        let rewards =
            stage.checked_rewards(&mut Diagnostics::default()).ok_or_else(|| RunError::Failed("the rewards do not check".into()))?;
        let needs = match &advantage {
            Some(advantage) => objective.needs().with(advantage.needs()),
            None => objective.needs().clone(),
        };
        let start = policy(context, &stage.policy)?;
        let decode = stage.decode.as_ref().map_or_else(|| start.decode.clone(), |decode| Decode::clone(decode));
        let temperature = decode.learned_temperature();
        let updater = Updater::new(start.weights.clone(), &stage.optimizer)?;
        let reference = match (needs.reference(), &stage.reference) {
            (false, _) => None,
            (true, None) => Some(Arc::new(start.weights.duplicate()?)),
            (true, Some(given)) => Some(of_same_vocabulary(context, given, &start, "reference")?),
        };
        let teacher = match &stage.teacher {
            Some(given) if needs.teacher() => Some(of_same_vocabulary(context, given, &start, "teacher")?),
            _ => None,
        };
        let figures = Figures::of(objective.needs(), reference.as_ref(), teacher.as_ref());
        let critic = match (needs.critic(), &stage.critic) {
            (true, Some(kind)) => {
                let critic = match kind.backbone() {
                    None => kind.make(&start.weights)?,
                    Some(backbone) => kind.make(&policy(context, backbone)?.weights)?,
                };
                let updater = Updater::new(critic.weights().clone(), kind.optimizer().unwrap_or(&stage.optimizer))?;
                Some((critic, updater))
            }
            _ => None,
        };
        Ok(Self {
            policy: start,
            updater,
            critic,
            reference,
            teacher,
            figures,
            objective,
            advantage,
            rewards,
            history: History::default(),
            mixture: stage.mixture(),
            compute: compute(context, stage.micro_batch.0, stage.checkpointing),
            decode,
            temperature,
            last_terms: BTreeMap::new(),
            iterations: stage.iterations.0,
        })
    }

    /// Takes the temperature of an iteration, where it changes.
    pub(crate) fn warm(&mut self, stage: &Rl, iteration: usize) {
        if let Some(schedule) = &stage.temperature {
            let temperature = schedule.at(stage.beginning_of(iteration));
            self.decode = self.decode.at(temperature);
            self.temperature = self.decode.learned_temperature();
        }
    }

    /// How often a task of an iteration is drawn from each split.
    pub(crate) fn weights(&self, stage: &Rl, iteration: usize) -> Result<Vec<f64>, RunError> {
        let now = stage.beginning_of(iteration);
        let found = match &self.mixture {
            Some(mixture) => mixture.at(&moment(now)?, &self.history)?,
            None => stage.weights_at(now).unwrap_or_default(),
        };
        let weights: Vec<f64> = found.into_iter().map(|weight| weight.max(0.0)).collect();
        let nothing = weights.iter().sum::<f64>() <= 0.0;
        Ok(if nothing { vec![1.0; weights.len()] } else { weights })
    }

    /// What the loss and the advantage need together.
    pub(crate) fn needs(&self) -> Needs {
        match &self.advantage {
            Some(advantage) => self.objective.needs().with(advantage.needs()),
            None => self.objective.needs().clone(),
        }
    }

    /// What the equations and the rewards ask of the texts of the turns.
    pub(crate) fn questions(&self) -> BTreeSet<TextQuestion> {
        self.needs().texts.into_iter().chain(self.rewards.questions()).collect()
    }

    /// What the trainer, the reference and the critic say of the collected rows.
    pub(crate) fn look(&self, batch: &mut Batch, rows: &[Row]) -> Result<(), RunError> {
        let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<f64>>();
        for (name, other) in [("ref_logp", &self.reference), ("teacher_logp", &self.teacher)] {
            if let Some(other) = other.as_ref().filter(|_| self.needs().has(name)) {
                let scores = score(other, rows, self.temperature, &self.compute)?;
                set(batch, name, wide(scores.logp))?;
            }
        }
        if let Some((critic, _)) = &self.critic {
            let values = wide(critic.values(&self.policy.weights, rows, &self.compute)?);
            set(batch, "value", values.clone())?;
            set(batch, "old_value", values)?;
        }
        let figures = Figures::of(&self.needs(), self.reference.as_ref(), self.teacher.as_ref());
        if !figures.is_empty() {
            let others = figures.others(rows, &self.compute)?;
            let (_, found) = score_with_figures(&self.policy.weights, rows, self.temperature, figures.asked(&others), &self.compute)?;
            figures.set(batch, &found)?;
        }
        // Only an equation that compares the sampler with the trainer can tell them apart.
        if self.needs().has("rollout_logp") {
            let scores = score(&self.policy.weights, rows, self.temperature, &self.compute)?;
            set(batch, "old_logp", wide(scores.logp))?;
        }
        Ok(())
    }

    /// Adds to the rewards, evaluates the advantage on the whole batch and adds it, with `returns` where there is one, and what the loss asks of the whole
    /// batch. Gives the advantage's mean size.
    pub(crate) fn estimate(&self, batch: &mut Batch, iteration: usize) -> Result<Option<f64>, RunError> {
        let progress = iteration as f64 / self.iterations as f64;
        batch.set_time(iteration as f64, self.iterations as f64, progress).map_err(|e| RunError::Failed(e.to_string()))?;
        self.rewards.shape(batch)?;
        let mean_size = self.add_advantage(batch)?;
        self.objective.collect(batch, &self.history)?;
        Ok(mean_size)
    }

    fn add_advantage(&self, batch: &mut Batch) -> Result<Option<f64>, RunError> {
        let Some(advantage) = &self.advantage else { return Ok(None) };
        let estimate = advantage.evaluate(batch, &self.history)?;
        let sizes: Vec<f64> = estimate.advantage.iter().flatten().map(|a| a.abs()).collect();
        let wrong = |error: crate::objective::BatchError| RunError::Failed(error.to_string());
        batch.set_partly("advantage", &estimate.advantage).map_err(wrong)?;
        if let Some(returns) = estimate.returns {
            batch.set_partly("returns", &returns).map_err(wrong)?;
        }
        Ok(Some(sizes.iter().sum::<f64>() / sizes.len().max(1) as f64))
    }

    /// Adds the iteration to what `history` remembers, and works out what is handed on to the next. Gives the numbers that this one was handed, as metrics.
    pub(crate) fn remember(&mut self, mut batch: Batch, rows: &[Row]) -> Result<Vec<(String, f64)>, RunError> {
        let of_advantage = self.advantage.iter().flat_map(|advantage| advantage.carried(&self.history));
        let carried: Vec<(String, f64)> = self.objective.carried(&self.history).into_iter().chain(of_advantage).collect();
        if self.needs().updated {
            let scores = score(&self.policy.weights, rows, self.temperature, &self.compute)?;
            set(&mut batch, "logp", scores.logp.into_iter().map(f64::from).collect())?;
        }
        self.objective.record(&batch, &mut self.history)?;
        if let Some(advantage) = &self.advantage {
            advantage.record(&batch, &mut self.history)?;
        }
        Ok(carried.into_iter().map(|(name, number)| (format!("carry/{name}"), number)).collect())
    }

    pub(crate) fn write_outputs(&self, context: &mut dyn Context) -> Result<(), RunError> {
        let folder = context.folder();
        folder.write_output("policy", |at| Ok(self.policy.save(at)?))?;
        if let Some((critic, _)) = &self.critic {
            folder.write_output("critic", |at| Ok(critic.weights().save(&at.join(WEIGHTS))?))?;
        }
        Ok(())
    }
}

/// A batch of nothing that says when it is.
fn moment(now: Now) -> Result<Batch, RunError> {
    let made = Batch::new(Rows { lengths: vec![0], ..Rows::default() }).and_then(|mut batch| {
        batch.set_time(now.iteration, now.iterations, now.progress)?;
        Ok(batch)
    });
    made.map_err(|error| RunError::Failed(error.to_string()))
}

/// A policy that reads and writes the same tokens as the one that learns.
fn of_same_vocabulary(context: &mut dyn Context, given: &PolicyInput, own: &Policy, who: &str) -> Result<Arc<Weights>, RunError> {
    let other = policy(context, given)?;
    if !other.tokenizer.agrees(&own.tokenizer) {
        let message = format!("the {who} has another vocabulary than the policy, so it has no word on the policy's tokens");
        return Err(RunError::Failed(format!("{message}; a {who} is made with the same tokenizer")));
    }
    Ok(other.weights)
}

pub(crate) fn set(batch: &mut Batch, quantity: &str, values: Vec<f64>) -> Result<(), RunError> {
    batch.set(quantity, values).map_err(|e| RunError::Failed(e.to_string()))
}
