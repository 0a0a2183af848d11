//! A game that outlives the simulator it is played on: a broken one is replaced and brought to the same state.

use super::config::Config;
use super::episode::{self, Spec, Turn};
use super::error::Failure;
use super::pool::Pool;
use super::simulator::Simulator;
use crate::env::EnvError;
use crate::env::recovery::{self, GivenUp, Try};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What the games of a world share.
#[derive(Debug)]
pub(super) struct Shared {
    pub pool: Pool,
    pub config: Config,
    /// Finding one takes up to 10 s. `None` where the simulator finds none.
    gold: Mutex<BTreeMap<Spec, Option<Arc<[String]>>>>,
}

impl Shared {
    pub(super) fn new(pool: Pool, config: Config) -> Self {
        Self { pool, config, gold: Mutex::default() }
    }
}

/// One after another, any number of games, on one simulator as long as that lasts.
#[derive(Debug)]
pub struct Game {
    shared: Arc<Shared>,
    simulator: Option<Simulator>,
    play: Option<Play>,
}

/// All that is needed to come back to where the game is.
#[derive(Debug)]
struct Play {
    spec: Spec,
    actions: Vec<String>,
    /// Of the turn after the reset, and after each action that has been answered.
    digests: Vec<blake3::Hash>,
    turn: Turn,
    before: Turn,
    goal: String,
    templates: Vec<String>,
}

#[derive(Debug)]
enum Trouble {
    Failure(Failure),
    /// The simulator does not know the game.
    Refused(String),
    /// No simulator survives it.
    Breakdown(String),
    /// A replayed turn is not what it was.
    Differs {
        turn: usize,
    },
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl Game {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, simulator: None, play: None }
    }

    /// Of the world it is from.
    pub(super) fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Sets up a game, whatever was played before.
    ///
    /// # Errors
    /// [`EnvError::Task`] where the simulator does not know the game, [`EnvError::Broken`] where no simulator could set it up.
    pub fn begin(&mut self, spec: Spec) -> Result<&Turn, EnvError> {
        self.play = None;
        let mut play = Play::new(spec);
        let turn = self.advance(&mut play)?;
        play.turn = turn;
        let of_the_game = |simulator: &mut Simulator| Ok((simulator.goal()?, simulator.templates()?));
        (play.goal, play.templates) = self.free(&play, of_the_game)?;
        Ok(&self.play.insert(play).turn)
    }

    /// Takes an action in the player's words.
    ///
    /// # Errors
    /// [`EnvError::Broken`] ends the game: every simulator breaks down at this action, or it has thrown an exception.
    pub fn act(&mut self, action: &str) -> Result<&Turn, EnvError> {
        let mut play = self.play.take().ok_or_else(not_playing)?;
        play.actions.push(action.to_owned());
        let turn = self.advance(&mut play)?;
        if turn.simulator_failed() {
            return Err(EnvError::Broken(format!("the simulator failed in {} at `{action}`: {}", play.spec.name(), turn.observation)));
        }
        play.before = std::mem::replace(&mut play.turn, turn);
        Ok(&self.play.insert(play).turn)
    }

    /// The last turn.
    ///
    /// # Errors
    /// [`EnvError::Broken`] before the first [`begin`](Self::begin), and after the game broke down.
    pub fn turn(&self) -> Result<&Turn, EnvError> {
        self.play.as_ref().map(|play| &play.turn).ok_or_else(not_playing)
    }

    /// The turn before the last; at the reset, one of score 0.
    pub(super) fn before(&self) -> Result<&Turn, EnvError> {
        self.play.as_ref().map(|play| &play.before).ok_or_else(not_playing)
    }

    /// What the last action has added to the score, in points; at the reset, what looking around has scored.
    pub(super) fn gain(&self) -> i32 {
        self.play.as_ref().map_or(0, |play| play.turn.score - play.before.score)
    }

    /// The task in words.
    pub(super) fn goal(&self) -> Result<&str, EnvError> {
        self.play.as_ref().map(|play| play.goal.as_str()).ok_or_else(not_playing)
    }

    /// The forms that actions have: `open OBJ`, `pour OBJ in OBJ`.
    pub(super) fn templates(&self) -> Result<&[String], EnvError> {
        self.play.as_ref().map(|play| play.templates.as_slice()).ok_or_else(not_playing)
    }

    /// The room as it is described; costs no time and changes nothing.
    pub fn look(&mut self) -> Result<String, EnvError> {
        self.with_play(Simulator::look)
    }

    /// What is carried; costs no time and changes nothing.
    pub(super) fn inventory(&mut self) -> Result<String, EnvError> {
        self.with_play(Simulator::inventory)
    }

    pub(super) fn goal_with_heading(&mut self) -> Result<String, EnvError> {
        self.with_play(Simulator::goal_with_heading)
    }

    /// The simulator's own way through this game from its beginning, without opening doors that stand open; `None` where it has none.
    /// The first time it is asked for a game it takes 0.2 to 10 s.
    pub fn gold_path(&mut self) -> Result<Option<Arc<[String]>>, EnvError> {
        let mut play = self.play.take().ok_or_else(not_playing)?;
        let known = self.shared.gold.lock().unwrap_or_else(PoisonError::into_inner).get(&play.spec).cloned();
        let path = match known {
            Some(path) => path,
            None => {
                let path = self.find_gold_path(&mut play)?;
                self.shared.gold.lock().unwrap_or_else(PoisonError::into_inner).insert(play.spec.clone(), path.clone());
                path
            }
        };
        self.play = Some(play);
        Ok(path)
    }

    /// The actions taken in this game.
    pub fn actions(&self) -> &[String] {
        self.play.as_ref().map_or(&[], |play| &play.actions)
    }

    /// The process it is played in.
    pub fn process(&self) -> Option<u32> {
        self.simulator.as_ref().map(|simulator| simulator.jvm().id())
    }

    fn with_play<T>(&mut self, ask: impl Fn(&mut Simulator) -> Result<T, Failure>) -> Result<T, EnvError> {
        let play = self.play.take().ok_or_else(not_playing)?;
        let answer = self.free(&play, ask)?;
        self.play = Some(play);
        Ok(answer)
    }

    /// Asks for something that changes nothing.
    fn free<T>(&mut self, play: &Play, ask: impl Fn(&mut Simulator) -> Result<T, Failure>) -> Result<T, EnvError> {
        let mut answer = match &mut self.simulator {
            Some(simulator) => ask(simulator),
            None => Err(Failure::Closed { call: "simulator".into(), reason: "there is none".into() }),
        };
        if let Err(failure) = &answer
            && failure.is_breakdown()
        {
            let first = failure.clone();
            self.recover(play, &first).map_err(|trouble| trouble.ends(&play.spec))?;
            answer = self.simulator.as_mut().map_or(answer, ask);
        }
        answer.map_err(|failure| Trouble::Failure(failure).ends(&play.spec))
    }

    /// Does what the play has not done yet: its last action, or the reset.
    fn advance(&mut self, play: &mut Play) -> Result<Turn, EnvError> {
        let turn = match self.try_to_advance(play) {
            Err(Trouble::Failure(failure)) if failure.is_breakdown() => self.recover(play, &failure),
            other => other,
        };
        let turn = turn.map_err(|trouble| trouble.ends(&play.spec))?;
        play.digests.push(turn.digest());
        Ok(turn)
    }

    fn try_to_advance(&mut self, play: &Play) -> Result<Turn, Trouble> {
        let simulator = match &mut self.simulator {
            Some(simulator) => simulator,
            none => none.insert(self.shared.pool.take()?),
        };
        match play.actions.last() {
            Some(action) => Ok(episode::act(simulator, action, self.shared.config.mode)?),
            None => episode::begin(simulator, &play.spec, self.shared.config.mode)?.map_err(Trouble::Refused),
        }
    }

    /// Brings the game to its last turn on another simulator.
    fn recover(&mut self, play: &Play, first: &Failure) -> Result<Turn, Trouble> {
        let (shared, mode) = (self.shared.clone(), self.config().mode);
        let cause = self.give_up(first);
        let among_others = || match shared.pool.take() {
            Ok(simulator) => play.tried(self.simulator.insert(simulator), mode),
            Err(failure) => Try::NoProcess(failure.to_string()),
        };
        let alone = || match shared.pool.quarantine() {
            Ok(mut alone) => play.tried(&mut alone.simulator, mode),
            Err(failure) => Try::NoProcess(failure.to_string()),
        };
        recovery::recover("process", cause, matches!(first, Failure::Hung { .. }), among_others, alone).map_err(|given_up| match given_up {
            GivenUp::Breakdowns(reason) => Trouble::Breakdown(reason),
            GivenUp::Hopeless(trouble) => trouble,
        })
    }

    /// Ends the process of this game's simulator, and says why.
    fn give_up(&mut self, failure: &Failure) -> String {
        match self.simulator.take() {
            Some(simulator) => simulator.jvm().give_up(failure),
            None => failure.to_string(),
        }
    }

    fn find_gold_path(&mut self, play: &mut Play) -> Result<Option<Arc<[String]>>, EnvError> {
        let mode = self.shared.config.mode;
        let found = match &mut self.simulator {
            Some(simulator) => gold_path(simulator, &play.spec, mode),
            None => Err(Failure::Closed { call: "simulator".into(), reason: "there is none".into() }),
        };
        let back = |trouble: Trouble| trouble.ends(&play.spec);
        let path = match found {
            Err(failure) if failure.is_breakdown() => {
                // The path finder can end its process, or the path finder of another game in it has.
                let again = self.shared.pool.quarantine().and_then(|mut alone| gold_path(&mut alone.simulator, &play.spec, mode));
                self.recover(play, &failure).map_err(back)?;
                again.unwrap_or_default()
            }
            other => {
                let Some(simulator) = &mut self.simulator else { return Err(not_playing()) };
                match play.again(simulator, mode) {
                    Err(Trouble::Failure(failure)) if failure.is_breakdown() => drop(self.recover(play, &failure).map_err(back)?),
                    other => drop(other.map_err(back)?),
                }
                other.unwrap_or_default()
            }
        };
        Ok(Some(path).filter(|path| !path.is_empty()).map(Arc::from))
    }
}

/// Where doors stand open, the path still opens each, which does nothing and is not among the valid actions. Without these it is the
/// better example, if the game is won so too: every action takes time.
fn gold_path(simulator: &mut Simulator, spec: &Spec, mode: episode::Mode) -> Result<Vec<String>, Failure> {
    let path = simulator.gold_path(&spec.task, spec.variation, &spec.simplification)?;
    let needless = |action: &&String| spec.opens_doors() && action.starts_with("open door");
    let short: Vec<String> = path.iter().filter(|action| !needless(action)).cloned().collect();
    if short.len() == path.len() {
        return Ok(path);
    }
    let Ok(mut turn) = episode::begin(simulator, spec, mode)? else { return Ok(path) };
    for action in &short {
        if turn.terminated() {
            break;
        }
        turn = episode::act(simulator, action, mode)?;
    }
    Ok(if turn.completed && turn.score >= 100 { short } else { path })
}

impl Drop for Game {
    fn drop(&mut self) {
        if let Some(simulator) = self.simulator.take() {
            self.shared.pool.give_back(simulator);
        }
    }
}

impl Play {
    fn new(spec: Spec) -> Self {
        let (goal, templates) = <(String, Vec<String>)>::default();
        Self { spec, actions: Vec::new(), digests: Vec::new(), turn: Turn::default(), before: Turn::default(), goal, templates }
    }

    /// Plays it from the beginning with the same calls; every turn that is known has to be what it was.
    fn again(&self, simulator: &mut Simulator, mode: episode::Mode) -> Result<Turn, Trouble> {
        let mut turn = episode::begin(simulator, &self.spec, mode)?.map_err(Trouble::Refused)?;
        self.compare(0, &turn)?;
        for (index, action) in self.actions.iter().enumerate() {
            turn = episode::act(simulator, action, mode)?;
            self.compare(index + 1, &turn)?;
        }
        Ok(turn)
    }

    fn tried(&self, simulator: &mut Simulator, mode: episode::Mode) -> Try<Turn, Trouble> {
        match self.again(simulator, mode) {
            Ok(turn) => Try::Back(turn),
            Err(Trouble::Failure(failure)) if failure.is_breakdown() => Try::Breakdown(simulator.jvm().give_up(&failure)),
            Err(trouble) => Try::Hopeless(trouble),
        }
    }

    fn compare(&self, index: usize, turn: &Turn) -> Result<(), Trouble> {
        match self.digests.get(index) {
            Some(known) if *known != turn.digest() => Err(Trouble::Differs { turn: index }),
            _ => Ok(()),
        }
    }
}

impl Trouble {
    fn ends(self, spec: &Spec) -> EnvError {
        let game = spec.name();
        match self {
            Self::Refused(said) => EnvError::Task(format!("ScienceWorld can't set up {game}: {said}")),
            Self::Differs { turn } => {
                EnvError::Broken(format!("{game} was replayed on a new simulator and turn {turn} came out differently"))
            }
            Self::Breakdown(reason) => EnvError::Broken(format!("{game}: {reason}")),
            Self::Failure(failure) => EnvError::Broken(format!("{game}: {failure}")),
        }
    }
}

impl Spec {
    fn name(&self) -> String {
        format!("`{}/{}`", self.task, self.variation)
    }
}

fn not_playing() -> EnvError {
    EnvError::Broken("no game is going on; set one up first".into())
}
