//! Jobs that wait for a lane.

use super::job::{Job, News};
use crate::http::End;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};

pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    /// Slots of a lane.
    slots: usize,
    /// Jobs that may be here at a time, waiting and in slots.
    places: usize,
}

struct State {
    waiting: VecDeque<Job>,
    /// Jobs in each lane's slots.
    active: Vec<usize>,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Phase {
    Open,
    /// Lanes end what they have begun.
    Closing,
    /// Lanes drop what they have begun.
    Closed,
}

/// Why jobs are not taken.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    Full,
    Stopping,
}

impl Queue {
    pub(super) fn new(lanes: usize, slots: usize, waiting: usize) -> Queue {
        let state = State { waiting: VecDeque::new(), active: vec![0; lanes], phase: Phase::Open };
        Queue { state: Mutex::new(state), wake: Condvar::new(), slots, places: (lanes * slots).saturating_add(waiting) }
    }

    /// The most jobs of one request.
    pub(super) fn places(&self) -> usize {
        self.places
    }

    /// Jobs that are being answered, and jobs that wait.
    pub(super) fn load(&self) -> (usize, usize) {
        let mut state = self.state();
        state.waiting.retain(|job| !job.is_left());
        (state.active.iter().sum(), state.waiting.len())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// All of a request's jobs, or none of them.
    pub(super) fn push(&self, jobs: Vec<Job>) -> Result<(), Refusal> {
        let mut state = self.state();
        if state.phase != Phase::Open {
            return Err(Refusal::Stopping);
        }
        state.waiting.retain(|job| !job.is_left());
        if state.waiting.len() + state.active.iter().sum::<usize>() + jobs.len() > self.places {
            return Err(Refusal::Full);
        }
        state.waiting.extend(jobs);
        self.wake.notify_all();
        Ok(())
    }

    /// What a lane that has `active` jobs shall begin; waits where it has none and there is none. `None` at the end.
    pub(super) fn take(&self, lane: usize, active: usize) -> Option<Vec<Job>> {
        let mut state = self.state();
        state.active[lane] = active;
        loop {
            if state.phase == Phase::Closed || (state.phase == Phase::Closing && active == 0) {
                return None;
            }
            state.waiting.retain(|job| !job.is_left());
            let jobs = self.share(&mut state, lane);
            if active > 0 || !jobs.is_empty() {
                return Some(jobs);
            }
            state = self.wake.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }

    /// A lane leaves a job to one that has less to do: each decodes on a thread of its own.
    fn share(&self, state: &mut State, lane: usize) -> Vec<Job> {
        let mut jobs = Vec::new();
        loop {
            let least = state.active.iter().copied().min().unwrap_or(0);
            if state.active[lane] >= self.slots || state.active[lane] > least {
                return jobs;
            }
            let Some(job) = state.waiting.pop_front() else { return jobs };
            state.active[lane] += 1;
            jobs.push(job);
        }
    }

    /// No more jobs. Those that wait are told so; lanes end what they have begun.
    pub(super) fn close(&self) {
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
        }
        state.waiting.drain(..).for_each(|job| job.tell(News::Stopping));
        self.wake.notify_all();
    }

    /// Lanes drop what they have begun.
    pub(super) fn abandon(&self) {
        self.close();
        self.state().phase = Phase::Closed;
        self.wake.notify_all();
    }
}

impl End for Queue {
    fn stopping(&self) {
        self.close();
    }

    fn given_up(&self) {
        self.abandon();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sampling;
    use crate::serve::job::Heard;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    fn job(index: usize) -> (Job, UnboundedReceiver<Heard>) {
        let (to, heard) = unbounded_channel();
        let (sampling, stop) = (Sampling::default(), Vec::new());
        (Job { prompt: vec![1], sampling, max_tokens: 1, stop, seed: 0, likely: None, streams: false, index, to }, heard)
    }

    fn numbers(jobs: Option<Vec<Job>>) -> Vec<usize> {
        jobs.unwrap().iter().map(|job| job.index).collect()
    }

    #[test]
    fn lanes_take_turns_and_places_are_counted() {
        let queue = Queue::new(2, 2, 1);
        let (jobs, mut heard): (Vec<Job>, Vec<_>) = (0..5).map(job).unzip();
        assert_eq!(queue.push(jobs), Ok(()));
        assert_eq!(queue.push(vec![job(5).0]), Err(Refusal::Full));
        assert_eq!(numbers(queue.take(0, 0)), [0]);
        assert_eq!(numbers(queue.take(0, 1)), [0; 0], "the other lane has less to do");
        assert_eq!(numbers(queue.take(1, 0)), [1, 2]);
        assert_eq!(numbers(queue.take(0, 1)), [3]);
        assert_eq!(numbers(queue.take(0, 2)), [0; 0], "its slots are taken");
        assert_eq!(queue.load(), (4, 1));
        // The last one's client goes away: there is a place again.
        heard.truncate(4);
        let (next, mut waits) = job(6);
        assert_eq!(queue.load(), (4, 0));
        assert_eq!(queue.push(vec![next]), Ok(()));
        queue.close();
        assert!(matches!(waits.try_recv().unwrap().news, News::Stopping));
        assert_eq!(queue.push(vec![job(7).0]), Err(Refusal::Stopping));
        assert_eq!(numbers(queue.take(0, 2)), [0; 0]);
        assert!(queue.take(0, 0).is_none());
        queue.abandon();
        assert!(queue.take(1, 2).is_none());
    }
}
