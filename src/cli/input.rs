//! Files that a verb is given: texts of bounded size.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// A regular file of at most so many bytes, as a text.
///
/// # Errors
/// A sentence: it is missing, no regular file (reading a device or a pipe may never end), too large, or no text.
pub(super) fn read(file: &Path, most: usize) -> Result<String, String> {
    let shown = file.display();
    let wrong = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => format!("there is no file {shown}"),
        _ => format!("cannot read {shown}: {error}"),
    };
    if !file.metadata().map_err(wrong)?.is_file() {
        return Err(format!("{shown} is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(file).map_err(wrong)?.take(most as u64 + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() > most {
        return Err(format!("{shown} has more than {} MiB", most >> 20));
    }
    String::from_utf8(bytes).map_err(|_| format!("{shown} is no text in UTF-8"))
}
