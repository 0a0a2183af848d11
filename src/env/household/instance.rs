//! One running game behind the interface that all environments have.

use super::game::Game;
use super::world::Shared;
use crate::env::{EnvError, Environment, Observation, Step, Task};
use std::sync::Arc;

pub(super) struct Instance {
    shared: Arc<Shared>,
    game: Option<Game>,
}

impl Instance {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Instance { shared, game: None }
    }

    fn game(&mut self) -> Result<&mut Game, EnvError> {
        self.game.as_mut().ok_or_else(|| EnvError::Broken("no game is set up; call `reset` first".to_string()))
    }
}

impl Environment for Instance {
    /// Nothing in a game is drawn while it is played: the seed makes no difference.
    fn reset(&mut self, task: &Task, _seed: u64) -> Result<Observation, EnvError> {
        let layout = self.shared.layout(&task.id)?;
        let game = self.game.insert(Game::start(&self.shared.rules, layout)?);
        Ok(game.opening())
    }

    fn step(&mut self, action: &str) -> Result<Step, EnvError> {
        self.game()?.step(action)
    }

    fn admissible(&mut self) -> Result<Vec<String>, EnvError> {
        Ok(self.game()?.admissible())
    }

    fn expert(&mut self) -> Result<Option<String>, EnvError> {
        Ok(self.game()?.expert())
    }

    fn thought(&mut self) -> Result<Option<String>, EnvError> {
        Ok(self.game()?.thought())
    }
}
