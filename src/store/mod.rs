//! What lies on the disk: tasks, their checkpoints, metrics and outputs; runs and their events. Knows nothing of plans, stages and tensors.
//!
//! Three rules hold everywhere: a file or folder appears under its final name only when it is whole and synced; one process at a time writes into a
//! folder; nothing here depends on the clock except events and locks.

mod answers;
mod checkpoint;
mod digest;
mod error;
mod event;
pub(crate) mod fault;
mod files;
mod lock;
mod log;
mod longer;
mod manifest;
mod metrics;
mod pace;
mod plain;
mod read;
mod root;
mod run;
mod runs;
mod task;
mod time;
mod transfer;
mod verify;

pub use digest::Digest;
pub use error::{Failure, StoreError};
pub use lock::Holder;
pub use metrics::{MetricRecord, read_metrics};
pub use root::Store;
pub use run::RunRecord;
pub use runs::{Removed, RunState, RunSummary, RunTask, Seen};
pub use task::{State, Status, output_path};
pub use verify::{Fault, Verified};

pub(crate) use answers::Answers;
#[cfg(test)]
pub(crate) use digest::canonical;
#[cfg(test)]
pub(crate) use event::read_events;
pub(crate) use event::{Event, EventRecord, plain_name};
pub(crate) use files::{write_file, write_json};
pub(crate) use lock::Lock;
pub(crate) use manifest::{MANIFEST, Manifest, Mark};
pub(crate) use metrics::METRICS;
pub(crate) use pace::Pace;
pub(crate) use read::{Growing, Records, read_json, read_last_lines, read_line, read_lines};
pub(crate) use run::RunFolder;
pub(crate) use task::{Claim, EPISODES, TaskFolder, TaskInfo};
pub(crate) use time::in_words;

/// The version of everything written here. A folder of a newer one is refused and left as it is.
pub(crate) const FORMAT: u32 = 1;
