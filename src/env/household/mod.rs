//! `household`: text rooms generated from a seed. Find an object, do to it what the goal asks, bring it where the goal says.

mod combination;
mod config;
mod dice;
mod expert;
mod generate;
mod layout;
mod words;

pub use combination::Combination;
pub use config::{Config, ConfigError};
pub use layout::{Layout, Spot, Thing};
pub use words::{Family, Object, Receptacle, Room};
