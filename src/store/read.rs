//! Reading what may have been put there by somebody else: never more than it can be.

use super::error::StoreError;
use super::plain;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

const MIB: u64 = 1 << 20;
/// How many bytes a document that describes other files may have. What is read of it takes some twenty times as much memory, whatever it holds.
const DOCUMENT: u64 = 64 * MIB;
/// How many a document may have that a stage wrote.
const OUTPUT: u64 = 1024 * MIB;
/// How many a text of a recipe may have.
const TEXT: u64 = 4 * MIB;
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

/// A text of a recipe; `None` for what is none.
pub(super) fn text(path: &Path) -> Result<Option<String>, StoreError> {
    let mut bytes = Vec::new();
    open(path)?.take(TEXT + 1).read_to_end(&mut bytes).map_err(StoreError::io("read", path))?;
    Ok(if bytes.len() as u64 > TEXT { None } else { String::from_utf8(bytes).ok() })
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

/// The records of a file of JSON lines; none where there is no file.
///
/// # Errors
/// If the file cannot be read, or a line of it is no record.
pub(crate) fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, StoreError> {
    Records::open(path)?.map(|record| Ok(record?.1)).collect()
}

/// The record that begins at a byte of a file of JSON lines.
///
/// # Errors
/// If the file cannot be read, or no record begins there.
pub(crate) fn read_line<T: DeserializeOwned>(path: &Path, start: u64) -> Result<T, StoreError> {
    let mut file = open(path)?;
    file.seek(SeekFrom::Start(start)).map_err(StoreError::io("read", path))?;
    let missing = || damaged(path, format!("no line begins at byte {start}"));
    Records::of(path, Some(BufReader::new(file))).next().ok_or_else(missing)?.map(|(_, record)| record)
}

/// The last whole records of a file of JSON lines, up to so many, that lie within its last bytes, up to so many; none where there is no file.
///
/// # Errors
/// If the file cannot be read, or a line of it is no record.
pub(crate) fn read_last_lines<T: DeserializeOwned>(path: &Path, most: usize, bytes: u64) -> Result<Vec<T>, StoreError> {
    let mut file = match open(path) {
        Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let wrong = StoreError::io("read", path);
    let read = |file: &mut File| {
        let start = file.metadata()?.len().saturating_sub(bytes);
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.take(bytes).read_to_end(&mut block)?;
        std::io::Result::Ok((start, block))
    };
    let (start, block) = read(&mut file).map_err(wrong)?;
    // Neither a line whose beginning is further up, nor one that is still being written.
    let mut lines: Vec<&[u8]> = block.split_inclusive(|byte| *byte == b'\n').skip(usize::from(start > 0)).collect();
    lines.pop_if(|line| line.last() != Some(&b'\n'));
    let last = lines.get(lines.len().saturating_sub(most)..).unwrap_or_default();
    last.iter().map(|line| serde_json::from_slice(line).map_err(|e| damaged(path, e.to_string()))).collect()
}

/// Reads a file of JSON lines that grows, a part at a time.
#[derive(Clone, Debug)]
pub(crate) struct Growing {
    path: PathBuf,
    /// Bytes that were read.
    read: u64,
}

impl Growing {
    /// From its beginning; it need not be there yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, read: 0 }
    }

    /// The records that came since the last time.
    ///
    /// # Errors
    /// If the file cannot be read, or a line of it is no record.
    pub(crate) fn more<T: DeserializeOwned>(&mut self) -> Result<Vec<T>, StoreError> {
        let mut records = Records::open(&self.path)?;
        records.go_to(self.read)?;
        let found = records.by_ref().map(|record| Ok(record?.1)).collect::<Result<_, StoreError>>()?;
        self.read = records.start;
        Ok(found)
    }
}

/// The records of a file of JSON lines, one after the other, each with the byte at which it begins. A last line without its newline is still being
/// written and is left out.
pub(crate) struct Records<T> {
    path: PathBuf,
    text: Option<BufReader<File>>,
    line: Vec<u8>,
    number: usize,
    start: u64,
    record: PhantomData<T>,
}

impl<T: DeserializeOwned> Records<T> {
    /// Without any where there is no file.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        match open(path) {
            Ok(file) => Ok(Self::of(path, Some(BufReader::new(file)))),
            Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(Self::of(path, None)),
            Err(other) => Err(other),
        }
    }

    fn of(path: &Path, text: Option<BufReader<File>>) -> Self {
        Self { path: path.to_path_buf(), text, line: Vec::new(), number: 0, start: 0, record: PhantomData }
    }

    /// On to a byte at which a record begins.
    fn go_to(&mut self, start: u64) -> Result<(), StoreError> {
        if let Some(text) = &mut self.text {
            text.seek(SeekFrom::Start(start)).map_err(StoreError::io("read", &self.path))?;
            self.start = start;
        }
        Ok(())
    }

    fn read(&mut self) -> Result<Option<(u64, T)>, StoreError> {
        let Some(text) = &mut self.text else { return Ok(None) };
        self.line.clear();
        text.by_ref().take(LINE + 1).read_until(b'\n', &mut self.line).map_err(StoreError::io("read", &self.path))?;
        self.number += 1;
        let number = self.number;
        match self.line.last() {
            Some(b'\n') => {
                let record = serde_json::from_slice(&self.line).map_err(|e| damaged(&self.path, format!("line {number}: {e}")))?;
                let start = self.start;
                self.start += self.line.len() as u64;
                Ok(Some((start, record)))
            }
            _ if self.line.len() as u64 > LINE => Err(damaged(&self.path, format!("line {number} has more than {} MiB", LINE / MIB))),
            _ => Ok(None),
        }
    }
}

impl<T: DeserializeOwned> Iterator for Records<T> {
    type Item = Result<(u64, T), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read().transpose();
        if !matches!(read, Some(Ok(_))) {
            self.text = None;
        }
        read
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
    fn a_record_is_found_again_where_it_begins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "\"ä\"\n\"b\"\n\"half").unwrap();
        let read: Vec<(u64, String)> = Records::open(&path).unwrap().map(Result::unwrap).collect();
        assert_eq!(read, [(0, "ä".to_string()), (5, "b".to_string())]);
        assert_eq!(read_line::<String>(&path, 5).unwrap(), "b");
        assert!(read_line::<String>(&path, 9).unwrap_err().to_string().ends_with("no line begins at byte 9"));
        std::fs::write(&path, "1\nx\n2\n").unwrap();
        let read: Vec<bool> = Records::<u32>::open(&path).unwrap().map(|record| record.is_ok()).collect();
        assert_eq!(read, [true, false], "nothing is read behind a damaged line");
    }

    #[test]
    fn what_grows_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut growing = Growing::new(path.clone());
        for (text, more) in
            [("", vec![]), ("1\n2\n", vec![1, 2]), ("1\n2\n3", vec![]), ("1\n2\n34\n5\n", vec![34, 5]), ("1\n2\n34\n5\n", vec![])]
        {
            std::fs::write(&path, text).unwrap();
            assert_eq!(growing.more::<u32>().unwrap(), more, "{text:?}");
        }
        assert!(Growing::new(folder.path().join("y")).more::<u32>().unwrap().is_empty());
    }

    #[test]
    fn the_last_lines_are_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "10\n20\n30\n40\n5").unwrap();
        for (most, bytes, last) in [
            (9, 99, vec![10, 20, 30, 40]),
            (2, 99, vec![30, 40]),
            (0, 99, vec![]),
            // the line that begins there may have begun before
            (9, 13, vec![10, 20, 30, 40]),
            (9, 12, vec![20, 30, 40]),
            (9, 10, vec![30, 40]),
            (9, 1, vec![]),
        ] {
            assert_eq!(read_last_lines::<u32>(&path, most, bytes).unwrap(), last, "{most} {bytes}");
        }
        assert!(read_last_lines::<u32>(&folder.path().join("y"), 9, 9).unwrap().is_empty());
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
