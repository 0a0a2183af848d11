//! Levels: how many values a quantity has in a batch, and how values of different levels meet.
//!
//! ```text
//! token ⊂ turn ⊂ episode ⊂ group ⊂ batch      turn ⊂ anchor ⊂ group      turn ⊂ turn_index ⊂ batch
//! ```

use std::fmt;

/// Words for `by =` and `per =`.
pub(super) const KEYS: &[&str] = &["token", "turn", "episode", "group", "anchor", "turn_index"];

/// One value for each … of the batch. `TurnIndex`: one for each turn number that occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// N of them: the response tokens of all rows.
    Token,
    /// R of them: the rows.
    Turn,
    /// E of them.
    Episode,
    /// One for each observed state of each group.
    Anchor,
    /// One for each turn number that occurs.
    TurnIndex,
    /// G of them.
    Group,
    /// 1.
    Batch,
}

impl Level {
    pub(crate) const ALL: [Level; 7] =
        [Level::Token, Level::Turn, Level::Episode, Level::Anchor, Level::TurnIndex, Level::Group, Level::Batch];

    /// The level of a word for `by =` or `per =`.
    pub(crate) fn from_key(key: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| *level != Level::Batch && level.name() == key)
    }

    /// As `by =` and `per =` take it.
    pub fn name(self) -> &'static str {
        match self {
            Level::Token => "token",
            Level::Turn => "turn",
            Level::Episode => "episode",
            Level::Anchor => "anchor",
            Level::TurnIndex => "turn_index",
            Level::Group => "group",
            Level::Batch => "batch",
        }
    }

    /// In words of a message: `one value a turn`.
    pub fn words(self) -> &'static str {
        match self {
            Level::Token => "one value a token",
            Level::Turn => "one value a turn",
            Level::Episode => "one value an episode",
            Level::Anchor => "one value an anchor state",
            Level::TurnIndex => "one value a turn number",
            Level::Group => "one value a group",
            Level::Batch => "one value for the whole batch",
        }
    }

    /// The levels into which this one goes directly: each of its elements belongs to one element of those.
    pub(crate) fn parents(self) -> &'static [Level] {
        match self {
            Level::Token => &[Level::Turn],
            Level::Turn => &[Level::Episode, Level::Anchor, Level::TurnIndex],
            Level::Episode | Level::Anchor => &[Level::Group],
            Level::Group | Level::TurnIndex => &[Level::Batch],
            Level::Batch => &[],
        }
    }

    /// Whether each element of `self` lies within one element of `other`; true of equal levels.
    pub(crate) fn within(self, other: Level) -> bool {
        self == other || self.parents().iter().any(|parent| parent.within(other))
    }

    /// The coarsest level that lies within both: where values of two levels can be combined element by element.
    pub(crate) fn meet(self, other: Level) -> Level {
        if self.within(other) {
            self
        } else if other.within(self) {
            other
        } else {
            // Episode, anchor, turn number and group overlap freely; rows are their coarsest common parts.
            Level::Turn
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meet_is_the_coarsest_common_refinement() {
        for a in Level::ALL {
            for b in Level::ALL {
                let meet = a.meet(b);
                assert_eq!(meet, b.meet(a));
                assert!(meet.within(a) && meet.within(b), "{a} and {b} met at {meet}");
                for c in Level::ALL {
                    assert!(!(c.within(a) && c.within(b)) || c.within(meet), "{c} lies within {a} and {b} but not {meet}");
                }
            }
        }
    }

    #[test]
    fn overlapping_levels_meet_at_rows() {
        assert_eq!(Level::Episode.meet(Level::Anchor), Level::Turn);
        assert_eq!(Level::Group.meet(Level::TurnIndex), Level::Turn);
        assert_eq!(Level::Episode.meet(Level::Group), Level::Episode);
        assert_eq!(Level::from_key("anchor"), Some(Level::Anchor));
        assert_eq!(Level::from_key("batch"), None);
    }
}
