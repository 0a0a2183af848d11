//! From a configuration and the number of a task to its house.

use super::combination::{Catalogue, Combination};
use super::config::Config;
use super::dice::Dice;
use super::layout::{Layout, Spot, Thing};
use super::words::{Family, Object, Receptacle, Room};

/// Objects that lie in one receptacle at the beginning, at most: what keeps observations short.
const CROWD: usize = 3;
/// Of one class in a house. Single digits, so that the order of names is the order of numbers.
const MOST_SPOTS: usize = 9;
const MOST_THINGS: usize = 3;

/// The names of the splits.
pub const SPLITS: &[&str] = &["train", "seen", "unseen"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Split {
    Train,
    Seen,
    Unseen,
}

impl Split {
    pub(super) fn named(name: &str) -> Option<Split> {
        [Split::Train, Split::Seen, Split::Unseen].into_iter().zip(SPLITS).find(|(_, own)| **own == name).map(|(split, _)| split)
    }

    /// Splits have no end of their own; this many tasks are all of one.
    pub(super) fn all(self) -> usize {
        match self {
            Split::Train => 4000,
            Split::Seen | Split::Unseen => 400,
        }
    }

    /// Houses of even hashes are for training, those of odd ones for `seen`: no game is in both, whatever the number of tasks.
    fn takes(self, layout: &Layout) -> bool {
        let odd = layout.hash().as_bytes().first().is_some_and(|byte| byte % 2 == 1);
        match self {
            Split::Train => !odd,
            Split::Seen => odd,
            Split::Unseen => true,
        }
    }
}

/// The house of task `index`, at the given attempt; `None`: this attempt came to nothing, try the next one.
/// `seen` task i is about the same combination as `train` task i, in another house.
pub(super) fn generate(config: &Config, catalogue: &Catalogue, split: Split, index: u64, attempt: u64) -> Option<Layout> {
    let turn = (index % config.families.len() as u64) as usize;
    let family = config.families.get(turn).copied()?;
    let (goals, which) = if split == Split::Unseen { (&catalogue.unseen, "unseen goal") } else { (&catalogue.known, "known goal") };
    let goal = Dice::new(which, &[config.seed, index]).pick(goals.get(turn)?)?;
    let dice = Dice::new("house", &[config.seed, split as u64, index, attempt]);
    let layout = Builder { config, family, goal, dice, rooms: Vec::new(), spots: Vec::new() }.build()?;
    split.takes(&layout).then_some(layout)
}

struct Builder<'a> {
    config: &'a Config,
    family: Family,
    goal: Combination,
    dice: Dice,
    rooms: Vec<Room>,
    /// Unnumbered while the house is furnished.
    spots: Vec<(Room, Receptacle)>,
}

impl Builder<'_> {
    fn build(mut self) -> Option<Layout> {
        self.choose_rooms();
        self.furnish_for_goal()?;
        self.furnish_the_rest()?;
        self.spots.sort();
        let spots = number(&self.spots);
        let things = self.lay_out(&spots)?;
        let start = self.dice.pick(&self.rooms)?;
        Some(Layout { family: self.family, goal: self.goal, rooms: self.rooms, start, spots, things })
    }

    fn choose_rooms(&mut self) {
        let mut others: Vec<Room> = self.config.kinds.iter().copied().filter(|room| *room != self.goal.room).collect();
        others.sort();
        self.dice.shuffle(&mut others);
        if let Some(tool) = self.family.tool().filter(|tool| !self.goal.room.has(*tool)) {
            // One of the rooms has to have the tool: bring the first that does to the front.
            others.sort_by_key(|room| !room.has(tool));
            let rest = others.get_mut(1..).unwrap_or_default();
            self.dice.shuffle(rest);
        }
        others.truncate(self.config.rooms - 1);
        others.push(self.goal.room);
        others.sort();
        self.rooms = others;
    }

    /// The goal's receptacle, the tool in every room that may have it, and some other place for the object to lie.
    fn furnish_for_goal(&mut self) -> Option<()> {
        self.spots.push((self.goal.room, self.goal.receptacle));
        if let Some(tool) = self.family.tool() {
            for room in self.rooms.clone() {
                if room.has(tool) && !self.spots.contains(&(room, tool)) {
                    self.spots.push((room, tool));
                }
            }
        }
        let goal = self.goal;
        let homes = self.places(|_, class| class != goal.receptacle && goal.object.fits(class));
        let home = self.dice.pick(&homes)?;
        if !self.spots.contains(&home) {
            self.spots.push(home);
        }
        Some(())
    }

    fn furnish_the_rest(&mut self) -> Option<()> {
        for room in self.rooms.clone() {
            while self.spots.iter().filter(|(r, _)| *r == room).count() < 2 {
                let free = self.free(|r, _| r == room);
                let spot = self.dice.pick(&free)?;
                self.spots.push(spot);
            }
        }
        let wanted = (self.config.openable * self.config.receptacles as f64).round() as usize;
        while self.spots.len() < self.config.receptacles {
            let openable = self.spots.iter().filter(|(_, class)| class.openable()).count() < wanted;
            let mut free = self.free(|_, class| class.openable() == openable);
            if free.is_empty() {
                free = self.free(|_, _| true);
            }
            let spot = self.dice.pick(&free)?;
            self.spots.push(spot);
        }
        (self.spots.len() == self.config.receptacles).then_some(())
    }

    /// All that may stand in the rooms of the house.
    fn places(&self, keep: impl Fn(Room, Receptacle) -> bool) -> Vec<(Room, Receptacle)> {
        let all = self.rooms.iter().flat_map(|room| room.furniture().iter().map(move |(class, _)| (*room, *class)));
        all.filter(|(room, class)| keep(*room, *class)).collect()
    }

    /// All that may still be added.
    fn free(&self, keep: impl Fn(Room, Receptacle) -> bool) -> Vec<(Room, Receptacle)> {
        self.places(|room, class| {
            let most = room.furniture().iter().find(|(c, _)| *c == class).map_or(0, |(_, most)| *most);
            let here = self.spots.iter().filter(|spot| **spot == (room, class)).count();
            let everywhere = self.spots.iter().filter(|(_, c)| *c == class).count();
            keep(room, class) && here < most && everywhere < MOST_SPOTS
        })
    }

    /// No object of the goal's class begins in a receptacle of the goal's class, wherever it stands.
    fn lay_out(&mut self, spots: &[Spot]) -> Option<Vec<Thing>> {
        let goal = self.goal;
        let mut load = vec![0; spots.len()];
        let mut drawn: Vec<(Object, usize)> = Vec::with_capacity(self.config.objects);
        for _ in 0..Layout::needed(self.family) {
            drawn.push((goal.object, self.lie(goal.object, spots, &mut load, |class| class != goal.receptacle)?));
        }
        let others: Vec<Object> = Object::ALL
            .iter()
            .copied()
            .filter(|object| *object != goal.object && spots.iter().any(|spot| object.fits(spot.class)))
            .collect();
        let mut tries = 20 * self.config.objects;
        while drawn.len() < self.config.objects {
            tries = tries.checked_sub(1)?;
            let object = self.dice.pick(&others)?;
            if drawn.iter().filter(|(class, _)| *class == object).count() >= MOST_THINGS {
                continue;
            }
            if let Some(spot) = self.lie(object, spots, &mut load, |_| true) {
                drawn.push((object, spot));
            }
        }
        let mut things: Vec<Thing> = Vec::with_capacity(drawn.len());
        for (class, spot) in drawn {
            let number = 1 + things.iter().filter(|thing| thing.class == class).count();
            things.push(Thing { class, number, spot });
        }
        things.sort_by_key(|thing| (thing.class, thing.number));
        Some(things)
    }

    fn lie(&mut self, object: Object, spots: &[Spot], load: &mut [usize], allowed: impl Fn(Receptacle) -> bool) -> Option<usize> {
        let room = |i: usize| load.get(i).is_some_and(|n| *n < CROWD);
        let fitting: Vec<usize> =
            spots.iter().enumerate().filter(|(i, s)| object.fits(s.class) && allowed(s.class) && room(*i)).map(|(i, _)| i).collect();
        let spot = self.dice.pick(&fitting)?;
        if let Some(n) = load.get_mut(spot) {
            *n += 1;
        }
        Some(spot)
    }
}

fn number(sorted: &[(Room, Receptacle)]) -> Vec<Spot> {
    let mut spots: Vec<Spot> = Vec::with_capacity(sorted.len());
    for (room, class) in sorted {
        let number = 1 + spots.iter().filter(|spot| spot.class == *class).count();
        spots.push(Spot { class: *class, number, room: *room });
    }
    spots
}
