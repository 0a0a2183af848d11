//! Levels: how many values a quantity has in a batch, and how values of different levels meet.
//!
//! ```text
//! token ⊂ turn ⊂ episode ⊂ group ⊂ task ⊂ batch      turn ⊂ anchor ⊂ group      turn ⊂ turn_index ⊂ batch
//! ```

use super::joint::Joint;
use std::borrow::Cow;
use std::fmt;

/// Words for `by =` and `per =`.
pub(super) const KEYS: &[&str] = &["token", "turn", "episode", "group", "anchor", "turn_index", "task", "token_index"];

/// Words for `by =` that take a number: the same last states.
pub(super) const COUNTED_KEYS: &[&str] = &["anchors"];

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
    /// One for each task: that of a group, whatever the iteration.
    Task,
    /// One for each combination of several keys that occurs, or for each sequence of last states.
    Joint(Joint),
    /// 1.
    Batch,
}

impl Level {
    /// Those of one key.
    pub(crate) const ALL: [Level; 8] =
        [Level::Token, Level::Turn, Level::Episode, Level::Anchor, Level::TurnIndex, Level::Group, Level::Task, Level::Batch];

    /// The level of a word for `by =` or `per =`; `anchors(2)` and `[group, turn_index]` are words too.
    pub(crate) fn from_key(key: &str) -> Option<Level> {
        match Level::ALL.into_iter().find(|level| *level != Level::Batch && level.name() == key) {
            None => Joint::from_key(key).map(Joint::level),
            known => known,
        }
    }

    /// As `by =` and `per =` take it.
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Level::Token => "token",
            Level::Turn => "turn",
            Level::Episode => "episode",
            Level::Anchor => "anchor",
            Level::TurnIndex => "turn_index",
            Level::Group => "group",
            Level::Task => "task",
            Level::Joint(joint) => return Cow::Owned(joint.name()),
            Level::Batch => "batch",
        })
    }

    /// In words of a message: `one value a turn`.
    pub fn words(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Level::Token => "one value a token",
            Level::Turn => "one value a turn",
            Level::Episode => "one value an episode",
            Level::Anchor => "one value an anchor state",
            Level::TurnIndex => "one value a turn number",
            Level::Group => "one value a group",
            Level::Task => "one value a task",
            Level::Joint(joint) => return Cow::Owned(format!("one value for each {}", joint.words())),
            Level::Batch => "one value for the whole batch",
        })
    }

    /// Its keys; `None` for tokens and turns, which no key tells apart.
    pub(super) fn keys(self) -> Option<Joint> {
        match self {
            Level::Token | Level::Turn => None,
            Level::Episode => Some(Joint { episode: true, ..Joint::default() }),
            Level::Anchor => Some(Joint { states: 1, ..Joint::default() }),
            Level::TurnIndex => Some(Joint { turn_index: true, ..Joint::default() }),
            Level::Group => Some(Joint { group: true, ..Joint::default() }),
            Level::Task => Some(Joint { task: true, ..Joint::default() }),
            Level::Joint(joint) => Some(joint),
            Level::Batch => Some(Joint::default()),
        }
    }

    /// Whether each element of `self` lies within one element of `other`; true of equal levels.
    pub(crate) fn within(self, other: Level) -> bool {
        match (self.keys(), other.keys()) {
            (Some(own), Some(others)) => own.with_what_follows().has(others),
            (None, None) => self == other || self == Level::Token,
            (None, Some(others)) => self == Level::Token || !others.token_index,
            (Some(_), None) => false,
        }
    }

    /// The coarsest level that lies within both: where values of two levels can be combined element by element.
    pub(crate) fn meet(self, other: Level) -> Level {
        if self.within(other) {
            self
        } else if other.within(self) {
            other
        } else {
            // Episode, anchor, turn number and group overlap freely; rows are their coarsest common parts, or tokens where they are told apart.
            let of_tokens = |level: Level| level.keys().is_some_and(|keys| keys.token_index);
            if of_tokens(self) || of_tokens(other) { Level::Token } else { Level::Turn }
        }
    }

    /// What tells its elements apart in any iteration, one after the other; `None` if a group or an episode does, which are others each time.
    pub(super) fn lasting(self) -> Option<Vec<Level>> {
        let keys = self.keys()?;
        if keys.episode || keys.group || keys.states > 1 || keys.token_index {
            return None;
        }
        // A state is told apart within its task.
        let named = [(keys.task || keys.states > 0, Level::Task), (keys.states > 0, Level::Anchor), (keys.turn_index, Level::TurnIndex)];
        Some(named.into_iter().filter_map(|(has, level)| has.then_some(level)).collect())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(key: &str) -> Level {
        Level::from_key(key).expect(key)
    }

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
        assert_eq!(Level::Group.meet(Level::Task), Level::Group);
        assert_eq!(Level::from_key("anchor"), Some(Level::Anchor));
        assert_eq!(Level::from_key("batch"), None);
    }

    #[test]
    fn keys_that_follow_from_others_are_left_out() {
        for (key, wanted) in [
            ("[episode, group]", Level::Episode),
            ("[task, group]", Level::Group),
            ("[anchor, group]", Level::Anchor),
            ("[turn_index, episode]", Level::Turn),
            ("[anchors(1)]", Level::Anchor),
        ] {
            assert_eq!(of(key), wanted, "{key}");
        }
        for (key, name) in [
            ("[turn_index, group]", "[group, turn_index]"),
            ("[anchor, anchors(3), group]", "anchors(3)"),
            ("[turn_index, anchors(2)]", "[anchors(2), turn_index]"),
            ("[episode, anchor]", "[episode, anchor]"),
        ] {
            assert_eq!(of(key).name(), name);
            assert_eq!(of(name), of(key), "a name is a key");
        }
        assert_eq!(of("[episode, turn_index, token_index]"), Level::Token);
        for key in ["[]", "[group", "[group, ]", "anchors(0)", "anchors(300)", "anchors", "[token, group]", "[turn, group]"] {
            assert_eq!(Level::from_key(key), None, "{key}");
        }
    }

    #[test]
    fn several_keys_lie_within_each_of_them() {
        let (joint, states) = (of("[group, turn_index]"), of("anchors(2)"));
        assert!(joint.within(Level::Group) && joint.within(Level::TurnIndex) && joint.within(Level::Task) && !joint.within(Level::Episode));
        assert!(Level::Turn.within(joint) && Level::Token.within(joint) && !Level::Episode.within(joint) && !Level::Batch.within(joint));
        assert!(states.within(Level::Anchor) && of("anchors(3)").within(states) && !Level::Anchor.within(states));
        assert_eq!(Level::Episode.meet(joint), Level::Turn);
        assert_eq!(Level::Group.meet(joint), joint);
        let tokens = of("[group, turn_index, token_index]");
        assert!(Level::Token.within(tokens) && !Level::Turn.within(tokens) && tokens.within(joint) && tokens.within(of("token_index")));
        assert_eq!(
            (Level::Turn.meet(tokens), Level::Group.meet(tokens), of("token_index").meet(Level::Episode)),
            (Level::Token, tokens, Level::Token)
        );
    }

    #[test]
    fn what_lasts_over_iterations() {
        assert_eq!(Level::TurnIndex.lasting(), Some(vec![Level::TurnIndex]));
        assert_eq!(of("[task, turn_index]").lasting(), Some(vec![Level::Task, Level::TurnIndex]));
        assert_eq!(Level::Anchor.lasting(), Some(vec![Level::Task, Level::Anchor]));
        assert_eq!(Level::Group.lasting(), None);
        assert_eq!(of("anchors(2)").lasting(), None);
    }
}
