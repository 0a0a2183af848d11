use super::watch::tell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The user's wish to stop. Stages look at it between iterations.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens to Ctrl-C (also SIGTERM and SIGHUP): the first asks to stop after the iteration, the second ends the process at once with 130.
    /// Either way the same command goes on from the last checkpoint. Once in a process.
    pub fn on_ctrl_c() -> Result<Self, ctrlc::Error> {
        let interrupt = Self::default();
        let asked = interrupt.clone();
        ctrlc::set_handler(move || {
            if asked.0.swap(true, Ordering::SeqCst) {
                tell("\nstopped at once; run the same command again to go on from the last checkpoint");
                std::process::exit(130);
            }
            tell("\nstopping after this iteration; press Ctrl-C again to stop at once");
        })?;
        Ok(interrupt)
    }

    /// Does nothing on Ctrl-C, SIGTERM and SIGHUP: another process is asked as well, and decides for this one. Once in a process.
    pub fn left_to_another() -> Result<(), ctrlc::Error> {
        ctrlc::set_handler(|| {})
    }

    /// As the first Ctrl-C does.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether anybody asked to stop.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
