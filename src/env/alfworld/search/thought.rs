//! What the expert says it has in mind.

use super::decide::Act;
use super::goal::Wish;
use super::hearing::kind;
use super::room::Room;

/// What is said before an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Saying {
    /// What the next act comes from.
    Intent,
    /// That, and all that was seen before and will be needed later: who hears it has to remember nothing of that.
    Notes,
}

/// The thought that leads to an act, in the words of the game, so that what is wanted and what is seen are the same words.
pub(super) fn thought(room: &Room, act: &Act, saying: Saying) -> String {
    let intent = intent(room, act, saying);
    let kept = match saying {
        Saying::Intent => Vec::new(),
        Saying::Notes => kept(room, act),
    };
    if kept.is_empty() { intent } else { format!("{intent}; {}", kept.join(", ")) }
}

/// `want mug: mug 2 on shelf 1`, where the mug is known to be; `want mug: none` before one was seen.
fn intent(room: &Room, act: &Act, saying: Saying) -> String {
    let wanted = &room.goal.object;
    let at = &room.places[act.place()].name;
    let held = room.hand.as_deref();
    match (act, &room.goal.wish) {
        (Act::Take(object, _), _) => format!("want {wanted}: {object} on {at}"),
        (Act::Look(_), Wish::Light(lamp)) if held.is_some() => format!("want {wanted}: have it, {lamp}: none"),
        (Act::Look(_), _) => format!("want {wanted}: none"),
        (Act::Light(lamp, _), _) => format!("want {wanted}: have it, {lamp} on {at}"),
        (Act::Treat(treatment, object, _), _) => format!("want {wanted}: have {object}, {} it", treatment.verb()),
        // Two have to come to one and the same place.
        (Act::Put(object, _), Wish::BringTwo(_)) if saying == Saying::Notes && kind(object) == wanted => {
            format!("want {wanted}: have {object}, to {at}")
        }
        (Act::Put(object, _), Wish::Bring(_, place) | Wish::BringTwo(place)) if kind(object) == wanted => {
            format!("want {wanted}: have {object}, to {place}")
        }
        (Act::Put(object, _), _) => format!("want {wanted}: not {object}"),
    }
}

/// The most things that are kept in mind beside the one that the act is about.
const KEPT: usize = 2;

/// Where else things are known to be that the goal is about: `mug 1 on shelf 2`.
fn kept(room: &Room, act: &Act) -> Vec<String> {
    let needed = |object: &str| kind(object) == room.goal.object && !room.fixed.contains(object);
    let more_are_wanted = matches!(room.goal.wish, Wish::BringTwo(_)) || !room.hand.as_deref().is_some_and(needed);
    let taken = |object: &str, at: usize| *act == Act::Take(object.to_string(), at);
    let known = room.places.iter().enumerate().flat_map(|(at, place)| place.objects.iter().map(move |object| (object.as_str(), at)));
    let objects = known.filter(|(object, at)| more_are_wanted && needed(object) && !taken(object, *at)).take(KEPT);
    let lamp = match (&room.goal.wish, act) {
        (_, Act::Light(..)) => None,
        (Wish::Light(wanted), _) => room.lamps.iter().find(|(lamp, _)| kind(lamp) == wanted),
        _ => None,
    };
    let lamp = lamp.map(|(lamp, at)| (lamp.as_str(), *at));
    objects.chain(lamp).map(|(object, at)| format!("{object} on {}", room.places[at].name)).collect()
}
