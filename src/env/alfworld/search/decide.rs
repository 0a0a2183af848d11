//! What is to be done, from what is known. Where several things are as good, the first in the order of the opening's list is done.

use super::chances::{chance, is_closed_at_first, occurs};
use super::goal::{Treatment, Wish};
use super::hearing::kind;
use super::room::{Door, Place, Room};
use std::cmp::Reverse;

/// What to do at a receptacle; receptacles by their number in the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// See what lies in it.
    Look(usize),
    Take(String, usize),
    Put(String, usize),
    Treat(Treatment, String, usize),
    /// Light the lamp that stands at its place.
    Light(String, usize),
}

impl Act {
    pub(super) fn place(&self) -> usize {
        match self {
            Self::Look(at) | Self::Take(_, at) | Self::Put(_, at) | Self::Treat(_, _, at) | Self::Light(_, at) => *at,
        }
    }

    /// Whether it has to be open for that.
    pub(super) fn needs_open(&self) -> bool {
        matches!(self, Self::Look(_) | Self::Take(..) | Self::Put(..))
    }
}

/// The next thing to bring about; `None` where the room has nothing that would help.
pub(super) fn decide(room: &Room) -> Option<Act> {
    match &room.hand {
        None => match wanted(room) {
            Some((object, at)) => Some(Act::Take(object, at)),
            None => search(room, &room.goal.object),
        },
        Some(object) if kind(object) != room.goal.object => put_down(room, object),
        Some(object) => match (&room.goal.wish, room.goal.treatment()) {
            (Wish::Light(lamp), _) => light(room, lamp),
            (_, Some(treatment)) if !room.treated.contains(object) => {
                nearest(room, |place| place.kind() == treatment.tool()).map(|at| Act::Treat(treatment, object.clone(), at))
            }
            _ => target(room).map(|at| Act::Put(object.clone(), at)),
        },
    }
}

/// An object of the goal's kind that is not where it should be, with its place: what was treated already first, then what is had soonest.
fn wanted(room: &Room) -> Option<(String, usize)> {
    let meeting = if matches!(room.goal.wish, Wish::BringTwo(_)) { target(room) } else { None };
    let brought = |object: &String| meeting.is_some_and(|at| room.places[at].objects.contains(object));
    let known = room.places.iter().enumerate().flat_map(|(at, place)| place.objects.iter().map(move |object| (object, at)));
    let wanted = known.filter(|(object, _)| kind(object) == room.goal.object && !room.fixed.contains(*object) && !brought(object));
    let best = wanted.min_by_key(|(object, at)| (!room.treated.contains(*object), turns(room, *at), *at));
    best.map(|(object, at)| (object.clone(), at))
}

/// Turns until one can reach into a receptacle.
fn turns(room: &Room, at: usize) -> usize {
    let place = &room.places[at];
    let closed = match place.door {
        Door::Closed => true,
        Door::Open => false,
        Door::Unknown => is_closed_at_first(place.kind()),
    };
    usize::from(!room.here.contains(&at)) + usize::from(closed)
}

fn nearest(room: &Room, fits: impl Fn(&Place) -> bool) -> Option<usize> {
    let fitting = (0..room.places.len()).filter(|&at| fits(&room.places[at]));
    fitting.min_by_key(|&at| (!room.here.contains(&at), at))
}

/// Where the object is to be brought: of two, where the other one is.
fn target(room: &Room) -> Option<usize> {
    let (wanted, two) = match &room.goal.wish {
        Wish::Light(_) => return None,
        Wish::Bring(_, place) => (place, false),
        Wish::BringTwo(place) => (place, true),
    };
    let others = |place: &Place| {
        let other = |object: &&String| kind(object) == room.goal.object && room.hand.as_ref() != Some(*object);
        if two { place.objects.iter().filter(other).count() } else { 0 }
    };
    let fitting = (0..room.places.len()).filter(|&at| room.places[at].kind() == wanted);
    // With free hands, what lies here is carried to the other place, and not the other way round.
    let far = |at: usize| if room.hand.is_some() { turns(room, at) } else { usize::from(room.here.contains(&at)) };
    fitting.min_by_key(|&at| (Reverse(others(&room.places[at])), far(at), at))
}

/// The place to look at next: the best chance for a turn.
fn search(room: &Room, object: &str) -> Option<Act> {
    let unseen = (0..room.places.len()).filter(|&at| !room.places[at].seen);
    let rate = |at: usize| chance(object, room.places[at].kind()) / turns(room, at).max(1) as f64;
    let best = unseen.max_by(|&a, &b| rate(a).total_cmp(&rate(b)).then(b.cmp(&a)));
    // Where all was seen, something must have been overlooked: again, from what was seen longest ago.
    let again = || (0..room.places.len()).min_by_key(|&at| (room.places[at].visited, at));
    best.or_else(again).map(Act::Look)
}

/// To a lamp of this kind, or to look for one.
fn light(room: &Room, lamp: &str) -> Option<Act> {
    let lamps = room.lamps.iter().filter(|(name, _)| kind(name) == lamp);
    if let Some((name, at)) = lamps.min_by_key(|(_, at)| (!room.here.contains(at), **at)) {
        return Some(Act::Light(name.clone(), *at));
    }
    // What stands somewhere can be lit from before it, opened or not: being there is to know.
    let new = (0..room.places.len()).filter(|&at| room.places[at].visited == 0);
    let rate = |at: usize| chance(lamp, room.places[at].kind());
    let best = new.max_by(|&a, &b| rate(a).total_cmp(&rate(b)).then(b.cmp(&a)));
    best.map(Act::Look)
}

/// Somewhere with what is not wanted: here if possible, else where it goes, best where there is something to look for too.
fn put_down(room: &Room, object: &str) -> Option<Act> {
    let refused = |at: &usize| room.refused.contains(&(kind(object).to_string(), room.places[*at].kind().to_string()));
    let open = (0..room.places.len()).filter(|at| !refused(at));
    let key = |at: usize| {
        let place = &room.places[at];
        let accepts = room.here.contains(&at) && place.door == Door::Open;
        (accepts || occurs(kind(object), place.kind()), Reverse(turns(room, at)), !place.seen)
    };
    let chance = |at: usize| chance(&room.goal.object, room.places[at].kind());
    let best = open.max_by(|&a, &b| key(a).cmp(&key(b)).then(chance(a).total_cmp(&chance(b))).then(b.cmp(&a)));
    best.map(|at| Act::Put(object.to_string(), at))
}
