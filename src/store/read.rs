//! Reading what may have been put there by somebody else: never more than it can be.

use super::error::StoreError;
use super::plain;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

const MIB: u64 = 1 << 20;
/// How many bytes a document that describes other files may have. What is read of it takes some twenty times as much memory, whatever it holds.
const DOCUMENT: u64 = 64 * MIB;
/// How many a document may have that a stage wrote.
const OUTPUT: u64 = 1024 * MIB;
/// How many a line of a log may have.
const LINE: u64 = 64 * MIB;

/// JSON that a stage wrote.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, StoreError> {
    json(path, OUTPUT)
}

/// JSON of the store's own: `status.json`, `plan.json`, a manifest.
pub(super) fn document<T: DeserializeOwned>(path: &Path) -> Result<T, StoreError> {
    json(path, DOCUMENT)
}

/// As [`document`], `None` where there is no such file.
pub(super) fn document_if_there<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    match document(path) {
        Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Reads only the format of a JSON file, and refuses a newer one.
pub(super) fn check_format(path: &Path) -> Result<(), StoreError> {
    #[derive(serde::Deserialize)]
    struct Format {
        format: u64,
    }
    match document_if_there::<Format>(path)? {
        Some(Format { format }) if format > u64::from(super::FORMAT) => {
            Err(StoreError::Newer { path: path.to_path_buf(), found: format, known: super::FORMAT })
        }
        _ => Ok(()),
    }
}

fn json<T: DeserializeOwned>(path: &Path, most: u64) -> Result<T, StoreError> {
    let mut bytes = Vec::new();
    open(path)?.take(most + 1).read_to_end(&mut bytes).map_err(StoreError::io("read", path))?;
    if bytes.len() as u64 > most {
        return Err(damaged(path, format!("it has more than {} MiB", most / MIB)));
    }
    serde_json::from_slice(&bytes).map_err(|e| damaged(path, e.to_string()))
}

/// Reads a file of JSON lines; none where there is no file. A last line without its newline is still being written and is left out.
pub(crate) fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, StoreError> {
    let mut text = match open(path) {
        Ok(file) => BufReader::new(file),
        Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(other) => return Err(other),
    };
    let mut records = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        text.by_ref().take(LINE + 1).read_until(b'\n', &mut line).map_err(StoreError::io("read", path))?;
        let number = records.len() + 1;
        match line.last() {
            Some(b'\n') => records.push(serde_json::from_slice(&line).map_err(|e| damaged(path, format!("line {number}: {e}")))?),
            _ if line.len() as u64 > LINE => return Err(damaged(path, format!("line {number} has more than {} MiB", LINE / MIB))),
            _ => return Ok(records),
        }
    }
}

/// Where the last whole line of a file ends; 0 where there is none, or what follows it is more than a line can be.
pub(super) fn end_of_lines(mut file: &File) -> std::io::Result<u64> {
    const BLOCK: u64 = 64 * 1024;
    let length = file.metadata()?.len();
    let mut end = length;
    while end > 0 && length - end <= LINE {
        let start = end.saturating_sub(BLOCK);
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.take(end - start).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|b| *b == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

fn open(path: &Path) -> Result<File, StoreError> {
    plain::no_other_than_a_file(path)?;
    File::open(path).map_err(StoreError::io("read", path))
}

fn damaged(path: &Path, problem: String) -> StoreError {
    StoreError::Damaged { path: path.to_path_buf(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_last_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let long = "x".repeat(200_000);
        for (text, end) in [("", 0), ("a", 0), ("\n", 1), ("a\nb", 2), ("a\nb\n", 4)] {
            for (before, after) in [(String::new(), String::new()), (format!("{long}\n"), String::new()), (String::new(), long.clone())] {
                std::fs::write(&path, format!("{before}{text}{after}")).unwrap();
                let end = if end == 0 { before.len() } else { before.len() + end };
                assert_eq!(end_of_lines(&File::open(&path).unwrap()).unwrap(), end as u64, "{text:?}");
            }
        }
    }

    #[test]
    fn no_more_is_read_than_can_be_meant() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let grown = |text: &str| {
            std::fs::write(&path, text).unwrap();
            // Without blocks on the disk: an archive holds terabytes of these in a few bytes.
            File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
        };
        grown("1");
        assert!(document::<u32>(&path).unwrap_err().to_string().ends_with("it has more than 64 MiB"));
        grown("1\n2\n");
        assert!(read_lines::<u32>(&path).unwrap_err().to_string().ends_with("line 3 has more than 64 MiB"));
        assert_eq!(end_of_lines(&File::open(&path).unwrap()).unwrap(), 0);
    }
}
