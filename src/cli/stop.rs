//! Ctrl-C, where a server listens.

use super::{INTERRUPTED, complain, tell};
use crate::http::Stop;
use std::sync::atomic::{AtomicBool, Ordering};

/// The first asks to stop and says these words, the second ends at once.
///
/// # Errors
/// The exit code.
pub(super) fn on_ctrl_c(words: &'static str) -> Result<Stop, u8> {
    let (stop, asked) = (Stop::new(), AtomicBool::new(false));
    let asks = stop.clone();
    let handler = move || {
        if asked.swap(true, Ordering::SeqCst) {
            std::process::exit(INTERRUPTED.into());
        }
        tell(words);
        asks.request();
    };
    ctrlc::set_handler(handler).map_err(|error| complain(&format!("cannot listen for Ctrl-C: {error}")))?;
    Ok(stop)
}
