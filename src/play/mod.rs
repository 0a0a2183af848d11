//! Between an environment and a language model: what the model is shown, what of its answer is done, what that costs and earns.

mod action;
mod alfworld;
mod environment;
mod household;
mod prompt;
mod scienceworld;
mod split;
mod template;
mod worlds;

pub use action::{Reading, WellFormed};
pub use environment::{EnvironmentSpec, Interaction, WorldKind};
pub use prompt::{Cut, HistoryEntry, Moment, PromptKind, Windowed};
pub use split::{Games, SplitField};
pub use template::Template;
pub use worlds::WITH_DATA;
