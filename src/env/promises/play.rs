//! An episode that was played once, to be played again with the same actions.

use crate::env::{EnvError, Environment, Observation, Step, Task, World};
use crate::seed::Seed;
use rand::Rng;
use std::time::{Duration, Instant};

/// Turns of an episode.
const TURNS: usize = 40;

/// What is tried where an environment lists no actions and has no expert.
const WORDS: [&str; 3] = ["look", "help", "wait"];

/// What was played, and what came of it: one scene more than actions.
pub(super) struct Play {
    task: Task,
    seed: u64,
    actions: Vec<String>,
    scenes: Vec<Scene>,
    placeholders: Vec<String>,
}

/// A scene as it can be compared.
#[derive(Clone, Debug, PartialEq)]
struct Scene {
    said: Said,
    admissible: Vec<String>,
    placeholders: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Said {
    Opening(Observation),
    Step(Step),
}

/// How long it took.
#[derive(Default)]
pub(super) struct Times {
    pub steps: Vec<Duration>,
    pub resets: Vec<Duration>,
}

impl Play {
    /// With admissible actions by chance; the expert's, or a few words, where none are listed.
    pub(super) fn first(world: &dyn World, task: &Task, seed: u64) -> Result<Self, EnvError> {
        let mut game = world.instance()?;
        let placeholders = world.placeholders().into_iter().map(str::to_owned).collect();
        let mut play = Self { task: task.clone(), seed, actions: Vec::new(), scenes: Vec::new(), placeholders };
        let (mut dice, mut times) = (Seed(seed).child("actions", 0).rng(), Times::default());
        for turn in 0..=TURNS {
            let scene = play.scene(turn, &mut *game, &mut times)?;
            let over = matches!(&scene.said, Said::Step(step) if step.terminated || step.truncated);
            let action = match scene.admissible.len() {
                0 => game.expert()?.unwrap_or_else(|| WORDS[turn % WORDS.len()].into()),
                many => scene.admissible[dice.random_range(0..many)].clone(),
            };
            play.scenes.push(scene);
            if over || turn == TURNS {
                break;
            }
            play.actions.push(action);
        }
        Ok(play)
    }

    pub(super) fn with_another_seed(&self) -> Self {
        let Self { task, seed, actions, scenes, placeholders } = self;
        Self { task: task.clone(), seed: !seed, actions: actions.clone(), scenes: scenes.clone(), placeholders: placeholders.clone() }
    }

    pub(super) fn turns(&self) -> usize {
        self.actions.len()
    }

    pub(super) fn opening(&self) -> String {
        self.scenes.first().map(|scene| format!("{:?}", scene.said)).unwrap_or_default()
    }

    /// The first difference, if there is one.
    pub(super) fn again(&self, game: &mut dyn Environment, times: &mut Times) -> Result<Option<String>, EnvError> {
        for turn in 0..=self.turns() {
            if let Some(difference) = self.turn_again(turn, game, times)? {
                return Ok(Some(difference));
            }
        }
        Ok(None)
    }

    /// Turn 0 sets the task up. The difference, if there is one.
    pub(super) fn turn_again(&self, turn: usize, game: &mut dyn Environment, times: &mut Times) -> Result<Option<String>, EnvError> {
        let found = self.scene(turn, game, times)?;
        let known = self.scenes.get(turn);
        let Some(known) = known.filter(|known| **known != found) else { return Ok(None) };
        let (was, is) = match (known.said == found.said, known.admissible == found.admissible) {
            (false, _) => (format!("{:?}", known.said), format!("{:?}", found.said)),
            (true, false) => (format!("actions {:?}", known.admissible), format!("{:?}", found.admissible)),
            (true, true) => (format!("placeholders {:?}", known.placeholders), format!("{:?}", found.placeholders)),
        };
        Ok(Some(format!("turn {turn} of `{}` was {}, is {}", self.task.id, short(&was), short(&is))))
    }

    fn scene(&self, turn: usize, game: &mut dyn Environment, times: &mut Times) -> Result<Scene, EnvError> {
        let begin = Instant::now();
        let said = match turn.checked_sub(1).and_then(|last| self.actions.get(last)) {
            Some(action) => Said::Step(game.step(action)?),
            None => Said::Opening(game.reset(&self.task, self.seed)?),
        };
        let admissible = game.admissible()?;
        match said {
            Said::Step(_) => times.steps.push(begin.elapsed()),
            Said::Opening(_) => times.resets.push(begin.elapsed()),
        }
        let placeholders = self.placeholders.iter().map(|name| game.placeholder(name)).collect::<Result<_, _>>()?;
        Ok(Scene { said, admissible, placeholders })
    }
}

/// Of a text, as much as one likes to read.
fn short(text: &str) -> String {
    const SHOWN: usize = 160;
    let mut out: String = text.chars().take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    out
}
