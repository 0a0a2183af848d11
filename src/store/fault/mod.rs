//! Places where a test may let the process "die": every step between two changes of the disk. And what a power cut would leave then: only
//! what was synced. Nothing outside tests.

use std::fs::File;
use std::path::Path;

#[cfg(not(test))]
#[inline(always)]
pub(super) fn point() {}

/// Writes everything; in a test the process may die when half is written.
pub(super) fn write_all(file: &mut File, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    if cfg!(test) {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        file.write_all(first)?;
        point();
        return file.write_all(second);
    }
    file.write_all(bytes)
}

/// The file's content is on the disk.
pub(super) fn sync_file(file: &File) -> std::io::Result<()> {
    file.sync_all()?;
    #[cfg(all(test, target_os = "linux"))]
    power::file_synced(file);
    point();
    Ok(())
}

/// The names in a folder are on the disk.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()?;
    #[cfg(all(test, target_os = "linux"))]
    power::folder_synced(path);
    point();
    Ok(())
}

#[cfg(test)]
pub(crate) use armed::*;

#[cfg(all(test, target_os = "linux"))]
pub(crate) mod power;

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
