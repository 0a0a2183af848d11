//! `sft`: supervised learning from episodes.

use super::context::{Context, InputFolder, Progress};
use super::contract::{Figure, Output, Stage};
use super::error::RunError;
use super::length::{Length, depends_on_length};
use super::lessons::Lessons;
use super::load::{Held, Load};
use super::minibatch::{Keep, Minibatches};
use super::outside::Outside;
use super::policies::policy;
use super::shares::shares;
use super::updater::{POLICY, Spoilt, Updater, compute, not_finite};
use crate::equation::Now;
use crate::kind;
use crate::kind::{Artifact, Count, NonNegative, Part, Positive, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::Component;
use crate::model::{ScoreGradients, evaluate};
use crate::policy::{Adamw, EpisodesInput, OptimizerKind, Policy, PolicyInput};
use crate::store::{Failure, MetricRecord, read_json, read_metrics, write_json};
use serde::{Deserialize, Serialize};
use std::path::Path;

const STATE: &str = "state.json";

/// Points of the curves, and checkpoints, of a whole run at most.
const RECORDS: usize = 60;
const CHECKPOINTS: usize = 10;

kind! {
    /// Supervised learning: maximises the log-probability of the actions in the episodes, each given its prompt. A policy that chooses among
    /// admissible actions learns the choices: what it is asked later is what it learns now.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   policy = decoder { tokenizer = words }
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     shown = collect { on = house.train, actor = expert, episodes = 20 }
    ///     warm  = sft { episodes = shown, epochs = 2, minibatch = 32, optimizer = adamw { lr = 1e-3 } }
    ///     test  = evaluate { policy = warm, on = house.train }
    ///     page  = report { of = [warm, test] }
    ///   }
    /// }
    /// ```
    pub(crate) struct Sft as "sft" {
        /// What is learned from. Of episodes with labels (`collect` with `label`) the labels are, and turns without one are left out.
        episodes: Vec<EpisodesInput> [required],
        /// How much a row counts that is of the first of them, of the second, and so on; left out, all count alike. The loss is the mean over all tokens of
        /// a minibatch with these weights.
        weights: Vec<Positive> [added default Vec::new()],
        /// How much the text of the prompts counts, whose tokens are foretold too: what environments say and repeat is learned with what to do about it,
        /// which a small decoder learns sooner so. Added to the loss is this times the mean negative log-probability of the tokens of prompts, each
        /// token once: what was in the prompts before, and what was answered to them, is left out.
        prompts: NonNegative [added default NonNegative(0.0)],
        /// What is trained.
        policy: PolicyInput [inherit],
        /// Passes over all rows.
        epochs: Count<1_000_000> [default Count(1)],
        /// Rows of one update; a row is one turn.
        minibatch: Count [default Count(32)],
        /// What a minibatch may not tear apart; `groups` are the episodes of one task.
        keep: Keep [added default Keep::Rows],
        /// Rows that are propagated at once; changes memory, not the update.
        micro_batch: Count [untouched default Count(16)],
        /// Of every layer only input, keys and values are kept for the backward pass, and the rest computed again: less memory, more time, the same update.
        checkpointing: bool [untouched default false],
        /// The optimiser.
        optimizer: Part<dyn OptimizerKind> [inherit default Adamw::standard()],
    }
}

impl Sft {
    pub(crate) const OUTPUTS: &[Output] =
        &[Output { name: "policy", artifact: Artifact::Policy }, Output { name: "metrics", artifact: Artifact::Metrics }];

    pub(crate) fn read_checked(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let read = Self::read_fields(component, reader)?;
        let (weights, sources) = (read.weights.len(), read.episodes.len());
        if weights != 0 && weights != sources {
            let place = component.fields.get("weights").map_or(component.kind_span, |field| field.value.span);
            let message = format!("`weights` has {weights} of {sources} numbers");
            reader
                .report(Diagnostic::error("E0202", place, message).help("`weights` has one number for each of `episodes`, in their order"));
            return None;
        }
        Some(read)
    }
}

impl Stage for Sft {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn outputs(&self) -> Vec<Output> {
        Self::OUTPUTS.to_vec()
    }

    fn draws(&self) -> bool {
        true
    }

    fn arithmetic(&self) -> Vec<Figure> {
        let kept = (self.keep != Keep::Rows).then(|| Figure::new("kept together in a minibatch", self.keep.word()));
        [Figure::new("epochs", self.epochs.0.to_string()), Figure::new("rows per update", self.minibatch.0.to_string())]
            .into_iter()
            .chain(kept)
            .collect()
    }

    fn length(&self) -> Option<Length> {
        Some(Length { field: "epochs", count: self.epochs.0 as u64 })
    }

    fn continues(&self, shorter: &Path, checkpoint: u64) -> Result<Vec<&'static str>, String> {
        depends_on_length(&[("optimizer", &self.optimizer)])?;
        let records = read_metrics(shorter).map_err(|error| error.to_string())?;
        // The mean since the last point is part of a checkpoint: the points of both curves must be the same.
        let per_epoch = records.iter().find_map(|r| Some(r.iteration as f64 / r.values.get("epoch")?));
        let total = |epochs: f64| (per_epoch.unwrap_or_default() * epochs).round() as usize;
        let (had, has) = (records.first().map_or(0, |r| r.iteration as usize), total(self.epochs.0 as f64).div_ceil(RECORDS).max(1));
        match had == has && checkpoint > 0 {
            true => Ok(Vec::new()),
            false => Err(format!("its curve has a point every {had} updates, that of the longer run every {has}")),
        }
    }

    fn load(&self) -> Load<'_> {
        Load { models: vec![Held { of: &self.policy, optimizer: Some(&self.optimizer) }], rows: self.minibatch.0, ..Load::default() }
    }

    fn outside(&self) -> Vec<Outside<'_>> {
        Outside::policy(&self.policy).into_iter().collect()
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        run(self, context)
    }
}

/// Sums since the last record; part of a checkpoint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Sums {
    nll: f64,
    entropy: f64,
    /// With their weights.
    tokens: f64,
    #[serde(default)]
    prompts: f64,
    norm: f64,
    updates: f64,
}

impl Sums {
    /// Means since the last point; with those of prompts, if they are learned.
    fn means(&self, done: u64, prompts: bool) -> MetricRecord {
        let record = MetricRecord::new(done).with("loss/nll", self.nll / self.tokens).with("entropy", self.entropy / self.tokens);
        let record = record.with("gradient_norm", self.norm / self.updates);
        if prompts { record.with("loss/prompts", self.prompts / self.updates) } else { record }
    }
}

fn run(stage: &Sft, context: &mut dyn Context) -> Result<(), RunError> {
    let policy = policy(context, &stage.policy)?;
    let (mut lessons, weights) = lessons(stage, context, &policy)?;
    let cuts = lessons.cuts();
    cuts.warn(context);
    let minibatches = Minibatches::new(stage.keep, lessons.len(), [&lessons.episodes, &lessons.groups], stage.minibatch.0);
    let per_epoch = minibatches.count;
    let (total, epochs) = (per_epoch * stage.epochs.0, stage.epochs.0 as f64);
    let mut updater = Updater::new(policy.weights.clone(), &stage.optimizer)?;
    let (mut start, mut sums) = (0, Sums::default());
    if let Some(checkpoint) = context.folder().checkpoint() {
        updater.restore(&checkpoint.folder, POLICY)?;
        sums = read_json(&checkpoint.file(STATE))?;
        start = checkpoint.iteration as usize;
    }
    let record_every = total.div_ceil(RECORDS).max(1);
    let save_every = total.div_ceil(CHECKPOINTS).max(1);
    let compute = compute(context, stage.micro_batch.0, stage.checkpointing);
    let mut order = (usize::MAX, Vec::new());
    for update in start..total {
        let epoch = update / per_epoch;
        if order.0 != epoch {
            order = (epoch, minibatches.draw(context.seeds().child("epoch", epoch as u64)));
        }
        let chosen = &order.1[update % per_epoch];
        let mut minibatch = lessons.rows(chosen)?;
        let known = |i: usize| (stage.prompts.0 > 0.0).then(|| lessons.known(i));
        let learned = minibatch.iter_mut().zip(chosen.iter().map(|&i| (weights[i], known(i))));
        let (actions, prompts) = shares(learned);
        let evaluation = evaluate(&policy.weights, &minibatch, policy.temperature(), &compute)?;
        let tokens = actions.sum();
        let (nll, entropy) = (-actions.mean(&evaluation.scores.logp), actions.mean(&evaluation.scores.entropy));
        let foretold = -prompts.mean(&evaluation.scores.logp);
        let progress = update as f64 / total as f64;
        let now = Now { iteration: progress * epochs, iterations: epochs, progress };
        let lr = updater.rate(now);
        let refusal = |spoilt| {
            let last = if sums.tokens > 0.0 { format!("; its last mean was {:.4}", sums.nll / sums.tokens) } else { String::new() };
            let message = match spoilt {
                Spoilt::Gradient => format!("the loss is not finite in update {} of {total} (learning rate {lr:e}){last}", update + 1),
                Spoilt::Weights { name, rate } => {
                    format!("`{name}` is not finite after update {} of {total} (learning rate {rate:e})", update + 1)
                }
            };
            not_finite(stage.optimizer.span, message)
        };
        if !(nll + foretold).is_finite() {
            return Err(refusal(Spoilt::Gradient));
        }
        let slope = |(action, prompt): (f64, f64)| (-action - stage.prompts.0 * prompt) as f32;
        let slopes = ScoreGradients { logp: actions.parts().zip(prompts.parts()).map(slope).collect(), entropy: Vec::new() };
        let done = update + 1;
        let recorded = done.is_multiple_of(record_every) || done == total;
        if recorded && context.looks().gradients {
            updater.look();
        }
        let norm = updater.step(evaluation.backward(&slopes)?, now, refusal)?;
        sums = Sums {
            nll: sums.nll + nll * tokens,
            entropy: sums.entropy + entropy * tokens,
            tokens: sums.tokens + tokens,
            prompts: sums.prompts + foretold,
            norm: sums.norm + norm,
            updates: sums.updates + 1.0,
        };
        if recorded {
            let loss = sums.nll / sums.tokens;
            let record = sums.means(done as u64, stage.prompts.0 > 0.0).with("learning_rate", lr);
            let record = record.with("prompt_cut", cuts.prompt_share()).with("epoch", done as f64 / per_epoch as f64);
            let record = cuts.full_share().into_iter().fold(record, |record, share| record.with("conversation_full", share));
            context.ranks().agree(&format!("update {done}"), &record)?;
            context.folder().metric(&record)?;
            sums = Sums::default();
            for (name, histogram) in updater.seen() {
                context.histogram(done as u64, &format!("gradient/policy/{name}"), histogram);
            }
            let notes = vec![("loss", format!("{loss:.3}")), ("epoch", format!("{:.1}", done as f64 / per_epoch as f64))];
            context.progress(Progress { done: done as u64, total: total as u64, unit: "updates", notes });
        }
        let stop = context.ranks().first_says(context.interrupted())?;
        let due = done.is_multiple_of(save_every);
        if (due || stop) && done < total {
            let fill = |folder: &Path| -> Result<(), Failure> {
                updater.save(folder, POLICY)?;
                Ok(write_json(&folder.join(STATE), &sums)?)
            };
            match due {
                true => context.folder().save_checkpoint(done as u64, fill)?,
                false => context.folder().save_before_stop(done as u64, fill)?,
            }
        }
        if stop && done < total {
            return Err(RunError::Interrupted);
        }
    }
    context.folder().write_output("policy", |folder| Ok(policy.save(folder)?))?;
    Ok(())
}

/// What is learned, and the weight of each row.
fn lessons<'a>(stage: &Sft, context: &mut dyn Context, policy: &'a Policy) -> Result<(Lessons<'a>, Vec<f64>), RunError> {
    let (mut found, mut weights) = (Lessons::new(policy), Vec::new());
    // Each item of the list has the same field, and each input is of one item.
    let mut left = stage.episodes.first().map_or_else(Vec::new, |first| context.inputs(&first.0.field));
    for (source, given) in stage.episodes.iter().enumerate() {
        let (own, others) = left.into_iter().partition(|input| input.span == given.0.span);
        left = others;
        let own: Vec<InputFolder> = own;
        for input in own {
            found.add(input.folder.join("episodes.jsonl"), &input.task_name(), &mut |read| {
                context.progress(Progress { done: read as u64, total: 0, unit: "episodes", notes: Vec::new() });
                if context.interrupted() { Err(RunError::Interrupted) } else { Ok(()) }
            })?;
        }
        weights.resize(found.len(), stage.weights.get(source).map_or(1.0, |weight| weight.0));
    }
    if found.len() == 0 {
        return Err(RunError::Failed("there is nothing to learn: the episodes have no turn with a choice, or none with a label".into()));
    }
    Ok((found, weights))
}
