//! Minibatches: which rows make an update together.

use crate::objective::Whole;
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

    proptest! {
        #[test]
        fn nothing_is_torn_lost_or_empty(sizes in prop::collection::vec(1usize..9, 1..30), most in 1usize..40, seed in any::<u64>()) {
            let keys: Vec<u64> = sizes.iter().enumerate().flat_map(|(key, size)| vec![key as u64; *size]).collect();
            let units = units(keys.len(), Some(&keys));
            let order = crate::seed::Seed(seed).permutation(units.len());
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
