//! Levels of several keys at once: made when they are first asked for, and what is the same of them in every iteration.

use super::super::joint::Joint;
use super::super::levels::Level;
use super::{Layout, Map, between, dense};
use std::sync::PoisonError;

impl Layout {
    /// How many elements a level has; `None` if its key was not given.
    pub(in crate::objective) fn count(&self, level: Level) -> Option<usize> {
        match level {
            Level::Joint(_) => self.get_map(Level::Token, level).map(|map| map.count),
            _ => self.counts.get(&level).copied(),
        }
    }

    /// `None` if a key was not given, or no element of the one lies within one of the other.
    pub(in crate::objective) fn get_map(&self, from: Level, to: Level) -> Option<Map> {
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

    /// What each element of a level is called in every iteration: by its number or id, or by those of its keys one after the other. `None` if a key was
    /// not given or does not last.
    pub(in crate::objective) fn lasting_ids(&self, level: Level) -> Option<Vec<u64>> {
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
}

/// One number for several: a single one is itself.
pub(in crate::objective) fn lasting_id(parts: &[u64]) -> u64 {
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
