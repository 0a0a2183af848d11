use crate::lang::visible;
use crate::stage::{Histogram, Progress};
use std::path::Path;
use std::time::{Duration, Instant};

/// A task that begins.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// `ppo_epo[seed=1].train`.
    pub name: &'a str,
    /// The stage's word: `rl`, `sft`, `evaluate`, …
    pub kind: &'a str,
    /// From 1.
    pub number: usize,
    /// Tasks of the plan, those taken included.
    pub total: usize,
    /// The iteration from which it goes on.
    pub resumed: Option<u64>,
    /// Of the task, where its metrics are written.
    pub folder: &'a Path,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its outputs are whole.
    Finished,
    /// With an error; the execution ends too.
    Failed,
    /// As the user asked, after a checkpoint.
    Interrupted,
}

/// Shows an execution to people while it goes on. Every method may do nothing.
pub trait Watch {
    /// Once, before the first task.
    fn run_begins(&mut self, _folder: &Path, _tasks: usize) {}
    /// A task was finished before, by the run `by`.
    fn task_taken(&mut self, _name: &str, _by: &str) {}
    /// Followed by [`task_ends`](Self::task_ends), unless the disk fails.
    fn task_begins(&mut self, _start: &Start) {}
    /// Of the task that began last.
    fn progress(&mut self, _progress: &Progress) {}
    /// How some values of a step of that task are spread, if [`super::Options::looks`] asks for it.
    fn histogram(&mut self, _step: u64, _name: &str, _histogram: &Histogram) {}
    /// A line of the stage for people.
    fn say(&mut self, _line: &str) {}
    /// Something is damaged and made again, or a stage is probably not what was meant.
    fn warn(&mut self, _line: &str) {}
    /// Another process is at work on what is needed.
    fn waits(&mut self, _line: &str) {}
    /// Of the task that began last.
    fn task_ends(&mut self, _name: &str, _end: End) {}
}

/// A line on stderr. Nobody may be listening any more; the run goes on.
pub(super) fn tell(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{}", visible(line));
}

/// `--quiet`: warnings alone, and why nothing goes on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Watch for Quiet {
    fn warn(&mut self, line: &str) {
        tell(&format!("warning: {line}"));
    }

    fn waits(&mut self, line: &str) {
        tell(line);
    }
}

/// Time left, from what was done since this process began with the task (a resumed one did the rest earlier).
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    began: Instant,
    /// What is counted, since when, and from where.
    from: Option<(&'static str, Instant, u64)>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), from: None }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// `None` until something was done.
    pub(super) fn left(&mut self, progress: &Progress) -> Option<Duration> {
        let now = match self.from {
            // A model is read before iterations are counted.
            Some((unit, ..)) if unit != progress.unit => Some((progress.unit, Instant::now(), progress.done)),
            Some(from) => Some(from),
            None => Some((progress.unit, self.began, progress.done)),
        };
        self.from = now;
        let (_, since, from) = now?;
        left(since.elapsed(), progress.done.checked_sub(from)?, progress.total.checked_sub(progress.done)?)
    }
}

fn left(elapsed: Duration, done: u64, to_do: u64) -> Option<Duration> {
    if done == 0 || to_do == 0 {
        return None;
    }
    Duration::try_from_secs_f64(elapsed.as_secs_f64() * to_do as f64 / done as f64).ok()
}

/// `12/150 iterations  success 41 %  entropy 0.93`.
pub(super) fn progress_words(progress: &Progress) -> String {
    let mut text = match progress.total {
        0 => format!("{} {}", progress.done, progress.unit),
        total => format!("{}/{total} {}", progress.done, progress.unit),
    };
    for (name, value) in &progress.notes {
        text.push_str(&format!("  {name} {value}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_counts_only_what_was_done_here() {
        assert_eq!(left(Duration::from_secs(10), 5, 20), Some(Duration::from_secs(40)));
        assert_eq!(left(Duration::from_secs(10), 0, 20), None);
        let progress = |done| Progress { done, total: 100, unit: "iterations", notes: Vec::new() };
        let mut pace = Pace::new();
        assert_eq!(pace.left(&progress(90)), None);
        assert!(pace.left(&progress(91)).is_some());
        let mut pace = Pace::new();
        assert_eq!(pace.left(&Progress::loading(99, 100)), None);
        assert_eq!(pace.left(&progress(0)), None);
        assert!(pace.left(&progress(1)).is_some());
    }
}
