//! `household`: text rooms generated from a seed. Find an object, do to it what the goal asks, bring it where the goal says.

mod bench;
mod combination;
mod config;
mod dice;
mod expert;
mod game;
mod generate;
mod layout;
mod play;
mod problem;
mod words;
mod world;

pub use bench::{BenchReport, bench};
pub use combination::Combination;
pub use config::{Config, ConfigError};
pub use layout::{Layout, Spot, Thing};
pub use words::{Family, Object, Receptacle, Room};
pub use world::{EXPERT_TURNS, Household};

#[cfg(test)]
mod tests;
