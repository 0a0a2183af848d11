//! Many elements at once: reductions, `whiten`, `top`.

use super::super::error::ObjectiveError;
use super::super::layout::Map;
use super::super::levels::Level;
use super::super::program::{Kind, Node, Time};
use super::{Data, Evaluator, Presence, Value, ops};
use crate::builtin::{Reduction, SQRT};
use candle_core::{DType, Device, Result, Tensor};
use std::sync::Arc;

/// Added to the variance before its root is taken, so that equal values are whitened to 0.
const WHITEN_EPSILON: f64 = 1e-8;

/// One segment sum per element of the coarser level.
fn sums(x: &Tensor, map: &Map) -> Result<Tensor> {
    Tensor::zeros(map.count, DType::F64, &Device::Cpu)?.index_add(&map.tensor, x, 0)
}

/// `Σ (x − mean)² / max(n − 1, 1)` of each segment, and the difference of each element from its mean. `x` is 0 where `here` is false.
fn variances(x: &Tensor, map: &Map, here: Option<&Arc<[bool]>>, counts: &[f64]) -> Result<(Tensor, Tensor)> {
    let means = (sums(x, map)? / ops::constant(counts.iter().map(|n| n.max(1.0)).collect())?)?;
    let mut deviations = (x - means.index_select(&map.tensor, 0)?)?;
    if let Some(here) = here {
        deviations = ops::keep(here, &deviations)?;
    }
    let squares = sums(&(&deviations * &deviations)?, map)?;
    let variances = (squares / ops::constant(counts.iter().map(|n| (n - 1.0).max(1.0)).collect())?)?;
    Ok((variances, deviations))
}

/// How many elements of each segment satisfy `counted`.
fn tally(map: &Map, counted: impl Fn(usize) -> bool) -> Vec<f64> {
    let mut counts = vec![0.0; map.count];
    for (element, &to) in map.to.iter().enumerate() {
        if let (true, Some(count)) = (counted(element), counts.get_mut(to as usize)) {
            *count += 1.0;
        }
    }
    counts
}

/// The position of the smallest or largest element of each segment, the first of equals, NaN before all; 0 for a segment without.
fn extremes(map: &Map, x: &[f64], counted: impl Fn(usize) -> bool, largest: bool) -> Vec<u32> {
    let mut best: Vec<Option<usize>> = vec![None; map.count];
    for (element, (&to, &value)) in map.to.iter().zip(x).enumerate() {
        let Some(slot) = best.get_mut(to as usize).filter(|_| counted(element)) else { continue };
        let better = match slot.and_then(|at| x.get(at)) {
            None => true,
            Some(known) if known.is_nan() => false,
            Some(known) => value.is_nan() || if largest { value > *known } else { value < *known },
        };
        if better {
            *slot = Some(element);
        }
    }
    best.into_iter().map(|at| at.unwrap_or(0) as u32).collect()
}

impl Evaluator<'_> {
    pub(super) fn reduce(&self, node: &Node, how: Reduction, x: &Value) -> std::result::Result<Value, ObjectiveError> {
        self.reduced(node, how, x, node.level)
    }

    pub(super) fn mean_over(&self, node: &Node, x: &Value, to: Level) -> std::result::Result<Value, ObjectiveError> {
        self.reduced(node, Reduction::Mean, x, to)
    }

    fn reduced(&self, node: &Node, how: Reduction, x: &Value, to: Level) -> std::result::Result<Value, ObjectiveError> {
        let x = self.broadcast(node, x, x.level.meet(to))?;
        let map = self.map(node, x.level, to)?;
        let failed = |source| ObjectiveError::Tensor { text: node.text(), place: node.place(), source };
        // What is void is not there at all; what lacks a past is there and counts as 0, unless nothing else is there.
        let counts = tally(&map, |element| x.presence_of(element) != Presence::Void);
        let here = tally(&map, |element| x.presence_of(element) == Presence::Here);
        if how == Reduction::Count {
            let flag = node.args.first().is_some_and(|&arg| self.program.nodes[arg].kind == Kind::Flag);
            let count = match (&x.data, flag) {
                (Data::Numbers(_), false) => counts,
                _ => {
                    let truths = self.conditions(node, &x)?;
                    tally(&map, |element| x.presence_of(element) == Presence::Here && truths.get(element) == Some(&true))
                }
            };
            return Ok(Value::numbers(self.constant(node, count)?, to, None));
        }
        if let Reduction::Initial | Reduction::Final = how {
            return self.end(node, how == Reduction::Initial, &x, to);
        }
        let mask = x.here();
        let mut numbers = self.numbers(node, &x)?;
        if let Some(mask) = &mask {
            numbers = ops::keep(mask, &numbers).map_err(failed)?;
        }
        let reduce = || match how {
            Reduction::Sum | Reduction::Count | Reduction::Initial | Reduction::Final => sums(&numbers, &map),
            Reduction::Mean => sums(&numbers, &map)? / ops::constant(counts.iter().map(|n| n.max(1.0)).collect())?,
            Reduction::Std => ops::map1(&SQRT, &variances(&numbers, &map, mask.as_ref(), &here)?.0),
            Reduction::Min | Reduction::Max => {
                if numbers.elem_count() == 0 {
                    return ops::constant(vec![0.0; map.count]);
                }
                let host = numbers.to_vec1()?;
                let at = extremes(&map, &host, |element| x.presence_of(element) == Presence::Here, how == Reduction::Max);
                let picked = numbers.index_select(&Tensor::from_vec(at, map.count, &Device::Cpu)?, 0)?;
                ops::keep(&here.iter().map(|n| *n > 0.0).collect(), &picked)
            }
        };
        let tensor = reduce().map_err(failed)?;
        // A sum over nothing is 0, unless there was something and it was left out.
        let there = if how == Reduction::Sum { tally(&map, |_| true) } else { vec![1.0; counts.len()] };
        let presence: Arc<[Presence]> = counts
            .iter()
            .zip(&here)
            .zip(&there)
            .map(|((count, here), there)| match () {
                () if *count == 0.0 && *there > 0.0 => Presence::Void,
                () if *count > 0.0 && *here == 0.0 => Presence::NoPast,
                () => Presence::Here,
            })
            .collect();
        let all = presence.iter().all(|p| *p == Presence::Here);
        Ok(Value::numbers(tensor, to, (!all).then_some(presence)))
    }

    /// The first or the last element in time of each turn or episode.
    fn end(&self, node: &Node, first: bool, x: &Value, to: Level) -> std::result::Result<Value, ObjectiveError> {
        let failed = |source| ObjectiveError::Tensor { text: node.text(), place: node.place(), source };
        let (map, chain) = (self.map(node, x.level, to)?, self.chain(node, Time { by: to, per: x.level })?);
        let mut at: Vec<Option<u32>> = vec![None; map.count];
        // The chain goes backwards in time.
        for &element in chain.order.iter().filter(|&&element| x.presence_of(element as usize) != Presence::Void) {
            let Some(slot) = map.to.get(element as usize).and_then(|&to| at.get_mut(to as usize)) else { continue };
            if first || slot.is_none() {
                *slot = Some(element);
            }
        }
        let presence = at.iter().map(|at| at.map_or(Presence::Void, |at| x.presence_of(at as usize)));
        let presence: Arc<[Presence]> = presence.collect();
        let numbers = self.numbers(node, x)?;
        let picked = || match numbers.elem_count() {
            0 => ops::constant(vec![0.0; map.count]),
            _ => {
                let at: Vec<u32> = at.iter().map(|at| at.unwrap_or(0)).collect();
                numbers.index_select(&Tensor::from_vec(at, map.count, &Device::Cpu)?, 0)
            }
        };
        let all = presence.iter().all(|p| *p == Presence::Here);
        Ok(Value::numbers(picked().map_err(failed)?, to, (!all).then_some(presence)))
    }

    /// The first number in time of each turn or episode, 0 for one without tokens: what it is added to stays there.
    pub(super) fn noise(&self, node: &Node, x: &Value) -> std::result::Result<Value, ObjectiveError> {
        let mut first = self.end(node, true, x, node.level)?;
        let void = |presence: Presence| presence == Presence::Void;
        self.zero_where(node, &mut first, void)?;
        let there = |presence: &Presence| if void(*presence) { Presence::Here } else { *presence };
        first.presence = first.presence.map(|all| all.iter().map(there).collect());
        Ok(first)
    }

    pub(super) fn whiten(&self, node: &Node, x: &Value) -> std::result::Result<Value, ObjectiveError> {
        let x = self.broadcast(node, x, node.level)?;
        let map = self.map(node, node.level, Level::Batch)?;
        let mask = x.here();
        let counts = tally(&map, |element| x.presence_of(element) == Presence::Here);
        let numbers = self.numbers(node, &x)?;
        let whiten = || {
            let numbers = match &mask {
                Some(mask) => ops::keep(mask, &numbers)?,
                None => numbers.clone(),
            };
            let (variance, deviations) = variances(&numbers, &map, mask.as_ref(), &counts)?;
            let scale = ops::map1(&SQRT, &(variance + WHITEN_EPSILON)?)?;
            deviations / scale.index_select(&map.tensor, 0)?
        };
        let tensor = whiten().map_err(|source| ObjectiveError::Tensor { text: node.text(), place: node.place(), source })?;
        Ok(Value::numbers(tensor, node.level, x.presence))
    }

    pub(super) fn top(&self, node: &Node, x: &Value, fraction: &Value) -> std::result::Result<Value, ObjectiveError> {
        let fraction = self.one(node, fraction)?;
        if !(fraction > 0.0 && fraction <= 1.0) {
            let (text, place) = (format!("fraction of {}", node.text()), node.place());
            return Err(ObjectiveError::OutOfRange { text, range: "above 0 and not above 1", value: fraction, place });
        }
        let numbers = self.host(node, x)?;
        let mut order: Vec<usize> = (0..numbers.len()).filter(|&element| x.presence_of(element) == Presence::Here).collect();
        // A stable sort, so that of equals the first comes first.
        order.sort_by(|&a, &b| numbers[b].total_cmp(&numbers[a]));
        let marked = ((fraction * order.len() as f64).floor() as usize).max(1);
        let mut mask = vec![false; numbers.len()];
        for &element in order.iter().take(marked) {
            mask[element] = true;
        }
        Ok(Value { data: Data::Conditions(mask.into()), level: x.level, presence: x.presence.clone() })
    }

    /// The number of a value of the whole batch.
    pub(super) fn one(&self, node: &Node, value: &Value) -> std::result::Result<f64, ObjectiveError> {
        Ok(self.host(node, value)?.first().copied().unwrap_or(f64::NAN))
    }
}
