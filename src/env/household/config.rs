//! The parameters of the house: what makes its games easy or hard.

use super::words::{Family, Room};
use serde::{Deserialize, Serialize};

/// Every value is part of what a task is: `train/0017` is one game under one configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Rooms of a house, each of another kind: 1 to 5. With more than one, receptacles can be reached from their own room only.
    pub rooms: usize,
    /// The kinds of rooms that occur. Fewer kinds, fewer words.
    pub kinds: Vec<Room>,
    /// Receptacles of a house, lamps included: from 4 a room (at least 5) to 10 a room (at most 24), so that the expert is done in 50 turns.
    pub receptacles: usize,
    /// The share of receptacles that must be opened before one sees into them, 0 to 1; met as far as the goal's own receptacles and the rooms allow.
    pub openable: f64,
    /// Objects of a house, from 2 to two a receptacle. The goal needs one or two of them, the rest distract; none of these is of the goal's class.
    pub objects: usize,
    /// The families of goals; tasks take turns through this list, so each has the same share.
    pub families: Vec<Family>,
    /// The seed of the world: another one gives other games in every split. Which combinations are unseen does not depend on it.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            rooms: 1,
            kinds: Room::ALL.to_vec(),
            receptacles: 8,
            openable: 0.4,
            objects: 10,
            families: vec![Family::Put, Family::Clean, Family::Heat, Family::Cool, Family::Look, Family::Two],
            seed: 0,
        }
    }
}

/// A configuration that no house can meet. `field` is the one to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    /// A field of [`Config`].
    pub field: &'static str,
    /// What is wrong with it.
    pub message: String,
}

impl Config {
    /// Small enough for a model of a few hundred thousand weights: a kitchen or a study with six receptacles, three families of goals.
    /// The expert needs 8 to 9 turns; of random players 2 % are there after 20 turns, 7 % after 50.
    pub fn quickstart() -> Self {
        Config {
            kinds: vec![Room::Kitchen, Room::Study],
            receptacles: 6,
            openable: 0.3,
            objects: 5,
            families: vec![Family::Put, Family::Clean, Family::Look],
            ..Config::default()
        }
    }

    /// What can be said of the fields one by one; whether the families can be played in these rooms is checked with the combinations.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let fail = |field, message| Err(ConfigError { field, message });
        if self.kinds.is_empty() {
            return fail("kinds", "`kinds` is empty; name at least one kind of room".into());
        }
        if let Some(kind) = repeated(&self.kinds) {
            return fail("kinds", format!("`kinds` names `{kind}` twice"));
        }
        if self.rooms == 0 || self.rooms > self.kinds.len() {
            let kinds = self.kinds.len();
            return fail("rooms", format!("`rooms = {}` is not between 1 and the number of `kinds`, {kinds}", self.rooms));
        }
        let (fewest, most) = ((4 * self.rooms).max(5), (10 * self.rooms).min(24));
        if self.receptacles < fewest || self.receptacles > most {
            let message =
                format!("`receptacles = {}` is not between {fewest} and {most}, as `rooms = {}` needs", self.receptacles, self.rooms);
            return fail("receptacles", message);
        }
        if !(0.0..=1.0).contains(&self.openable) {
            return fail("openable", format!("`openable = {}` is not a share between 0 and 1", self.openable));
        }
        if self.objects < 2 || self.objects > 2 * self.receptacles {
            let most = 2 * self.receptacles;
            return fail("objects", format!("`objects = {}` is not between 2 and two for each receptacle, {most}", self.objects));
        }
        if self.families.is_empty() {
            return fail("families", "`families` is empty; name at least one family of goals".into());
        }
        if let Some(family) = repeated(&self.families) {
            return fail("families", format!("`families` names `{family}` twice"));
        }
        Ok(())
    }
}

fn repeated<T: PartialEq + Copy>(list: &[T]) -> Option<T> {
    list.iter().enumerate().find(|(i, x)| list.iter().take(*i).any(|y| y == *x)).map(|(_, x)| *x)
}
