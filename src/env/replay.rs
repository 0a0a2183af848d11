//! What comes of replaying recorded play: one form for all environments.

use serde::Serialize;
use std::fmt::{self, Display};

/// How far a replay agrees with what was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// What was compared, counted: (`recordings`, 260), (`moments`, 20958).
    pub compared: Vec<(&'static str, usize)>,
    /// All of them, also those that are no examples.
    pub differences: usize,
    /// The first differences, in the order of the recordings.
    pub examples: Vec<Difference>,
    /// Recordings that could not be played to their end, with the reason.
    pub failures: Vec<String>,
}

/// One thing that came out otherwise than recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Recording, episode and step, in words.
    pub place: String,
    /// `observation`, `won`, `score`, …
    pub what: String,
    /// What the recording says.
    pub recorded: String,
    /// What the environment says.
    pub found: String,
}

impl Replay {
    /// No difference and no failure.
    pub fn agrees(&self) -> bool {
        self.differences == 0 && self.failures.is_empty()
    }
}

/// Examples and failures printed in full; the rest is only counted.
const SHOWN: usize = 20;

impl Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { compared, differences, examples, failures } = self;
        for Difference { place, what, recorded, found } in examples.iter().take(SHOWN) {
            writeln!(f, "{place}: {what} was {recorded:?}, is {found:?}")?;
        }
        for failure in failures.iter().take(SHOWN) {
            writeln!(f, "{failure}")?;
        }
        let hidden = differences + failures.len() - examples.len().min(SHOWN) - failures.len().min(SHOWN);
        if hidden > 0 {
            writeln!(f, "… and {hidden} more")?;
        }
        let compared: Vec<String> = compared.iter().map(|(what, count)| format!("{count} {what}")).collect();
        write!(f, "{}: {differences} differences, {} failures", compared.join(", "), failures.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_not_shown_is_counted() {
        let clean = Replay { compared: vec![("recordings", 2), ("moments", 31)], ..Replay::default() };
        assert!(clean.agrees());
        assert_eq!(clean.to_string(), "2 recordings, 31 moments: 0 differences, 0 failures");
        let difference = Difference { place: "a.jsonl:3".into(), what: "won".into(), recorded: "true".into(), found: "false".into() };
        let failures = vec!["b.jsonl: no game".to_string()];
        let poor = Replay { compared: vec![("recordings", 2)], differences: 3, examples: vec![difference], failures };
        assert!(!poor.agrees());
        let lines = "a.jsonl:3: won was \"true\", is \"false\"\nb.jsonl: no game\n… and 2 more\n2 recordings: 3 differences, 1 failures";
        assert_eq!(poor.to_string(), lines);
    }
}
