//! The official ALFWorld text games: files in PDDL with a grammar, as `alfworld-download` fetches them. All rules and words are
//! in the files; this module knows how files lie in folders, how objects are numbered, and how the official loader chooses.
//!
//! A game's id is its folder below the root: `valid_seen/<task>/<trial>`. [`Alfworld`] is the environment, [`check`] replays
//! recordings of the reference.

mod check;
mod episode;
mod error;
mod file;
mod folder;
mod goals;
mod names;
mod search;
mod world;

pub use check::{Difference, Report, check};
pub use error::AlfworldError;
pub use file::GameFile;
pub use folder::{RELEASE, SPLITS, TASK_TYPES};
pub(crate) use folder::{RELEASE_NAME, locate, usual_cache};
pub use goals::Goals;
pub use names::ClassNames;
pub use world::{Alfworld, AlfworldConfig, Expert};

/// What the reference answers to a command that it does not understand or that is not possible now.
pub const REFUSAL: &str = "Nothing happens.";

/// The goal in words: what follows the first colon of the opening's last paragraph, or all of that paragraph.
fn goal_sentence(opening: &str) -> &str {
    let last = opening.trim_end().rsplit("\n\n").next().unwrap_or(opening);
    last.split_once(": ").map_or(last, |(_, goal)| goal).trim()
}
