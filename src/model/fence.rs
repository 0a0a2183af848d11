//! Around code of others that reads files of others: what panics, never ends or wants all memory becomes an error.

use super::ModelError;
use std::cell::Cell;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::Once;

thread_local! {
    static FENCED: Cell<bool> = const { Cell::new(false) };
}

static QUIET: Once = Once::new();

/// The result of `work`, or what it panicked with; nothing is printed.
///
/// # Errors
/// The panic's message.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    QUIET.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !FENCED.get() {
                usual(panic);
            }
        }));
    });
    let before = FENCED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    FENCED.set(before);
    done.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("no reason given").lines().next().unwrap_or_default().to_string()
    })
}

/// [`guarded`], on a thread whose stack has so many bytes: recursion over a file's nesting then ends before the stack does.
///
/// # Errors
/// As there, or that there is no such thread to be had.
pub(crate) fn on_stack<T: Send>(bytes: usize, work: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(bytes).spawn_scoped(scope, || guarded(work));
        let thread = thread.map_err(|error| format!("no thread can be started: {error}"))?;
        thread.join().unwrap_or_else(|_| Err("no reason given".into()))
    })
}

/// A whole file of at most `most` bytes. What is no file (a pipe, a device) would be read for ever and is refused.
///
/// # Errors
/// As of the file system; `NotFound` keeps its kind.
pub(crate) fn read_file(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let wrong = |message: String| std::io::Error::new(std::io::ErrorKind::InvalidData, message);
    if !std::fs::metadata(path)?.is_file() {
        return Err(wrong("is not a file".into()));
    }
    let mut text = Vec::new();
    std::fs::File::open(path)?.take(most + 1).read_to_end(&mut text)?;
    if text.len() as u64 > most {
        return Err(wrong(format!("has more than {} MiB, the most that is read of such a file", most >> 20)));
    }
    Ok(text)
}

/// [`read_file`] with the file's name in the error.
///
/// # Errors
/// As there.
pub(crate) fn read_named(path: &Path, most: u64) -> Result<Vec<u8>, ModelError> {
    read_file(path, most).map_err(|error| ModelError::file(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(guarded(|| 1 + 1), Ok(2));
        let [zero, list] = [0usize, 7].map(std::hint::black_box);
        assert_eq!(guarded(|| 1 / zero), Err("attempt to divide by zero".into()));
        assert!(guarded(|| vec![0u8; 3][list]).unwrap_err().starts_with("index out of bounds"));
        assert_eq!(on_stack(1 << 20, || panic!("{list} is too many")).map(|()| 0), Err("7 is too many".into()));
    }

    #[test]
    fn deep_recursion_fits_on_a_large_stack() {
        fn depth(n: usize) -> usize {
            let frame = std::hint::black_box([n; 64]);
            if n == 0 { 0 } else { 1 + depth(frame[0] - 1) }
        }
        assert_eq!(on_stack(256 << 20, || depth(100_000)), Ok(100_000));
    }

    #[test]
    fn only_whole_files_up_to_a_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, [7; 9]).unwrap();
        assert_eq!(read_file(&path, 9).unwrap(), [7; 9]);
        assert!(read_file(&path, 8).unwrap_err().to_string().starts_with("has more than"));
        assert_eq!(read_named(Path::new("/dev/zero"), 8).unwrap_err().to_string(), "/dev/zero: is not a file");
    }
}
