//! The lines that are exchanged: `docs/process.md` describes them.

pub(super) use crate::env::shown::shown;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the protocol. A program that speaks another one is refused.
pub const PROTOCOL: u32 = 1;

/// Of one line, in either direction, without its end.
pub const MOST_BYTES: usize = 1 << 20;

/// Games of one split.
pub const MOST_TASKS: usize = 1_000_000;

/// Splits, and placeholders.
const MOST_NAMES: usize = 64;

/// What is asked of the program. `episode` is chosen by us; one that was used before begins anew.
#[derive(Debug, Serialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub(super) enum Request<'a> {
    Hello { protocol: u32 },
    Reset { episode: u64, split: &'a str, task: usize, seed: u64 },
    Step { episode: u64, action: &'a str },
    Expert { episode: u64 },
    Close { episode: u64 },
}

impl Request<'_> {
    /// By which its answer is known; 0 of that to `hello`.
    pub(super) fn episode(&self) -> u64 {
        match self {
            Self::Hello { .. } => 0,
            Self::Reset { episode, .. } | Self::Step { episode, .. } | Self::Expert { episode } | Self::Close { episode } => *episode,
        }
    }

    /// With its end.
    ///
    /// # Errors
    /// If it is too long.
    pub(super) fn line(&self) -> Result<String, String> {
        let mut line = serde_json::to_string(self).map_err(|error| error.to_string())?;
        if line.len() > MOST_BYTES {
            return Err(format!("a request of {} bytes is too long; a line has at most {MOST_BYTES}", line.len()));
        }
        line.push('\n');
        Ok(line)
    }
}

/// What tells answers apart.
#[derive(Deserialize)]
pub(super) struct Head {
    #[serde(default)]
    pub episode: u64,
}

#[derive(Deserialize)]
struct Complaint {
    error: String,
}

/// What the program says of itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Hello {
    pub protocol: u32,
    /// Of the environment: it changes when the same task and seed are another game than before.
    pub version: String,
    /// How many tasks each split has, in the program's order.
    pub splits: indexmap::IndexMap<String, usize>,
    /// Whether every observation comes with the actions that are possible.
    #[serde(default)]
    pub admissible: bool,
    /// Whether `expert` may be asked.
    #[serde(default)]
    pub expert: bool,
    /// The texts beside the observation that prompts may have.
    #[serde(default)]
    pub placeholders: Vec<String>,
    /// Whether the same task, seed and actions are the same episode.
    #[serde(default = "yes")]
    pub deterministic: bool,
}

fn yes() -> bool {
    true
}

/// The answer to `reset` and to `step`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts")]
pub(super) struct Scene {
    pub observation: String,
    /// The goal in words; of the answer to `reset`, as what follows up to `valid` is of that to `step`.
    #[serde(default)]
    pub task: String,
    #[serde(default)]
    pub reward: f64,
    #[serde(default)]
    pub terminated: bool,
    #[serde(default)]
    pub truncated: bool,
    #[serde(default)]
    pub success: bool,
    #[serde(default = "yes")]
    pub valid: bool,
    #[serde(default)]
    pub admissible: Vec<String>,
    #[serde(default)]
    pub placeholders: BTreeMap<String, String>,
    /// What is worth reporting of the episode so far.
    #[serde(default)]
    pub figures: BTreeMap<String, f64>,
}

/// The answer to `expert`.
#[derive(Debug, Deserialize)]
pub(super) struct Advice {
    pub action: Option<String>,
}

/// An answer as what it has to be.
///
/// # Errors
/// What the program itself complains of, or in what the line is no such answer.
pub(super) fn read<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    if let Ok(Complaint { error }) = serde_json::from_slice(line) {
        return Err(format!("the program says: {}", shown(error.as_bytes())));
    }
    serde_json::from_slice(line).map_err(|error| format!("`{}` is no answer: {error}", shown(line)))
}

impl Hello {
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn check(&self) -> Result<(), String> {
        let Self { protocol, splits, placeholders, .. } = self;
        if *protocol != PROTOCOL {
            return Err(format!("it speaks version {protocol} of the protocol, and this program version {PROTOCOL}"));
        }
        if splits.is_empty() {
            return Err("it has no splits".into());
        }
        let names = || splits.keys().chain(placeholders);
        if splits.len() > MOST_NAMES || placeholders.len() > MOST_NAMES {
            return Err(format!("it has more than {MOST_NAMES} splits or placeholders"));
        }
        if let Some(name) = names().find(|name| !is_name(name)) {
            return Err(format!("`{}` is no name of a split or a placeholder: letters, digits and `_` are", shown(name.as_bytes())));
        }
        if let Some((split, count)) = splits.iter().find(|(_, count)| !(1..=MOST_TASKS).contains(*count)) {
            return Err(format!("its split `{split}` has {count} tasks; 1 to {MOST_TASKS} can be"));
        }
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_passed_on_and_a_wrong_answer_shown() {
        let said = |line: &str| read::<Scene>(line.as_bytes()).unwrap_err();
        assert_eq!(said(r#"{"episode":1,"error":"no such door"}"#), "the program says: no such door");
        assert!(said(r#"{"episode":1,"reward":1}"#).starts_with(r#"`{"episode":1,"reward":1}` is no answer: missing field `observation`"#));
        assert!(said(r#"{"observation":"x","reward":1e999}"#).contains("number out of range"));
        let step: Scene = read(br#"{"observation":"x","later":[1]}"#).unwrap();
        assert!(step.valid && !step.success && step.reward == 0.0);
    }

    #[test]
    fn a_hello_is_looked_at() {
        let said = |splits: &str, protocol: u32| {
            let line = format!(r#"{{"protocol":{protocol},"version":"1","splits":{splits}}}"#);
            read::<Hello>(line.as_bytes()).and_then(|hello| hello.check()).map_or_else(|message| message, |()| "fine".into())
        };
        assert_eq!(said(r#"{"train":3}"#, 1), "fine");
        assert_eq!(said(r#"{"train":3}"#, 2), "it speaks version 2 of the protocol, and this program version 1");
        assert_eq!(said("{}", 1), "it has no splits");
        assert_eq!(said(r#"{"train":0}"#, 1), "its split `train` has 0 tasks; 1 to 1000000 can be");
        assert_eq!(said(r#"{"a b":1}"#, 1), "`a b` is no name of a split or a placeholder: letters, digits and `_` are");
    }
}
