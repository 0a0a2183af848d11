use super::watch::{End, Pace, Start, Watch, progress_words, words};
use crate::stage::Progress;
use std::io::Write;
use std::time::{Duration, Instant};

/// Progress as plain lines, for logs and pipes: the first and the last of each task, and one every few seconds between.
pub struct Lines<W: Write> {
    out: W,
    every: Duration,
    head: String,
    pace: Pace,
    said: Option<Instant>,
    /// What was not said because it came too soon.
    held: Option<Progress>,
    taken: usize,
}

impl Lines<std::io::Stderr> {
    pub fn stderr() -> Self {
        Self::new(std::io::stderr(), Duration::from_secs(2))
    }
}

impl<W: Write> Lines<W> {
    pub fn new(out: W, every: Duration) -> Self {
        Self { out, every, head: String::new(), pace: Pace::new(), said: None, held: None, taken: 0 }
    }

    fn line(&mut self, text: &str) {
        // Nobody may be listening any more; the run goes on.
        let _ = writeln!(self.out, "{text}");
    }

    fn show(&mut self, progress: &Progress) {
        let left = self.pace.left(progress).map(|t| format!("  about {} left", words(t))).unwrap_or_default();
        self.line(&format!("  {}{left}", progress_words(progress)));
        self.said = Some(Instant::now());
        self.held = None;
    }
}

impl<W: Write> Watch for Lines<W> {
    fn task_taken(&mut self, name: &str, by: &str) {
        self.taken += 1;
        self.line(&format!("{name}: up to date (made by {by})"));
    }

    fn task_begins(&mut self, start: &Start) {
        self.head = format!("[{}/{}] {}", start.number, start.total, start.name);
        self.pace = Pace::new();
        (self.said, self.held) = (None, None);
        let resumed = start.resumed.map(|i| format!(", going on at iteration {i}")).unwrap_or_default();
        self.line(&format!("{} ({}){resumed}", self.head, start.kind));
    }

    fn progress(&mut self, progress: &Progress) {
        let due = self.said.is_none_or(|at| at.elapsed() >= self.every) || (progress.total > 0 && progress.done == progress.total);
        if due {
            self.show(progress);
        } else {
            self.held = Some(progress.clone());
        }
    }

    fn say(&mut self, line: &str) {
        self.line(&format!("  {line}"));
    }

    fn warn(&mut self, line: &str) {
        self.line(&format!("warning: {line}"));
    }

    fn task_ends(&mut self, _name: &str, end: End) {
        if let Some(progress) = self.held.take() {
            self.show(&progress);
        }
        let end = match end {
            End::Finished => "done",
            End::Failed => "failed",
            End::Interrupted => "interrupted",
        };
        self.line(&format!("{}: {end} after {}", self.head, words(self.pace.elapsed())));
    }
}
