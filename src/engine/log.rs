//! The end of what a job said, for a message about it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

const BYTES: u64 = 4096;
const LINES: usize = 12;

/// Its last lines; `None` where there are none.
pub(super) fn end(path: &Path) -> Option<String> {
    let is_file = path.symlink_metadata().is_ok_and(|data| data.is_file());
    let mut file = File::open(path).ok().filter(|_| is_file)?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(BYTES))).ok()?;
    let mut bytes = Vec::new();
    file.take(BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
    (!last.is_empty()).then(|| last.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_of_a_long_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        assert_eq!(end(&path), None);
        std::fs::write(&path, "\n\n").unwrap();
        assert_eq!(end(&path), None);
        let text: String = (0..1000).map(|n| format!("line {n}\n\n")).collect();
        std::fs::write(&path, text).unwrap();
        let last = end(&path).unwrap();
        assert_eq!((last.lines().next(), last.lines().last(), last.lines().count()), (Some("line 988"), Some("line 999"), LINES));
    }
}
