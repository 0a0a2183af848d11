//! What an observation says, in the words of the official games.

/// One thing that a player is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told<'t> {
    /// All that is to be seen in or on a receptacle.
    Contents {
        place: &'t str,
        objects: Vec<&'t str>,
    },
    Taken {
        object: &'t str,
        place: &'t str,
    },
    Moved {
        object: &'t str,
        place: &'t str,
    },
    /// `verb`: clean, heat or cool.
    Treated {
        object: &'t str,
        verb: &'t str,
    },
}

/// Everything in an observation that the expert makes something of.
pub(super) fn hear(observation: &str) -> Vec<Told<'_>> {
    let mut open = None;
    observation.split(['.', '\n']).filter_map(|sentence| told(sentence.trim(), &mut open)).collect()
}

/// `open`: the receptacle that the sentence before called open.
fn told<'t>(sentence: &'t str, open: &mut Option<&'t str>) -> Option<Told<'t>> {
    let before = open.take();
    if let Some((place, list)) = sentence.strip_prefix("On the ").and_then(|rest| rest.split_once(", you see ")) {
        return Some(Told::Contents { place, objects: items(list) });
    }
    if let Some(list) = sentence.strip_prefix("In it, you see ") {
        return Some(Told::Contents { place: before?, objects: items(list) });
    }
    if let Some(place) = sentence.strip_prefix("The ").and_then(|rest| rest.strip_suffix(" is open")) {
        *open = Some(place);
        return None;
    }
    let did = sentence.strip_prefix("You ")?;
    if let Some((object, place)) = did.strip_prefix("pick up the ").and_then(|rest| rest.split_once(" from the ")) {
        return Some(Told::Taken { object, place });
    }
    if let Some((object, place)) = did.strip_prefix("move the ").and_then(|rest| rest.split_once(" to the ")) {
        return Some(Told::Moved { object, place });
    }
    if let Some((object, place)) = did.strip_prefix("put the ").and_then(|rest| rest.split_once(" in/on the ")) {
        return Some(Told::Moved { object, place });
    }
    let (verb, rest) = did.split_once(" the ")?;
    let (object, _) = rest.split_once(" using the ")?;
    Some(Told::Treated { object, verb })
}

/// The names in `a pen 1, a pan 2, and a pot 1`, or `nothing`.
pub(super) fn items(list: &str) -> Vec<&str> {
    let names = list.split(", ").map(|item| item.strip_prefix("and ").unwrap_or(item));
    names.filter_map(|item| item.strip_prefix("a ")).collect()
}

/// Where a command puts what is in the hand: of both releases of the games.
pub(super) fn destination(command: &str) -> Option<&str> {
    let (_, place) = match command.strip_prefix("move ") {
        Some(rest) => rest.split_once(" to ")?,
        None => command.strip_prefix("put ")?.split_once(" in/on ")?,
    };
    Some(place)
}

/// `mug` of `mug 1`.
pub(super) fn kind(name: &str) -> &str {
    name.rsplit_once(' ').map_or(name, |(kind, _)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_the_games() {
        let contents = |place, objects: &[&'static str]| vec![Told::Contents { place, objects: objects.to_vec() }];
        for (observation, found) in [
            ("You arrive at shelf 1. On the shelf 1, you see a mug 2, and a pen 1.", contents("shelf 1", &["mug 2", "pen 1"])),
            ("You arrive at loc 3. On the desk 1, you see nothing.", contents("desk 1", &[])),
            ("You open the safe 1. The safe 1 is open. In it, you see a cd 3, a pen 2, and a pen 1.", {
                contents("safe 1", &["cd 3", "pen 2", "pen 1"])
            }),
            ("You arrive at safe 1. The safe 1 is closed.", Vec::new()),
            ("You pick up the mug 1 from the shelf 2.", vec![Told::Taken { object: "mug 1", place: "shelf 2" }]),
            ("You move the mug 1 to the shelf 2.", vec![Told::Moved { object: "mug 1", place: "shelf 2" }]),
            ("You put the mug 1 in/on the shelf 2.", vec![Told::Moved { object: "mug 1", place: "shelf 2" }]),
            ("You heat the mug 1 using the microwave 1.", vec![Told::Treated { object: "mug 1", verb: "heat" }]),
            ("You turn on the desklamp 1.", Vec::new()),
            ("Nothing happens.", Vec::new()),
            ("You are facing the shelf 1. Next to it, you see a mug 1.", Vec::new()),
            ("You sliced the apple 1 with the knife 1.", Vec::new()),
        ] {
            assert_eq!(hear(observation), found, "{observation}");
        }
        assert_eq!((kind("mug 12"), kind("mug")), ("mug", "mug"));
        let places = ["move mug 1 to shelf 2", "put mug 1 in/on shelf 2", "go to shelf 2"].map(destination);
        assert_eq!(places, [Some("shelf 2"), Some("shelf 2"), None]);
    }
}
