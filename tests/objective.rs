//! Objectives through the language: against reference values, and against what must hold of any of them.

#[path = "objective/builtins.rs"]
mod builtins;
#[path = "objective/differences.rs"]
mod differences;
#[path = "objective/edges.rs"]
mod edges;
#[path = "objective/golden.rs"]
mod golden;
#[path = "objective/hostile.rs"]
mod hostile;
#[path = "objective/invariance.rs"]
mod invariance;
#[path = "objective/messages.rs"]
mod messages;
#[path = "objective/random.rs"]
mod random;
#[path = "objective/readings.rs"]
mod readings;
#[path = "common/repository.rs"]
mod repository;
#[path = "objective/run.rs"]
mod run;
#[path = "objective/support.rs"]
mod support;
#[path = "objective/updates.rs"]
mod updates;
