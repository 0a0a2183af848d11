//! How the elements of a batch lie within each other: tokens in rows, rows in episodes, anchor states and groups.

use super::joint::Joint;
use super::levels::Level;
use super::program::Time;
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The rows of a batch and what each belongs to. Ids are any numbers; equal ones mean the same thing. A key that is left out cannot be reduced by.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Response tokens of each row; 0 is fine.
    pub lengths: Vec<usize>,
    /// The id of each row's episode.
    pub episode: Option<Vec<u64>>,
    /// The id of each row's group.
    pub group: Option<Vec<u64>>,
    /// The observed state, told apart within a group.
    pub anchor: Option<Vec<u64>>,
    /// Number of the turn within its episode.
    pub turn_index: Option<Vec<u64>>,
    /// The id of each row's task, the same in every iteration.
    pub task: Option<Vec<u64>>,
}

/// Why rows make no batch.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LayoutError {
    /// Not even a row without tokens.
    #[error("the batch has no rows")]
    Empty,
    /// A list of ids of another length than the rows.
    #[error("`{key}` has {found} values, but the batch has {rows} rows")]
    Rows {
        /// The list of [`Rows`].
        key: &'static str,
        /// Its length.
        found: usize,
        /// Rows by the lengths.
        rows: usize,
    },
    /// An episode belongs to one group.
    #[error("rows {first} and {second} belong to episode {episode}, but to different groups")]
    EpisodeInTwoGroups {
        /// Its id.
        episode: u64,
        /// A row, from 0.
        first: usize,
        /// A row, from 0.
        second: usize,
    },
    /// A group plays one task.
    #[error("rows {first} and {second} belong to {whose} {id}, but to different tasks")]
    TwoTasks {
        /// `group`, or `episode` where there are no groups.
        whose: &'static str,
        /// Its id.
        id: u64,
        /// A row, from 0.
        first: usize,
        /// A row, from 0.
        second: usize,
    },
    /// A turn of an episode is one row.
    #[error("rows {first} and {second} both are turn {turn} of episode {episode}")]
    TurnTwice {
        /// Its id.
        episode: u64,
        /// Its number.
        turn: u64,
        /// A row, from 0.
        first: usize,
        /// A row, from 0.
        second: usize,
    },
    /// Elements are counted in 32 bits.
    #[error("the batch has {tokens} tokens, more than can be counted here")]
    TooLarge {
        /// Of all rows.
        tokens: usize,
    },
}

/// From the elements of one level to those of a coarser one.
#[derive(Clone, Debug)]
pub(super) struct Map {
    /// For each element, the one it lies in.
    pub to: Arc<[u32]>,
    /// The same for candle.
    pub tensor: Tensor,
    /// How many elements the coarser level has.
    pub count: usize,
}

/// Successors along time.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// The element that follows, [`Chain::END`] at the last.
    pub next: Arc<[u32]>,
    /// Every element after the one that follows it.
    pub order: Arc<[u32]>,
    /// For each row, the element its reward is credited to; [`Chain::END`] if there is none.
    pub credit: Arc<[u32]>,
}

impl Map {
    fn new(to: Vec<u32>, count: usize) -> Option<Self> {
        // A vector on the CPU always becomes a tensor.
        let tensor = Tensor::from_slice(&to, to.len(), &Device::Cpu).ok()?;
        Some(Self { to: to.into(), tensor, count })
    }
}

impl Chain {
    pub(super) const END: u32 = u32::MAX;
}

/// A checked [`Rows`] with its maps.
#[derive(Debug)]
pub(super) struct Layout {
    rows: Rows,
    /// Where each row's tokens begin; one more at the end.
    starts: Vec<usize>,
    counts: BTreeMap<Level, usize>,
    maps: BTreeMap<(Level, Level), Map>,
    /// The same of several keys at once, made when they are first asked for.
    made: Mutex<BTreeMap<(Level, Level), Option<Map>>>,
}

impl Layout {
    pub(super) fn new(rows: Rows) -> Result<Self, LayoutError> {
        let n = rows.lengths.len();
        if n == 0 {
            return Err(LayoutError::Empty);
        }
        let keys = [
            ("episode", &rows.episode),
            ("group", &rows.group),
            ("anchor", &rows.anchor),
            ("turn_index", &rows.turn_index),
            ("task", &rows.task),
        ];
        for (key, ids) in keys {
            if let Some(ids) = ids
                && ids.len() != n
            {
                return Err(LayoutError::Rows { key, found: ids.len(), rows: n });
            }
        }
        check_episodes(&rows)?;
        check_tasks(&rows)?;
        let mut starts = vec![0];
        let mut tokens = 0usize;
        for &length in &rows.lengths {
            tokens = tokens.saturating_add(length);
            starts.push(tokens);
        }
        // `u32::MAX` stands for "none".
        if tokens.max(n) >= u32::MAX as usize {
            return Err(LayoutError::TooLarge { tokens });
        }
        let mut layout = Self { rows, starts, counts: BTreeMap::new(), maps: BTreeMap::new(), made: Mutex::default() };
        layout.build(tokens);
        Ok(layout)
    }

    fn build(&mut self, tokens: usize) {
        let n = self.rows.lengths.len();
        self.counts.extend([(Level::Token, tokens), (Level::Turn, n), (Level::Batch, 1)]);
        let token_row: Vec<u32> =
            self.rows.lengths.iter().enumerate().flat_map(|(row, &length)| std::iter::repeat_n(row as u32, length)).collect();
        self.map(Level::Token, Level::Turn, token_row.clone(), n);
        self.map(Level::Token, Level::Batch, vec![0; tokens], 1);
        self.map(Level::Turn, Level::Batch, vec![0; n], 1);
        // An anchor state is told apart within its group; without groups, by itself.
        let anchors = self.rows.anchor.as_ref().map(|anchors| {
            let groups = self.rows.group.as_ref();
            let ids = anchors.iter().enumerate().map(|(row, &anchor)| (groups.and_then(|g| g.get(row).copied()), anchor));
            dense(ids)
        });
        let of = |ids: &Option<Vec<u64>>| ids.as_ref().map(|ids| dense(ids.iter().copied()));
        let keys = [
            (Level::Episode, of(&self.rows.episode)),
            (Level::Group, of(&self.rows.group)),
            (Level::Anchor, anchors),
            (Level::TurnIndex, of(&self.rows.turn_index)),
            (Level::Task, of(&self.rows.task)),
        ];
        for (level, key) in &keys {
            let Some((of_row, count)) = key else { continue };
            self.counts.insert(*level, *count);
            self.map(Level::Token, *level, token_row.iter().map(|&row| of_row[row as usize]).collect(), *count);
            self.map(Level::Turn, *level, of_row.clone(), *count);
            self.map(*level, Level::Batch, vec![0; *count], 1);
        }
        for (fine, fine_key) in &keys {
            for (coarse, coarse_key) in keys.iter().filter(|(coarse, _)| coarse != fine && fine.within(*coarse)) {
                if let (Some((fine_of_row, count)), Some((coarse_of_row, coarse_count))) = (fine_key, coarse_key) {
                    self.map(*fine, *coarse, between(fine_of_row, *count, coarse_of_row), *coarse_count);
                }
            }
        }
    }

    fn map(&mut self, from: Level, into: Level, to: Vec<u32>, count: usize) {
        if let Some(map) = Map::new(to, count) {
            self.maps.insert((from, into), map);
        }
    }

    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// How many elements a level has; `None` if its key was not given.
    pub(super) fn count(&self, level: Level) -> Option<usize> {
        match level {
            Level::Joint(_) => self.get_map(Level::Token, level).map(|map| map.count),
            _ => self.counts.get(&level).copied(),
        }
    }

    /// `None` if a key was not given, or no element of the one lies within one of the other.
    pub(super) fn get_map(&self, from: Level, to: Level) -> Option<Map> {
        if let Some(map) = self.maps.get(&(from, to)) {
            return Some(map.clone());
        }
        if !matches!((from, to), (Level::Joint(_), _) | (_, Level::Joint(_))) || from == to || !from.within(to) {
            return None;
        }
        let known = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&(from, to)).cloned();
        known.unwrap_or_else(|| {
            let map = self.joint_map(from, to);
            self.made.lock().unwrap_or_else(PoisonError::into_inner).insert((from, to), map.clone());
            map
        })
    }

    fn joint_map(&self, from: Level, to: Level) -> Option<Map> {
        let tells_tokens_apart = |level: Level| matches!(level, Level::Joint(Joint { token_index: true, .. }) | Level::Token);
        if tells_tokens_apart(from) || tells_tokens_apart(to) {
            let (to_of_token, count) = self.of_tokens(to)?;
            if from == Level::Token {
                return Map::new(to_of_token, count);
            }
            let (from_of_token, from_count) = self.of_tokens(from)?;
            return Map::new(between(&from_of_token, from_count, &to_of_token), count);
        }
        let (to_of_row, count) = self.of_rows(to)?;
        if from == Level::Turn {
            return Map::new(to_of_row, count);
        }
        let (from_of_row, from_count) = self.of_rows(from)?;
        Map::new(between(&from_of_row, from_count, &to_of_row), count)
    }

    /// The element of a level in which each token lies, and how many there are.
    fn of_tokens(&self, level: Level) -> Option<(Vec<u32>, usize)> {
        let row_of_token = &self.maps.get(&(Level::Token, Level::Turn))?.to;
        let Level::Joint(joint @ Joint { token_index: true, .. }) = level else {
            let (of_row, count) = self.of_rows(level)?;
            return Some((row_of_token.iter().map(|&row| of_row[row as usize]).collect(), count));
        };
        let keys = self.row_keys(joint)?;
        let number = |token: usize, row: u32| (token - self.starts[row as usize]) as u32;
        Some(dense(row_of_token.iter().enumerate().map(|(token, &row)| (&keys[row as usize], number(token, row)))))
    }

    /// The element of a level in which each row lies, and how many there are.
    fn of_rows(&self, level: Level) -> Option<(Vec<u32>, usize)> {
        match level {
            Level::Joint(joint) => Some(dense(self.row_keys(joint)?.into_iter())),
            _ => self.maps.get(&(Level::Turn, level)).map(|map| (map.to.to_vec(), map.count)),
        }
    }

    /// What tells each row from others.
    fn row_keys(&self, joint: Joint) -> Option<Vec<Vec<u32>>> {
        let mut keys: Vec<Vec<u32>> = vec![Vec::new(); self.rows.lengths.len()];
        let named = [(joint.episode, Level::Episode), (joint.group, Level::Group), (joint.task, Level::Task)];
        for (_, level) in named.into_iter().chain([(joint.turn_index, Level::TurnIndex)]).filter(|(has, _)| *has) {
            let map = self.maps.get(&(Level::Turn, level))?;
            keys.iter_mut().zip(map.to.iter()).for_each(|(key, &id)| key.push(id));
        }
        if joint.states > 0 {
            self.add_last_states(joint.states.into(), &mut keys)?;
        }
        Some(keys)
    }

    /// Adds to each row's key the states of its episode up to it, the present one first: `most` at most.
    fn add_last_states(&self, most: usize, keys: &mut [Vec<u32>]) -> Option<()> {
        let states = &self.maps.get(&(Level::Turn, Level::Anchor))?.to;
        if most == 1 {
            keys.iter_mut().zip(states.iter()).for_each(|(key, &state)| key.push(state));
            return Some(());
        }
        for rows in self.episodes()? {
            for (turn, &row) in rows.iter().enumerate() {
                keys[row].extend(rows[..=turn].iter().rev().take(most).map(|&row| states[row]));
            }
        }
        Some(())
    }

    /// The tokens of a row.
    pub(super) fn tokens(&self, row: usize) -> std::ops::Range<usize> {
        match (self.starts.get(row), self.starts.get(row + 1)) {
            (Some(&start), Some(&end)) => start..end,
            _ => 0..0,
        }
    }

    /// What each element of a level is called in every iteration: by its number or id, or by those of its keys one after the other. `None` if a key was
    /// not given or does not last.
    pub(super) fn lasting_ids(&self, level: Level) -> Option<Vec<u64>> {
        let map = self.get_map(Level::Turn, level)?;
        let mut ids: Vec<Vec<u64>> = vec![Vec::new(); map.count];
        for key in level.lasting()? {
            let of_row = match key {
                Level::Task => self.rows.task.as_ref()?,
                Level::Anchor => self.rows.anchor.as_ref()?,
                _ => self.rows.turn_index.as_ref()?,
            };
            let mut seen = vec![false; map.count];
            for (&to, &id) in map.to.iter().zip(of_row) {
                if !std::mem::replace(&mut seen[to as usize], true) {
                    ids[to as usize].push(id);
                }
            }
        }
        Some(ids.iter().map(|parts| lasting_id(parts)).collect())
    }

    /// Rows of each episode in the order of their turns.
    fn episodes(&self) -> Option<Vec<Vec<usize>>> {
        let map = self.get_map(Level::Turn, Level::Episode)?;
        let turn = self.rows.turn_index.as_ref()?;
        let mut episodes = vec![Vec::new(); map.count];
        for (row, &episode) in map.to.iter().enumerate() {
            episodes[episode as usize].push(row);
        }
        for rows in &mut episodes {
            rows.sort_by_key(|&row| turn[row]);
        }
        Some(episodes)
    }

    /// `None` if the episode or the number of the turn is not known and would be needed.
    pub(super) fn chain(&self, time: Time) -> Option<Chain> {
        let n = self.rows.lengths.len();
        let walks = if time.by == Level::Episode { self.episodes()? } else { (0..n).map(|row| vec![row]).collect() };
        let count = if time.per == Level::Token { self.starts.last().copied().unwrap_or(0) } else { n };
        let mut chain = (vec![Chain::END; count], Vec::with_capacity(count), vec![Chain::END; n]);
        for walk in walks {
            let mut last = Chain::END;
            for row in walk {
                let steps = if time.per == Level::Token { self.tokens(row) } else { row..row + 1 };
                for step in steps {
                    if let Some(next) = chain.0.get_mut(last as usize) {
                        *next = step as u32;
                    }
                    last = step as u32;
                    chain.1.push(last);
                }
                // A row without tokens has its reward credited to the last token before it.
                chain.2[row] = last;
            }
        }
        chain.1.reverse();
        Some(Chain { next: chain.0.into(), order: chain.1.into(), credit: chain.2.into() })
    }
}

/// One number for several: a single one is itself.
pub(super) fn lasting_id(parts: &[u64]) -> u64 {
    if let [one] = parts {
        return *one;
    }
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&part.to_le_bytes());
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// From the elements of a level to those of a coarser one, by way of the rows of both.
fn between(fine_of_row: &[u32], count: usize, coarse_of_row: &[u32]) -> Vec<u32> {
    let mut to = vec![0; count];
    for (&fine, &coarse) in fine_of_row.iter().zip(coarse_of_row) {
        to[fine as usize] = coarse;
    }
    to
}

/// Numbers from 0 in the order of first appearance.
fn dense<T: Ord>(ids: impl Iterator<Item = T>) -> (Vec<u32>, usize) {
    let mut known = BTreeMap::new();
    let dense = ids
        .map(|id| {
            let next = known.len() as u32;
            *known.entry(id).or_insert(next)
        })
        .collect();
    (dense, known.len())
}

fn check_episodes(rows: &Rows) -> Result<(), LayoutError> {
    let Some(episodes) = &rows.episode else { return Ok(()) };
    let (mut group_of, mut turns) = (BTreeMap::new(), BTreeMap::new());
    for (row, &episode) in episodes.iter().enumerate() {
        if let Some(&group) = rows.group.as_ref().and_then(|groups| groups.get(row)) {
            let (first, known) = *group_of.entry(episode).or_insert((row, group));
            if known != group {
                return Err(LayoutError::EpisodeInTwoGroups { episode, first, second: row });
            }
        }
        if let Some(&turn) = rows.turn_index.as_ref().and_then(|turns| turns.get(row)) {
            let first = *turns.entry((episode, turn)).or_insert(row);
            if first != row {
                return Err(LayoutError::TurnTwice { episode, turn, first, second: row });
            }
        }
    }
    Ok(())
}

fn check_tasks(rows: &Rows) -> Result<(), LayoutError> {
    let Some(tasks) = &rows.task else { return Ok(()) };
    let (whose, ids) = match (&rows.group, &rows.episode) {
        (Some(groups), _) => ("group", groups),
        (None, Some(episodes)) => ("episode", episodes),
        (None, None) => return Ok(()),
    };
    let mut task_of = BTreeMap::new();
    for (row, (&id, &task)) in ids.iter().zip(tasks).enumerate() {
        let (first, known) = *task_of.entry(id).or_insert((row, task));
        if known != task {
            return Err(LayoutError::TwoTasks { whose, id, first, second: row });
        }
    }
    Ok(())
}
