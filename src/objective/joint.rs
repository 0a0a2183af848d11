//! Several keys at once: `[group, turn_index]`, and the last states: `anchors(2)`.

use super::levels::Level;

/// The most states that are looked back on.
pub(super) const MOST_STATES: u8 = 100;

/// Keys that together tell rows apart; none of them follows from another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "a set of keys, each there or not")]
pub struct Joint {
    pub(super) episode: bool,
    /// How many states, the present one and those before it in the episode: as many as there are, if there are fewer.
    pub(super) states: u8,
    pub(super) group: bool,
    pub(super) turn_index: bool,
    pub(super) task: bool,
    /// The only one that tells the tokens of a row apart.
    pub(super) token_index: bool,
}

impl Joint {
    /// Of `[a, b]`, `anchors(2)` or `token_index`, which have no level of their own. `None` if it is no such word.
    pub(super) fn from_key(key: &str) -> Option<Self> {
        if key == "token_index" {
            return Some(Self { token_index: true, ..Self::default() });
        }
        if let Some(number) = key.strip_prefix("anchors(").and_then(|rest| rest.strip_suffix(')')) {
            let states = number.parse().ok().filter(|n| (1..=MOST_STATES).contains(n))?;
            return Some(Self { states, ..Self::default() });
        }
        let inner = key.strip_prefix('[')?.strip_suffix(']')?;
        let mut all = Self::default();
        for word in inner.split(", ") {
            all = all.and(Level::from_key(word)?.keys()?);
        }
        Some(all)
    }

    /// All keys of both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            episode: self.episode || other.episode,
            states: self.states.max(other.states),
            group: self.group || other.group,
            turn_index: self.turn_index || other.turn_index,
            task: self.task || other.task,
            token_index: self.token_index || other.token_index,
        }
    }

    /// With the keys that these decide: an episode and a state belong to one group, a group to one task.
    pub(super) fn with_what_follows(self) -> Self {
        let group = self.group || self.episode || self.states > 0;
        Self { group, task: self.task || group, ..self }
    }

    pub(super) fn has_episode(self) -> bool {
        self.episode
    }

    pub(super) fn has_group(self) -> bool {
        self.group
    }

    /// Whether all keys of the other are among these.
    pub(super) fn has(self, other: Self) -> bool {
        self.and(other) == self
    }

    /// The level without the keys that follow from others; what is left of one key is that key's level.
    pub(super) fn level(self) -> Level {
        let group = self.group && !self.episode && self.states == 0;
        let task = self.task && !self.group && !self.episode && self.states == 0;
        let own = Self { group, task, ..self };
        if own.episode && own.turn_index {
            // A turn of an episode is one row.
            return if own.token_index { Level::Token } else { Level::Turn };
        }
        Level::ALL.into_iter().find(|level| level.keys() == Some(own)).unwrap_or(Level::Joint(own))
    }

    /// Each of its keys as it is written, and in words.
    fn parts(self) -> Vec<(String, String)> {
        let named = [
            (self.episode, "episode", "episode"),
            (self.group, "group", "group"),
            (self.task, "task", "task"),
            (self.states == 1, "anchor", "anchor state"),
            (self.turn_index, "turn_index", "turn number"),
            (self.token_index, "token_index", "token number"),
        ];
        let mut parts: Vec<(String, String)> =
            named.into_iter().filter(|(has, ..)| *has).map(|(_, name, words)| (name.to_owned(), words.to_owned())).collect();
        if self.states > 1 {
            let at = parts.iter().position(|(name, _)| name.ends_with("_index")).unwrap_or(parts.len());
            parts.insert(at, (format!("anchors({})", self.states), format!("sequence of the last {} anchor states", self.states)));
        }
        parts
    }

    /// As `by =` takes it.
    pub(super) fn name(self) -> String {
        match self.parts().as_slice() {
            [(one, _)] => one.clone(),
            several => format!("[{}]", several.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")),
        }
    }

    /// `group and turn number`
    pub(super) fn words(self) -> String {
        self.parts().into_iter().map(|(_, words)| words).collect::<Vec<_>>().join(" and ")
    }
}
