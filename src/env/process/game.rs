//! An episode that outlives the process it is played in: a broken one is replaced, and the episode played again to where it was.

use super::link::{Failure, Link};
use super::pool::Pool;
use super::protocol::{Advice, Request, Scene, read};
use crate::env::recovery::{GivenUp, Try, recover};
use crate::env::{EnvError, Environment, Observation, Step, Task};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// One of the episodes that a program plays at once.
pub(super) struct Game {
    pool: Arc<Pool>,
    /// What every observation has to come with.
    placeholders: Arc<[String]>,
    number: u64,
    link: Option<Arc<Link>>,
    play: Option<Play>,
}

/// What was played, to be played again.
struct Play {
    split: String,
    task: usize,
    seed: u64,
    actions: Vec<String>,
    /// Of the scene after the reset and after each action.
    digests: Vec<[u8; 32]>,
    scene: Scene,
}

/// What is asked next.
#[derive(Clone, Copy)]
enum Question<'a> {
    /// To begin the play.
    Begin,
    Act(&'a str),
    Expert,
}

/// Why it is not answered.
enum Trouble {
    Breakdown {
        cause: String,
        hung: bool,
    },
    /// Another process would do no better; in words.
    Hopeless(String),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Breakdown { cause, hung } => Self::Breakdown { cause, hung },
            Failure::Question(why) => Self::Hopeless(why),
        }
    }
}

impl Game {
    pub(super) fn new(pool: Arc<Pool>, placeholders: Arc<[String]>) -> Self {
        Self { number: pool.number(), pool, placeholders, link: None, play: None }
    }

    /// An answer from the process that runs, or else from one in which the play is played again first.
    fn answer<T: DeserializeOwned>(&mut self, play: &Play, question: Question<'_>) -> Result<T, EnvError> {
        let pool = self.pool.clone();
        let first = match &self.link {
            Some(link) => self.ask(link, play, question),
            None => match pool.take() {
                Ok(link) => {
                    self.link = Some(link.clone());
                    self.ask(&link, play, question)
                }
                Err(cause) => Err(Trouble::Breakdown { cause, hung: false }),
            },
        };
        let (cause, hung) = match first {
            Ok(answer) => return Ok(answer),
            Err(Trouble::Hopeless(why)) => return Err(EnvError::Broken(why)),
            Err(Trouble::Breakdown { cause, hung }) => (cause, hung),
        };
        let repeats = pool.hello().is_some_and(|hello| hello.deterministic);
        if !(repeats || matches!(question, Question::Begin)) {
            self.link = None;
            return Err(EnvError::Broken(format!(
                "{cause}; what was played cannot be played again: the program says that it is not deterministic"
            )));
        }
        let among_others = || match pool.take() {
            Ok(link) => tried(self.again(&link, play, question).map(|answer| (link.clone(), answer))),
            Err(cause) => Try::NoProcess(cause),
        };
        let alone = || match pool.alone() {
            Ok(alone) => tried(self.again::<T>(&alone.link, play, question)),
            Err(cause) => Try::NoProcess(cause),
        };
        let (link, answer) = recover(cause, hung, among_others, alone).map_err(|given_up| match given_up {
            GivenUp::Breakdowns(reason) | GivenUp::Hopeless(reason) => EnvError::Broken(reason),
        })?;
        self.link = Some(link);
        Ok(answer)
    }

    fn ask<T: DeserializeOwned>(&self, link: &Link, play: &Play, question: Question<'_>) -> Result<T, Trouble> {
        let episode = self.number;
        let request = match question {
            Question::Begin => Request::Reset { episode, split: &play.split, task: play.task, seed: play.seed },
            Question::Act(action) => Request::Step { episode, action },
            Question::Expert => Request::Expert { episode },
        };
        read(&link.ask(&request)?).map_err(Trouble::Hopeless)
    }

    /// Plays from the beginning, where every scene has to be what it was, and asks then.
    fn again<T: DeserializeOwned>(&self, link: &Link, play: &Play, question: Question<'_>) -> Result<T, Trouble> {
        if !matches!(question, Question::Begin) {
            let begin = std::iter::once(Question::Begin);
            let played = begin.chain(play.actions.iter().map(|action| Question::Act(action)));
            for (turn, (question, digest)) in played.zip(&play.digests).enumerate() {
                if self.ask::<Scene>(link, play, question)?.digest() != *digest {
                    let why = format!("played again, turn {turn} came out otherwise, though the program says that it is deterministic");
                    return Err(Trouble::Hopeless(why));
                }
            }
        }
        self.ask(link, play, question)
    }

    /// A scene with all that it has to have.
    fn scene(&mut self, play: &Play, question: Question<'_>) -> Result<Scene, EnvError> {
        let scene: Scene = self.answer(play, question)?;
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

fn tried<T>(answer: Result<T, Trouble>) -> Try<T, String> {
    match answer {
        Ok(answer) => Try::Back(answer),
        Err(Trouble::Breakdown { cause, .. }) => Try::Breakdown(cause),
        Err(Trouble::Hopeless(why)) => Try::Hopeless(why),
    }
}

fn not_playing() -> EnvError {
    EnvError::Broken("no episode is being played".into())
}

impl Scene {
    fn digest(&self) -> [u8; 32] {
        *blake3::hash(&serde_json::to_vec(self).unwrap_or_default()).as_bytes()
    }

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
        let wrong = || EnvError::Task(format!("there is no task `{}`; ids are like `train/17`", task.id));
        let (split, number) = task.id.rsplit_once('/').ok_or_else(wrong)?;
        let number = number.parse().map_err(|_| wrong())?;
        // Every language has whole numbers of 53 bits.
        let play =
            Play { split: split.into(), task: number, seed: seed >> 11, actions: Vec::new(), digests: Vec::new(), scene: Scene::default() };
        let scene = self.scene(&play, Question::Begin)?;
        let observation = Observation { text: scene.observation.clone(), task: scene.task.clone() };
        self.play = Some(Play { digests: vec![scene.digest()], scene: scene.in_order(), ..play });
        Ok(observation)
    }

    fn step(&mut self, action: &str) -> Result<Step, EnvError> {
        let mut play = self.play.take().ok_or_else(not_playing)?;
        let scene = self.scene(&play, Question::Act(action))?;
        play.actions.push(action.into());
        play.digests.push(scene.digest());
        let step = Step {
            observation: scene.observation.clone(),
            reward: scene.reward,
            terminated: scene.terminated,
            truncated: scene.truncated,
            success: scene.success,
            valid: scene.valid,
        };
        play.scene = scene.in_order();
        self.play = Some(play);
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
        let advice: Advice = self.answer(&play, Question::Expert)?;
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

impl Drop for Game {
    /// So that the program may forget it.
    fn drop(&mut self) {
        if let Some(link) = self.link.take().filter(|link| link.is_usable()) {
            let _ = link.ask(&Request::Close { episode: self.number });
        }
    }
}
