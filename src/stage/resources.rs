//! What a stage asks of the machine that it is run on, for engines that choose one.

use crate::kind;
use crate::kind::{Count, Field, Positive, Reader};
use crate::lang::value::{Value, ValueKind};
use std::sync::Arc;

kind! {
    /// What a stage asks of a machine where its tasks are handed to Slurm or Ray. No part of what it computes: nothing of it is in a digest. What is left
    /// out, the settings `jobs.…` say.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, seen = games { split = "seen", count = 50 } }
    /// pipeline a {
    ///   needs = resources { cpus = 4, memory = 8, time = 30 }
    ///   stages {
    ///     chance = evaluate { actor = random, on = house.seen }
    ///     page   = report { of = [chance], needs = resources { cpus = 1 } }
    ///   }
    /// }
    /// ```
    pub struct Resources as "resources" {
        /// Processes that share the stage, where it can be shared (`rl`, `sft`): with Slurm and the feature `mpi`. Results are those of one.
        ranks: Option<Count<65_536>> [untouched default None],
        /// Cores, which the stage's threads are then; of each rank.
        cpus: Option<Count<65_536>> [untouched default None],
        /// Graphics processors.
        gpus: Option<usize> [untouched default None],
        /// Gibibytes of memory; of each rank.
        memory: Option<Positive> [untouched default None],
        /// Minutes. Shortly before they are over, the stage writes a checkpoint, and goes on from it in another turn.
        time: Option<Positive> [untouched default None],
    }
}

impl Resources {
    /// The larger of what two stages ask for that are the work of one task.
    pub(crate) fn or_more(&self, other: &Self) -> Self {
        fn larger<T: PartialOrd + Copy>(a: Option<T>, b: Option<T>) -> Option<T> {
            match (a, b) {
                (Some(a), Some(b)) => Some(if b > a { b } else { a }),
                (a, b) => a.or(b),
            }
        }
        Self {
            ranks: larger(self.ranks, other.ranks),
            cpus: larger(self.cpus, other.cpus),
            gpus: larger(self.gpus, other.gpus),
            memory: larger(self.memory, other.memory),
            time: larger(self.time, other.time),
        }
    }
}

impl Field for Resources {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let ValueKind::Component(component) = &value.kind else {
            reader.mismatch(value, &Self::expects());
            return None;
        };
        if component.kind != Self::INFO.name {
            reader.mismatch(value, &Self::expects());
            return None;
        }
        reader.refuse_unknown(component, &[&Self::INFO], |_| false);
        Self::read_fields(component, reader)
    }

    fn expects() -> String {
        "what a stage asks of a machine, `resources { … }`".into()
    }

    fn shown(&self) -> Option<String> {
        Some(format!("{} {{ … }}", Self::INFO.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Identity;

    #[test]
    fn a_task_of_two_stages_gets_what_either_asks_for() {
        let a = Resources { cpus: Some(Count(4)), memory: Some(Positive(1.5)), ..Resources::default() };
        let b =
            Resources { cpus: Some(Count(2)), memory: Some(Positive(2.0)), time: Some(Positive(9.0)), ranks: Some(Count(3)), gpus: None };
        let both = a.or_more(&b);
        assert_eq!((both.ranks, both.cpus, both.gpus), (Some(Count(3)), Some(Count(4)), None));
        assert_eq!((both.memory, both.time), (Some(Positive(2.0)), Some(Positive(9.0))));
        assert!(both.identity().as_object().is_some_and(serde_json::Map::is_empty), "nothing of it may change a digest");
    }
}
