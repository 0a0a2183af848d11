use super::watch::{End, Pace, Start, Watch, progress_words, tell};
use crate::lang::on_one_line;
use crate::stage::Progress;
use crate::store::in_words;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// Progress on a terminal: a line for every task that ended, a live bar for each that runs.
pub struct Bars {
    all: MultiProgress,
    open: Vec<Open>,
    /// Which of them is spoken of.
    at: usize,
}

/// A task that has begun.
struct Open {
    name: String,
    head: String,
    bar: ProgressBar,
    pace: Pace,
}

impl Bars {
    /// On stderr, where it is a terminal.
    pub fn stderr() -> Self {
        Self::new(ProgressDrawTarget::stderr())
    }

    /// To any place.
    pub fn new(target: ProgressDrawTarget) -> Self {
        Self { all: MultiProgress::with_draw_target(target), open: Vec::new(), at: 0 }
    }

    fn line(&self, text: &str) {
        self.all.suspend(|| tell(text));
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
        let head = format!("[{}/{}] {}", start.number, start.total, start.name);
        if let Some(iteration) = start.resumed {
            self.line(&format!("{head}: going on at iteration {iteration}"));
        }
        let bar = self.all.add(ProgressBar::no_length().with_style(style("{spinner} {prefix} ({elapsed}) {msg}")));
        bar.set_prefix(on_one_line(&head).into_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        self.at = self.open.len();
        self.open.push(Open { name: start.name.to_owned(), head, bar, pace: Pace::new() });
    }

    fn turns_to(&mut self, name: &str) {
        self.at = self.open.iter().position(|open| open.name == name).unwrap_or(self.at);
    }

    fn progress(&mut self, progress: &Progress) {
        let Some(Open { bar, pace, .. }) = self.open.get_mut(self.at) else { return };
        let left = pace.left(progress).map(|t| format!("  about {} left", in_words(t))).unwrap_or_default();
        if progress.total > 0 && bar.length().is_none() {
            bar.set_style(style("{spinner} {prefix} {bar:20} {msg}"));
        }
        if progress.total > 0 {
            bar.set_length(progress.total);
        }
        bar.set_position(progress.done);
        bar.set_message(on_one_line(&format!("{}{left}", progress_words(progress))).into_owned());
    }

    fn say(&mut self, line: &str) {
        self.line(&format!("  {line}"));
    }

    fn warn(&mut self, line: &str) {
        self.line(&format!("warning: {line}"));
    }

    fn waits(&mut self, line: &str) {
        self.line(line);
    }

    fn task_ends(&mut self, name: &str, end: End) {
        self.turns_to(name);
        if self.at >= self.open.len() {
            return;
        }
        let Open { head, bar, pace, .. } = self.open.remove(self.at);
        self.at = self.open.len().saturating_sub(1);
        let last = bar.message();
        bar.finish_and_clear();
        self.all.remove(&bar);
        let notes = if last.is_empty() { String::new() } else { format!("  {last}") };
        let (mark, word) = match end {
            End::Finished => ("✓", "done"),
            End::Failed => ("✗", "failed"),
            End::Interrupted => ("·", "interrupted"),
        };
        let time = in_words(pace.elapsed());
        self.line(&format!("{mark} {head}: {word} after {time}{notes}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Result;
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    /// Keeps what is written; where is not our matter.
    #[derive(Clone, Debug, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl indicatif::TermLike for Paper {
        fn width(&self) -> u16 {
            120
        }
        fn move_cursor_up(&self, _: usize) -> Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> Result<()> {
            self.write_str(&format!("{text}\n"))
        }
        fn write_str(&self, text: &str) -> Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> Result<()> {
            Ok(())
        }
        fn flush(&self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_bar_shows_stage_iteration_and_notes() {
        let paper = Paper::default();
        let target = paper.clone();
        let mut bars = Bars::new(ProgressDrawTarget::term_like(Box::new(target)));
        bars.task_begins(&Start { name: "a.train", kind: "rl", number: 2, total: 3, resumed: None, folder: Path::new("") });
        bars.progress(&Progress::loading(136, 272));
        bars.open[0].bar.force_draw();
        assert!(paper.0.lock().unwrap().contains("━━━━━━━━━━╸───────── 136/272 tensors read"), "{}", paper.0.lock().unwrap());
        let notes = vec![("success", "41 %".to_owned())];
        bars.progress(&Progress { done: 3, total: 9, unit: "iterations", notes });
        bars.open[0].bar.force_draw();
        let text = paper.0.lock().unwrap().clone();
        assert!(text.contains("[2/3] a.train ━━━━━━╸") && text.contains("─ 3/9 iterations  success 41 %"), "{text}");
        bars.task_ends("a.train", End::Finished);
        assert!(bars.open.is_empty());
    }
}
