//! ScienceWorld against the real simulator.
//!
//! Needs Java and the simulator's archive, which is installed through pip if need be: in `EPO_SCIENCEWORLD` or `target/tmp/scienceworld`.
//! The long checks run with `EPO_FULL=1`.

#[path = "scienceworld/breakdowns.rs"]
mod breakdowns;
#[path = "scienceworld/command.rs"]
mod command;
#[path = "scienceworld/common.rs"]
mod common;
#[path = "scienceworld/pipeline.rs"]
mod pipeline;
#[path = "scienceworld/playing.rs"]
mod playing;
#[path = "scienceworld/recordings.rs"]
mod recordings;
