//! What is asked of the simulator in an episode, in which order, and what a turn tells.

use super::error::Failure;
use super::simulator::Simulator;
use super::splits::{find, suggest_task};
use crate::env::EnvError;

/// What to list after each action. The listings draw from the generator that the world itself draws from, so the two modes may name
/// equal things differently, and in the tasks with bees and plants part after a while: either is the real simulator, but they are not
/// to be mixed within an experiment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The objects: what a prompt needs besides the templates.
    #[default]
    Lean,
    /// The valid actions, then the objects, as the published recordings have it. Half as fast.
    Full,
}

/// One game of the simulator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spec {
    /// One of the simulator's 30 tasks: `boil`.
    pub task: String,
    /// From 0.
    pub variation: u32,
    /// `easy`, or any of [`SIMPLIFICATIONS`] with commas between, or empty.
    pub simplification: String,
}

/// The simulator's own names; `easy` stands for all but the last.
pub const SIMPLIFICATIONS: [&str; 5] = ["teleportAction", "openDoors", "openContainers", "selfWateringFlowerPots", "noElectricalAction"];

impl Spec {
    /// `id` is `boil/3`: task and variation.
    ///
    /// # Errors
    /// [`EnvError::Task`] where `id` is no `task/variation` of the simulator.
    pub fn new(id: &str, simplification: &str) -> Result<Self, EnvError> {
        let wrong = |reason: String| EnvError::Task(format!("no game `{id}` in ScienceWorld: {reason}"));
        let Some((task, variation)) = id.rsplit_once('/') else {
            return Err(wrong("a game is written as `boil/3`: task and variation".into()));
        };
        let kind = find(task).ok_or_else(|| wrong(format!("there is no task `{task}`{}", suggest_task(task))))?;
        let variation = variation.parse().ok().filter(|variation| *variation < kind.variations);
        let variation = variation.ok_or_else(|| wrong(format!("`{task}` has the variations 0 to {}", kind.variations - 1)))?;
        let spec = Self { task: task.into(), variation, simplification: simplification.into() };
        if spec.is_electrical() && simplification.split(',').any(|label| label == "noElectricalAction") {
            return Err(wrong("the simplification `noElectricalAction` takes away the actions that this task needs".into()));
        }
        Ok(spec)
    }

    /// Whether doors stand open from the beginning.
    pub(super) fn opens_doors(&self) -> bool {
        self.simplification.split(',').any(|label| label == "easy" || label == "openDoors")
    }

    fn is_electrical(&self) -> bool {
        self.task.contains("power-component") || self.task.contains("conductivity")
    }
}

/// Everything that is known after an action.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turn {
    /// The simulator's answer.
    pub observation: String,
    /// 0 to 100, or -100 after a failure.
    pub score: i32,
    /// The simulator's clock: `wait` takes 11, looking around 0.
    pub moves: u32,
    /// All goals are met.
    pub completed: bool,
    /// In the simulator's order.
    pub objects: Vec<String>,
    /// In the simulator's order; only in [`Mode::Full`].
    pub valid_actions: Option<Vec<String>>,
}

impl Turn {
    /// The game is over by its own rules: all goals met, or failed (by focusing on a wrong thing).
    pub fn terminated(&self) -> bool {
        self.completed || self.score < 0
    }

    /// The simulator's package stops a game after so many moves.
    pub fn truncated(&self, move_limit: Option<u32>) -> bool {
        !self.terminated() && move_limit.is_some_and(|limit| self.moves > limit)
    }

    /// The simulator took the words for an action, or for one of several that it asks to choose from.
    pub(super) fn understood(&self) -> bool {
        !self.observation.starts_with("No known action") && !self.observation.starts_with("Unknown action")
    }

    /// After an exception of its own the simulator answers every action so, until the next game.
    pub(super) fn simulator_failed(&self) -> bool {
        self.score == -100 && self.observation.starts_with("ERROR")
    }

    /// Of everything in it.
    pub(super) fn digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        add(&self.observation);
        add(&format!("{} {} {} {}", self.score, self.moves, self.completed, self.valid_actions.is_some()));
        self.objects.iter().for_each(|object| add(object));
        self.valid_actions.iter().flatten().for_each(|action| add(action));
        hasher.finalize()
    }
}

/// Sets up the game and takes the action `look around`, which takes no time but may already score.
/// What the simulator says where it does not know the game.
pub(super) fn begin(simulator: &mut Simulator, spec: &Spec, mode: Mode) -> Result<Result<Turn, String>, Failure> {
    match simulator.load(&spec.task, spec.variation, &spec.simplification)? {
        Some(refusal) => Ok(Err(refusal)),
        None => act(simulator, "look around", mode).map(Ok),
    }
}

pub(super) fn act(simulator: &mut Simulator, action: &str, mode: Mode) -> Result<Turn, Failure> {
    let observation = simulator.step(action)?;
    // As the simulator's package rounds.
    let score = (100.0 * simulator.score()?).round_ties_even() as i32;
    let completed = simulator.completed()?;
    let moves = simulator.moves()?;
    let valid_actions = match mode {
        Mode::Lean => None,
        Mode::Full => Some(simulator.valid_actions()?),
    };
    Ok(Turn { observation, score, moves, completed, objects: simulator.objects()?, valid_actions })
}
