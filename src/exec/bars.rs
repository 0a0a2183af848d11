use super::watch::{End, Pace, Start, Watch, progress_words, words};
use crate::stage::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// Progress on a terminal: a line for every task that ended, a live bar for the one that runs.
pub struct Bars {
    target: fn() -> ProgressDrawTarget,
    bar: Option<ProgressBar>,
    head: String,
    pace: Pace,
}

impl Bars {
    pub fn stderr() -> Self {
        Self::new(ProgressDrawTarget::stderr)
    }

    pub fn new(target: fn() -> ProgressDrawTarget) -> Self {
        Self { target, bar: None, head: String::new(), pace: Pace::new() }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
}

impl Watch for Bars {
    fn task_taken(&mut self, name: &str, by: &str) {
        self.line(&format!("✓ {name}: up to date (made by {by})"));
    }

    fn task_begins(&mut self, start: &Start) {
        self.head = format!("[{}/{}] {}", start.number, start.total, start.name);
        self.pace = Pace::new();
        if let Some(iteration) = start.resumed {
            self.line(&format!("{}: going on at iteration {iteration}", self.head));
        }
        let bar = ProgressBar::with_draw_target(None, (self.target)()).with_style(style("{spinner} {prefix} ({elapsed}) {msg}"));
        bar.set_prefix(self.head.clone());
        bar.enable_steady_tick(Duration::from_millis(200));
        self.bar = Some(bar);
    }

    fn progress(&mut self, progress: &Progress) {
        let left = self.pace.left(progress).map(|t| format!("  about {} left", words(t))).unwrap_or_default();
        let Some(bar) = &self.bar else { return };
        if progress.total > 0 && bar.length().is_none() {
            bar.set_style(style("{spinner} {prefix} {bar:20} {msg}"));
        }
        if progress.total > 0 {
            bar.set_length(progress.total);
        }
        bar.set_position(progress.done);
        bar.set_message(format!("{}{left}", progress_words(progress)));
    }

    fn say(&mut self, line: &str) {
        self.line(&format!("  {line}"));
    }

    fn warn(&mut self, line: &str) {
        self.line(&format!("warning: {line}"));
    }

    fn task_ends(&mut self, _name: &str, end: End) {
        let last = self.bar.take().map(|bar| {
            let message = bar.message();
            bar.finish_and_clear();
            message
        });
        let notes = last.filter(|m| !m.is_empty()).map(|m| format!("  {m}")).unwrap_or_default();
        let (mark, word) = match end {
            End::Finished => ("✓", "done"),
            End::Failed => ("✗", "failed"),
            End::Interrupted => ("·", "interrupted"),
        };
        let time = words(self.pace.elapsed());
        self.line(&format!("{mark} {}: {word} after {time}{notes}", self.head));
    }
}
