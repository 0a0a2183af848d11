//! The expert: a rule that looks at the goal and at what the last observation says, and at nothing else.
//!
//! It has no memory and no map, so that whoever sees the same words can do the same. What it relies on:
//!
//! - Receptacles are listed in one order (by name), and so are rooms. Searching is: what comes next after the place where I stand, after
//!   the last one the first of the next room (of this one, if there is no other).
//! - Closed things are opened when one stands before them with free hands. Lamps hold nothing and are passed over.
//! - An object of the goal's class is taken wherever it is seen, unless it lies where the goal wants it, as the goal wants it.
//!   (At the beginning none does: that is a rule of the games.)
//! - It is then made clean, hot or cold, if the goal says so, with the first such tool in this room, else in the first room that has one;
//!   and brought to the first receptacle of the goal's class in the goal's room. With two to bring, they meet there.

use super::combination::Combination;
use super::layout::{Layout, Spot};
use super::words::{Family, Object, Room};

/// An object in sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub class: Object,
    pub number: usize,
    pub clean: bool,
    pub hot: bool,
    pub cold: bool,
}

/// What an observation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View<'a> {
    pub room: Room,
    /// The position in the layout's list of the receptacle before the player; `None` in the middle of the room.
    pub at: Option<usize>,
    /// One sees into it, and can put things there. Lamps: it is lit.
    pub open: bool,
    pub contents: &'a [Seen],
    pub hand: Option<Seen>,
}

/// What to do; receptacles by their position in the layout's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Enter(Room),
    Go(usize),
    Open(usize),
    Take(Seen, usize),
    Put(Seen, usize),
    /// Make it clean, hot or cold, as the goal says.
    Prepare(Seen, usize),
    TurnOn(usize),
}

impl Act {
    /// The command for it; `None` when it does not fit the layout.
    pub(super) fn command(self, layout: &Layout) -> Option<String> {
        let spot = |i: usize| layout.spots.get(i).map(Spot::name);
        Some(match self {
            Act::Enter(room) => format!("go to {room}"),
            Act::Go(i) => format!("go to {}", spot(i)?),
            Act::Open(i) => format!("open {}", spot(i)?),
            Act::Take(it, i) => format!("take {} {} from {}", it.class, it.number, spot(i)?),
            Act::Put(it, i) => format!("put {} {} in {}", it.class, it.number, spot(i)?),
            Act::Prepare(it, i) => format!("{} {} {} with {}", layout.family, it.class, it.number, spot(i)?),
            Act::TurnOn(i) => format!("turn on {}", spot(i)?),
        })
    }
}

/// What to do now. `layout`: read for the list of rooms, the list of receptacles, and the goal; not for where objects are.
pub(super) fn advise(layout: &Layout, view: &View) -> Option<Act> {
    Expert { layout, view, goal: layout.goal }.advise()
}

/// What the advice comes from, in the words of the game: what is wanted, and whether it is seen or held.
pub(super) fn thought(layout: &Layout, view: &View) -> Option<String> {
    let expert = Expert { layout, view, goal: layout.goal };
    let act = expert.advise()?;
    let wanted = layout.goal.object;
    let known = match view.hand {
        None => match act {
            Act::Take(it, _) => format!("{} {}", it.class, it.number),
            _ => "none".to_string(),
        },
        Some(held) if held.class != wanted => format!("not {} {}", held.class, held.number),
        Some(held) if !expert.prepared(&held) => format!("have {} {}, {} it", held.class, held.number, layout.family),
        Some(held) => format!("have {} {}, to {}", held.class, held.number, layout.goal.receptacle),
    };
    Some(format!("want {wanted}: {known}"))
}

struct Expert<'a> {
    layout: &'a Layout,
    view: &'a View<'a>,
    goal: Combination,
}

impl Expert<'_> {
    fn advise(&self) -> Option<Act> {
        match self.view.hand {
            None => self.search(),
            Some(held) if held.class != self.goal.object => self.put_away(&held),
            Some(held) if !self.prepared(&held) => self.prepare(&held),
            Some(held) => self.deliver(&held),
        }
    }

    /// As the goal wants it.
    fn prepared(&self, object: &Seen) -> bool {
        match self.layout.family {
            Family::Clean => object.clean,
            Family::Cool => object.cold,
            Family::Heat => object.hot,
            Family::Look | Family::Put | Family::Two => true,
        }
    }

    fn search(&self) -> Option<Act> {
        if let Some((i, spot)) = self.here() {
            if !spot.class.lamp() && !self.view.open {
                return Some(Act::Open(i));
            }
            let done = |object: &Seen| self.target() == Some(i) && self.prepared(object);
            if let Some(found) = self.view.contents.iter().find(|object| object.class == self.goal.object && !done(object)) {
                return Some(Act::Take(*found, i));
            }
        }
        self.next()
    }

    /// Something in the hand that is of no use: nothing the expert would have taken, but it can be asked in any situation.
    fn put_away(&self, held: &Seen) -> Option<Act> {
        match self.here() {
            Some((i, spot)) if held.class.fits(spot.class) => Some(self.put(held, i)),
            _ => self.next(),
        }
    }

    fn prepare(&self, held: &Seen) -> Option<Act> {
        let tool = self.layout.family.tool()?;
        if let Some((i, _)) = self.here().filter(|(_, spot)| spot.class == tool) {
            return Some(Act::Prepare(*held, i));
        }
        let tools = || self.layout.spots.iter().enumerate().filter(|(_, spot)| spot.class == tool);
        let nearest = tools().find(|(_, spot)| spot.room == self.view.room);
        let (i, spot) = nearest.or_else(|| tools().next())?;
        Some(self.approach(i, spot))
    }

    fn deliver(&self, held: &Seen) -> Option<Act> {
        let target = self.target()?;
        match self.here() {
            Some((i, spot)) if i == target && spot.class.lamp() => Some(Act::TurnOn(i)),
            Some((i, _)) if i == target => Some(self.put(held, i)),
            _ => self.layout.spots.get(target).map(|spot| self.approach(target, spot)),
        }
    }

    fn put(&self, held: &Seen, here: usize) -> Act {
        if self.view.open { Act::Put(*held, here) } else { Act::Open(here) }
    }

    fn here(&self) -> Option<(usize, &Spot)> {
        self.view.at.and_then(|i| self.layout.spots.get(i).map(|spot| (i, spot)))
    }

    /// The first receptacle that the goal can mean.
    fn target(&self) -> Option<usize> {
        self.layout.spots.iter().position(|spot| spot.class == self.goal.receptacle && spot.room == self.goal.room)
    }

    fn approach(&self, i: usize, spot: &Spot) -> Act {
        if spot.room == self.view.room { Act::Go(i) } else { Act::Enter(spot.room) }
    }

    /// The next place to look at.
    fn next(&self) -> Option<Act> {
        let room = self.view.room;
        let spots = || self.layout.spots.iter().enumerate().filter(|(_, s)| s.room == room && !s.class.lamp()).map(|(i, _)| i);
        if let Some(after) = spots().find(|i| self.view.at.is_none_or(|at| *i > at)) {
            return Some(Act::Go(after));
        }
        let other = self.layout.rooms.iter().find(|r| **r > room).or_else(|| self.layout.rooms.first().filter(|r| **r != room));
        match other {
            Some(other) => Some(Act::Enter(*other)),
            None => spots().find(|i| Some(*i) != self.view.at).map(Act::Go),
        }
    }
}
