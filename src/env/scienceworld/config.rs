//! What a user sets of ScienceWorld.

use super::episode::{Mode, SIMPLIFICATIONS};
use super::jvm::Limits;
use super::splits::{Choice, suggestion};
use serde::{Deserialize, Serialize};

/// Which end of a game counts as success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Success {
    /// All goals are met: a score of 100.
    #[default]
    Strict,
    /// The measure of the papers: the game has ended, for whatever reason, with a score above 0. An agent that scores once and then waits
    /// for the move limit fulfils it.
    Paper,
}

/// What a step is rewarded with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reward {
    /// The change of the score, in hundredths. What `look around` scores at the reset belongs to no step.
    #[default]
    Score,
    /// 1 at the step that ends the game with success, otherwise 0.
    Success,
}

/// Serialised, it holds all that can change a result: part of a plan's digests.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Config {
    /// `easy`, or any of [`SIMPLIFICATIONS`] with commas between, or empty.
    pub simplification: String,
    /// What is listed after each action.
    pub mode: Mode,
    /// When an episode counts as won.
    pub success: Success,
    /// What a step is worth.
    pub reward: Reward,
    /// A game of more moves than this is truncated; `None` for no limit.
    pub move_limit: Option<u32>,
    /// Which games of a split are played.
    pub choice: Choice,
    /// Insists on a Java with which the same actions give the same game.
    pub repeatable: bool,
    /// Of the Java processes; no part of what is serialised.
    #[serde(skip)]
    pub limits: Limits,
}

/// As in the papers, except for the measure of success.
impl Default for Config {
    fn default() -> Self {
        Self {
            simplification: "easy".into(),
            mode: Mode::default(),
            success: Success::default(),
            reward: Reward::default(),
            move_limit: Some(100),
            choice: Choice::default(),
            repeatable: true,
            limits: Limits::default(),
        }
    }
}

/// Whether the simulator knows the simplification; it would say so only at the first step.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check_simplification(simplification: &str) -> Result<(), String> {
    let known = || std::iter::once("easy").chain(SIMPLIFICATIONS);
    for label in simplification.split(',').filter(|_| !simplification.is_empty()) {
        if !known().any(|word| word == label) {
            let words = known().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            return Err(format!("ScienceWorld has no simplification `{label}`{}; there are {words}", suggestion(label, known())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simplifications() {
        for good in ["", "easy", "teleportAction,openDoors", "openContainers"] {
            assert_eq!(check_simplification(good), Ok(()));
        }
        let message = check_simplification("easy,openDoor").expect_err("misspelt");
        assert!(
            message.starts_with(
                "ScienceWorld has no simplification `openDoor`; did you mean `openDoors`?; there are `easy`, `teleportAction`"
            ),
            "{message}"
        );
        assert!(check_simplification("easy, openDoors").is_err(), "the simulator takes no spaces");
    }
}
