//! A house being played: the shared interpreter on the rules of [`domain.pddl`](self) and the words of `text.grammar`.

use super::expert::{self, Seen, View};
use super::layout::{Layout, Thing};
use super::words::Room;
use crate::env::pddl::{self, Loader, PlainNames, State};
use crate::env::{EnvError, Observation, Step};

const DOMAIN: &str = include_str!("domain.pddl");
const GRAMMAR: &str = include_str!("text.grammar");
/// Said of anything that is no admissible command. Nothing has changed then.
const REFUSED: &str = "not possible.";
const WON: &str = "done.";

/// The domain and the grammar: what all houses share.
#[derive(Default)]
pub(super) struct Rules {
    loader: Loader,
}

impl Rules {
    pub(super) fn load(&self, layout: &Layout) -> Result<pddl::Game, EnvError> {
        self.loader
            .load(DOMAIN, GRAMMAR, &layout.problem(), &PlainNames)
            .map_err(|e| EnvError::Task(format!("the rules of `household` are broken: {e}")))
    }

    /// Of everything that is the same in all houses.
    pub(super) fn hash() -> blake3::Hash {
        let mut hash = blake3::Hasher::new();
        for text in [DOMAIN, GRAMMAR, REFUSED, WON] {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        hash.finalize()
    }
}

pub(super) struct Game {
    layout: Layout,
    pddl: pddl::Game,
    state: State,
    scene: String,
    won: bool,
}

impl Game {
    pub(super) fn start(rules: &Rules, layout: Layout) -> Result<Game, EnvError> {
        let game = rules.load(&layout)?;
        let state = game.initial();
        let scene = game.opening(&state).map_err(broken)?;
        Ok(Game { layout, pddl: game, state, scene, won: false })
    }

    pub(super) fn opening(&self) -> Observation {
        Observation { text: self.scene.clone(), task: self.layout.task() }
    }

    /// Once the goal is reached nothing more can be done.
    pub(super) fn step(&mut self, action: &str) -> Result<Step, EnvError> {
        let said = if self.won { None } else { self.pddl.act(&mut self.state, action).map_err(broken)? };
        let valid = said.is_some();
        let mut observation = said.unwrap_or_else(|| REFUSED.to_string());
        let mut reward = 0.0;
        if valid {
            self.scene = self.pddl.opening(&self.state).map_err(broken)?;
            if self.pddl.won(&self.state) {
                self.won = true;
                reward = 1.0;
            }
        }
        if !observation.is_empty() {
            observation.push(' ');
        }
        observation.push_str(&self.scene);
        if self.won {
            observation.push(' ');
            observation.push_str(WON);
        }
        Ok(Step { observation, reward, terminated: self.won, truncated: false, success: self.won, valid })
    }

    pub(super) fn admissible(&self) -> Vec<String> {
        if self.won { Vec::new() } else { self.pddl.admissible_texts(&self.state).into_iter().map(str::to_string).collect() }
    }

    pub(super) fn expert(&self) -> Option<String> {
        self.look(|view| expert::advise(&self.layout, view)?.command(&self.layout))
    }

    /// What the expert has in mind.
    pub(super) fn thought(&self) -> Option<String> {
        self.look(|view| expert::thought(&self.layout, view))
    }

    /// What somebody makes of the last observation; nothing once the goal is reached.
    fn look<T>(&self, make: impl FnOnce(&View) -> Option<T>) -> Option<T> {
        if self.won {
            return None;
        }
        let fact = |predicate: &str| self.pddl.facts(&self.state, predicate).into_iter().flatten().next().map(str::to_string);
        let (here, place, held) = (fact("here")?, fact("at")?, fact("holds"));
        let room: Room = *self.layout.rooms.iter().find(|room| room.word() == here)?;
        let at = self.layout.spots.iter().position(|spot| spot.id() == place);
        let is = |predicate: &str| self.pddl.holds(&self.state, predicate, &[&place]);
        let seen = |thing: &Thing| {
            let id = thing.id();
            let is = |predicate: &str| self.pddl.holds(&self.state, predicate, &[&id]);
            Seen { class: thing.class, number: thing.number, clean: is("clean"), hot: is("hot"), cold: is("cold") }
        };
        let open = is("open");
        let inside = |thing: &&Thing| open && self.pddl.holds(&self.state, "in", &[&thing.id(), &place]);
        let contents: Vec<Seen> = self.layout.things.iter().filter(inside).map(seen).collect();
        let hand = held.and_then(|held| self.layout.things.iter().find(|thing| thing.id() == held)).map(seen);
        make(&View { room, at, open: open || is("lit"), contents: &contents, hand })
    }
}

fn broken(error: pddl::PlayError) -> EnvError {
    EnvError::Broken(error.to_string())
}
