//! Several keys at once: `[group, turn_index]`, and the last states: `anchors(2)`.

use super::levels::Level;

/// The most states that are looked back on.
pub(super) const MOST_STATES: u8 = 100;

/// Keys that together tell rows apart; none of them follows from another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Joint {
    pub(super) episode: bool,
    /// How many states, the present one and those before it in the episode: as many as there are, if there are fewer.
    pub(super) states: u8,
    pub(super) group: bool,
    pub(super) turn_index: bool,
    pub(super) task: bool,
}

impl Joint {
    /// Of `[a, b]` or `anchors(2)`; a name of a key alone is none. `None` if it is no such word.
    pub(super) fn from_key(key: &str) -> Option<Self> {
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
        match own {
            // A turn of an episode is one row.
            Self { episode: true, turn_index: true, .. } => Level::Turn,
            Self { episode: true, states: 0, .. } => Level::Episode,
            Self { episode: false, states: 1, turn_index: false, .. } => Level::Anchor,
            Self { episode: false, states: 0, group: true, turn_index: false, .. } => Level::Group,
            Self { episode: false, states: 0, group: false, turn_index: true, task: false } => Level::TurnIndex,
            Self { episode: false, states: 0, group: false, turn_index: false, task: true } => Level::Task,
            Self { episode: false, states: 0, group: false, turn_index: false, task: false } => Level::Batch,
            joint => Level::Joint(joint),
        }
    }

    fn states_name(self) -> Option<String> {
        match self.states {
            0 => None,
            1 => Some("anchor".into()),
            n => Some(format!("anchors({n})")),
        }
    }

    /// As `by =` takes it.
    pub(super) fn name(self) -> String {
        let named = [(self.episode, "episode"), (self.group, "group"), (self.task, "task")];
        let mut parts: Vec<String> = named.into_iter().filter_map(|(has, name)| has.then(|| name.to_owned())).collect();
        parts.extend(self.states_name());
        parts.extend(self.turn_index.then(|| "turn_index".to_owned()));
        match parts.as_slice() {
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        }
    }

    /// `group and turn number`
    pub(super) fn words(self) -> String {
        let named = [(self.episode, "episode"), (self.group, "group"), (self.task, "task")];
        let mut parts: Vec<String> = named.into_iter().filter_map(|(has, name)| has.then(|| name.to_owned())).collect();
        parts.extend(match self.states {
            0 => None,
            1 => Some("anchor state".to_owned()),
            n => Some(format!("sequence of the last {n} anchor states")),
        });
        parts.extend(self.turn_index.then(|| "turn number".to_owned()));
        parts.join(" and ")
    }
}
