//! ScienceWorld against the real simulator.
//!
//! Needs Java and the simulator's archive, which is installed through pip if need be: in `EPO_SCIENCEWORLD` or `target/tmp/scienceworld`.

mod breakdowns;
mod command;
mod common;
mod door;
mod long;
mod pipeline;
mod playing;
mod recordings;
#[path = "../common/reference.rs"]
mod reference;
