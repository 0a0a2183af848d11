//! What lies on the disk: tasks, their checkpoints, metrics and outputs; runs and their events. Knows nothing of plans, stages and tensors.
//!
//! Three rules hold everywhere: a file or folder appears under its final name only when it is whole and synced; one process at a time writes into a
//! folder; nothing here depends on the clock except events and locks.

pub mod checkpoint;
pub mod digest;
pub mod error;
pub mod event;
pub(crate) mod fault;
pub mod files;
pub mod lock;
pub mod log;
pub mod manifest;
pub mod metrics;
pub mod root;
pub mod run;
pub mod runs;
pub mod task;
pub mod time;

pub use checkpoint::Checkpoint;
pub use digest::{Digest, canonical};
pub use error::{Failure, StoreError};
pub use event::{Event, EventRecord, read_events};
pub use files::{read_json, write_file, write_json};
pub use lock::{Holder, Lock};
pub use log::read_lines;
pub use manifest::{Manifest, Mark};
pub use metrics::{MetricRecord, read_metrics};
pub use root::Store;
pub use run::{RunFolder, RunRecord};
pub use runs::{Removed, RunState, RunSummary, RunTask};
pub use task::{Claim, State, Status, TaskFolder, TaskInfo, output_path};

/// The version of everything written here. A folder of a newer one is refused and left as it is.
pub const FORMAT: u32 = 1;
