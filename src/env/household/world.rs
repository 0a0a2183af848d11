//! The configured house: its splits, and the tasks in them.

use super::combination::Catalogue;
use super::config::{Config, ConfigError};
use super::game::Rules;
use super::generate::{SPLITS, Split, generate};
use super::instance::Instance;
use super::layout::Layout;
use super::rehearsal::expert_turns;
use crate::env::{EnvError, Environment, Panel, Task, World};
use std::cell::RefCell;
use std::sync::Arc;

/// The longest game that the expert may need; tasks that are longer are not made.
pub(super) const EXPERT_TURNS: usize = 50;
/// Draws for one task before it is given up. Half of them fail for `train` and `seen` by design.
const ATTEMPTS: u64 = 1000;
/// A slip of the pen in a count should not fill the memory.
const MOST_TASKS: usize = 1_000_000;

/// Text rooms generated from a seed. Three splits:
///
/// - `train`;
/// - `seen`: other houses for combinations of object, receptacle and room that training has (task i of `seen` is about the combination
///   of task i of `train`);
/// - `unseen`: combinations that no task of `train` is about: the places of their three words in their alphabetical lists (counted from 0)
///   add up to a multiple of 5.
///
/// A task's id, such as `train/0017`, and the configuration determine the game. "All" tasks are 4000, 400 and 400; a panel may ask for more.
#[derive(Clone)]
pub struct Household {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub config: Config,
    pub catalogue: Catalogue,
    pub rules: Rules,
}

thread_local! {
    /// The one that was made last: a check makes the same for every stage, seed and swept value.
    static LAST: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

impl Household {
    /// Lists the combinations that training may have; makes no house yet.
    ///
    /// # Errors
    /// Names the field that no house can meet, and why.
    pub fn new(config: Config) -> Result<Household, ConfigError> {
        if let Some(shared) = LAST.with_borrow(|last| last.clone()).filter(|last| last.config == config) {
            return Ok(Household { shared });
        }
        config.check()?;
        let catalogue = Catalogue::new(&config)?;
        let shared = Arc::new(Shared { config, catalogue, rules: Rules::default() });
        LAST.set(Some(shared.clone()));
        Ok(Household { shared })
    }

    /// The most tasks of a split: of all that it has, or (as there is no end to them) of as many as have a number.
    pub(crate) fn most(split: &str, of_all: bool) -> Option<usize> {
        Split::named(split).map(|split| if of_all { split.all() } else { MOST_TASKS })
    }

    /// The house and the goal of a task.
    ///
    /// # Errors
    /// When there is no such id, or no house for it under this configuration.
    #[cfg(test)]
    pub(super) fn layout(&self, id: &str) -> Result<Layout, EnvError> {
        self.shared.layout(id)
    }
}

impl Shared {
    pub(super) fn layout(&self, id: &str) -> Result<Layout, EnvError> {
        let unknown = || {
            let splits = SPLITS.join("`, `");
            EnvError::Task(format!("no task `{id}` in `household`; ids are like `train/0017`, with the splits `{splits}`"))
        };
        let (name, digits) = id.split_once('/').ok_or_else(unknown)?;
        let split = Split::named(name).ok_or_else(unknown)?;
        let index: usize = digits.parse().ok().filter(|index| *index < MOST_TASKS).ok_or_else(unknown)?;
        // One game, one id: `train/17` and `train/+0017` are nobody's.
        if task_id(name, index) == id { self.draw(split, name, index) } else { Err(unknown()) }
    }

    fn draw(&self, split: Split, name: &str, index: usize) -> Result<Layout, EnvError> {
        for attempt in 0..ATTEMPTS {
            let Some(layout) = generate(&self.config, &self.catalogue, split, index as u64, attempt) else { continue };
            if expert_turns(&layout, EXPERT_TURNS).is_some() {
                return Ok(layout);
            }
        }
        let id = task_id(name, index);
        Err(EnvError::Task(format!(
            "no house found for `{id}` in {ATTEMPTS} draws; allow more `receptacles`, fewer `objects` or more `kinds`"
        )))
    }

    fn panel(&self, split: &str, count: Option<usize>) -> Result<Panel, EnvError> {
        let (name, Some(split)) = (split, Split::named(split)) else {
            let splits = SPLITS.join("`, `");
            return Err(EnvError::Task(format!("`household` has no split `{split}`; it has `{splits}`")));
        };
        let count = count.unwrap_or(split.all());
        if count > MOST_TASKS {
            return Err(EnvError::Task(format!("{count} tasks are too many; `household` numbers {MOST_TASKS} in a split")));
        }
        let mut hash = blake3::Hasher::new_derive_key("epo household panel 1");
        hash.update(Rules::hash().as_bytes());
        let mut tasks = Vec::with_capacity(count);
        for index in 0..count {
            let id = task_id(name, index);
            let layout = self.layout(&id)?;
            hash.update(id.as_bytes());
            hash.update(layout.hash().as_bytes());
            tasks.push(Task { id, family: layout.family.word().to_string() });
        }
        Ok(Panel { name: name.to_string(), tasks, hash: hash.finalize().to_hex().to_string() })
    }
}

fn task_id(split: &str, index: usize) -> String {
    format!("{split}/{index:04}")
}

impl World for Household {
    fn instance(&self) -> Result<Box<dyn Environment>, EnvError> {
        Ok(Box::new(Instance::new(self.shared.clone())))
    }

    fn panel(&self, split: &str, count: Option<usize>) -> Result<Arc<Panel>, EnvError> {
        self.shared.panel(split, count).map(Arc::new)
    }

    fn splits(&self) -> Vec<&str> {
        SPLITS.to_vec()
    }
}
