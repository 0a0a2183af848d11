//! What ranks make of their own lanes, brought together.

use super::ModelError;
use super::engine::{Answers, Part};
use super::native::Real;
use super::native::gradients::{Sums, add_all};
use crate::ranks::{Pack, Ranks, Unpack};

/// The parts of all ranks.
pub(super) fn gathered<T: Real>(ranks: &Ranks, own: Vec<Part<T>>) -> Result<Vec<Part<T>>, ModelError> {
    if ranks.size() == 1 {
        return Ok(own);
    }
    let mut pack = Pack::default();
    for Part { indices, answers } in own {
        pack.list(&indices);
        let columns: Vec<Vec<T>> = answers.columns().collect();
        pack.number(columns.len());
        columns.iter().for_each(|column| pack.list(column));
    }
    let mut all = Vec::new();
    for bytes in ranks.gather(pack.bytes())? {
        let mut unpack = Unpack(&bytes);
        while !unpack.is_empty() {
            let indices = unpack.list()?;
            let columns = (0..unpack.number()?).map(|_| unpack.list()).collect::<Result<Vec<_>, _>>()?;
            let mut columns = columns.into_iter();
            let mut next = || columns.next().unwrap_or_default();
            let (logp, entropy, value) = (next(), next(), next());
            all.push(Part { indices, answers: Answers { logp, entropy, value, figures: columns.collect() } });
        }
    }
    Ok(all)
}

/// Of each lane of all ranks, the places of its targets and their states.
pub(super) type States<T> = Vec<(Vec<usize>, Vec<T>)>;

pub(super) fn states_of_all<T: Real>(ranks: &Ranks, own: States<T>) -> Result<States<T>, ModelError> {
    if ranks.size() == 1 {
        return Ok(own);
    }
    let mut pack = Pack::default();
    for (indices, states) in &own {
        pack.list(indices);
        pack.list(states);
    }
    let mut all = Vec::new();
    for bytes in ranks.gather(pack.bytes())? {
        let mut unpack = Unpack(&bytes);
        while !unpack.is_empty() {
            all.push((unpack.list()?, unpack.list()?));
        }
    }
    Ok(all)
}

/// The sum over all lanes, in their order. `own`: of this rank's lanes, each by itself but for those of the first rank.
pub(super) fn total<T: Real>(
    ranks: &Ranks,
    holders: &[usize],
    mut own: Vec<Sums<T>>,
    empty: impl Fn() -> Sums<T>,
) -> Result<Sums<T>, ModelError> {
    if own.is_empty() {
        own.push(empty());
    }
    if ranks.size() > 1 {
        let lists = |sums| Sums::parts(sums).into_iter().map(Vec::as_mut_slice).collect();
        let mut parts: Vec<Vec<&mut [T]>> = own.iter_mut().map(lists).collect();
        ranks.add_up(holders, &mut parts, add_all)?;
    }
    Ok(own.swap_remove(0))
}
