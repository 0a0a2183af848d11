//! ScienceWorld against the real simulator.
//!
//! Needs Java and the simulator's archive: `EPO_SCIENCEWORLD` or `target/tmp/scienceworld`, where it is installed with `CI=true`.
//! The long checks run with `EPO_FULL=1`.

#[path = "scienceworld/breakdowns.rs"]
mod breakdowns;
#[path = "scienceworld/common.rs"]
mod common;
#[path = "scienceworld/playing.rs"]
mod playing;
#[path = "scienceworld/recordings.rs"]
mod recordings;
