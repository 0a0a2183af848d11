//! Goals that no game of the release has: of the game's own type, about another object and another place of its room. Whoever plays the
//! same rooms with ever other goals cannot learn which goal belongs to a room, and has to read what is asked for.

use super::GameFile;
use crate::seed::Seed;
use rand::RngCore;
use std::collections::{BTreeMap, BTreeSet};

/// What games are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Goals {
    /// Each game's own goal.
    #[default]
    Own,
    /// Another object and another place, drawn by the seed with which a game is set up.
    Varied,
}

/// Before the goal's sentence in a grammar.
const ASKED: &str = "Your task is to: ";
/// Before the goal in a problem.
const GOAL: &str = "(:goal";

/// What a goal may ask of an object, and has to be possible with it.
const TREATABLE: [&str; 3] = ["cleanable", "heatable", "coolable"];

/// The same room with a drawn goal, said in the words of its own; without a walkthrough, since nobody knows one. Unchanged where the goal has
/// no official form, or where the room has nothing to ask for.
pub(super) fn varied(mut file: GameFile, seed: u64) -> GameFile {
    let Some(goal) = file.pddl_problem.find(GOAL) else { return file };
    let Some(words) = other_types(&file.pddl_problem[..goal], &file.pddl_problem[goal..], seed) else { return file };
    let Some(sentence) = file.grammar.find(ASKED).map(|at| at + ASKED.len()) else { return file };
    let end = file.grammar[sentence..].find('"').map_or(file.grammar.len(), |length| sentence + length);
    let said: Vec<(String, String)> = words.iter().map(|(from, to)| (said(from), said(to))).collect();
    let new_goal = with_words(&file.pddl_problem[goal..], &words);
    let new_sentence = with_words(&file.grammar[sentence..end], &said);
    file.pddl_problem.replace_range(goal.., &new_goal);
    file.grammar.replace_range(sentence..end, &new_sentence);
    file.walkthrough = Vec::new();
    file
}

/// The types that a goal names, and those that it is to name instead.
fn other_types(room: &str, goal: &str, seed: u64) -> Option<Vec<(String, String)>> {
    let room = Room::read(room);
    let goal = Asked::read(goal)?;
    let places = |object| if goal.place.is_some() { room.places(object, goal.treatable) } else { Vec::new() };
    let choices = room.objects(&goal).into_iter().map(|object| (object, places(object)));
    let choices: Vec<(&str, Vec<&str>)> = choices.filter(|(_, places)| goal.place.is_none() || !places.is_empty()).collect();
    let mut rng = Seed(seed).child("goal", 0).rng();
    let mut draw = |among: usize| (rng.next_u64() % among.max(1) as u64) as usize;
    let (object, places) = choices.get(draw(choices.len()))?;
    let mut words = vec![(goal.object.to_string(), object.to_string())];
    if let Some(place) = goal.place {
        words.push((place.to_string(), (*places.get(draw(places.len()))?).to_string()));
    }
    Some(words)
}

/// A goal, in the types of its problem: `PotatoType`, `MicrowaveType`.
struct Asked<'a> {
    object: &'a str,
    /// How many of them.
    count: usize,
    treatable: Option<&'a str>,
    /// `None` where the object is to be looked at, by a lamp.
    place: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn read(goal: &'a str) -> Option<Asked<'a>> {
        let lamps: BTreeSet<&str> = facts(goal, "isToggled").filter_map(|fact| fact.first().copied()).collect();
        let objects: Vec<&str> = pairs(goal, "objectType").filter(|(object, _)| !lamps.contains(object)).map(|(_, kind)| kind).collect();
        let object = *objects.first()?;
        let place = pairs(goal, "receptacleType").map(|(_, kind)| kind).next();
        let official = objects.iter().all(|kind| *kind == object) && place.is_some() == lamps.is_empty();
        let treatable = TREATABLE.into_iter().find(|property| facts(goal, property).next().is_some());
        official.then_some(Asked { object, count: objects.len(), treatable, place })
    }
}

/// The first state of a problem.
struct Room<'a> {
    text: &'a str,
    /// The type of each object.
    kinds: BTreeMap<&'a str, &'a str>,
    /// The type of each receptacle.
    receptacles: BTreeMap<&'a str, &'a str>,
    /// Objects in receptacles.
    lying: BTreeMap<&'a str, &'a str>,
}

impl<'a> Room<'a> {
    fn read(text: &'a str) -> Room<'a> {
        Room {
            text,
            kinds: pairs(text, "objectType").collect(),
            receptacles: pairs(text, "receptacleType").collect(),
            lying: pairs(text, "inReceptacle").collect(),
        }
    }

    /// Types of which there are as many as asked for that can be taken, and treated as asked for.
    fn objects(&self, goal: &Asked) -> BTreeSet<&'a str> {
        let with = |property: &str| -> BTreeSet<&'a str> { facts(self.text, property).filter_map(|fact| fact.first().copied()).collect() };
        let mut fit = with("pickupable");
        if let Some(property) = goal.treatable {
            fit = &fit & &with(property);
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for object in fit.iter().filter(|object| self.lying.contains_key(*object)) {
            if let Some(kind) = self.kinds.get(object) {
                *counts.entry(kind).or_default() += 1;
            }
        }
        counts.into_iter().filter(|(_, count)| *count >= goal.count).map(|(kind, _)| kind).collect()
    }

    /// Types of receptacles that are there and can hold the object; where it is only to be brought, none that holds one already.
    fn places(&self, object: &str, treatable: Option<&str>) -> Vec<&'a str> {
        let there: BTreeSet<&str> = self.receptacles.values().copied().collect();
        let of_kind = self.lying.iter().filter(|(lying, _)| self.kinds.get(*lying) == Some(&object));
        let done: BTreeSet<&str> = match treatable {
            Some(_) => BTreeSet::new(),
            None => of_kind.filter_map(|(_, receptacle)| self.receptacles.get(receptacle).copied()).collect(),
        };
        let holds: BTreeSet<&str> = pairs(self.text, "canContain").filter(|(_, kind)| *kind == object).map(|(place, _)| place).collect();
        holds.into_iter().filter(|place| there.contains(place) && !done.contains(place)).collect()
    }
}

/// What stands in the facts of a predicate.
fn facts<'a>(text: &'a str, predicate: &str) -> impl Iterator<Item = Vec<&'a str>> {
    text.split('(').filter_map(move |part| {
        let mut words = part.split_once(')')?.0.split_whitespace();
        (words.next() == Some(predicate)).then(|| words.collect())
    })
}

/// As [`facts`], of predicates with two arguments.
fn pairs<'a>(text: &'a str, predicate: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    facts(text, predicate).filter_map(|fact| <[&str; 2]>::try_from(fact).ok()).map(|[one, other]| (one, other))
}

/// How a type is called in a sentence: `PotatoType` is a `potato`.
fn said(kind: &str) -> String {
    kind.strip_suffix("Type").unwrap_or(kind).to_ascii_lowercase()
}

/// A text with some of its words changed, all at once.
fn with_words(text: &str, words: &[(String, String)]) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut changed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(is_word) {
        let length = rest[begin..].find(|c| !is_word(c)).unwrap_or(rest.len() - begin);
        let word = &rest[begin..begin + length];
        changed.push_str(&rest[..begin]);
        changed.push_str(words.iter().find(|(from, _)| from == word).map_or(word, |(_, to)| to));
        rest = &rest[begin + length..];
    }
    changed + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(goal: &str, sentence: &str) -> GameFile {
        let room =
            "(:init (objectType mug_1 MugType) (objectType pan_1 PanType) (objectType pan_2 PanType) (objectType lamp_1 DeskLampType)
            (pickupable mug_1) (pickupable pan_1) (pickupable pan_2) (coolable mug_1) (heatable pan_1)
            (receptacleType desk_1 DeskType) (receptacleType shelf_1 ShelfType) (receptacleType fridge_1 FridgeType)
            (inReceptacle mug_1 desk_1) (inReceptacle pan_1 shelf_1) (inReceptacle pan_2 shelf_1) (inReceptacle lamp_1 desk_1)
            (canContain DeskType MugType) (canContain ShelfType MugType) (canContain DeskType PanType) (canContain ShelfType PanType)
            (canContain BedType PanType))";
        GameFile {
            pddl_domain: String::new(),
            grammar: format!("{{ \"task\": [ {{ \"rhs\": \"Your task is to: {sentence}\" }} ] }}"),
            pddl_problem: format!("{room} {goal}"),
            solvable: true,
            walkthrough: vec!["look".into()],
        }
    }

    /// All sentences that come up.
    fn sentences(goal: &str, sentence: &str) -> BTreeSet<String> {
        let draw = |seed| {
            let file = varied(file(goal, sentence), seed);
            let said = file.grammar.split(ASKED).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_string();
            let goal = &file.pddl_problem[file.pddl_problem.find(GOAL).unwrap_or_default()..];
            for word in ["mug", "pan", "desk", "shelf"].into_iter().filter(|word| said.split([' ', '.']).any(|said| said == *word)) {
                assert!(goal.to_lowercase().contains(&format!("{word}type")), "{said}: {goal}");
            }
            said
        };
        (0..40).map(draw).collect()
    }

    #[test]
    fn objects_and_places_are_those_of_the_room() {
        let simple = "(:goal (and (inReceptacle ?o ?r) (objectType ?o PanType) (receptacleType ?r DeskType)))";
        let found = sentences(simple, "put some pan on desk.");
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ["put some mug on shelf.", "put some pan on desk."]);
        let two = "(:goal (and (objectType ?o1 PanType) (receptacleType ?r DeskType) (objectType ?o2 PanType)))";
        assert_eq!(sentences(two, "put two pan in desk."), BTreeSet::from(["put two pan in desk.".to_string()]));
        let cool = "(:goal (and (coolable ?o) (objectType ?o PanType) (receptacleType ?r DeskType) (isCool ?o)))";
        let found = sentences(cool, "cool some pan and put it in desk.");
        let both = ["cool some mug and put it in desk.", "cool some mug and put it in shelf."];
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), both);
        let light = "(:goal (and (objectType ?l DeskLampType) (isToggled ?l) (objectType ?o MugType) (holds ?a ?o)))";
        let found = sentences(light, "look at mug under the desklamp.");
        let both = ["look at mug under the desklamp.", "look at pan under the desklamp."];
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), both);
    }

    #[test]
    fn the_same_seed_draws_the_same_goal_and_what_is_no_goal_stays() {
        let simple = "(:goal (and (inReceptacle ?o ?r) (objectType ?o PanType) (receptacleType ?r DeskType)))";
        let draw = |seed| varied(file(simple, "put some pan on desk."), seed);
        assert_eq!(draw(3).pddl_problem, draw(3).pddl_problem);
        assert!(draw(3).walkthrough.is_empty());
        for odd in ["(:goal (dance))", "(:goal (objectType ?o PanType))", ""] {
            let kept = varied(file(odd, "dance."), 1);
            assert_eq!((kept.pddl_problem, kept.walkthrough.len()), (file(odd, "dance.").pddl_problem, 1), "{odd}");
        }
    }
}
