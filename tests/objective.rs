//! Objectives through the language: against reference values, and against what must hold of any of them.

#[path = "objective/golden.rs"]
mod golden;
#[path = "objective/support.rs"]
mod support;
#[path = "objective/differences.rs"]
mod differences;
#[path = "objective/invariance.rs"]
mod invariance;
#[path = "objective/random.rs"]
mod random;
