//! Policies, critics, actors and optimisers as a pipeline declares them.

mod actor;
mod adapter;
#[cfg(feature = "serve")]
mod alone;
mod arguments;
mod causal_lm;
mod conversation;
mod critic;
mod decode;
mod decoder;
mod endpoint;
mod input;
mod kinds;
mod live;
mod optimizer;
mod published;

pub(crate) use actor::{Actor, ActorInput};
pub(crate) use adapter::AdapterKind;
pub(crate) use arguments::Arguments;
pub(crate) use conversation::{Listener, Talk};
pub(crate) use critic::{CriticKind, Estimator};
pub(crate) use decode::Decode;
pub(crate) use endpoint::Endpoint;
pub(crate) use input::{AnyInput, EpisodesInput, PolicyInput, StageInput, StateInput};
pub(crate) use kinds::{PolicyKind, Size, Workshop};
pub(crate) use live::{Policy, TOKENIZER, WEIGHTS};
pub(crate) use optimizer::{Adamw, OptimizerKind};
pub(crate) use published::{Loading, Published};
