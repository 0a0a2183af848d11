//! ScienceWorld against the real simulator.
//!
//! Needs Java and the simulator's archive, which is installed through pip if need be: in `EPO_SCIENCEWORLD` or `target/tmp/scienceworld`.
//! The long checks run with `EPO_FULL=1`.

mod breakdowns;
mod command;
mod common;
mod pipeline;
mod playing;
mod recordings;
