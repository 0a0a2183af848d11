//! How the elements of a batch lie within each other: tokens in rows, rows in episodes, anchor states and groups.

use super::levels::Level;
use super::program::Time;
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::sync::Arc;

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

impl Chain {
    pub(super) const END: u32 = u32::MAX;
}

/// A checked [`Rows`] with its maps.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    rows: Rows,
    /// Where each row's tokens begin; one more at the end.
    starts: Vec<usize>,
    counts: BTreeMap<Level, usize>,
    maps: BTreeMap<(Level, Level), Map>,
}

impl Layout {
    pub(super) fn new(rows: Rows) -> Result<Self, LayoutError> {
        let n = rows.lengths.len();
        if n == 0 {
            return Err(LayoutError::Empty);
        }
        let keys = [("episode", &rows.episode), ("group", &rows.group), ("anchor", &rows.anchor), ("turn_index", &rows.turn_index)];
        for (key, ids) in keys {
            if let Some(ids) = ids
                && ids.len() != n
            {
                return Err(LayoutError::Rows { key, found: ids.len(), rows: n });
            }
        }
        check_episodes(&rows)?;
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
        let mut layout = Self { rows, starts, counts: BTreeMap::new(), maps: BTreeMap::new() };
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
        let keys = [
            (Level::Episode, self.rows.episode.as_ref().map(|ids| dense(ids.iter().copied()))),
            (Level::Group, self.rows.group.as_ref().map(|ids| dense(ids.iter().copied()))),
            (Level::Anchor, anchors),
            (Level::TurnIndex, self.rows.turn_index.as_ref().map(|ids| dense(ids.iter().copied()))),
        ];
        for (level, key) in &keys {
            let Some((of_row, count)) = key else { continue };
            self.counts.insert(*level, *count);
            self.map(Level::Token, *level, token_row.iter().map(|&row| of_row[row as usize]).collect(), *count);
            self.map(Level::Turn, *level, of_row.clone(), *count);
            self.map(*level, Level::Batch, vec![0; *count], 1);
        }
        if let Some((group_of_row, groups)) = &keys[1].1 {
            for (level, key) in [&keys[0], &keys[2]] {
                let Some((of_row, count)) = key else { continue };
                let mut to = vec![0; *count];
                for (&element, &group) in of_row.iter().zip(group_of_row) {
                    to[element as usize] = group;
                }
                self.map(*level, Level::Group, to, *groups);
            }
        }
    }

    fn map(&mut self, from: Level, into: Level, to: Vec<u32>, count: usize) {
        // A vector on the CPU always becomes a tensor.
        if let Ok(tensor) = Tensor::from_slice(&to, to.len(), &Device::Cpu) {
            self.maps.insert((from, into), Map { to: to.into(), tensor, count });
        }
    }

    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// How many elements a level has; `None` if its key was not given.
    pub(super) fn count(&self, level: Level) -> Option<usize> {
        self.counts.get(&level).copied()
    }

    pub(super) fn get_map(&self, from: Level, to: Level) -> Option<&Map> {
        self.maps.get(&(from, to))
    }

    /// The tokens of a row.
    pub(super) fn tokens(&self, row: usize) -> std::ops::Range<usize> {
        match (self.starts.get(row), self.starts.get(row + 1)) {
            (Some(&start), Some(&end)) => start..end,
            _ => 0..0,
        }
    }

    /// The number of the turn of each element of the level `turn_index`.
    pub(super) fn turn_numbers(&self) -> Option<Vec<u64>> {
        let map = self.get_map(Level::Turn, Level::TurnIndex)?;
        let mut numbers = vec![0; map.count];
        for (&to, &turn) in map.to.iter().zip(self.rows.turn_index.as_ref()?) {
            numbers[to as usize] = turn;
        }
        Some(numbers)
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
