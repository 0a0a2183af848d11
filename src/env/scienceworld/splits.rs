//! The 30 tasks with their variations, and the splits of the simulator and of the papers, as fixed panels.

use super::archive::{ARCHIVE_HASH, RELEASE};
use crate::env::{EnvError, Panel, Task};
use std::sync::OnceLock;

/// The simulator's own sets, and those of the papers: `l0` unseen variations (the simulator's dev sets), `l1` further unseen variations
/// (its test sets), `l2` unseen kinds of task. `use-thermometer` is in none of the papers' splits.
pub const SPLITS: &[&str] = &["train", "dev", "test", "l0_train", "l0_test", "l1_train", "l1_test", "l2_train", "l2_test"];

/// One of the simulator's 30 tasks; its index is its place in [`kinds`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// `boil`.
    pub name: String,
    /// How many it has.
    pub variations: u32,
    /// First and last variation of train, dev, test: unbroken ranges.
    sets: [(u32, u32); 3],
}

/// In the simulator's own order, which is the alphabetical one.
pub(crate) fn kinds() -> &'static [Kind] {
    static KINDS: OnceLock<Vec<Kind>> = OnceLock::new();
    KINDS.get_or_init(|| include_str!("splits/official.tsv").lines().skip(1).filter_map(kind).collect())
}

fn kind(line: &str) -> Option<Kind> {
    let mut fields = line.split('\t').skip(1);
    let name = fields.next()?.to_owned();
    let mut number = || fields.next()?.parse().ok();
    let variations = number()?;
    Some(Kind { name, variations, sets: [(number()?, number()?), (number()?, number()?), (number()?, number()?)] })
}

pub(crate) fn find(name: &str) -> Option<&'static Kind> {
    kinds().iter().find(|kind| kind.name == name)
}

/// Which tasks of a split make a panel, and in which order.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Choice {
    /// Names of tasks; empty for all that the split has.
    pub tasks: Vec<String>,
    /// Takes turns between the tasks, so that the first `n` hold as many variations of each, until a task has no more.
    /// Otherwise every variation is as likely as every other, and a fifth of `l0_train` is one task.
    pub balanced: bool,
}

/// The (task index, variation) pairs of a split in the order of the tables; `None` where there is no such split.
pub(crate) fn pairs(split: &str) -> Option<Vec<(usize, u32)>> {
    let of = |set: &str, tasks: &mut dyn Iterator<Item = usize>| {
        let set = ["train", "dev", "test"].iter().position(|name| *name == set)?;
        let ranges = tasks.filter_map(|task| Some((task, *kinds().get(task)?.sets.get(set)?)));
        Some(ranges.flat_map(|(task, (first, last))| (first..=last).map(move |variation| (task, variation))).collect())
    };
    if let Some(pairs) = of(split, &mut (0..kinds().len())) {
        return Some(pairs);
    }
    let mut rows = include_str!("splits/papers.tsv").lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.find_map(|row| match row.as_slice() {
        [name, set, tasks] if *name == split => of(set, &mut tasks.split(' ').filter_map(|index| index.parse().ok())),
        _ => None,
    })
}

/// A panel of a split. The order depends on the split alone (and on `balanced`): leaving out tasks or taking fewer keeps it.
///
/// # Errors
/// [`EnvError::Task`] for a split or task that does not exist, and where there are fewer games than asked for.
pub(crate) fn panel(split: &str, choice: &Choice, simplification: &str, count: Option<usize>) -> Result<Panel, EnvError> {
    let unknown = || format!("ScienceWorld has no split `{split}`{}", suggestion(split, SPLITS.iter().copied()));
    let pairs = pairs(split).ok_or_else(|| EnvError::Task(unknown()))?;
    let wanted = wanted(&choice.tasks)?;
    let mut games: Vec<Game> =
        pairs.into_iter().filter(|(task, _)| wanted.is_empty() || wanted.contains(task)).map(|pair| Game::new(split, pair)).collect();
    games.sort_unstable();
    if choice.balanced {
        take_turns(&mut games);
    }
    let available = games.len();
    if available == 0 {
        return Err(EnvError::Task(format!("the split `{split}` has no game of {}", quoted(&choice.tasks))));
    }
    if let Some(count) = count.filter(|count| *count > available) {
        return Err(EnvError::Task(format!(
            "the split `{split}` has {available} games of the tasks wanted, not {count}; ask for fewer or leave the count out"
        )));
    }
    games.truncate(count.unwrap_or(available));
    let tasks: Vec<Task> = games.iter().map(Game::task).collect();
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("scienceworld {RELEASE} {ARCHIVE_HASH} {simplification}\n").as_bytes());
    for task in &tasks {
        hasher.update(format!("{}\n", task.id).as_bytes());
    }
    Ok(Panel { name: split.into(), tasks, hash: hasher.finalize().to_hex().to_string() })
}

fn wanted(tasks: &[String]) -> Result<Vec<usize>, EnvError> {
    let index = |name: &String| {
        let found = kinds().iter().position(|kind| kind.name == *name);
        found.ok_or_else(|| EnvError::Task(format!("ScienceWorld has no task `{name}`{}", suggest_task(name))))
    };
    tasks.iter().map(index).collect()
}

pub(crate) fn suggest_task(name: &str) -> String {
    suggestion(name, kinds().iter().map(|kind| kind.name.as_str()))
}

pub(crate) fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let nearest = known.map(|word| (strsim::damerau_levenshtein(&name.to_lowercase(), word), word)).min();
    match nearest {
        Some((distance, word)) if distance <= 1 + name.chars().count() / 4 => format!("; did you mean `{word}`?"),
        _ => String::new(),
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Sorted by a hash of what it is: a shuffle that needs no random generator.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Game {
    /// How many of its task come before it, where tasks take turns.
    round: usize,
    key: [u8; 32],
    task: usize,
    variation: u32,
}

impl Game {
    fn new(split: &str, (task, variation): (usize, u32)) -> Self {
        let key = *blake3::hash(format!("order of scienceworld/{split}/{task}/{variation}").as_bytes()).as_bytes();
        Self { round: 0, key, task, variation }
    }

    fn task(&self) -> Task {
        let name = kinds().get(self.task).map_or("", |kind| kind.name.as_str());
        Task { id: format!("{name}/{}", self.variation), family: name.into() }
    }
}

fn take_turns(games: &mut [Game]) {
    let mut seen = vec![0; kinds().len()];
    for game in games.iter_mut() {
        if let Some(seen) = seen.get_mut(game.task) {
            game.round = *seen;
            *seen += 1;
        }
    }
    games.sort_unstable();
}

#[cfg(test)]
#[path = "splits_tests.rs"]
mod tests;
