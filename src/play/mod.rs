//! Between an environment and a language model: what the model is shown, what of its answer is done, what that costs and earns.

mod action;
mod alfworld;
mod conversation;
mod elsewhere;
mod environment;
mod household;
mod openenv;
mod process;
mod prompt;
mod scienceworld;
mod shared;
mod split;
mod template;
mod worlds;

pub(crate) use action::{Reading, WellFormed};
pub(crate) use conversation::{Full, Limits, Past};
pub use environment::WorldKind;
pub(crate) use environment::{EnvironmentSpec, Interaction};
pub(crate) use prompt::{Cut, EXPLAINED, Form, HistoryEntry, Moment, PromptKind};
pub(crate) use split::{Games, SplitField};
pub(crate) use worlds::{WITH_DATA, add};
