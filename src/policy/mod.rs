//! Policies, critics, actors and optimisers as a pipeline declares them.

mod actor;
mod adapter;
mod causal_lm;
mod critic;
mod decode;
mod decoder;
mod input;
mod live;
mod optimizer;
mod published;

pub use actor::{Actor, ActorInput, ActorKind};
pub use adapter::{AdapterKind, Lora, Target};
pub use causal_lm::CausalLm;
pub use critic::{CriticKind, ValueHead};
pub use decode::{Choose, Decode, DecodeKind, Sample};
pub use decoder::{Decoder, PolicyKind};
pub use input::{AnyInput, EpisodesInput, PolicyInput, StageInput, TokenizerInput};
pub use live::{Policy, TOKENIZER, WEIGHTS};
pub use optimizer::{Adamw, OptimizerKind};
pub use published::{Loading, Published};
