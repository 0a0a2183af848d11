//! What a player knows of the room.

use super::goal::Goal;
use super::hearing::{Told, destination, hear, items, kind};
use std::collections::{BTreeMap, BTreeSet};

/// Whether one sees into a receptacle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// Never stood there.
    Unknown,
    Closed,
    /// Opened, or nothing to open.
    Open,
}

/// A receptacle.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub name: String,
    pub door: Door,
    /// Whether what lay in it was ever to be seen.
    pub seen: bool,
    /// What is known to lie in it.
    pub objects: Vec<String>,
    /// The number of actions before it was last stood at; 0 for never.
    pub visited: usize,
}

impl Place {
    pub(super) fn kind(&self) -> &str {
        kind(&self.name)
    }
}

/// All that was seen and told so far.
#[derive(Clone, Debug)]
pub(super) struct Room {
    pub goal: Goal,
    /// In the order in which the game names them at the beginning.
    pub places: Vec<Place>,
    index: BTreeMap<String, usize>,
    /// The receptacles at the player's place.
    pub here: Vec<usize>,
    pub hand: Option<String>,
    /// What the goal's treatment was done to, and not undone since.
    pub treated: BTreeSet<String>,
    /// Lamps, each with a receptacle at its place.
    pub lamps: BTreeMap<String, usize>,
    /// Things in sight that cannot be taken.
    pub fixed: BTreeSet<String>,
    /// Kinds of object and receptacle that do not go together.
    pub refused: BTreeSet<(String, String)>,
    actions: usize,
}

impl Room {
    /// At the beginning of a game, before the first action; no receptacle is known where the opening names none.
    pub(super) fn new(goal: Goal, opening: &str) -> Room {
        let listed = opening.split_once("you see ").map_or("", |(_, list)| list.split('.').next().unwrap_or(list));
        let place = |name: &str| Place { name: name.to_string(), door: Door::Unknown, seen: false, objects: Vec::new(), visited: 0 };
        let places: Vec<Place> = items(listed).into_iter().map(place).collect();
        Room {
            goal,
            index: places.iter().enumerate().map(|(i, place)| (place.name.clone(), i)).collect(),
            places,
            here: Vec::new(),
            hand: None,
            treated: BTreeSet::new(),
            lamps: BTreeMap::new(),
            fixed: BTreeSet::new(),
            refused: BTreeSet::new(),
            actions: 0,
        }
    }

    /// Takes in what an action led to, whoever chose it: the answer, and the commands that are possible now.
    pub(super) fn hear<'c>(&mut self, observation: &str, commands: impl Iterator<Item = &'c str> + Clone) {
        self.actions += 1;
        for told in hear(observation) {
            self.learn(&told);
        }
        self.look_around(commands);
    }

    fn place(&mut self, name: &str) -> Option<&mut Place> {
        let at = *self.index.get(name)?;
        self.places.get_mut(at)
    }

    fn learn(&mut self, told: &Told<'_>) {
        match told {
            Told::Contents { place, objects } => {
                if let Some(place) = self.place(place) {
                    place.seen = true;
                    place.objects = objects.iter().map(|&object| object.to_string()).collect();
                }
            }
            Told::Taken { object, place } => {
                if let Some(place) = self.place(place) {
                    place.objects.retain(|there| there != object);
                }
            }
            Told::Moved { object, place } => {
                if let Some(place) = self.place(place) {
                    place.objects.push((*object).to_string());
                }
            }
            Told::Treated { object, verb } => {
                let Some(wanted) = self.goal.treatment() else { return };
                if wanted.verb() == *verb {
                    self.treated.insert((*object).to_string());
                } else if wanted.undone_by().is_some_and(|other| other.verb() == *verb) {
                    self.treated.remove(*object);
                }
            }
        }
    }

    /// What can be done here says where one is, what is open, what is in the hand and what lies about.
    fn look_around<'c>(&mut self, commands: impl Iterator<Item = &'c str> + Clone) {
        let examined = commands.clone().filter_map(|command| command.strip_prefix("examine "));
        self.here.clear();
        self.hand = None;
        for name in examined {
            match self.index.get(name) {
                Some(place) => self.here.push(*place),
                None => self.hand = Some(name.to_string()),
            }
        }
        self.here.sort_unstable();
        for &at in &self.here {
            self.places[at].door = Door::Open;
            self.places[at].visited = self.actions;
        }
        let (mut takes, mut moves) = (Vec::new(), Vec::new());
        for command in commands {
            if let Some(&at) = command.strip_prefix("open ").and_then(|name| self.index.get(name)) {
                self.places[at].door = Door::Closed;
            } else if let Some((object, place)) = command.strip_prefix("take ").and_then(|rest| rest.split_once(" from ")) {
                takes.extend(self.index.get(place).map(|&at| (at, object)));
            } else if let Some(at) = destination(command).and_then(|place| self.index.get(place)) {
                moves.push(*at);
            } else if let Some(lamp) = command.strip_prefix("use ")
                && let Some(&at) = self.here.first()
            {
                self.lamps.entry(lamp.to_string()).or_insert(at);
            }
        }
        let open: Vec<usize> = self.here.iter().copied().filter(|&at| self.places[at].door == Door::Open).collect();
        match &self.hand {
            Some(object) => {
                let object = kind(object);
                let refusing = open.iter().filter(|at| !moves.contains(at));
                self.refused.extend(refusing.map(|&at| (object.to_string(), self.places[at].kind().to_string())));
            }
            None => {
                for at in open {
                    let place = &mut self.places[at];
                    place.seen = true;
                    let taken = |object: &str| takes.contains(&(at, object));
                    self.fixed.extend(place.objects.iter().filter(|object| !taken(object)).cloned());
                }
                for (at, object) in takes {
                    let place = &mut self.places[at];
                    if !place.objects.iter().any(|there| there == object) {
                        place.objects.push(object.to_string());
                    }
                }
            }
        }
    }
}
