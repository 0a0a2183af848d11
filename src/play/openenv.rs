//! `openenv { … }`: an environment behind a server.

use super::elsewhere::{check_name, check_placeholders, item, place};
use super::environment::WorldKind;
use super::shared::Shared;
use crate::env::openenv::{Config, OpenEnv as Running, Shape, Split, Success};
use crate::env::{EnvError, Machine, World};
use crate::kind::{Count, Field, Identity, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::{Component, Value};
use crate::{kind, words};
use serde_json::Map;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

words! {
    /// What an action's text is to the server.
    pub(crate) enum ActionAs {
        /// A text.
        Text = "text",
        /// What it says as JSON, where it is JSON: a number, a list.
        Json = "json",
    }
}

words! {
    /// Which reward is compared.
    pub(crate) enum SuccessOf {
        /// That of the step with which the server says that the episode is done.
        End = "end",
        /// That of the last step, done or not.
        Step = "step",
        /// The sum of all so far, done or not.
        Sum = "sum",
    }
}

/// An object of JSON, written as a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object(Map<String, serde_json::Value>);

impl Identity for Object {
    fn identity(&self) -> serde_json::Value {
        serde_json::Value::Object(self.0.clone())
    }
}

impl Field for Object {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let text = String::read(value, reader)?;
        match serde_json::from_str(&text) {
            Ok(object) => Some(Self(object)),
            Err(error) => {
                let message = format!("this is no object of JSON: {error}");
                reader.report(Diagnostic::error("E0202", value.span, message).help("such as `\"\"\"{\"level\": 3}\"\"\"`"));
                None
            }
        }
    }

    fn expects() -> String {
        "an object of JSON, in a string".into()
    }

    fn shown(&self) -> Option<String> {
        Some(format!("{:?}", serde_json::to_string(&self.0).unwrap_or_default()))
    }
}

kind! {
    /// An environment behind a server that speaks OpenEnv's protocol: [how](../openenv.md). Each episode is a session of its own.
    ///
    /// Where the server is says the setting `env.NAME.url`; a recipe names no address. OpenEnv's observations and actions are JSON objects of any form, and it
    /// knows no tasks: these fields say what is text, and which numbers are tasks. A key may lead into an object (`state.board`).
    /// The fields of every environment belong to it too (`epo-run kinds openenv`).
    ///
    /// ```epo
    /// prompt look = """
    /// {history}{observation}
    /// """
    /// numbers = openenv {
    ///   name = "guess", version = "1"
    ///   splits = ["train", "test"], tasks = [2000, 300]
    ///   observation_key = "said", action_key = "words"
    ///   prompt = windowed { then = look, history = 2 }
    ///   train  = games { split = "train" }
    ///   test   = games { split = "test", count = 50 }
    /// }
    /// ```
    pub(crate) struct OpenEnv as "openenv" {
        /// Of the environment: small letters, digits, `_`, `-`. The setting `env.NAME.url` is its server.
        name: String [required],
        /// The version of the environment that the server has to have, as its `/metadata` says: another one has other games, and what was made with it is
        /// made anew.
        version: String [required],
        /// Names of splits.
        splits: Vec<String> [required],
        /// How many tasks each of them has.
        tasks: Vec<Count<1_000_000>> [required],
        /// The number of each one's first task; left out, 0, 1,000,000, 2,000,000, … A task's number is what a reset is given.
        first_tasks: Vec<u64> [default Vec::new()],
        /// The argument of a reset that is the task's number. With another than `seed`, the seed is the episode's.
        task_key: String [default "seed".into()],
        /// Other arguments of every reset.
        reset_with: Object [default Object::default()],
        /// The observation's key for the text; left out, the text is the whole observation, as JSON.
        observation_key: Option<String> [default None],
        /// The observation's key for the goal in words; left out, a prompt's `{task}` is empty.
        goal_key: Option<String> [default None],
        /// The observation's key for the list of actions that are possible; left out, they are not listed.
        admissible_key: Option<String> [default None],
        /// Keys of the observation that prompts may have as placeholders.
        placeholders: Vec<String> [untouched default Vec::new()],
        /// The action's key for what a player says; left out, a player says whole actions, as JSON.
        action_key: Option<String> [default None],
        /// What stands under that key.
        action_as: ActionAs [default ActionAs::Text],
        /// What else every action has.
        action_with: Object [default Object::default()],
        /// The goal is reached where a reward is at least so high.
        success_from: f64 [default 1.0],
        /// Which reward that is.
        success_of: SuccessOf [default SuccessOf::End],
        /// Episodes at once, at most: as many sessions the server has to allow.
        sessions: Count<1024> [default Count(64)],
        /// Whether the same task and actions are the same episode: then what a lost connection has ended is played again to where it was.
        deterministic: bool [default true],
    }
}

/// From one split's first task to the next one's, where nothing else is said.
const APART: u64 = 1_000_000;
/// Below it every language has all whole numbers.
const MOST_NUMBER: u64 = 1 << 53;

pub(super) fn read(_: &Arc<Value>, component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn WorldKind>> {
    let read = OpenEnv::read_fields(component, reader)?;
    let sound = check_name(&read.name, component, reader) & check_placeholders(&read.placeholders, component, reader);
    if let Some((field, at, message)) = read.wrong_splits() {
        let span = at.map_or_else(|| place(component, field), |at| item(component, field, at));
        reader.report(Diagnostic::error("E0202", span, message));
        return None;
    }
    sound.then(|| Arc::new(read) as Arc<dyn WorldKind>)
}

impl OpenEnv {
    /// The field that is wrong, which of its items, and why.
    fn wrong_splits(&self) -> Option<(&'static str, Option<usize>, String)> {
        let Self { splits, tasks, first_tasks, .. } = self;
        let is_name = |name: &str| (1..=128).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if splits.is_empty() {
            return Some(("splits", None, "there is no split".into()));
        }
        if let Some(at) = splits.iter().position(|name| !is_name(name)) {
            return Some(("splits", Some(at), format!("{:?} cannot be the name of a split: letters, digits and `_` can", splits[at])));
        }
        if let Some(at) = (0..splits.len()).find(|&at| splits[..at].contains(&splits[at])) {
            return Some(("splits", Some(at), format!("there are two splits \"{}\"", splits[at])));
        }
        if tasks.len() != splits.len() {
            return Some(("tasks", None, format!("expected a number of tasks for each of {} splits, found {}", splits.len(), tasks.len())));
        }
        if !first_tasks.is_empty() && first_tasks.len() != splits.len() {
            return Some((
                "first_tasks",
                None,
                format!("expected a number for each of {} splits, found {}", splits.len(), first_tasks.len()),
            ));
        }
        let all = self.ranges();
        if let Some(at) = all.iter().position(|split| split.first + split.count as u64 > MOST_NUMBER) {
            return Some(("first_tasks", Some(at), "a task's number is below 2^53".into()));
        }
        let shared = |a: &Split, b: &Split| a.first < b.first + b.count as u64 && b.first < a.first + a.count as u64;
        let pair = all.iter().enumerate().find_map(|(at, one)| Some((at, one, all[..at].iter().find(|other| shared(one, other))?)));
        let (at, one, other) = pair?;
        let field = if first_tasks.is_empty() { "tasks" } else { "first_tasks" };
        Some((field, Some(at), format!("the splits \"{}\" and \"{}\" have tasks in common", other.name, one.name)))
    }

    fn ranges(&self) -> Vec<Split> {
        let first = |at: usize| self.first_tasks.get(at).copied().unwrap_or(APART * at as u64);
        let named = self.splits.iter().zip(&self.tasks).enumerate();
        named.map(|(at, (name, count))| Split { name: name.clone(), first: first(at), count: count.0 }).collect()
    }

    fn config(&self) -> Config {
        Config {
            name: self.name.clone(),
            version: self.version.clone(),
            splits: self.ranges(),
            shape: Shape {
                text: self.observation_key.clone(),
                goal: self.goal_key.clone(),
                admissible: self.admissible_key.clone(),
                placeholders: self.placeholders.clone(),
                action: self.action_key.clone(),
                action_is_json: self.action_as == ActionAs::Json,
                action_with: self.action_with.0.clone(),
                reset_with: self.reset_with.0.clone(),
                task: self.task_key.clone(),
            },
            success: match self.success_of {
                SuccessOf::End => Success::AtTheEnd(self.success_from),
                SuccessOf::Step => Success::OfAStep(self.success_from),
                SuccessOf::Sum => Success::InSum(self.success_from),
            },
            sessions: self.sessions.0,
            deterministic: self.deterministic,
        }
    }

    /// Where settings say that the server is, and how long its answers may take.
    fn server(&self, machine: &Machine) -> Result<(String, Duration), EnvError> {
        let name = &self.name;
        let known = machine.programs.get(name).and_then(|program| Some((program.url.clone()?, program.time_out)));
        known.ok_or_else(|| {
            EnvError::Task(format!(
                "no setting says where the server of `{name}` is\nin `epo.toml`, if you trust that server:\n  [env.{name}]\n  url = \"http://127.0.0.1:8000\""
            ))
        })
    }

    fn running(&self, machine: &Machine) -> Result<Arc<Running>, EnvError> {
        static OPEN: Shared<(Config, String, Duration), Running> = Shared::new();
        let (url, time_out) = self.server(machine)?;
        OPEN.get((self.config(), url, time_out), |(config, url, time_out)| Running::open(config.clone(), url, *time_out))
    }
}

impl WorldKind for OpenEnv {
    fn open(&self, machine: &Machine) -> Result<Arc<dyn World>, EnvError> {
        Ok(self.running(machine)?)
    }

    fn splits(&self) -> Option<Vec<&str>> {
        Some(self.splits.iter().map(String::as_str).collect())
    }

    fn is_outside(&self) -> bool {
        true
    }

    /// Whether there is room for all sessions: once for each server, since it has it made that many environments.
    fn look(&self, machine: &Machine) -> Result<(), EnvError> {
        static SEEN: Mutex<Vec<(String, usize)>> = Mutex::new(Vec::new());
        let key = (self.server(machine)?.0, self.sessions.0);
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.contains(&key) {
            self.running(machine)?.room()?;
            seen.push(key);
        }
        Ok(())
    }

    fn most_games(&self, split: &str, _drawn: bool) -> Option<usize> {
        self.ranges().into_iter().find(|known| known.name == split).map(|split| split.count)
    }

    fn has_expert(&self) -> bool {
        false
    }

    fn unlisted(&self) -> Option<&'static str> {
        self.admissible_key.is_none().then_some("name the part of its observations that has them: `admissible_key`")
    }

    fn install(&self, machine: &Machine) -> Result<String, EnvError> {
        self.look(machine)?;
        Ok(format!("`{}` answers: it is version {}, and allows {} sessions at once", self.name, self.version, self.sessions.0))
    }

    fn placeholders(&self) -> Vec<&str> {
        self.placeholders.iter().map(String::as_str).collect()
    }
}
