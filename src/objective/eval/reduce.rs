//! Many elements at once: reductions, `whiten`, `top`.

use super::super::error::ObjectiveError;
use super::super::layout::Map;
use super::super::levels::Level;
use super::super::math;
use super::super::program::{Node, Reduction};
use super::{Data, Evaluator, Presence, Value, ops};
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
    let means = (sums(x, map)? * ops::constant(counts.iter().map(|n| 1.0 / n.max(1.0)).collect())?)?;
    let mut deviations = (x - means.index_select(&map.tensor, 0)?)?;
    if let Some(here) = here {
        deviations = ops::keep(here, &deviations)?;
    }
    let squares = sums(&(&deviations * &deviations)?, map)?;
    let variances = (squares * ops::constant(counts.iter().map(|n| 1.0 / (n - 1.0).max(1.0)).collect())?)?;
    Ok((variances, deviations))
}

fn sqrt(x: &Tensor) -> Result<Tensor> {
    match math::unary("sqrt") {
        Some(f) => ops::map1(f, x),
        None => x.sqrt(),
    }
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
        let failed = |source| ObjectiveError::Tensor { text: node.text.clone(), place: node.place(), source };
        // What is void is not there at all; what lacks a past is there and counts as 0.
        let counts = tally(map, |element| x.presence_of(element) != Presence::Void);
        let here = tally(map, |element| x.presence_of(element) == Presence::Here);
        if how == Reduction::Count {
            let count = match &x.data {
                Data::Numbers(_) => counts,
                Data::Conditions(c) => tally(map, |element| x.presence_of(element) == Presence::Here && c.get(element) == Some(&true)),
            };
            return Ok(Value::numbers(self.constant(node, count)?, to, None));
        }
        let mask = x.here();
        let mut numbers = self.numbers(node, &x)?;
        if let Some(mask) = &mask {
            numbers = ops::keep(mask, &numbers).map_err(failed)?;
        }
        let reduce = || match how {
            Reduction::Sum | Reduction::Count => sums(&numbers, map),
            Reduction::Mean => sums(&numbers, map)? * ops::constant(counts.iter().map(|n| 1.0 / n.max(1.0)).collect())?,
            Reduction::Std => sqrt(&variances(&numbers, map, mask.as_ref(), &here)?.0),
            Reduction::Min | Reduction::Max => {
                if numbers.elem_count() == 0 {
                    return ops::constant(vec![0.0; map.count]);
                }
                let host = numbers.to_vec1()?;
                let at = extremes(map, &host, |element| x.presence_of(element) == Presence::Here, how == Reduction::Max);
                let picked = numbers.index_select(&Tensor::from_vec(at, map.count, &Device::Cpu)?, 0)?;
                ops::keep(&here.iter().map(|n| *n > 0.0).collect(), &picked)
            }
        };
        let tensor = reduce().map_err(failed)?;
        let void = how != Reduction::Sum && counts.contains(&0.0);
        let presence = void.then(|| counts.iter().map(|n| if *n > 0.0 { Presence::Here } else { Presence::Void }).collect());
        Ok(Value::numbers(tensor, to, presence))
    }

    pub(super) fn whiten(&self, node: &Node, x: &Value) -> std::result::Result<Value, ObjectiveError> {
        let x = self.broadcast(node, x, node.level)?;
        let map = self.map(node, node.level, Level::Batch)?;
        let mask = x.here();
        let counts = tally(map, |element| x.presence_of(element) == Presence::Here);
        let numbers = self.numbers(node, &x)?;
        let whiten = || {
            let numbers = match &mask {
                Some(mask) => ops::keep(mask, &numbers)?,
                None => numbers.clone(),
            };
            let (variance, deviations) = variances(&numbers, map, mask.as_ref(), &counts)?;
            let scale = sqrt(&(variance + WHITEN_EPSILON)?)?;
            deviations / scale.index_select(&map.tensor, 0)?
        };
        let tensor = whiten().map_err(|source| ObjectiveError::Tensor { text: node.text.clone(), place: node.place(), source })?;
        Ok(Value::numbers(tensor, node.level, x.presence))
    }

    pub(super) fn top(&self, node: &Node, x: &Value, fraction: &Value) -> std::result::Result<Value, ObjectiveError> {
        let fraction = self.one(node, fraction)?;
        if !(fraction > 0.0 && fraction <= 1.0) {
            let (text, place) = (format!("fraction of {}", node.text), node.place());
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
