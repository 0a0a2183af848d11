//! The splits that an iteration's tasks are drawn from.

use super::super::context::Context;
use super::super::error::RunError;
use super::super::tasks::open;
use super::fields::Rl;
use crate::env::{Panel, World};
use crate::equation::{Now, WeightField};
use crate::lang::Diagnostics;
use crate::objective::Mixture;
use crate::play::SplitField;
use crate::rollout::Assignment;
use crate::seed::{Seed, unit};
use std::sync::Arc;

/// A split with its tasks.
pub(super) struct Course<'a> {
    pub split: &'a SplitField,
    pub world: Arc<dyn World>,
    pub panel: Arc<Panel>,
}

impl<'a> Course<'a> {
    /// `on`, and those of `also_on`.
    pub(super) fn all(stage: &'a Rl, context: &dyn Context) -> Result<Vec<Self>, RunError> {
        let course = |split| {
            let (world, panel) = open(context, split)?;
            Ok(Self { split, world, panel })
        };
        stage.splits().map(course).collect()
    }
}

impl Rl {
    /// Every split that it plays.
    pub(super) fn splits(&self) -> impl Iterator<Item = &SplitField> {
        std::iter::once(&self.on).chain(&self.also_on)
    }

    /// How often a task is drawn from each split; `None` if that depends on what was played.
    pub(super) fn weights_at(&self, now: Now) -> Option<Vec<f64>> {
        match self.weights.is_empty() {
            true => Some(vec![1.0; 1 + self.also_on.len()]),
            false => self.weights.iter().map(|weight| weight.at(now)).collect(),
        }
    }

    /// What the weights depend on, where it is what was played.
    pub(super) fn mixture(&self) -> Option<Mixture> {
        let looks_back = self.weights.iter().any(|weight| matches!(weight, WeightField::Past(_)));
        let terms: Vec<_> = self.weights.iter().filter(|_| looks_back).map(WeightField::term).collect();
        (!terms.is_empty()).then(|| Mixture::check(&terms, "weights", &mut Diagnostics::default())).flatten()
    }
}

/// One of the weights, each as likely as it is heavy.
fn draw(weights: &[f64], seed: Seed) -> usize {
    let whole: f64 = weights.iter().sum();
    let mut left = unit(&mut seed.rng()) * whole;
    let found = weights.iter().position(|weight| {
        left -= weight;
        left < 0.0
    });
    // Rounding may leave a little.
    found.or_else(|| weights.iter().rposition(|weight| *weight > 0.0)).unwrap_or_default()
}

/// An episode to be played, and of which split.
#[derive(Clone)]
pub(super) struct Drawn {
    pub course: usize,
    pub assignment: Assignment,
}

/// A round of an iteration. The members of a group share the task and its seed.
pub(super) fn assignments(stage: &Rl, courses: &[Course], weights: &[f64], [iteration, round]: [usize; 2], seeds: Seed) -> Vec<Drawn> {
    let (groups, size) = (stage.groups.0 as u64, stage.group_size.0 as u64);
    let own = seeds.child("iteration", iteration as u64);
    // The first round goes on through the panel where the iteration before it stopped; the others go through it in an order of their own.
    let (order, first) = match round as u64 {
        0 => (seeds, iteration as u64 * groups),
        round => (own.child("refill", 0), (round - 1) * groups),
    };
    let mut all = Vec::with_capacity(stage.episodes());
    for place in 0..groups {
        let group = round as u64 * groups + place;
        let world_seed = own.child("group", group);
        let course = if courses.len() > 1 { draw(weights, world_seed.child("split", 0)) } else { 0 };
        let order = if course > 0 { order.child("split", course as u64) } else { order };
        let tasks = &courses[course].panel.tasks;
        let task = &tasks[task_index(order, tasks.len(), first + place)];
        for member in 0..size {
            let seed = world_seed.child("episode", member);
            all.push(Drawn { course, assignment: Assignment { task: task.clone(), group, member, world_seed, seed } });
        }
    }
    all
}

/// The task of a group: the panel is gone through in a new order each time, without replacement, whatever the iteration that asks.
fn task_index(seed: Seed, tasks: usize, group: u64) -> usize {
    let round = group / tasks as u64;
    seed.child("panel", round).permutation(tasks)[(group % tasks as u64) as usize]
}

/// One more member of each group.
pub(super) fn once_each(drawn: &[Drawn], size: usize) -> Vec<Drawn> {
    let more = |Drawn { course, assignment }: &Drawn| {
        let (member, seed) = (size as u64, assignment.world_seed.child("episode", size as u64));
        Drawn { course: *course, assignment: Assignment { member, seed, ..assignment.clone() } }
    };
    drawn.iter().step_by(size).map(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_as_often_as_they_weigh() {
        let drawn = |weights: &[f64]| {
            let mut counts = vec![0; weights.len()];
            (0..4000).for_each(|i| counts[draw(weights, Seed(7).child("group", i))] += 1);
            counts
        };
        assert_eq!(drawn(&[0.0, 2.0, 0.0]), [0, 4000, 0]);
        let counts = drawn(&[1.0, 0.0, 3.0]);
        assert!(counts[1] == 0 && (900..1100).contains(&counts[0]), "{counts:?}");
    }
}
