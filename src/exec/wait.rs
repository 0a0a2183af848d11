//! Another process is at work on what is needed here: its result will serve as well.

use super::{ExecError, Options, Watch};
use crate::store::StoreError;
use std::time::Duration;

/// How often it is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// Tries until no other process holds the lock, and says once that it waits. Ends early when the user wants to stop.
pub(crate) fn until_free<T>(
    watch: &mut dyn Watch,
    options: &Options,
    mut attempt: impl FnMut() -> Result<T, StoreError>,
) -> Result<T, ExecError> {
    let mut said = None;
    loop {
        match attempt() {
            Err(locked @ StoreError::Locked { .. }) => {
                let line = locked.to_string();
                if said.as_ref() != Some(&line) {
                    watch.waits(&format!("{line}; waiting until it is done"));
                    said = Some(line);
                }
            }
            other => return Ok(other?),
        }
        if options.interrupt.requested() {
            return Err(ExecError::Interrupted { task: None, fresh: options.fresh });
        }
        std::thread::sleep(PAUSE);
    }
}
