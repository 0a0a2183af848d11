//! Who waits for which answer of a program, and for how long.

use super::protocol::{Head, shown};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Shared by those who ask, by the reader of the answers, and by the watch over time.
#[derive(Debug, Default)]
pub(super) struct Board {
    state: Mutex<State>,
    closed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// In the order in which they were asked.
    waiting: VecDeque<(u64, Sender<Vec<u8>>)>,
    /// Since when the first of them is the oldest.
    oldest_since: Option<Instant>,
    end: Option<End>,
}

/// Why there are no more answers.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub cause: String,
    /// The episode that did not come to an end.
    pub hung: Option<u64>,
}

/// What became of a line.
pub(super) enum Answered {
    Taken,
    /// Nobody waits for it, or nobody knows who; in words.
    Nonsense(String),
}

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the answer will be; the other end of it is gone where there will be none.
    pub(super) fn wait(&self, episode: u64) -> Receiver<Vec<u8>> {
        let (sender, receiver) = channel();
        let mut state = self.state();
        if state.end.is_none() {
            if state.waiting.is_empty() {
                state.oldest_since = Some(Instant::now());
            }
            state.waiting.push_back((episode, sender));
        }
        receiver
    }

    pub(super) fn answer(&self, line: Vec<u8>) -> Answered {
        let nonsense = |why: &str| Answered::Nonsense(format!("the program wrote `{}`, which {why}", shown(&line)));
        let Ok(Head { episode }) = serde_json::from_slice(&line) else { return nonsense("is no answer") };
        let mut state = self.state();
        let Some(place) = state.waiting.iter().position(|(waits, _)| *waits == episode) else {
            return if state.end.is_some() { Answered::Taken } else { nonsense("nobody has asked for") };
        };
        let found = state.waiting.remove(place);
        if place == 0 {
            state.oldest_since = (!state.waiting.is_empty()).then(Instant::now);
        }
        drop(state);
        if let Some((_, sender)) = found {
            // One who no longer waits is no mistake.
            let _ = sender.send(line);
        }
        Answered::Taken
    }

    /// Nobody gets an answer any more. The first cause counts.
    pub(super) fn close(&self, cause: String, hung: Option<u64>) {
        let mut state = self.state();
        if state.end.is_none() {
            state.end = Some(End { cause, hung });
        }
        state.waiting.clear();
        self.closed.notify_all();
    }

    pub(super) fn end(&self) -> Option<End> {
        self.state().end.clone()
    }

    /// Waits until the board is closed, and closes it itself when a question was the oldest for so long without being answered; then true. Time counts for
    /// the oldest alone: behind it the others wait for their turn.
    pub(super) fn overdue(&self, time_out: Duration) -> bool {
        let tick = (time_out / 8).clamp(Duration::from_millis(1), Duration::from_secs(1));
        let mut state = self.state();
        loop {
            if state.end.is_some() {
                return false;
            }
            if let (Some(since), Some((episode, _))) = (state.oldest_since, state.waiting.front())
                && since.elapsed() >= time_out
            {
                let hung = Some(*episode);
                drop(state);
                self.close(format!("the program did not answer within {} s", time_out.as_secs_f64()), hung);
                return true;
            }
            // Without a call from those who ask: it would cost them more than the question.
            state = self.closed.wait_timeout(state, tick).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_to_those_who_asked_in_any_order() {
        let board = Board::default();
        let (first, second) = (board.wait(1), board.wait(2));
        assert!(matches!(board.answer(br#"{"episode":2,"observation":"b"}"#.to_vec()), Answered::Taken));
        assert!(matches!(board.answer(br#"{"episode":1}"#.to_vec()), Answered::Taken));
        assert_eq!((first.recv().unwrap(), second.recv().unwrap().len()), (br#"{"episode":1}"#.to_vec(), 31));
    }

    #[test]
    fn what_nobody_can_read_is_shown() {
        let board = Board::default();
        let _waits = board.wait(1);
        let Answered::Nonsense(said) = board.answer(b"loading \x1b[1mmodel".to_vec()) else { panic!("taken") };
        assert_eq!(said, "the program wrote `loading \\u{1b}[1mmodel`, which is no answer");
        let Answered::Nonsense(said) = board.answer(br#"{"episode":7}"#.to_vec()) else { panic!("taken") };
        assert_eq!(said, r#"the program wrote `{"episode":7}`, which nobody has asked for"#);
    }

    #[test]
    fn the_oldest_question_is_the_one_that_hangs() {
        let board = Board::default();
        let (first, second) = (board.wait(1), board.wait(2));
        assert!(board.overdue(Duration::from_millis(5)));
        assert!(first.recv().is_err() && second.recv().is_err());
        assert_eq!(board.end().unwrap().hung, Some(1));
        board.close("later".into(), None);
        assert_eq!(board.end().unwrap().cause, "the program did not answer within 0.005 s");
        assert!(board.wait(3).recv().is_err());
    }
}
