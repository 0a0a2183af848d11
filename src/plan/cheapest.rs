//! Another order of a plan's tasks: what costs little first.

use super::{Plan, Task, TaskInput};
use std::collections::BTreeSet;

impl Plan {
    /// The same tasks in another order: again and again the task that costs least together with all that it still needs. Nothing comes before what it
    /// needs, and the digests are the same.
    pub(crate) fn cheapest_first(&self, cost: impl Fn(&Task) -> u64) -> Plan {
        let costs: Vec<u64> = self.tasks.iter().map(cost).collect();
        let mut order: Vec<usize> = Vec::with_capacity(self.tasks.len());
        let mut done = BTreeSet::new();
        while order.len() < self.tasks.len() {
            let open = (0..self.tasks.len()).filter(|index| !done.contains(index));
            let with_needs = open.map(|index| self.still_needed(index, &done));
            let sum =
                |needed: &BTreeSet<usize>| needed.iter().filter_map(|index| costs.get(*index)).fold(0, |a: u64, b| a.saturating_add(*b));
            // Among equals the first as planned.
            let Some(next) = with_needs.min_by_key(sum) else { break };
            order.extend(&next);
            done.extend(next);
        }
        let place = |index: usize| order.iter().position(|old| *old == index).unwrap_or(index);
        let moved = |task: &Task| Task {
            inputs: task.inputs.iter().map(|input| TaskInput { task: place(input.task), ..input.clone() }).collect(),
            after: task.after.iter().map(|index| place(*index)).collect(),
            before: task.before.iter().map(|index| place(*index)).collect(),
            ..task.clone()
        };
        Plan { tasks: order.iter().filter_map(|index| self.tasks.get(*index)).map(moved).collect(), ..self.clone() }
    }

    /// A task and what it needs that is not done, in an order in which it can be done: a task stands behind what it needs.
    fn still_needed(&self, index: usize, done: &BTreeSet<usize>) -> BTreeSet<usize> {
        let (mut needed, mut open) = (BTreeSet::new(), vec![index]);
        while let Some(index) = open.pop() {
            if !done.contains(&index) && needed.insert(index) {
                let task = self.tasks.get(index);
                open.extend(task.into_iter().flat_map(|task| task.inputs.iter().map(|input| input.task).chain(task.after.iter().copied())));
            }
        }
        needed
    }
}
