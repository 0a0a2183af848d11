//! `alfworld { … }`: the official ALFWorld text games.

use super::environment::WorldKind;
use crate::env::alfworld::{
    Alfworld as Games, AlfworldConfig, Expert, Goals, RELEASE, RELEASE_NAME, SPLITS, TASK_TYPES, check, locate, usual_cache,
};
use crate::env::{EnvError, Machine, Replay, World};
use crate::kind::{Field, Identity, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::{Component, Value};
use crate::{kind, words};
use std::path::Path;
use std::sync::Arc;

/// One of the six task types, a bare word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskType(pub &'static str);

impl Identity for TaskType {
    fn identity(&self) -> serde_json::Value {
        self.0.into()
    }
}

impl Field for TaskType {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        reader.word(value, TASK_TYPES).map(Self)
    }

    fn expects() -> String {
        let words: Vec<String> = TASK_TYPES.iter().map(|word| format!("`{word}`")).collect();
        format!("one of {}", words.join(", "))
    }

    fn shown(&self) -> Option<String> {
        Some(self.0.into())
    }
}

words! {
    /// Who shows how to play.
    pub(crate) enum Guide {
        /// The game's own walkthrough: a planner's way, with knowledge of where things are.
        Walkthrough = "walkthrough",
        /// One who is told no more than a player, and looks first where such things lay in the training games.
        Searching = "searching",
        /// Plays as that one does. What it thinks before an action also holds what it has seen and will need later, so that who reads its last answer needs no other memory of that.
        Noting = "noting",
    }
}

words! {
    /// What is asked for.
    pub(crate) enum Asked {
        /// Each game's own goal.
        Own = "own",
        /// In every episode another object and another place of the room.
        Varied = "varied",
    }
}

kind! {
    /// The official ALFWorld text games, read from their own files: rooms in which an object has to be found, cleaned, heated, cooled or looked at, and
    /// brought somewhere. One reward, at the end. There are two experts: the game's own walkthrough, which knows where things are, and one that has to
    /// search, as a player has to.
    ///
    /// Splits: `train` (3553 games), `valid_seen` (140, rooms of training), `valid_unseen` (134, other rooms), `valid_train` (200). The games lie in the
    /// folder of the setting `data.alfworld`, else `$ALFWORLD_DATA`; `epo-run env install alfworld` says how to get them. A finished prompt and
    /// a way to read actions are in `lib/alfworld.epo`.
    ///
    /// ```epo
    /// prompt scene = """
    /// {task}
    /// {history}{observation}
    /// """
    /// rooms = alfworld {
    ///   types  = [pick_and_place_simple, look_at_obj_in_light]
    ///   prompt = windowed { then = scene, history = 2 }
    ///   train  = games { split = "train" }
    ///   seen   = games { split = "valid_seen" }
    ///   unseen = games { split = "valid_unseen" }
    /// }
    /// ```
    pub(crate) struct Alfworld as "alfworld" with own identity {
        /// Only games of these types, in every split.
        types: Vec<TaskType> [default TASK_TYPES.iter().copied().map(TaskType).collect()],
        /// The release of the text games. `"2.1.3"` is verified to the byte; any other name stands for what lies in the folder, unverified: change the name when the games change.
        release: String [default RELEASE_NAME.to_string()],
        /// Who shows how to play: the game's `walkthrough`, or the project's own expert that is `searching`, knows nothing that a player is not told, and has an answer after every detour; `noting`, it thinks in notes for later turns, which `{response}` shows in their prompts.
        expert: Guide [added default Guide::Walkthrough],
        /// What is asked for: each game's `own` goal; or one that is `varied` from group to group of episodes, of the game's own type, about any object and place of its room that it can be about. With those a policy has to read the task, since a room no longer tells it. For learning; scores are told on `own` goals. Only the expert that searches can be asked for drawn ones.
        goals: Asked [added default Asked::Own],
    }
}

pub(super) fn read(_: &Arc<Value>, component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn WorldKind>> {
    let read = Alfworld::read_fields(component, reader)?;
    if read.types.is_empty() {
        let place = component.fields.get("types").map_or(component.kind_span, |f| f.value.span);
        reader.report(Diagnostic::error("E0202", place, "without a type there is no game"));
        return None;
    }
    if read.goals == Asked::Varied && read.expert == Guide::Walkthrough {
        let place = component.fields.get("goals").map_or(component.kind_span, |f| f.value.span);
        let error = Diagnostic::error("E0202", place, "a walkthrough leads to the game's own goal, not to a drawn one");
        reader.report(error.help("write `expert = searching` beside it"));
        return None;
    }
    Some(Arc::new(read))
}

impl Alfworld {
    /// Each once, in order.
    fn distinct_types(&self) -> Vec<TaskType> {
        let mut types = self.types.clone();
        types.sort_unstable();
        types.dedup();
        types
    }

    fn games(&self, data: Option<&Path>) -> Result<Games, EnvError> {
        let types = self.distinct_types();
        let config = AlfworldConfig {
            data: data.map(Path::to_path_buf),
            cache: locate(data).ok().and_then(|root| usual_cache(&root)),
            task_types: if types.len() == TASK_TYPES.len() { Vec::new() } else { types.iter().map(|t| t.0.to_string()).collect() },
            expert: match self.expert {
                Guide::Walkthrough => Expert::Walkthrough,
                Guide::Searching => Expert::Searching,
                Guide::Noting => Expert::Noting,
            },
            goals: match self.goals {
                Asked::Own => Goals::Own,
                Asked::Varied => Goals::Varied,
            },
            verified: self.release == RELEASE_NAME,
            ..AlfworldConfig::default()
        };
        Games::new(config).map_err(|error| EnvError::Task(error.to_string()))
    }
}

/// The types are a set: their order and repetitions choose no other games.
impl Identity for Alfworld {
    fn identity(&self) -> serde_json::Value {
        let Self { types: _, release, expert, goals } = self;
        let mut identity = serde_json::json!({ "release": release.identity(), "types": self.distinct_types().identity() });
        if *expert != Guide::Walkthrough {
            identity["expert"] = expert.identity();
        }
        if *goals != Asked::Own {
            identity["goals"] = goals.identity();
        }
        identity
    }
}

impl WorldKind for Alfworld {
    fn open(&self, machine: &Machine) -> Result<Arc<dyn World>, EnvError> {
        Ok(Arc::new(self.games(machine.folder(Self::INFO.name))?))
    }

    fn splits(&self) -> Option<Vec<&str>> {
        Some(SPLITS.to_vec())
    }

    fn is_outside(&self) -> bool {
        true
    }

    fn most_games(&self, split: &str, _drawn: bool) -> Option<usize> {
        let verified = RELEASE.iter().filter(|_| self.release == RELEASE_NAME);
        verified.into_iter().find(|(name, ..)| *name == split).map(|(_, games, _)| *games)
    }

    /// The games are not ours to pass on, and no package index has them: this says where they are, or where to get them.
    fn install(&self, machine: &Machine) -> Result<String, EnvError> {
        let world = self.games(machine.folder(Self::INFO.name)).map_err(|error| EnvError::Task(format!("{error}\n{HOW}")))?;
        let mut found = Vec::new();
        for (split, ..) in RELEASE {
            let panel = world.panel(split, None).map_err(|error| EnvError::Task(format!("{error}\n{HOW}")))?;
            found.push(format!("{split} {}", panel.tasks.len()));
        }
        Ok(format!("is ready: `{}` has release {RELEASE_NAME}, games: {}", world.root().display(), found.join(", ")))
    }

    fn replay(&self, machine: &Machine, recordings: &Path) -> Option<Result<Replay, EnvError>> {
        let report = locate(machine.folder(Self::INFO.name)).and_then(|games| check(&games, recordings));
        Some(report.map(Replay::from).map_err(|error| EnvError::Task(error.to_string())))
    }
}

const HOW: &str = "\
To get the games (110 MB), in a folder of your choice:
  curl -LO https://github.com/alfworld/alfworld/releases/download/0.2.2/json_2.1.1_json.zip
  curl -LO https://github.com/alfworld/alfworld/releases/download/0.4.2/json_2.1.3_tw-pddl.zip
  unzip -qo json_2.1.1_json.zip && unzip -qo json_2.1.3_tw-pddl.zip
Both unpack into `json_2.1.1`. The Python package `alfworld` has a command for this too, `alfworld-download --data-dir DIR`; where that fetches an
older release of the text games, unpack the second archive over it. Then name the folder: `data.alfworld` in `epo.toml`, or `ALFWORLD_DATA`.";
