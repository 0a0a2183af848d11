//! `household`: text rooms generated from a seed. Find an object, do to it what the goal asks, bring it where the goal says.
//!
//! ```
//! use epo::env::{Environment, World, household::{Config, Household}};
//!
//! let world = Household::new(Config::quickstart())?;
//! let panel = world.panel("train", Some(10))?;
//! let mut game = world.instance()?;
//! let first = game.reset(&panel.tasks[0], 0)?;
//! assert_eq!(first.task, "put a pen in a shelf of the kitchen.");
//! assert_eq!(first.text, "in kitchen: drawer 1, drawer 2, shelf 1, shelf 2, stove 1, table 1. holding nothing.");
//! assert_eq!(game.step("go to drawer 1")?.observation, "at drawer 1: closed. holding nothing.");
//! assert_eq!(game.step("take the pen")?.observation, "not possible. at drawer 1: closed. holding nothing.");
//! assert_eq!(game.expert()?.as_deref(), Some("open drawer 1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The game
//! - Commands: `go to shelf 2`, `go to kitchen` (in a house of several rooms), `open` and `close fridge 1`, `take mug 1 from shelf 2`,
//!   `put mug 1 in shelf 2`, `clean … with sink 1`, `heat … with microwave 1`, `cool … with fridge 1`, `turn on` and `turn off desklamp 1`,
//!   `look`, `inventory`. One holds one object at a time.
//! - Every observation ends with the whole scene: where one stands, what is there, what one holds, and whether that is clean, hot or cold.
//!   Texts are short and of one form, for small models: a scene has about 15 words and signs.
//! - Reward 1 when the goal holds, and the game is over. There is no limit on turns; the engine has one.
//! - The rules are `domain.pddl`, the words `text.grammar`, both for the shared interpreter ([`crate::env::pddl`]);
//!   `Layout::problem` writes a house for it.
//!
//! # The goals
//! Six families: `put`; `clean`, `heat`, `cool` (and put); `look` (hold an object under a lit lamp); `two` (put two into one receptacle).
//! No object of the goal's class begins in a receptacle of the goal's class, and there are no more of them than are needed.
//!
//! # The splits
//! See [`Household`].

mod combination;
mod config;
mod dice;
mod expert;
mod game;
mod generate;
mod instance;
mod layout;
mod problem;
mod rehearsal;
mod words;
mod world;

pub use config::{Config, ConfigError};
pub use generate::SPLITS;
pub use words::{Family, Object, Receptacle, Room};
pub use world::Household;

#[cfg(test)]
mod tests;
