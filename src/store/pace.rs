//! How long tasks took, by the events of their runs: for `plan`, never for a result.

use super::digest::Digest;
use super::error::StoreError;
use super::event::{Event, EventRecord, read_events};
use super::root::Store;
use super::time;
use serde_json::Value;
use std::collections::BTreeMap;

/// How long a task took, or would have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pace {
    /// Its name in the plan of the run that it is known from.
    pub task: String,
    pub seconds: f64,
}

/// What is known of a task that is being followed through the events.
struct Followed {
    digest: Digest,
    /// When it began, if it did so from nothing.
    began: Option<f64>,
    /// The first progress in the unit that it counts in, and the last.
    unit: String,
    first: (f64, f64),
    last: (f64, f64),
}

impl Followed {
    fn hears(&mut self, time: f64, done: u64, total: u64, unit: &str) {
        let share = done as f64 / total.max(1) as f64;
        if self.unit != unit {
            self.first = (time, share);
            unit.clone_into(&mut self.unit);
        }
        self.last = (time, share);
    }

    /// By a tenth of it at least.
    fn by_progress(&self) -> Option<f64> {
        let share = self.last.1 - self.first.1;
        (share >= 0.1).then(|| (self.last.0 - self.first.0) / share)
    }
}

fn follow(events: &[EventRecord], mut found: impl FnMut(Digest, Pace)) {
    let mut open: BTreeMap<String, Followed> = BTreeMap::new();
    let mut end = |task: &str, followed: &Followed, finished: Option<f64>| {
        let whole = finished.and_then(|end| Some(end - followed.began?));
        if let Some(seconds) = whole.or_else(|| followed.by_progress()).filter(|seconds| *seconds >= 0.0) {
            found(followed.digest.clone(), Pace { task: task.to_owned(), seconds });
        }
    };
    for EventRecord { time, event } in events {
        let Some(time) = time::seconds(time) else { continue };
        match event {
            Event::TaskStarted { task, digest } | Event::TaskResumed { task, digest, .. } => {
                let Ok(digest) = Digest::try_from(digest.clone()) else { continue };
                let began = matches!(event, Event::TaskStarted { .. }).then_some(time);
                let followed = Followed { digest, began, unit: String::new(), first: (time, 0.0), last: (time, 0.0) };
                if let Some(before) = open.insert(task.clone(), followed) {
                    end(task, &before, None);
                }
            }
            Event::Progress { task, done, total, unit, .. } => {
                if let Some(followed) = open.get_mut(task) {
                    followed.hears(time, *done, *total, unit);
                }
            }
            Event::TaskFinished { task } | Event::TaskFailed { task, .. } | Event::TaskInterrupted { task } => {
                if let Some(followed) = open.remove(task) {
                    end(task, &followed, matches!(event, Event::TaskFinished { .. }).then_some(time));
                }
            }
            _ => {}
        }
    }
    for (task, followed) in &open {
        end(task, followed, None);
    }
}

impl Store {
    /// How long tasks took on a machine that is like one in all that `like` compares of `machine.json`; of a task that was done several times, the last.
    ///
    /// # Errors
    /// If the folder cannot be read. Runs that are damaged or of a newer format are passed over.
    pub(crate) fn paces(&self, like: impl Fn(&Value) -> bool) -> Result<BTreeMap<Digest, Pace>, StoreError> {
        let mut runs = self.runs()?;
        runs.sort_by(|a, b| a.last.cmp(&b.last));
        let mut paces = BTreeMap::new();
        for run in runs {
            if run.machine().is_ok_and(|machine| like(&machine))
                && let Ok(events) = read_events(&run.path)
            {
                follow(&events, |digest, pace| drop(paces.insert(digest, pace)));
            }
        }
        Ok(paces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paces(lines: &[(u32, Event)]) -> Vec<f64> {
        let events: Vec<EventRecord> = lines
            .iter()
            .map(|(second, event)| EventRecord {
                time: format!("2026-01-01T00:{:02}:{:02}.000Z", second / 60, second % 60),
                event: event.clone(),
            })
            .collect();
        let mut all = Vec::new();
        follow(&events, |_, pace| all.push((pace.seconds * 1e6).round() / 1e6));
        all
    }

    fn started() -> Event {
        Event::TaskStarted { task: "a.train".into(), digest: "0".repeat(64) }
    }

    fn resumed() -> Event {
        Event::TaskResumed { task: "a.train".into(), digest: "0".repeat(64), iteration: 10 }
    }

    fn progress(done: u64, unit: &str) -> Event {
        Event::Progress { task: "a.train".into(), done, total: 20, unit: unit.into(), notes: Vec::new() }
    }

    #[test]
    fn a_finished_task_took_what_it_took_and_another_what_its_progress_says() {
        let finished = Event::TaskFinished { task: "a.train".into() };
        assert_eq!(paces(&[(5, started()), (9, progress(20, "episodes")), (65, finished.clone())]), [60.0]);
        // Reading what it learns from is no part of the pace.
        let read = [(0, started()), (40, progress(20, "episodes")), (50, progress(1, "updates")), (60, progress(6, "updates"))];
        assert_eq!(paces(&read), [40.0]);
        assert_eq!(paces(&[(0, started()), (40, progress(1, "updates"))]), [0.0; 0], "too little is known");
        assert_eq!(paces(&[(0, resumed()), (10, progress(11, "updates")), (19, progress(20, "updates")), (20, finished)]), [20.0]);
    }
}
