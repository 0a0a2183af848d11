//! How likely a receptacle is to hold an object, by the kinds of both: counted in the training games.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Made by `scripts/alfworld_chances.py`.
const TABLE: &str = include_str!("chances.tsv");

static CHANCES: LazyLock<BTreeMap<(&str, &str), f64>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let mut parts = line.split('\t');
        let (object, receptacle) = (parts.next()?, parts.next()?);
        let (held, there): (f64, f64) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(((object, receptacle), held / there))
    };
    TABLE.lines().skip(1).filter_map(line).collect()
});

/// Of what never occurred.
const NEVER: f64 = 1e-5;

/// Whether an object was ever seen in such a receptacle.
pub(super) fn occurs(object: &str, receptacle: &str) -> bool {
    CHANCES.contains_key(&(object, receptacle))
}

/// The share of such receptacles that held such an object, of those in rooms that had one.
pub(super) fn chance(object: &str, receptacle: &str) -> f64 {
    CHANCES.get(&(object, receptacle)).copied().unwrap_or(NEVER)
}

/// Whether one mostly has to open it to see into it.
pub(super) fn is_closed_at_first(receptacle: &str) -> bool {
    matches!(receptacle, "cabinet" | "drawer" | "fridge" | "microwave" | "safe")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_chance() {
        assert_eq!(CHANCES.len(), TABLE.lines().count() - 1);
        assert!(CHANCES.values().all(|chance| *chance > NEVER && *chance <= 1.0));
        assert!(chance("mug", "coffeemachine") > chance("mug", "cabinet") && chance("mug", "towelholder") == NEVER);
        assert!(occurs("mug", "cabinet") && !occurs("mug", "towelholder"));
    }
}
