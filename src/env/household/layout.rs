//! One house with one goal: everything that a task id stands for.

use super::combination::Combination;
use super::words::{Family, Object, Receptacle, Room};

/// A receptacle of the house; lists name it `shelf 2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub class: Receptacle,
    /// Counted from 1 within its class, through the whole house.
    pub number: usize,
    pub room: Room,
}

/// An object and the receptacle where it lies at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Thing {
    pub class: Object,
    pub number: usize,
    /// Position in `Layout::spots`.
    pub spot: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub family: Family,
    pub goal: Combination,
    /// Alphabetical.
    pub rooms: Vec<Room>,
    /// Where the player stands at the beginning, in the middle of it.
    pub start: Room,
    /// In the order in which they are listed: by room, then by name.
    pub spots: Vec<Spot>,
    /// By name.
    pub things: Vec<Thing>,
}

impl Spot {
    /// As the problem in PDDL calls it.
    pub(super) fn id(&self) -> String {
        format!("{}_{}", self.class, self.number)
    }

    pub(super) fn name(&self) -> String {
        format!("{} {}", self.class, self.number)
    }
}

impl Thing {
    /// As the problem in PDDL calls it.
    pub(super) fn id(&self) -> String {
        format!("{}_{}", self.class, self.number)
    }
}

impl Layout {
    /// The goal in words.
    pub(super) fn task(&self) -> String {
        let Combination { object, receptacle, room } = self.goal;
        match self.family {
            Family::Put => format!("put a {object} in a {receptacle} of the {room}."),
            Family::Clean => format!("put a clean {object} in a {receptacle} of the {room}."),
            Family::Heat => format!("put a hot {object} in a {receptacle} of the {room}."),
            Family::Cool => format!("put a cold {object} in a {receptacle} of the {room}."),
            Family::Look => format!("hold a {object} under a {receptacle} of the {room}."),
            Family::Two => format!("put a {object} and another {object} in one {receptacle} of the {room}."),
        }
    }

    /// How many objects of its class the goal needs.
    pub(super) fn needed(family: Family) -> usize {
        if family == Family::Two { 2 } else { 1 }
    }

    /// Of all that is in the house and of the goal; two layouts with one hash play alike.
    pub(super) fn hash(&self) -> blake3::Hash {
        let mut bytes = Vec::with_capacity(8 + 3 * (self.spots.len() + self.things.len()));
        let Combination { object, receptacle, room } = self.goal;
        bytes.extend([self.family as u8, object as u8, receptacle as u8, room as u8, self.start as u8]);
        bytes.extend([self.rooms.len() as u8, self.spots.len() as u8, self.things.len() as u8]);
        bytes.extend(self.rooms.iter().map(|room| *room as u8));
        bytes.extend(self.spots.iter().flat_map(|spot| [spot.class as u8, spot.number as u8, spot.room as u8]));
        bytes.extend(self.things.iter().flat_map(|thing| [thing.class as u8, thing.number as u8, thing.spot as u8]));
        blake3::hash(&bytes)
    }
}
