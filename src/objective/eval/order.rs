//! Values in order: quantiles and ranks.

use super::super::error::ObjectiveError;
use super::super::layout::Map;
use super::super::levels::Level;
use super::super::program::Node;
use super::{Evaluator, Presence, Value, ops, together};
use candle_core::{Device, Tensor};
use std::sync::Arc;

type Outcome<T> = Result<T, ObjectiveError>;

/// The elements of each segment that have a value, in the order of their values; of equal ones the first first.
fn in_order(map: &Map, numbers: &[f64], here: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
    let mut segments = vec![Vec::new(); map.count];
    for (element, &to) in map.to.iter().enumerate().filter(|(element, _)| here(*element)) {
        if let Some(segment) = segments.get_mut(to as usize) {
            segment.push(element);
        }
    }
    for segment in &mut segments {
        segment.sort_by(|&a: &usize, &b: &usize| numbers[a].total_cmp(&numbers[b]));
    }
    segments
}

impl Evaluator<'_> {
    /// Between the two values around the place `q (n − 1)`.
    pub(super) fn quantile(&self, node: &Node, x: &Value, which: &Value) -> Outcome<Value> {
        let q = self.one(node, which)?;
        if !(0.0..=1.0).contains(&q) {
            let text = format!("q of {}", node.text());
            return Err(ObjectiveError::OutOfRange { text, range: "from 0 to 1", value: q, place: node.place() });
        }
        let x = self.broadcast(node, x, x.level.meet(node.level))?;
        let map = self.map(node, x.level, node.level)?;
        let host = self.host(node, &x)?;
        let segments = in_order(&map, &host, |element| x.presence_of(element) == Presence::Here);
        let at = |segment: &Vec<usize>| {
            let place = q * segment.len().saturating_sub(1) as f64;
            let low = place.floor() as usize;
            let element = |at: usize| segment.get(at.min(segment.len().saturating_sub(1))).copied().unwrap_or(0) as u32;
            (element(low), element(low + 1), place - place.floor())
        };
        let places: Vec<(u32, u32, f64)> = segments.iter().map(at).collect();
        let presence = self.presence_of_segments(&map, &x, &segments);
        let numbers = self.numbers(node, &x)?;
        let between = || {
            if host.is_empty() {
                return ops::constant(vec![0.0; map.count]);
            }
            // What is not there may be anything, and counts for nothing.
            let numbers = ops::keep(&(0..host.len()).map(|e| x.presence_of(e) == Presence::Here).collect(), &numbers)?;
            let pick = |of: fn(&(u32, u32, f64)) -> u32| {
                let elements: Vec<u32> = places.iter().map(of).collect();
                numbers.index_select(&Tensor::from_vec(elements, map.count, &Device::Cpu)?, 0)
            };
            let part = |of: fn(f64) -> f64| ops::constant(places.iter().map(|(_, _, part)| of(*part)).collect());
            (pick(|p| p.0)? * part(|part| 1.0 - part)?)? + (pick(|p| p.1)? * part(|part| part)?)?
        };
        let tensor = between().map_err(|source| ObjectiveError::Tensor { text: node.text(), place: node.place(), source })?;
        Ok(Value::numbers(tensor, node.level, presence))
    }

    /// Of nothing at all there is no value; of what lacks a past neither.
    fn presence_of_segments(&self, map: &Map, x: &Value, segments: &[Vec<usize>]) -> Option<Arc<[Presence]>> {
        let mut presence: Vec<Presence> = segments.iter().map(|s| if s.is_empty() { Presence::Void } else { Presence::Here }).collect();
        for (element, &to) in map.to.iter().enumerate() {
            if let Some(own) = presence.get_mut(to as usize).filter(|own| **own == Presence::Void) {
                *own = (*own).min(x.presence_of(element));
            }
        }
        (!presence.iter().all(|p| *p == Presence::Here)).then(|| presence.into())
    }

    /// How many of those of the same `by` are smaller, and half of the others that are equal; with `of` the sum of theirs.
    pub(super) fn rank(&self, node: &Node, by: Level, x: &Value, of: Option<&Value>) -> Outcome<Value> {
        let x = self.broadcast(node, x, node.level)?;
        let map = self.map(node, node.level, by)?;
        let numbers = self.host(node, &x)?;
        let of = of.map(|of| self.broadcast(node, of, node.level)).transpose()?;
        let parts = match &of {
            Some(of) => self.host(node, of)?,
            None => vec![1.0; numbers.len()],
        };
        let counts = |element: usize| {
            let part = of.as_ref().map_or(Presence::Here, |of| of.presence_of(element));
            x.presence_of(element).max(part) == Presence::Here
        };
        let mut ranks = vec![0.0; numbers.len()];
        for segment in in_order(&map, &numbers, counts) {
            let mut smaller = 0.0;
            for equal in segment.chunk_by(|&a, &b| numbers[a] == numbers[b]) {
                let all: f64 = equal.iter().map(|&element| parts[element]).sum();
                equal.iter().for_each(|&element| ranks[element] = smaller + (all - parts[element]) / 2.0);
                smaller += all;
            }
        }
        let presence = together([Some(&x), of.as_ref()].into_iter().flatten());
        Ok(Value::numbers(self.constant(node, ranks)?, node.level, presence))
    }
}
