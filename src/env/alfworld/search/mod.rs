//! An expert that has to search, as a player has to: it knows the goal, what it was shown and told, and how often things of a kind lay in
//! receptacles of a kind in the training games. It never sees the state of the game.
//!
//! It looks where the chance for a turn is best; takes what it finds, treats it, brings it, lights the lamp. It is told every action and its
//! answer, whoever acted, and its advice depends on these alone: after detours it goes on from what is known.

mod chances;
mod decide;
mod goal;
mod hearing;
mod room;
mod thought;

use decide::{Act, decide};
use goal::Goal;
use room::{Door, Room};

pub(super) use thought::Saying;

/// Follows one game.
#[derive(Clone, Debug)]
pub(super) struct Searcher {
    /// `None` where the goal is of no official type.
    room: Option<Room>,
    saying: Saying,
}

impl Searcher {
    /// At the beginning of a game. `goal`: the sentence; `opening`: the first observation.
    pub(super) fn new(goal: &str, opening: &str, saying: Saying) -> Searcher {
        Searcher { room: Goal::parse(goal).map(|goal| Room::new(goal, opening)), saying }
    }

    /// Takes in what an action led to: the answer, and the commands that are possible now.
    pub(super) fn hear<'c>(&mut self, observation: &str, commands: impl Iterator<Item = &'c str> + Clone) {
        if let Some(room) = &mut self.room {
            room.hear(observation, commands);
        }
    }

    /// One of the commands that are possible now; `None` where nothing is known that would help.
    pub(super) fn advise<'c>(&self, commands: impl Iterator<Item = &'c str> + Clone) -> Option<&'c str> {
        let room = self.room.as_ref()?;
        let act = decide(room)?;
        command(room, &act, commands)
    }

    /// What its advice comes from: what is wanted, and what is known of it.
    pub(super) fn thought(&self) -> Option<String> {
        let room = self.room.as_ref()?;
        Some(thought::thought(room, &decide(room)?, self.saying))
    }
}

/// The next command on the way to an act.
fn command<'c>(room: &Room, act: &Act, mut commands: impl Iterator<Item = &'c str> + Clone) -> Option<&'c str> {
    let place = &room.places[act.place()];
    let name = &place.name;
    let possible: Vec<String> = if !room.here.contains(&act.place()) {
        vec![format!("go to {name}")]
    } else if act.needs_open() && place.door == Door::Closed {
        vec![format!("open {name}")]
    } else {
        match act {
            Act::Look(_) => vec![format!("examine {name}")],
            Act::Take(object, _) => vec![format!("take {object} from {name}")],
            // The words of both releases.
            Act::Put(object, _) => vec![format!("move {object} to {name}"), format!("put {object} in/on {name}")],
            Act::Treat(treatment, object, _) => vec![format!("{} {object} with {name}", treatment.verb())],
            Act::Light(lamp, _) => vec![format!("use {lamp}")],
        }
    };
    commands.find(|command| possible.iter().any(|text| text == command))
}

#[cfg(test)]
mod tests {
    use super::{Saying, Searcher};

    const OPENING: &str = "-= Welcome to TextWorld, ALFRED! =-\n\nYou are in the middle of a room. Looking quickly around you, you see a drawer 1, \
                           a fridge 1, a shelf 2, a shelf 1, and a sinkbasin 1.\n\nYour task is to: GOAL";
    const ALL: [&str; 5] = ["go to drawer 1", "go to fridge 1", "go to shelf 1", "go to shelf 2", "go to sinkbasin 1"];

    /// After each answer, with the commands that are possible then beside `go to`, the expert's advice.
    fn advice(goal: &str, heard: &[(&str, &[&'static str])]) -> Option<&'static str> {
        let mut searcher = Searcher::new(goal, OPENING, Saying::Intent);
        let mut possible = ALL.to_vec();
        for (answer, commands) in heard {
            possible = [*commands, &ALL].concat();
            searcher.hear(answer, possible.iter().copied());
        }
        searcher.advise(possible.iter().copied())
    }

    const AT_SHELF: &[&str] = &["examine shelf 1"];

    #[test]
    fn it_looks_where_the_chance_for_a_turn_is_best() {
        assert_eq!(advice("put a mug in shelf.", &[]), Some("go to fridge 1"));
        assert_eq!(advice("put a fork in shelf.", &[]), Some("go to sinkbasin 1"));
        assert_eq!(advice("put a apple in shelf.", &[]), Some("go to fridge 1"));
        let basin = ("You arrive at sinkbasin 1. On the sinkbasin 1, you see a fork 1.", ["examine sinkbasin 1"].as_slice());
        assert_eq!(advice("put a mug in shelf.", &[basin]), Some("go to fridge 1"));
        let closed = ("You arrive at fridge 1. The fridge 1 is closed.", ["open fridge 1", "examine fridge 1"].as_slice());
        assert_eq!(advice("put a mug in shelf.", &[basin, closed]), Some("open fridge 1"));
    }

    #[test]
    fn it_takes_treats_and_brings() {
        let seen = ("You arrive at shelf 1. On the shelf 1, you see a mug 1.", ["examine shelf 1", "take mug 1 from shelf 1"].as_slice());
        assert_eq!(advice("put a clean mug in drawer.", &[seen]), Some("take mug 1 from shelf 1"));
        let left = ("You arrive at sinkbasin 1. On the sinkbasin 1, you see nothing.", ["examine sinkbasin 1"].as_slice());
        assert_eq!(advice("put a clean mug in drawer.", &[seen, left]), Some("go to shelf 1"), "it remembers");
        let took = ("You pick up the mug 1 from the shelf 1.", ["examine shelf 1", "examine mug 1", "move mug 1 to shelf 1"].as_slice());
        assert_eq!(advice("put a mug in drawer.", &[seen, took]), Some("go to drawer 1"));
        assert_eq!(advice("put a clean mug in drawer.", &[seen, took]), Some("go to sinkbasin 1"));
        let basin: &[&str] = &["clean mug 1 with sinkbasin 1", "examine sinkbasin 1", "examine mug 1", "move mug 1 to sinkbasin 1"];
        let there = ("You arrive at sinkbasin 1. On the sinkbasin 1, you see nothing.", basin);
        assert_eq!(advice("put a clean mug in drawer.", &[seen, took, there]), Some("clean mug 1 with sinkbasin 1"));
        let clean = ("You clean the mug 1 using the sinkbasin 1.", basin);
        assert_eq!(advice("put a clean mug in drawer.", &[seen, took, there, clean]), Some("go to drawer 1"));
        let drawer: &[&str] = &["open drawer 1", "examine drawer 1", "examine mug 1"];
        let closed = ("You arrive at drawer 1. The drawer 1 is closed.", drawer);
        assert_eq!(advice("put a clean mug in drawer.", &[seen, took, there, clean, closed]), Some("open drawer 1"));
    }

    fn said(saying: Saying, goal: &str, heard: &[(&str, &[&'static str])]) -> Option<String> {
        let mut searcher = Searcher::new(goal, OPENING, saying);
        heard.iter().for_each(|(answer, commands)| searcher.hear(answer, commands.iter().copied().chain(ALL)));
        searcher.thought()
    }

    #[test]
    fn it_says_what_it_has_in_mind() {
        let thought = |goal: &str, heard: &[(&str, &[&'static str])]| said(Saying::Intent, goal, heard);
        let says = |goal: &str, heard: &[(&str, &[&'static str])], said: &str| assert_eq!(thought(goal, heard).as_deref(), Some(said));
        let goal = "put a clean mug in drawer.";
        says(goal, &[], "want mug: none");
        let other = ("You arrive at sinkbasin 1. On the sinkbasin 1, you see a fork 1.", ["examine sinkbasin 1"].as_slice());
        says(goal, &[other], "want mug: none");
        let seen = ("You arrive at shelf 1. On the shelf 1, you see a mug 1.", ["examine shelf 1", "take mug 1 from shelf 1"].as_slice());
        says(goal, &[seen], "want mug: mug 1 on shelf 1");
        says(goal, &[seen, other], "want mug: mug 1 on shelf 1");
        let took = ("You pick up the mug 1 from the shelf 1.", ["examine shelf 1", "examine mug 1", "move mug 1 to shelf 1"].as_slice());
        says(goal, &[seen, took], "want mug: have mug 1, clean it");
        says("put a mug in drawer.", &[seen, took], "want mug: have mug 1, to drawer");
        says("put a fork in drawer.", &[seen, took], "want fork: not mug 1");
        says("look at mug under the desklamp.", &[seen, took], "want mug: have it, desklamp: none");
        assert_eq!(thought("dance.", &[]), None);
    }

    #[test]
    fn its_notes_hold_what_it_will_need() {
        let says = |goal: &str, heard: &[(&str, &[&'static str])], wanted: &str| {
            assert_eq!(said(Saying::Notes, goal, heard).as_deref(), Some(wanted));
        };
        let two = ["examine shelf 1", "take mug 1 from shelf 1", "take mug 2 from shelf 1"].as_slice();
        let two = ("You arrive at shelf 1. On the shelf 1, you see a mug 1, and a mug 2.", two);
        let took = ("You pick up the mug 1 from the shelf 1.", ["examine shelf 1", "examine mug 1", "move mug 1 to shelf 1"].as_slice());
        let goal = "put two mug in drawer.";
        says(goal, &[two], "want mug: mug 1 on shelf 1; mug 2 on shelf 1");
        says(goal, &[two, took], "want mug: have mug 1, to drawer 1; mug 2 on shelf 1");
        let put = ("You move the mug 1 to the drawer 1.", ["examine drawer 1", "take mug 1 from drawer 1", "close drawer 1"].as_slice());
        says(goal, &[two, took, put], "want mug: mug 2 on shelf 1; mug 1 on drawer 1");
        says("put a mug in drawer.", &[two, took], "want mug: have mug 1, to drawer");
        says("put a fork in drawer.", &[two, took], "want fork: not mug 1");
        let lamp = ("You arrive at shelf 2. On the shelf 2, you see a desklamp 1.", ["examine shelf 2", "use desklamp 1"].as_slice());
        says("look at mug under the desklamp.", &[lamp], "want mug: none; desklamp 1 on shelf 2");
        says("look at mug under the desklamp.", &[lamp, two, took], "want mug: have it, desklamp 1 on shelf 2");
    }

    #[test]
    fn what_undoes_a_treatment_is_noticed() {
        let hand: &[&str] = &["examine mug 1", "examine fridge 1", "cool mug 1 with fridge 1", "open fridge 1"];
        let cool = ("You cool the mug 1 using the fridge 1.", hand);
        let heat = ("You heat the mug 1 using the microwave 1.", ["examine mug 1"].as_slice());
        assert_eq!(advice("put a cool mug in shelf.", &[cool]), Some("go to shelf 2"));
        assert_eq!(advice("put a cool mug in shelf.", &[cool, heat]), Some("go to fridge 1"));
    }

    #[test]
    fn a_wrong_thing_is_put_where_it_goes() {
        let hand = "You pick up the fork 1 from the sinkbasin 1.";
        assert_eq!(advice("put a mug in shelf.", &[(hand, &["examine fork 1", "examine sinkbasin 1", "move fork 1 to sinkbasin 1"])]), {
            Some("move fork 1 to sinkbasin 1")
        });
        assert_eq!(advice("put a mug in shelf.", &[(hand, &["examine fork 1", "put fork 1 in/on sinkbasin 1", "examine sinkbasin 1"])]), {
            Some("put fork 1 in/on sinkbasin 1")
        });
        let closed: &[&str] = &["examine fork 1", "examine drawer 1", "open drawer 1"];
        assert_eq!(advice("put a mug in shelf.", &[("You close the drawer 1.", closed)]), Some("go to sinkbasin 1"));
        let refused: Vec<(&str, &[&str])> = vec![
            ("You arrive at drawer 1. The drawer 1 is open. In it, you see nothing.", &["examine fork 1", "examine drawer 1"]),
            ("You arrive at fridge 1. The fridge 1 is open. In it, you see nothing.", &["examine fork 1", "examine fridge 1"]),
            ("You arrive at shelf 1. On the shelf 1, you see nothing.", &["examine fork 1", "examine shelf 1"]),
            ("You arrive at sinkbasin 1. On the sinkbasin 1, you see nothing.", &["examine fork 1", "examine sinkbasin 1"]),
        ];
        assert_eq!(advice("put a mug in shelf.", &refused[..3]), Some("go to sinkbasin 1"));
        assert_eq!(advice("put a mug in shelf.", &refused), None, "it fits nowhere");
    }

    #[test]
    fn two_are_brought_together() {
        let far = ("You arrive at shelf 2. On the shelf 2, you see a mug 2.", ["examine shelf 2", "take mug 2 from shelf 2"].as_slice());
        let near = ("You arrive at shelf 1. On the shelf 1, you see a mug 1.", ["examine shelf 1", "take mug 1 from shelf 1"].as_slice());
        assert_eq!(advice("put two mug in shelf.", &[far, near]), Some("take mug 1 from shelf 1"));
        let took = ("You pick up the mug 1 from the shelf 1.", ["examine shelf 1", "examine mug 1", "move mug 1 to shelf 1"].as_slice());
        assert_eq!(advice("put two mug in shelf.", &[far, near, took]), Some("go to shelf 2"));
    }

    #[test]
    fn a_lamp_is_lit_with_the_object_in_the_hand() {
        let shelf = ("You arrive at shelf 1. On the shelf 1, you see a desklamp 1.", ["examine shelf 1", "use desklamp 1"].as_slice());
        let took = ("You pick up the mug 1 from the sinkbasin 1.", ["examine mug 1", "examine sinkbasin 1"].as_slice());
        let goal = "look at mug under the desklamp.";
        assert_eq!(advice(goal, &[shelf, took]), Some("go to shelf 1"));
        let back = (
            "You arrive at shelf 1. On the shelf 1, you see a desklamp 1.",
            ["examine mug 1", "examine shelf 1", "use desklamp 1"].as_slice(),
        );
        assert_eq!(advice(goal, &[shelf, took, back]), Some("use desklamp 1"));
        assert_eq!(advice(goal, &[took]), Some("go to shelf 2"), "it looks for the lamp");
    }

    #[test]
    fn it_is_at_a_loss_where_the_goal_is_none_that_it_knows() {
        assert_eq!(advice("dance.", &[]), None);
        assert_eq!(advice("put a mug in shelf.", &[("Nothing happens.", AT_SHELF)]), Some("go to fridge 1"));
    }
}
