//! One episode at a time, each in a session of its own.

use super::server::{Seat, Server};
use super::{Config, Scene, Success};
use crate::env::remembered::{Host, Played, Question, answer, not_playing, split_and_number};
use crate::env::{EnvError, Environment, Observation, Step, Task};
use serde_json::{Map, Value};
use std::sync::Arc;

pub(super) struct Game {
    server: Arc<Server>,
    seat: Option<Seat>,
    play: Option<Play>,
}

struct Play {
    played: Played,
    /// As it was seen last.
    observation: Map<String, Value>,
    /// The rewards so far.
    sum: f64,
    done: bool,
}

impl Game {
    pub(super) fn new(server: Arc<Server>) -> Self {
        Self { server, seat: None, play: None }
    }

    fn scene(&mut self, played: &Played, question: Question<'_>) -> Result<Scene, EnvError> {
        let server = &*self.server;
        answer(server, &mut self.seat, played, question, |answer| server.scene(answer))
    }

    fn playing(&self) -> Result<&Play, EnvError> {
        self.play.as_ref().ok_or_else(not_playing)
    }

    fn config(&self) -> &Config {
        &self.server.config
    }

    /// The session has to end with an episode that cannot go on, since it counts.
    fn broken(&mut self, why: String) -> EnvError {
        (self.seat, self.play) = (None, None);
        EnvError::Broken(why)
    }

    fn reaches(&self, play: &Play, reward: f64) -> bool {
        match self.config().success {
            Success::AtTheEnd(least) => play.done && reward >= least,
            Success::OfAStep(least) => reward >= least,
            Success::InSum(least) => play.sum >= least,
        }
    }

    fn begin(&mut self, task: &Task, seed: u64) -> Result<Observation, EnvError> {
        let (split, number) = split_and_number(&task.id)?;
        let there = self.config().splits.iter().any(|known| known.name == split && number < known.count);
        if !there {
            return Err(EnvError::Task(format!("`{}` has no task `{}`", self.config().name, task.id)));
        }
        // Every language has whole numbers of 53 bits.
        let mut played = Played::new(split, number, seed >> 11);
        let scene = self.scene(&played, Question::Begin)?;
        if let Some(why) = scene.refused {
            return Err(EnvError::Broken(format!("the server refuses the reset: {}", crate::env::shown::shown(why.as_bytes()))));
        }
        if scene.done {
            return Err(EnvError::Broken("the episode is done before its first action".into()));
        }
        let shape = &self.config().shape;
        let text = shape.text(&scene.observation).map_err(EnvError::Broken)?;
        let goal = shape.goal(&scene.observation).map_err(EnvError::Broken)?;
        played.begun(&scene);
        self.play = Some(Play { played, observation: scene.observation, sum: 0.0, done: false });
        Ok(Observation { text, task: goal })
    }
}

impl Environment for Game {
    fn reset(&mut self, task: &Task, seed: u64) -> Result<Observation, EnvError> {
        // What the session before may have left in its environment is no part of this episode.
        (self.play, self.seat) = (None, None);
        self.begin(task, seed).inspect_err(|_| self.seat = None)
    }

    fn step(&mut self, action: &str) -> Result<Step, EnvError> {
        let mut play = self.play.take().filter(|play| !play.done).ok_or_else(not_playing)?;
        let invalid = |why: &str| Step {
            observation: format!("This action has the wrong form: {why}"),
            reward: 0.0,
            terminated: false,
            truncated: false,
            success: false,
            valid: false,
        };
        if self.config().shape.action(action).is_none() {
            let step = Step { success: self.reaches(&play, 0.0), ..invalid("it is no JSON object") };
            self.play = Some(play);
            return Ok(step);
        }
        let scene = match self.scene(&play.played, Question::Act(action)) {
            Ok(scene) => scene,
            Err(error) => return Err(self.broken(error.to_string())),
        };
        play.played.acted(action, &scene);
        if let Some(why) = &scene.refused {
            let step = Step { success: self.reaches(&play, 0.0), ..invalid(why) };
            self.play = Some(play);
            return Ok(step);
        }
        let text = match self.config().shape.text(&scene.observation) {
            Ok(text) => text,
            Err(why) => return Err(self.broken(why)),
        };
        let Scene { observation, reward, done, .. } = scene;
        play.sum += reward;
        (play.observation, play.done) = (observation, done);
        let success = self.reaches(&play, reward);
        if done {
            self.seat = None;
        }
        self.play = Some(play);
        Ok(Step { observation: text, reward, terminated: done, truncated: false, success, valid: true })
    }

    fn admissible(&mut self) -> Result<Vec<String>, EnvError> {
        let play = self.playing()?;
        // Where an episode has ended, there is nothing to be done.
        match self.config().shape.admissible(&play.observation) {
            Err(_) if play.done => Ok(Vec::new()),
            listed => listed.map_err(EnvError::Broken),
        }
    }

    fn expert(&mut self) -> Result<Option<String>, EnvError> {
        Ok(None)
    }

    fn placeholder(&mut self, name: &str) -> Result<String, EnvError> {
        self.config().shape.placeholder(&self.playing()?.observation, name).map_err(EnvError::Broken)
    }
}
