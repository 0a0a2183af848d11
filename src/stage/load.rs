//! What a stage holds in memory while it runs, as far as its fields tell: for `plan`.

use crate::kind::Part;
use crate::model::{Compute, DecoderConfig, Role, activation_bytes, cache_bytes, gradient_sums_bytes, model_bytes, training_bytes};
use crate::play::SplitField;
use crate::policy::{OptimizerKind, PolicyInput, Size};
use crate::rollout::slots_at_once;
use std::path::Path;

/// The models of a stage, and what is done with them.
#[derive(Clone, Debug, Default)]
pub struct Load<'a> {
    /// The policy that it gives or that plays comes first.
    pub(crate) models: Vec<Held<'a>>,
    /// Episodes that the first of them plays at a time.
    pub(crate) playing: usize,
    /// Rows that are learned from at a time.
    pub(crate) rows: usize,
    /// What is played.
    pub(crate) games: Vec<&'a SplitField>,
}

/// One model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held<'a> {
    pub of: &'a PolicyInput,
    /// What trains it.
    pub optimizer: Option<&'a Part<dyn OptimizerKind>>,
}

/// What is known of the stages that give a stage its inputs.
pub(crate) trait Inputs {
    /// Where fetched models are kept.
    fn models(&self) -> &Path;

    /// The most tokens of the tokenizer that a field is given.
    fn vocabulary(&self, field: &str) -> Option<usize>;

    /// The size of the policy that a field is given.
    fn policy(&self, field: &str) -> Option<Size>;
}

/// Bytes, by what they are for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Memory {
    /// Weights, gradients and what optimisers keep.
    pub models: u64,
    /// Between forward and backward passes, and of threads' sums of gradients: at most.
    pub training: u64,
    /// Keys and values of episodes that are played: at most.
    pub playing: u64,
    /// Of games in programs of their own.
    pub games: u64,
}

impl Memory {
    pub(crate) fn all(&self) -> u64 {
        [self.training, self.playing, self.games].into_iter().fold(self.models, u64::saturating_add)
    }
}

impl Load<'_> {
    /// The size of its first model, where that is known.
    pub(crate) fn policy(&self, inputs: &dyn Inputs) -> Option<Size> {
        size(self.models.first()?.of, inputs)
    }

    /// `None` where the size of a model is not known.
    pub(crate) fn memory(&self, cpu: bool, threads: usize, inputs: &dyn Inputs) -> Option<Memory> {
        let mut memory =
            Memory { games: self.games.iter().map(|split| split.environment.world.beside()).max().unwrap_or(0), ..Memory::default() };
        for (index, held) in self.models.iter().enumerate() {
            let Size { config, trained } = size(held.of, inputs)?;
            memory.models = memory.models.saturating_add(model_bytes(&config, cpu));
            if let Some(optimizer) = held.optimizer {
                memory.models = memory.models.saturating_add(training_bytes(trained, kept(&config, trained, &**optimizer)));
                let tokens = self.rows.saturating_mul(config.context);
                let activations = activation_bytes(&config, tokens).min(Compute::default().keep as u64);
                // One model is learned after the other.
                memory.training = memory.training.max(activations.saturating_add(gradient_sums_bytes(tokens, trained)));
            }
            if index == 0 && self.playing > 0 {
                memory.playing = cache_bytes(&config, 4, slots_at_once(self.playing, threads).saturating_mul(config.context));
            }
        }
        Some(memory)
    }
}

fn size(policy: &PolicyInput, inputs: &dyn Inputs) -> Option<Size> {
    match policy {
        PolicyInput::New(part) => part.size(inputs.models(), &|field| inputs.vocabulary(field)),
        PolicyInput::Stage(stage) => inputs.policy(&stage.field),
    }
}

/// Numbers that an optimiser keeps.
fn kept(config: &DecoderConfig, trained: usize, optimizer: &dyn OptimizerKind) -> usize {
    let keeps = |role| optimizer.keeps(role).len();
    let ends = config.vocab.saturating_mul(config.width).saturating_mul(if config.tied { 1 } else { 2 });
    // An adapter has none of the ends.
    let ends = if trained < config.parameters() { 0 } else { ends };
    (trained - ends).saturating_mul(keeps(Role::Matrix)).saturating_add(ends.saturating_mul(keeps(Role::Embedding)))
}
