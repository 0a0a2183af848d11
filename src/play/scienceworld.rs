//! `scienceworld { … }`: the real simulator, in Java.

use super::environment::WorldKind;
use super::shared::Shared;
use crate::env::scienceworld::check::check;
use crate::env::scienceworld::{ARCHIVE_HASH, Choice, Config, PLACEHOLDERS, RELEASE, SPLITS, check_simplification, splits};
use crate::env::scienceworld::{Installed, SetupError, install, setup};
use crate::env::scienceworld::{Mode, Reward, ScienceWorld as Simulators, Success};
use crate::env::{EnvError, Machine, Replay, World};
use crate::kind::{Count, Field, Identity, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::{Component, Value};
use crate::{kind, words};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

words! {
    /// What is listed after each action.
    pub(crate) enum Listed {
        /// The objects.
        Lean = "lean",
        /// The valid actions too, at half the speed.
        Full = "full",
    }
}

words! {
    /// Which end of a game counts as success.
    pub(crate) enum Measure {
        /// A score of 100.
        Strict = "strict",
        /// The papers' rule: the game has ended, for whatever reason, with a score above 0.
        Paper = "paper",
    }
}

words! {
    /// What a step is rewarded with.
    pub(crate) enum Rewarded {
        /// The change of the score, in hundredths.
        Score = "score",
        /// 1 at the end of a game that is a success.
        Success = "success",
    }
}

/// The name of a task.
#[derive(Clone, Debug)]
pub(crate) struct TaskName(pub String);

impl Identity for TaskName {
    fn identity(&self) -> serde_json::Value {
        self.0.as_str().into()
    }
}

impl Field for TaskName {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let name = String::read(value, reader)?;
        if splits::find(&name).is_none() {
            let names = || splits::kinds().iter().map(|kind| kind.name.as_str());
            reader.report(
                Diagnostic::error("E0202", value.span, format!("ScienceWorld has no task \"{name}\""))
                    .did_you_mean(&name, names())
                    .help(format!("the tasks are {}", names().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", "))),
            );
            return None;
        }
        Some(Self(name))
    }

    fn expects() -> String {
        "the name of a task, such as `\"boil\"`".into()
    }

    fn shown(&self) -> Option<String> {
        Some(format!("{:?}", self.0))
    }
}

kind! {
    /// ScienceWorld, release 1.2.3: ten places, 30 kinds of elementary-school experiments. Needs Java and `epo-run env install scienceworld`.
    ///
    /// Splits: `train`, `dev`, `test` (the simulator's own); `l0_train`, `l0_test`, `l1_train`, `l1_test`, `l2_train`, `l2_test` (the papers').
    /// Prompts may use `{templates}`, `{objects}`, `{look}`, `{inventory}`, `{score}`, `{moves}`. The fields of every environment belong to it
    /// too (`epo-run kinds scienceworld`).
    ///
    /// ```epo
    /// prompt scene = """
    /// {task}
    /// {history}{observation}
    /// Objects: {objects}
    /// """
    /// school = scienceworld {
    ///   tasks = ["find-plant", "boil"], balanced = true, max_turns = 30
    ///   prompt = windowed { then = scene, history = 2 }
    ///   train  = games { split = "l0_train", count = 100 }
    ///   test   = games { split = "l1_test", count = 50 }
    /// }
    /// ```
    pub(crate) struct ScienceWorld as "scienceworld" with own identity {
        /// `easy`, or empty, or any of `teleportAction`, `openDoors`, `openContainers`, `selfWateringFlowerPots`, `noElectricalAction` with commas between.
        simplification: String [default Config::default().simplification],
        /// What is listed after each action: `{admissible}` and `choose` need `full`. The two may name equal things differently.
        mode: Listed [default Listed::Lean],
        /// Which end of a game counts as success. Both measures are reported.
        success: Measure [default Measure::Strict],
        /// What a step is rewarded with.
        reward: Rewarded [default Rewarded::Score],
        /// A game of more moves is truncated; `wait` takes 11, looking around none.
        move_limit: Count<1_000_000> [default Count(100)],
        /// Only these kinds of task; empty for all that the split has.
        tasks: Vec<TaskName> [default Vec::new()],
        /// Whether panels take turns between the kinds of task instead of holding every game with equal chance.
        balanced: bool [default false],
        /// Insists on a Java with which the same actions give the same game.
        repeatable: bool [default true],
    }
}

impl ScienceWorld {
    fn config(&self) -> Config {
        Config {
            simplification: self.simplification.clone(),
            mode: match self.mode {
                Listed::Lean => Mode::Lean,
                Listed::Full => Mode::Full,
            },
            success: match self.success {
                Measure::Strict => Success::Strict,
                Measure::Paper => Success::Paper,
            },
            reward: match self.reward {
                Rewarded::Score => Reward::Score,
                Rewarded::Success => Reward::Success,
            },
            move_limit: u32::try_from(self.move_limit.0).ok(),
            choice: Choice { tasks: self.tasks.iter().map(|task| task.0.clone()).collect(), balanced: self.balanced },
            repeatable: self.repeatable,
            ..Config::default()
        }
    }
}

pub(super) fn read(_: &Arc<Value>, component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn WorldKind>> {
    let read = ScienceWorld::read_fields(component, reader)?;
    if let Err(message) = check_simplification(&read.simplification) {
        let place = component.fields.get("simplification").map_or(component.kind_span, |f| f.value.span);
        reader.report(Diagnostic::error("E0202", place, message));
        return None;
    }
    Some(Arc::new(read))
}

/// At once, in one process, each on a thread of its own.
const REPLAY_SIMULATORS: usize = 4;

fn folder(machine: &Machine) -> Result<&Path, EnvError> {
    let unknown = "no folder is known for ScienceWorld; set `data.scienceworld` in `epo.toml`, or give `--data`";
    machine.folder(ScienceWorld::INFO.name).ok_or_else(|| EnvError::Task(unknown.into()))
}

/// Which ways its expert goes: raised when they change. Until 2 a way could depend on those that were asked for before.
const WAYS: u32 = 2;

/// The fields that choose the games stand together.
impl Identity for ScienceWorld {
    fn identity(&self) -> serde_json::Value {
        let Self { simplification, mode, success, reward, move_limit, tasks, balanced, repeatable } = self;
        let config = json!({
            "simplification": simplification.identity(),
            "mode": mode.identity(),
            "success": success.identity(),
            "reward": reward.identity(),
            "move_limit": move_limit.identity(),
            "choice": { "tasks": tasks.identity(), "balanced": balanced.identity() },
            "repeatable": repeatable.identity(),
        });
        json!({ "release": RELEASE, "archive": ARCHIVE_HASH, "config": config, "ways": WAYS })
    }
}

impl WorldKind for ScienceWorld {
    fn open(&self, machine: &Machine) -> Result<Arc<dyn World>, EnvError> {
        static OPEN: Shared<(PathBuf, Config), Simulators> = Shared::new();
        let key = (folder(machine)?.to_owned(), self.config());
        Ok(OPEN.get(key, |(folder, config)| Simulators::new(folder, config.clone()))?)
    }

    fn splits(&self) -> Option<Vec<&str>> {
        Some(SPLITS.to_vec())
    }

    fn is_outside(&self) -> bool {
        true
    }

    fn unlisted(&self) -> Option<&'static str> {
        (self.mode == Listed::Lean).then_some("write `mode = full` in the environment: it lists them, at half the speed")
    }

    /// Four simulators with full lists took 560 to 589 MB.
    fn beside(&self) -> u64 {
        600_000_000
    }

    fn look(&self, machine: &Machine) -> Result<(), EnvError> {
        let folder = folder(machine)?;
        setup(folder, self.repeatable).map(drop).map_err(|error| EnvError::Task(error.to_string()))
    }

    fn most_games(&self, split: &str, _drawn: bool) -> Option<usize> {
        Some(splits::panel(split, &self.config().choice, &self.simplification, None).map_or(0, |panel| panel.tasks.len()))
    }

    fn install(&self, machine: &Machine) -> Result<String, EnvError> {
        let folder = folder(machine)?;
        let wrong = |error: SetupError| EnvError::Task(error.to_string());
        let installed = install(folder).map_err(wrong)?;
        let java = setup(folder, self.repeatable).map_err(wrong)?;
        let how = match installed {
            Installed::Before => "was there already",
            Installed::Now => "is installed",
        };
        Ok(format!("{RELEASE} {how} in `{}`, to be run by {java}", folder.display()))
    }

    fn replay(&self, machine: &Machine, recordings: &Path) -> Option<Result<Replay, EnvError>> {
        let compared = folder(machine).and_then(|folder| {
            let report = check(folder, recordings, REPLAY_SIMULATORS, &|_, _| ());
            report.map(Replay::from).map_err(|error| EnvError::Task(error.to_string()))
        });
        Some(compared)
    }

    fn placeholders(&self) -> Vec<&str> {
        PLACEHOLDERS.to_vec()
    }
}
