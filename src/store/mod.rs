//! What lies on the disk: task folders, checkpoints, metrics, runs.

/// The folder of one task, open for writing by this process alone.
#[derive(Debug)]
pub struct TaskFolder {}
