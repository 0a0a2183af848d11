//! One of the episodes that a program plays at once.

use super::link::{Failure, Link};
use super::pool::{Pool, Turn};
use super::protocol::{Advice, Request, Scene, read};
use crate::env::remembered::{Host, Played, Question, Trouble, answer, not_playing, split_and_number};
use crate::env::{EnvError, Environment, Observation, Step, Task};
use std::sync::Arc;

pub(super) struct Game {
    pool: Arc<Pool>,
    /// What every observation has to come with.
    placeholders: Arc<[String]>,
    seat: Option<Seat>,
    play: Option<Play>,
}

/// An episode of a process.
pub(super) struct Seat {
    link: Arc<Link>,
    number: u64,
}

struct Play {
    played: Played,
    scene: Scene,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Breakdown { cause, hung } => Self::Breakdown { cause, hung },
            Failure::Question(why) => Self::Hopeless(why),
        }
    }
}

impl Host for Pool {
    type Seat = Seat;
    type Turn<'a> = Turn<'a>;
    type Scene = Scene;

    const SEAT: &'static str = "process";
    const SAYS: &'static str = "the program";
    const WAITS: bool = false;

    fn seat(&self) -> Result<Seat, String> {
        Ok(Seat { link: self.take()?, number: self.number() })
    }

    fn alone(&self) -> Result<(Seat, Turn<'_>), String> {
        let (link, turn) = self.own()?;
        Ok((Seat { link: Arc::new(link), number: self.number() }, turn))
    }

    fn ask(&self, seat: &mut Seat, played: &Played, question: Question<'_>) -> Result<Vec<u8>, Trouble> {
        let episode = seat.number;
        let request = match question {
            Question::Begin => Request::Reset { episode, split: &played.split, task: played.task, seed: played.seed },
            Question::Act(action) => Request::Step { episode, action },
            Question::Expert => Request::Expert { episode },
        };
        Ok(seat.link.ask(&request)?)
    }

    fn scene(&self, answer: &[u8]) -> Result<Scene, String> {
        read(answer)
    }

    fn repeats(&self) -> bool {
        self.hello().is_some_and(|hello| hello.deterministic)
    }
}

impl Drop for Seat {
    /// So that the program may forget it.
    fn drop(&mut self) {
        if self.link.is_usable() {
            let _ = self.link.ask(&Request::Close { episode: self.number });
        }
    }
}

impl Game {
    pub(super) fn new(pool: Arc<Pool>, placeholders: Arc<[String]>) -> Self {
        Self { pool, placeholders, seat: None, play: None }
    }

    /// A scene with all that it has to have.
    fn scene(&mut self, played: &Played, question: Question<'_>) -> Result<Scene, EnvError> {
        let scene: Scene = answer(&*self.pool, &mut self.seat, played, question, read)?;
        if scene.observation.is_empty() {
            return Err(EnvError::Broken("the program's `observation` is empty".into()));
        }
        if let Some(name) = self.placeholders.iter().find(|name| !scene.placeholders.contains_key(*name)) {
            return Err(EnvError::Broken(format!("the program's answer lacks the placeholder `{name}`")));
        }
        Ok(scene)
    }

    fn playing(&self) -> Result<&Play, EnvError> {
        self.play.as_ref().ok_or_else(not_playing)
    }
}

impl Scene {
    /// Sorted, each once.
    fn in_order(mut self) -> Self {
        self.admissible.sort_unstable();
        self.admissible.dedup();
        self
    }
}

impl Environment for Game {
    fn reset(&mut self, task: &Task, seed: u64) -> Result<Observation, EnvError> {
        self.play = None;
        let (split, number) = split_and_number(&task.id)?;
        // Every language has whole numbers of 53 bits.
        let mut played = Played::new(split, number, seed >> 11);
        let scene = self.scene(&played, Question::Begin)?;
        let observation = Observation { text: scene.observation.clone(), task: scene.task.clone() };
        played.begun(&scene);
        self.play = Some(Play { played, scene: scene.in_order() });
        Ok(observation)
    }

    fn step(&mut self, action: &str) -> Result<Step, EnvError> {
        let Play { mut played, .. } = self.play.take().ok_or_else(not_playing)?;
        let scene = self.scene(&played, Question::Act(action))?;
        played.acted(action, &scene);
        let step = Step {
            observation: scene.observation.clone(),
            reward: scene.reward,
            terminated: scene.terminated,
            truncated: scene.truncated,
            success: scene.success,
            valid: scene.valid,
        };
        self.play = Some(Play { played, scene: scene.in_order() });
        Ok(step)
    }

    fn admissible(&mut self) -> Result<Vec<String>, EnvError> {
        Ok(self.playing()?.scene.admissible.clone())
    }

    fn expert(&mut self) -> Result<Option<String>, EnvError> {
        if !self.pool.hello().is_some_and(|hello| hello.expert) {
            return Ok(None);
        }
        let play = self.play.take().ok_or_else(not_playing)?;
        let advice: Advice = answer(&*self.pool, &mut self.seat, &play.played, Question::Expert, read)?;
        self.play = Some(play);
        Ok(advice.action)
    }

    fn placeholder(&mut self, name: &str) -> Result<String, EnvError> {
        let text = self.playing()?.scene.placeholders.get(name).cloned();
        text.ok_or_else(|| EnvError::Broken(format!("the program fills no placeholder `{name}`")))
    }

    fn figures(&self) -> Vec<(&str, f64)> {
        self.play.iter().flat_map(|play| &play.scene.figures).map(|(name, value)| (name.as_str(), *value)).collect()
    }
}
