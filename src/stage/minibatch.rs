//! Minibatches: which rows make an update together.

use crate::objective::Whole;
use crate::seed::Seed;
use crate::words;
use std::collections::BTreeMap;

words! {
    /// What a minibatch may not tear apart.
    pub(crate) enum Keep {
        /// Nothing: rows go where the draw puts them.
        Rows = "rows",
        /// The turns of an episode, whose prompts begin alike: what they have in common is computed once.
        Episodes = "episodes",
        /// All episodes of a group.
        Groups = "groups",
    }
}

impl Keep {
    /// What is asked for here, or more where an equation needs more.
    pub(crate) fn and(self, needed: Whole) -> Self {
        match (self, needed) {
            (Self::Groups, _) | (_, Whole::Groups) => Self::Groups,
            (Self::Episodes, _) | (_, Whole::Episodes) => Self::Episodes,
            (Self::Rows, Whole::Rows) => Self::Rows,
        }
    }
}

/// What may not be torn apart: rows with the same key; without keys each row alone.
pub(crate) fn units(rows: usize, keys: Option<&[u64]>) -> Vec<Vec<usize>> {
    let Some(keys) = keys else { return (0..rows).map(|row| vec![row]).collect() };
    let mut units: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (row, key) in keys.iter().enumerate() {
        units.entry(*key).or_default().push(row);
    }
    units.into_values().collect()
}

/// How many minibatches of about `most` rows there are, or one of all rows.
pub(crate) fn count(units: &[Vec<usize>], most: Option<usize>) -> usize {
    let rows: usize = units.iter().map(Vec::len).sum();
    most.map_or(1, |most| rows.div_ceil(most)).min(units.len()).max(1)
}

/// `count` minibatches of all units in this order, of sizes as equal as the units allow; the rows of each in their own order, so that what is
/// summed is summed alike.
pub(crate) fn fill(units: &[Vec<usize>], order: &[usize], count: usize) -> Vec<Vec<usize>> {
    let rows: usize = units.iter().map(Vec::len).sum();
    let mut filled: Vec<Vec<usize>> = vec![Vec::new(); count];
    let (mut done, mut at) = (0, 0);
    for (number, &unit) in order.iter().enumerate() {
        // None is left out, and there are units for all that follow.
        let (least, most) = (count.saturating_sub(order.len() - number), if filled[at].is_empty() { at } else { at + 1 });
        at = (done * count / rows.max(1)).max(least).clamp(at, most).min(count - 1);
        filled[at].extend(&units[unit]);
        done += units[unit].len();
    }
    for minibatch in &mut filled {
        minibatch.sort_unstable();
    }
    filled
}

/// How the rows of each epoch over a fixed list are dealt out.
pub(crate) struct Minibatches {
    /// Of an epoch.
    pub count: usize,
    /// What is not torn apart; `None`: so many rows each, as they are drawn.
    units: Option<Vec<Vec<usize>>>,
    rows: usize,
    most: usize,
}

impl Minibatches {
    /// `keys` has the episode of each row, and the group.
    pub(crate) fn new(keep: Keep, rows: usize, [episodes, groups]: [&[u64]; 2], most: usize) -> Self {
        let keys = match keep {
            Keep::Rows => None,
            Keep::Episodes => Some(episodes),
            Keep::Groups => Some(groups),
        };
        let units = keys.map(|keys| units(rows, Some(keys)));
        let count = units.as_ref().map_or(rows.div_ceil(most), |units| count(units, Some(most)));
        Self { count, units, rows, most }
    }

    pub(crate) fn draw(&self, seed: Seed) -> Vec<Vec<usize>> {
        match &self.units {
            Some(units) => fill(units, &seed.permutation(units.len()), self.count),
            None => seed.permutation(self.rows).chunks(self.most).map(<[usize]>::to_vec).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_are_dealt_evenly() {
        let units = units(10, None);
        let order: Vec<usize> = (0..10).rev().collect();
        assert_eq!(count(&units, Some(4)), 3);
        assert_eq!(fill(&units, &order, 3), [vec![6, 7, 8, 9], vec![3, 4, 5], vec![0, 1, 2]]);
        assert_eq!((count(&units, None), count(&units, Some(100)), count(&[], Some(4))), (1, 1, 1));
    }

    #[test]
    fn an_equation_can_ask_for_more() {
        let words = [Keep::Rows, Keep::Episodes, Keep::Groups].map(|keep| keep.and(Whole::Episodes).word());
        assert_eq!(words, ["episodes", "episodes", "groups"]);
        assert_eq!(Keep::Rows.and(Whole::Rows).word(), "rows");
    }

    #[test]
    fn demonstrations_of_an_episode_stay_together() {
        let (episodes, groups) = ([1, 1, 2, 2, 3, 3], [0, 0, 0, 0, 1, 1]);
        let drawn = |keep| {
            let minibatches = Minibatches::new(keep, 6, [&episodes, &groups], 2);
            let drawn = minibatches.draw(Seed(5));
            assert_eq!(drawn.len(), minibatches.count);
            drawn
        };
        assert!(drawn(Keep::Episodes).iter().all(|rows| rows.len() == 2 && episodes[rows[0]] == episodes[rows[1]]));
        assert_eq!(drawn(Keep::Groups).iter().map(Vec::len).max(), Some(4));
        assert_eq!(drawn(Keep::Rows).concat(), Seed(5).permutation(6));
    }

    proptest! {
        #[test]
        fn nothing_is_torn_lost_or_empty(sizes in prop::collection::vec(1usize..9, 1..30), most in 1usize..40, seed in any::<u64>()) {
            let keys: Vec<u64> = sizes.iter().enumerate().flat_map(|(key, size)| vec![key as u64; *size]).collect();
            let units = units(keys.len(), Some(&keys));
            let order = Seed(seed).permutation(units.len());
            let filled = fill(&units, &order, count(&units, Some(most)));
            prop_assert!(filled.iter().all(|minibatch| !minibatch.is_empty()));
            let mut all: Vec<usize> = filled.iter().flatten().copied().collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..keys.len()).collect::<Vec<_>>());
            for unit in &units {
                prop_assert_eq!(filled.iter().filter(|minibatch| unit.iter().any(|row| minibatch.contains(row))).count(), 1);
            }
        }
    }
}
