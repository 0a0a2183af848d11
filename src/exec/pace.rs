//! How long tasks took, and what is left of them, from the events of a run.

use crate::report::TaskProgress;
use crate::store::{Event, EventRecord};
use std::collections::BTreeMap;
use std::time::Duration;

/// What the events say of a task that began, from when it began last. Times are milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    pub started: Option<i64>,
    /// What was done before.
    from: u64,
    /// When what is counted was first told, and how much of it was done.
    first: Option<(i64, u64)>,
    last: Option<i64>,
    pub progress: Option<TaskProgress>,
    finished: Option<i64>,
}

impl Told {
    /// Of a task that was finished by this run.
    pub(super) fn took(&self) -> Option<Duration> {
        // What goes on from an iteration took longer than what is seen.
        (self.from == 0).then_some(())?;
        between(self.started?, self.finished?)
    }

    /// Of a task that this run finished, or will by its pace.
    pub(super) fn whole(&self) -> Option<Duration> {
        let begun = |told: &Self| Some(between(told.started?, told.last?)? + told.left()?);
        self.took().or_else(|| begun(self).filter(|_| self.from == 0))
    }

    /// From what was done since it began.
    pub(super) fn left(&self) -> Option<Duration> {
        let progress = self.progress.as_ref()?;
        let (since, from) = match self.first? {
            (since, from) if progress.done > from => (since, from),
            _ => (self.started?, self.from),
        };
        let (done, to_do) = (progress.done.checked_sub(from)?, progress.total.checked_sub(progress.done)?);
        if done == 0 || to_do == 0 {
            return None;
        }
        Duration::try_from_secs_f64(between(since, self.last?)?.as_secs_f64() * to_do as f64 / done as f64).ok()
    }
}

fn between(from: i64, to: i64) -> Option<Duration> {
    Some(Duration::from_millis(u64::try_from(to.checked_sub(from)?).ok()?))
}

/// By the names of the tasks.
pub(super) fn told(events: &[EventRecord]) -> BTreeMap<&str, Told> {
    let mut all: BTreeMap<&str, Told> = BTreeMap::new();
    for record in events {
        let Some(time) = record.millis() else { continue };
        match &record.event {
            Event::TaskStarted { task, .. } => drop(all.insert(task, Told { started: Some(time), ..Told::default() })),
            Event::TaskResumed { task, iteration, .. } => {
                drop(all.insert(task, Told { started: Some(time), from: *iteration, ..Told::default() }));
            }
            Event::Progress { task, done, total, unit, notes } => {
                let told = all.entry(task).or_default();
                if told.progress.as_ref().is_none_or(|before| before.unit != *unit) {
                    told.first = Some((time, *done));
                }
                told.last = Some(time);
                told.progress = Some(TaskProgress { done: *done, total: *total, unit: unit.clone(), notes: notes.clone() });
            }
            Event::TaskFinished { task } => all.entry(task).or_default().finished = Some(time),
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u32, event: Event) -> EventRecord {
        EventRecord { time: format!("2026-05-01T12:{:02}:{:02}.000Z", second / 60, second % 60), event }
    }

    fn progress(second: u32, done: u64, unit: &str) -> EventRecord {
        at(second, Event::Progress { task: "a.train".into(), done, total: 10, unit: unit.into(), notes: Vec::new() })
    }

    fn seconds(time: Option<Duration>) -> Option<u64> {
        time.map(|time| time.as_secs())
    }

    #[test]
    fn what_is_left_goes_by_what_was_done() {
        let started = at(0, Event::TaskStarted { task: "a.train".into(), digest: String::new() });
        let mut events = vec![started];
        let left = |events: &[EventRecord]| seconds(told(events)["a.train"].left());
        assert_eq!(left(&events), None);
        // Before a second word, the beginning counts.
        events.push(progress(5, 1, "iterations"));
        assert_eq!(left(&events), Some(45));
        assert_eq!(seconds(told(&events)["a.train"].whole()), Some(50));
        events.push(progress(7, 2, "iterations"));
        assert_eq!(left(&events), Some(16));
        // Another unit is counted anew.
        events.push(progress(8, 0, "episodes"));
        assert_eq!(left(&events), None);
        events.push(progress(11, 1, "episodes"));
        assert_eq!(left(&events), Some(27));
        events.push(at(70, Event::TaskFinished { task: "a.train".into() }));
        assert_eq!(seconds(told(&events)["a.train"].took()), Some(70));
        assert_eq!(seconds(told(&events)["a.train"].whole()), Some(70));
    }

    #[test]
    fn what_goes_on_counts_from_there() {
        let resumed = at(0, Event::TaskResumed { task: "a.train".into(), digest: String::new(), iteration: 6 });
        let events =
            [progress(0, 5, "iterations"), resumed, progress(4, 8, "iterations"), at(9, Event::TaskFinished { task: "a.train".into() })];
        let told = told(&events);
        assert_eq!(seconds(told["a.train"].left()), Some(4));
        assert_eq!((told["a.train"].took(), told["a.train"].whole()), (None, None));
    }
}
