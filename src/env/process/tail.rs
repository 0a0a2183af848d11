//! What a program writes: lines of bounded length, and of its standard error the last few.

use super::protocol::{MOST_BYTES, shown};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Lines that are kept.
const KEPT: usize = 8;
/// Of one of them.
const MOST_OF_A_LINE: u64 = 1 << 16;

/// The next line without its end; none at the end of what is written.
///
/// # Errors
/// If it is too long or cannot be read, in words.
pub(super) fn next_line(from: &mut impl BufRead) -> Result<Option<Vec<u8>>, String> {
    let mut line = Vec::new();
    let most = MOST_BYTES as u64 + 2;
    from.take(most).read_until(b'\n', &mut line).map_err(|error| format!("what the program writes cannot be read: {error}"))?;
    if line.pop_if(|last| *last == b'\n').is_some() {
        line.pop_if(|last| *last == b'\r');
    } else if line.is_empty() {
        return Ok(None);
    }
    if line.len() > MOST_BYTES {
        return Err(format!("the program wrote a line of more than {MOST_BYTES} bytes, which begins `{}`", shown(&line)));
    }
    Ok(Some(line))
}

/// The last lines that a program wrote for people.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail(Arc<(Mutex<Written>, Condvar)>);

#[derive(Debug, Default)]
struct Written {
    lines: VecDeque<String>,
    whole: bool,
}

impl Tail {
    /// Reads all that comes, so that the writer never waits.
    ///
    /// # Errors
    /// If no thread can be started for it.
    pub(super) fn keep(&self, stream: impl Read + Send + 'static) -> std::io::Result<()> {
        let kept = self.0.clone();
        let read = move || {
            let mut lines = BufReader::new(stream);
            let mut line = Vec::new();
            while matches!((&mut lines).take(MOST_OF_A_LINE).read_until(b'\n', &mut line), Ok(1..)) {
                let mut written = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
                if written.lines.len() == KEPT {
                    written.lines.pop_front();
                }
                written.lines.push_back(shown(&line));
                line.clear();
            }
            kept.0.lock().unwrap_or_else(PoisonError::into_inner).whole = true;
            kept.1.notify_all();
        };
        std::thread::Builder::new().name("process-tail".into()).stack_size(1 << 18).spawn(read).map(drop)
    }

    /// In one line. Of a program that has ended, all that it wrote is there soon.
    pub(super) fn text(&self, patience: Duration) -> String {
        let written = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (written, _) = self.0.1.wait_timeout_while(written, patience, |written| !written.whole).unwrap_or_else(PoisonError::into_inner);
        written.lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" / ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_most() {
        let long = [vec![b'x'; MOST_BYTES], b"\nsecond\r\nlast".to_vec()].concat();
        let mut from = &long[..];
        assert_eq!(next_line(&mut from).unwrap().map(|line| line.len()), Some(MOST_BYTES));
        assert_eq!(next_line(&mut from).unwrap(), Some(b"second".to_vec()));
        assert_eq!(next_line(&mut from).unwrap(), Some(b"last".to_vec()));
        assert_eq!(next_line(&mut from).unwrap(), None);
        let mut from = std::io::repeat(b'x').take(1 << 40);
        let mut from = BufReader::new(&mut from);
        assert!(next_line(&mut from).unwrap_err().starts_with("the program wrote a line of more than 1048576 bytes, which begins `xxx"));
    }
}
