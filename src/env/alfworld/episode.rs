//! One running game.

use super::search::{Saying, Searcher};
use super::world::{Expert, Playable, Shared};
use super::{REFUSAL, goal_sentence};
use crate::env::pddl::{CommandId, State};
use crate::env::{EnvError, Environment, Observation, Step, Task};
use std::sync::Arc;

pub(super) struct Episode {
    shared: Arc<Shared>,
    running: Option<Running>,
}

struct Running {
    playable: Arc<Playable>,
    state: State,
    admissible: Vec<CommandId>,
    /// Where the expert is one that searches.
    searcher: Option<Searcher>,
    /// The step that ended the game: it is given again, as the reference's gym layer does.
    last: Option<Step>,
}

impl Episode {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Episode { shared, running: None }
    }

    fn running(&mut self) -> Result<&mut Running, EnvError> {
        self.running.as_mut().ok_or_else(|| EnvError::Broken("the game was not set up (no `reset` before)".into()))
    }
}

impl Environment for Episode {
    /// The games know no chance: the seed chooses the goal, where goals are drawn.
    fn reset(&mut self, task: &Task, seed: u64) -> Result<Observation, EnvError> {
        self.running = None;
        let playable = self.shared.set_up(&task.id, seed).map_err(|error| EnvError::Task(error.to_string()))?;
        let state = playable.game.initial();
        let text = playable.game.opening(&state).map_err(|error| EnvError::Task(format!("`{}`: {error}", task.id)))?;
        let mut admissible = Vec::new();
        playable.game.admissible(&state, &mut admissible);
        let goal = goal_sentence(&text).to_string();
        let searcher = match self.shared.expert {
            Expert::Walkthrough => None,
            Expert::Searching => Some(Searcher::new(&goal, &text, Saying::Intent)),
            Expert::Noting => Some(Searcher::new(&goal, &text, Saying::Notes)),
        };
        self.running = Some(Running { playable, state, admissible, searcher, last: None });
        Ok(Observation { task: goal, text })
    }

    fn step(&mut self, action: &str) -> Result<Step, EnvError> {
        let running = self.running()?;
        if let Some(last) = &running.last {
            return Ok(last.clone());
        }
        let game = &running.playable.game;
        let answer = game.act(&mut running.state, action).map_err(|error| EnvError::Broken(error.to_string()))?;
        let valid = answer.is_some();
        if valid {
            game.admissible(&running.state, &mut running.admissible);
        }
        let won = game.won(&running.state);
        let step = Step {
            observation: answer.unwrap_or_else(|| REFUSAL.to_string()),
            reward: f64::from(u8::from(won)),
            terminated: won,
            truncated: false,
            success: won,
            valid,
        };
        if let Some(mut searcher) = running.searcher.take() {
            searcher.hear(&step.observation, running.commands());
            running.searcher = Some(searcher);
        }
        if won {
            running.last = Some(step.clone());
        }
        Ok(step)
    }

    fn admissible(&mut self) -> Result<Vec<String>, EnvError> {
        let running = self.running()?;
        Ok(running.admissible.iter().map(|&command| running.playable.game.command(command).to_string()).collect())
    }

    fn expert(&mut self) -> Result<Option<String>, EnvError> {
        let running = self.running()?;
        Ok(match &running.searcher {
            Some(searcher) => searcher.advise(running.commands()).map(str::to_string),
            None => running.walk().map(str::to_string),
        })
    }

    fn thought(&mut self) -> Result<Option<String>, EnvError> {
        let running = self.running()?;
        Ok(running.searcher.as_ref().and_then(Searcher::thought))
    }
}

impl Running {
    fn commands(&self) -> impl Iterator<Item = &str> + Clone {
        self.admissible.iter().map(|&command| self.playable.game.command(command))
    }

    /// The next command of the game's walkthrough, as far as it can still be played to its end from here: after detours the
    /// rest of it that wins; `None` when no rest does, or the file has no walkthrough.
    fn walk(&self) -> Option<&str> {
        let (game, walkthrough) = (&self.playable.game, &self.playable.walkthrough);
        let wins = |rest: &[String]| {
            let mut state = self.state.clone();
            rest.iter().all(|text| game.command_id(text).is_some_and(|command| game.advance(&mut state, command))) && game.won(&state)
        };
        (0..walkthrough.len()).rev().find(|&start| wins(&walkthrough[start..])).map(|start| walkthrough[start].as_str())
    }
}
