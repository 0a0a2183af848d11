//! What was measured of one method.

use super::moments::mean;

/// One training: what it comes to on each task of the panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Seeded {
    /// `0`; what pairs it with another method's.
    pub seed: String,
    /// One number for each task, in the panel's order: a share or a score.
    pub tasks: Vec<f64>,
}

/// All trainings of one method, on one panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Every one with as many tasks as there are `strata`.
    pub seeds: Vec<Seeded>,
    /// For each task which stratum it belongs to (its family); tasks are drawn within these.
    pub strata: Vec<u32>,
    /// The list of tasks: samples are compared task by task where it is the same.
    pub panel: String,
}

impl Sample {
    /// Whether every seed has a finite number for every task, and there is at least one of each.
    pub fn is_whole(&self) -> bool {
        let whole = |seed: &Seeded| seed.tasks.len() == self.strata.len() && seed.tasks.iter().all(|value| value.is_finite());
        !self.seeds.is_empty() && !self.strata.is_empty() && self.seeds.iter().all(whole)
    }

    /// The mean of each seed over the panel.
    pub fn means(&self) -> Vec<f64> {
        self.seeds.iter().map(|seed| mean(&seed.tasks)).collect()
    }

    /// Whether both have the same seeds, in the same order, on the same panel: then seeds and tasks are paired.
    pub fn is_paired_with(&self, other: &Self) -> bool {
        let names = |sample: &Self| sample.seeds.iter().map(|seed| seed.seed.clone()).collect::<Vec<_>>();
        self.same_panel(other) && names(self) == names(other)
    }

    /// Whether both played one list of tasks.
    pub fn same_panel(&self, other: &Self) -> bool {
        self.panel == other.panel && self.strata == other.strata
    }

    /// With its seeds in order, numbers by their size.
    pub fn in_order(mut self) -> Self {
        self.seeds.sort_by(|a, b| (a.seed.len(), &a.seed).cmp(&(b.seed.len(), &b.seed)));
        self
    }
}
