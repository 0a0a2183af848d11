//! What others answered while a task ran, by the hash of what they were asked: it outlives the process, so that nothing is asked twice.

use super::digest::Digest;
use super::error::StoreError;
use super::manifest::Mark;
use super::{fault, files, plain};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) const ANSWERS: &str = "answers.jsonl";

/// Of a line: no answer is longer.
const MOST_BYTES: u64 = 1 << 26;

/// A file of JSON lines, each with its `request`, that only grows while its task runs. It may be used from many threads.
#[derive(Debug)]
pub(crate) struct Answers {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    places: Places,
    bytes: u64,
}

/// Where the line of a request begins, and its length without its end.
type Places = BTreeMap<String, (u64, u64)>;

#[derive(Deserialize)]
struct Head {
    request: String,
}

impl Answers {
    /// With what is there already; half a line at its end is cut off. `hear` is told every line.
    pub(super) fn open(folder: &Path, hear: &mut dyn FnMut(&[u8])) -> Result<Self, StoreError> {
        let path = folder.join(ANSWERS);
        plain::no_other_than_a_file(&path)?;
        let file = OpenOptions::new().create(true).append(true).read(true).open(&path).map_err(StoreError::io("open", &path))?;
        let (places, bytes) = places(&path, hear)?;
        if file.metadata().map_err(StoreError::io("read", &path))?.len() != bytes {
            file.set_len(bytes).map_err(StoreError::io("truncate", &path))?;
        }
        files::sync_parent(&path)?;
        Ok(Self { path, state: Mutex::new(State { file, places, bytes }) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The line of a request.
    pub(crate) fn get(&self, request: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut state = self.state();
        let Some((from, length)) = state.places.get(request).copied() else { return Ok(None) };
        let mut line = vec![0; length as usize];
        let read = state.file.seek(SeekFrom::Start(from)).and_then(|_| state.file.read_exact(&mut line));
        read.map_err(StoreError::io("read", &self.path))?;
        Ok(Some(line))
    }

    /// Appends a line, which has `request` in it; afterwards it is on the disk. The first answer to a request counts.
    pub(crate) fn put(&self, request: &str, line: &[u8]) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.places.contains_key(request) {
            return Ok(());
        }
        let whole = [line, b"\n"].concat();
        fault::point();
        if let Err(error) = fault::write_all(&mut state.file, &whole).and_then(|()| fault::sync_file(&state.file)) {
            // No half line stays behind.
            let _ = state.file.set_len(state.bytes);
            return Err(StoreError::io("write", &self.path)(error));
        }
        let from = state.bytes;
        state.places.insert(request.to_owned(), (from, line.len() as u64));
        state.bytes += whole.len() as u64;
        Ok(())
    }
}

/// Where each request's line is, and how far the file has whole lines. A line that is no answer is passed over, and its request asked again.
fn places(path: &Path, hear: &mut dyn FnMut(&[u8])) -> Result<(Places, u64), StoreError> {
    let mut places = BTreeMap::new();
    let mut from = 0;
    let mut lines = BufReader::new(File::open(path).map_err(StoreError::io("open", path))?);
    loop {
        let mut line = Vec::new();
        (&mut lines).take(MOST_BYTES + 1).read_until(b'\n', &mut line).map_err(StoreError::io("read", path))?;
        if line.pop() != Some(b'\n') {
            return Ok((places, from));
        }
        if let Ok(Head { request }) = serde_json::from_slice(&line)
            && !places.contains_key(&request)
        {
            hear(&line);
            places.insert(request, (from, line.len() as u64));
        }
        from += line.len() as u64 + 1;
    }
}

/// Puts the lines of a finished task into the order of their requests: who answered first is chance. `None` where nobody was asked.
pub(super) fn in_order(folder: &Path) -> Result<Option<Mark>, StoreError> {
    let path = folder.join(ANSWERS);
    plain::no_other_than_a_file(&path)?;
    let bytes = match std::fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => read.map_err(StoreError::io("read", &path))?,
    };
    let (places, _) = places(&path, &mut |_| ())?;
    let mut sorted = Vec::with_capacity(bytes.len());
    for (from, length) in places.into_values() {
        sorted.extend(bytes.get(from as usize..(from + length) as usize).unwrap_or_default());
        sorted.push(b'\n');
    }
    if sorted != bytes {
        files::write_file(&path, &sorted)?;
    }
    Ok(Some(Mark { bytes: sorted.len() as u64, blake3: Digest::of_bytes(&sorted) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn line(request: &str) -> Vec<u8> {
        format!(r#"{{"request":"{request}","refused":"{request}"}}"#).into_bytes()
    }

    fn open(folder: &Path) -> (Answers, Vec<String>) {
        let mut heard = Vec::new();
        let answers = Answers::open(folder, &mut |line| heard.push(String::from_utf8(line.to_vec()).unwrap())).unwrap();
        (answers, heard)
    }

    #[test]
    fn a_death_at_any_point_loses_no_answer_that_was_given_and_leaves_whole_lines() {
        for death in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let given = std::cell::Cell::new(0);
            fault::crash_after(death);
            let through = catch_unwind(AssertUnwindSafe(|| {
                let (answers, _) = open(folder.path());
                for request in ["c", "a", "b"] {
                    answers.put(request, &line(request)).unwrap();
                    given.set(given.get() + 1);
                }
                in_order(folder.path()).unwrap();
            }))
            .is_ok();
            fault::disarm();
            files::sweep(folder.path()).unwrap();
            let (answers, heard) = open(folder.path());
            assert!(heard.len() >= given.get() && heard.len() <= given.get() + 1, "{death}: {heard:?}");
            for request in ["c", "a", "b"] {
                let there = answers.get(request).unwrap();
                assert!(there.is_none_or(|there| there == line(request)), "{death}");
                answers.put(request, &line(request)).unwrap();
            }
            let mark = in_order(folder.path()).unwrap().unwrap();
            let text = std::fs::read_to_string(folder.path().join(ANSWERS)).unwrap();
            assert_eq!(text.lines().map(|line| &line[12..13]).collect::<String>(), "abc");
            assert_eq!((mark.bytes, mark.blake3), (text.len() as u64, Digest::of_bytes(text.as_bytes())));
            if through {
                assert!(death > 10);
                return;
            }
        }
    }

    #[test]
    fn half_a_line_is_cut_off_and_nonsense_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let text = [&line("b")[..], b"\n\xff\n{}\n", &line("a"), b"\n", &line("b"), b"\n{\"request\":\"c\""].concat();
        std::fs::write(folder.path().join(ANSWERS), &text).unwrap();
        let (answers, heard) = open(folder.path());
        assert_eq!(heard.len(), 2);
        assert_eq!(answers.get("a").unwrap(), Some(line("a")));
        assert_eq!(answers.get("c").unwrap(), None);
        answers.put("c", &line("c")).unwrap();
        assert_eq!(answers.get("c").unwrap(), Some(line("c")));
        assert_eq!(in_order(folder.path()).unwrap().unwrap().bytes, 3 * (line("a").len() as u64 + 1));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other");
        std::fs::write(&other, "mine").unwrap();
        std::os::unix::fs::symlink(&other, folder.path().join(ANSWERS)).unwrap();
        assert!(Answers::open(folder.path(), &mut |_| ()).unwrap_err().to_string().contains("is a link"));
        assert!(in_order(folder.path()).is_err() && std::fs::read_to_string(&other).unwrap() == "mine");
    }
}
