//! Which goals there are, and which of them are kept out of training.

use super::config::{Config, ConfigError};
use super::words::{Family, Object, Receptacle, Room};
use std::collections::BTreeSet;

/// What a goal is about: this class of objects goes to this class of receptacles in this room (for `look`: under this lamp).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Combination {
    pub object: Object,
    pub receptacle: Receptacle,
    pub room: Room,
}

impl Combination {
    /// The held-out rule: a combination is never a goal in training when the places of its three words in their alphabetical lists
    /// (counted from 0) add up to a multiple of 5. It cuts through every object, receptacle and room alike, so what is unseen is the
    /// combination, not its words; and it depends neither on the family of the goal nor on the configuration.
    pub(super) fn held_out(self) -> bool {
        (self.object as usize + self.receptacle as usize + self.room as usize).is_multiple_of(5)
    }

    /// Whether a goal of this family can be about it, in a house that may have rooms of these kinds.
    fn possible(self, family: Family, config: &Config) -> bool {
        let Combination { object, receptacle, room } = self;
        // A file is checked many times while it is written, so what says no most often, and soonest, comes first.
        let target = || if family == Family::Look { receptacle.lamp() } else { object.fits(receptacle) };
        let tool =
            || family.tool().is_none_or(|tool| room.has(tool) || (config.rooms > 1 && config.kinds.iter().any(|kind| kind.has(tool))));
        // The object needs somewhere else to lie at the beginning, in the goal's room at the least.
        let home = || room.furniture().iter().any(|(other, _)| *other != receptacle && object.fits(*other));
        target() && family.suits(object) && room.has(receptacle) && tool() && home()
    }
}

/// The goals of a configuration, by family in the configuration's order.
#[derive(Clone, Debug)]
pub(super) struct Catalogue {
    pub known: Vec<Vec<Combination>>,
    /// Held out, but each of its words is that of a goal in training.
    pub unseen: Vec<Vec<Combination>>,
}

impl Catalogue {
    pub(super) fn new(config: &Config) -> Result<Self, ConfigError> {
        let mut known = Vec::new();
        let mut held = Vec::new();
        for family in &config.families {
            let (out, kept): (Vec<_>, Vec<_>) = all(&config.kinds).filter(|c| c.possible(*family, config)).partition(|c| c.held_out());
            if kept.is_empty() || out.is_empty() {
                let kinds = config.kinds.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ");
                let message =
                    format!("no goal of the family `{family}` is possible in {kinds}; leave the family out or add kinds of rooms");
                return Err(ConfigError { field: "families", message });
            }
            known.push(kept);
            held.push(out);
        }
        let objects: BTreeSet<Object> = known.iter().flatten().map(|c| c.object).collect();
        let receptacles: BTreeSet<Receptacle> = known.iter().flatten().map(|c| c.receptacle).collect();
        let rooms: BTreeSet<Room> = known.iter().flatten().map(|c| c.room).collect();
        let familiar = |c: &Combination| objects.contains(&c.object) && receptacles.contains(&c.receptacle) && rooms.contains(&c.room);
        let mut unseen = Vec::new();
        for (family, list) in config.families.iter().zip(held) {
            let list: Vec<Combination> = list.into_iter().filter(familiar).collect();
            if list.is_empty() {
                let message = format!("nothing of the family `{family}` would be left for `unseen`; add kinds of rooms");
                return Err(ConfigError { field: "families", message });
            }
            unseen.push(list);
        }
        Ok(Catalogue { known, unseen })
    }
}

fn all(kinds: &[Room]) -> impl Iterator<Item = Combination> {
    let mut rooms = kinds.to_vec();
    rooms.sort();
    rooms.into_iter().flat_map(|room| {
        room.furniture().iter().flat_map(move |(receptacle, _)| {
            let receptacle = *receptacle;
            Object::ALL.iter().map(move |object| Combination { object: *object, receptacle, room })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_is_held_out_and_all_its_words_are_known() {
        let config = Config::default();
        let catalogue = Catalogue::new(&config).unwrap();
        for (i, family) in config.families.iter().enumerate() {
            let (known, unseen) = (catalogue.known[i].len(), catalogue.unseen[i].len());
            let share = unseen as f64 / (known + unseen) as f64;
            assert!((0.1..0.35).contains(&share), "{family}: {unseen} of {}", known + unseen);
            // Nothing was dropped because a word of it is missing from training.
            let held = all(&config.kinds).filter(|c| c.possible(*family, &config) && c.held_out()).count();
            assert_eq!(held, unseen, "{family}");
        }
    }

    #[test]
    fn a_family_without_a_place_is_refused() {
        let config = Config { kinds: vec![Room::Kitchen], families: vec![Family::Look], ..Config::default() };
        let error = Catalogue::new(&config).unwrap_err();
        assert_eq!(error.field, "families");
        assert!(error.message.contains("`look`") && error.message.contains("`kitchen`"), "{error}");
    }
}
