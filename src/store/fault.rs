//! Places where a test may let the process "die": every step between two changes of the disk. Nothing outside tests.

#[cfg(not(test))]
#[inline(always)]
pub(super) fn point() {}

/// Writes everything; in a test the process may die when half is written.
pub(super) fn write_all(file: &mut std::fs::File, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    if cfg!(test) {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        file.write_all(first)?;
        point();
        return file.write_all(second);
    }
    file.write_all(bytes)
}

#[cfg(test)]
pub(crate) use armed::*;

#[cfg(test)]
mod armed {
    use std::cell::Cell;

    thread_local! {
        static LEFT: Cell<Option<u64>> = const { Cell::new(None) };
    }

    /// What a crash unwinds with, to be told from a failed assertion.
    pub(crate) struct Crash;

    /// Unwinds at the `n`th point from now (0: the next one). No code of the store cleans up while unwinding, so the disk looks as after a SIGKILL.
    pub(crate) fn crash_after(n: u64) {
        LEFT.set(Some(n));
    }

    pub(crate) fn disarm() {
        LEFT.set(None);
    }

    pub(crate) fn point() {
        match LEFT.get() {
            None => {}
            Some(0) => {
                LEFT.set(None);
                std::panic::resume_unwind(Box::new(Crash));
            }
            Some(n) => LEFT.set(Some(n - 1)),
        }
    }
}
