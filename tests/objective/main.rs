//! Objectives through the language: against reference values, and against what must hold of any of them.

mod builtins;
mod carried;
mod conditions;
mod differences;
mod edges;
mod examples;
mod first_iteration;
mod golden;
mod hostile;
mod invariance;
mod left_out;
mod levels;
mod messages;
mod methods;
mod past;
#[path = "../common/places.rs"]
mod places;
mod random;
mod readings;
#[path = "../common/reference.rs"]
mod reference;
#[path = "../common/repository.rs"]
mod repository;
mod run;
mod statistics;
mod support;
mod texts;
mod updates;
