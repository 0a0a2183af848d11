//! How the elements of a batch lie within each other: tokens in rows, rows in episodes, anchor states and groups.

mod error;
mod keys;

use super::levels::Level;
use super::program::Time;
use candle_core::{Device, Tensor};
pub use error::LayoutError;
pub(super) use keys::lasting_id;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

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

    /// The tokens of a row.
    pub(super) fn tokens(&self, row: usize) -> std::ops::Range<usize> {
        match (self.starts.get(row), self.starts.get(row + 1)) {
            (Some(&start), Some(&end)) => start..end,
            _ => 0..0,
        }
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
