//! Policies, critics, actors and optimisers as a pipeline declares them.

mod actor;
mod adapter;
mod causal_lm;
mod critic;
mod decode;
mod decoder;
mod input;
mod kinds;
mod live;
mod optimizer;
mod published;

pub use actor::{Actor, ActorInput};
pub use adapter::AdapterKind;
pub use causal_lm::CausalLm;
pub use critic::CriticKind;
pub use decode::Decode;
pub use input::{AnyInput, EpisodesInput, PolicyInput, StageInput, TokenizerInput};
pub use kinds::{PolicyKind, Workshop};
pub use live::{Policy, TOKENIZER, WEIGHTS};
pub use optimizer::{Adamw, OptimizerKind};
pub use published::{Loading, Published};
