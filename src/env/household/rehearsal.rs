//! How long a game takes the expert, found out without the interpreter: tasks are chosen by it, thousands at a time.

use super::expert::{Act, Seen, View, advise};
use super::layout::Layout;
use super::words::Room;

/// The part of a game that the expert's own way can change.
struct Rehearsal<'a> {
    layout: &'a Layout,
    room: Room,
    at: Option<usize>,
    open: Vec<bool>,
    /// Objects of the goal's class, and where they are; `None`: in the hand.
    wanted: Vec<(Seen, Option<usize>)>,
}

/// The turns that the expert takes, if they are no more than `most`.
pub(super) fn expert_turns(layout: &Layout, most: usize) -> Option<usize> {
    let seen = |class, number| Seen { class, number, clean: false, hot: false, cold: false };
    let wanted = layout.things.iter().filter(|thing| thing.class == layout.goal.object);
    let mut rehearsal = Rehearsal {
        layout,
        room: layout.start,
        at: None,
        open: layout.spots.iter().map(|spot| !spot.class.openable() && !spot.class.lamp()).collect(),
        wanted: wanted.map(|thing| (seen(thing.class, thing.number), Some(thing.spot))).collect(),
    };
    for turn in 1..=most {
        if rehearsal.turn()? {
            return Some(turn);
        }
    }
    None
}

impl Rehearsal<'_> {
    /// Whether the goal is reached now; `None` when the expert is at a loss.
    fn turn(&mut self) -> Option<bool> {
        let open = self.at.and_then(|at| self.open.get(at)).copied().unwrap_or(false);
        let here: Vec<Seen> =
            self.wanted.iter().filter(|(_, place)| open && place.is_some() && *place == self.at).map(|(it, _)| *it).collect();
        let hand = self.wanted.iter().find(|(_, place)| place.is_none()).map(|(it, _)| *it);
        match advise(self.layout, &View { room: self.room, at: self.at, open, contents: &here, hand })? {
            Act::Enter(room) => {
                self.room = room;
                self.at = None;
            }
            Act::Go(spot) => self.at = Some(spot),
            Act::Open(spot) => *self.open.get_mut(spot)? = true,
            Act::Take(it, _) => self.find(it)?.1 = None,
            Act::Put(it, spot) => {
                self.find(it)?.1 = Some(spot);
                let brought = self.wanted.iter().filter(|(_, place)| *place == Some(spot)).count();
                return Some(brought == Layout::needed(self.layout.family));
            }
            Act::Prepare(it, _) => {
                let it = &mut self.find(it)?.0;
                // The goal asks for one of them only.
                (it.clean, it.hot, it.cold) = (true, true, true);
            }
            Act::TurnOn(_) => return Some(true),
        }
        Some(false)
    }

    fn find(&mut self, it: Seen) -> Option<&mut (Seen, Option<usize>)> {
        self.wanted.iter_mut().find(|(known, _)| known.number == it.number)
    }
}
