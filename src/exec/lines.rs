use super::watch::{End, Pace, Start, Watch, progress_words};
use crate::lang::visible;
use crate::stage::Progress;
use crate::store::in_words;
use std::io::Write;
use std::time::{Duration, Instant};

/// Progress as plain lines, for logs and pipes: the first and the last of each task, and one every few seconds between. Where several tasks go on at a
/// time, each line says of which it is.
pub struct Lines<W: Write> {
    out: W,
    every: Duration,
    open: Vec<Open>,
    /// Which of them is spoken of.
    at: usize,
}

/// A task that has begun.
struct Open {
    name: String,
    head: String,
    pace: Pace,
    said: Option<Instant>,
    /// What was not said because it came too soon.
    held: Option<Progress>,
}

impl Lines<std::io::Stderr> {
    /// To stderr, every two seconds.
    pub fn stderr() -> Self {
        Self::new(std::io::stderr(), Duration::from_secs(2))
    }
}

impl<W: Write> Lines<W> {
    /// At most one line of progress in `every`.
    pub fn new(out: W, every: Duration) -> Self {
        Self { out, every, open: Vec::new(), at: 0 }
    }

    fn line(&mut self, text: &str) {
        // Nobody may be listening any more; the run goes on.
        let _ = writeln!(self.out, "{}", visible(text));
    }

    fn show(&mut self, progress: &Progress) {
        let whose = self.whose();
        let Some(open) = self.open.get_mut(self.at) else { return };
        let left = open.pace.left(progress).map(|t| format!("  about {} left", in_words(t))).unwrap_or_default();
        (open.said, open.held) = (Some(Instant::now()), None);
        self.line(&format!("  {whose}{}{left}", progress_words(progress)));
    }

    /// Before what is said of a task, where there are others.
    fn whose(&self) -> String {
        match self.open.get(self.at) {
            Some(open) if self.open.len() > 1 => format!("{}: ", open.head),
            _ => String::new(),
        }
    }
}

impl<W: Write> Watch for Lines<W> {
    fn task_taken(&mut self, name: &str, by: &str) {
        self.line(&format!("{name}: up to date (made by {by})"));
    }

    fn task_begins(&mut self, start: &Start) {
        let head = format!("[{}/{}] {}", start.number, start.total, start.name);
        let resumed = start.resumed.map(|i| format!(", going on at iteration {i}")).unwrap_or_default();
        self.line(&format!("{head} ({}){resumed}", start.kind));
        self.at = self.open.len();
        self.open.push(Open { name: start.name.to_owned(), head, pace: Pace::new(), said: None, held: None });
    }

    fn turns_to(&mut self, name: &str) {
        self.at = self.open.iter().position(|open| open.name == name).unwrap_or(self.at);
    }

    fn progress(&mut self, progress: &Progress) {
        if progress.is_loading() {
            return;
        }
        let Some(open) = self.open.get_mut(self.at) else { return };
        let due = open.said.is_none_or(|at| at.elapsed() >= self.every) || (progress.total > 0 && progress.done == progress.total);
        if due {
            self.show(progress);
        } else {
            open.held = Some(progress.clone());
        }
    }

    fn say(&mut self, line: &str) {
        self.line(&format!("  {}{line}", self.whose()));
    }

    fn warn(&mut self, line: &str) {
        self.line(&format!("warning: {line}"));
    }

    fn waits(&mut self, line: &str) {
        self.line(line);
    }

    fn task_ends(&mut self, name: &str, end: End) {
        self.turns_to(name);
        if let Some(progress) = self.open.get_mut(self.at).and_then(|open| open.held.take()) {
            self.show(&progress);
        }
        if self.at >= self.open.len() {
            return;
        }
        let Open { head, pace, .. } = self.open.remove(self.at);
        self.at = self.open.len().saturating_sub(1);
        let end = match end {
            End::Finished => "done",
            End::Failed => "failed",
            End::Interrupted => "interrupted",
        };
        self.line(&format!("{head}: {end} after {}", in_words(pace.elapsed())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn progress(done: u64) -> Progress {
        Progress { done, total: 9, unit: "iterations", notes: vec![("success", format!("{done} %")), ("entropy", "0.93".into())] }
    }

    #[test]
    fn first_and_last_are_said_whatever_the_pace() {
        let mut out = Vec::new();
        let mut lines = Lines::new(&mut out, Duration::from_hours(1));
        lines.task_taken("a.warm", "a/01234567");
        let start = Start { name: "a.train", kind: "rl", number: 2, total: 3, resumed: Some(4), folder: Path::new("") };
        lines.task_begins(&start);
        (5..=7).for_each(|done| lines.progress(&progress(done)));
        lines.say("skipped 3 episodes");
        lines.task_ends("a.train", End::Interrupted);
        lines.task_begins(&Start { resumed: None, ..start });
        (8..=9).for_each(|done| lines.progress(&progress(done)));
        lines.task_ends("a.train", End::Finished);
        let text = String::from_utf8(out).unwrap();
        let text: Vec<&str> = text.lines().map(|l| l.split("  about").next().unwrap_or_default()).collect();
        let expected = [
            "a.warm: up to date (made by a/01234567)",
            "[2/3] a.train (rl), going on at iteration 4",
            "  5/9 iterations  success 5 %  entropy 0.93",
            "  skipped 3 episodes",
            "  7/9 iterations  success 7 %  entropy 0.93",
            "[2/3] a.train: interrupted after 0 s",
            "[2/3] a.train (rl)",
            "  8/9 iterations  success 8 %  entropy 0.93",
            "  9/9 iterations  success 9 %  entropy 0.93",
            "[2/3] a.train: done after 0 s",
        ];
        assert_eq!(text, expected);
    }

    #[test]
    fn of_several_each_line_says_whose_it_is() {
        let mut out = Vec::new();
        let mut lines = Lines::new(&mut out, Duration::ZERO);
        let start = |name, number| Start { name, kind: "rl", number, total: 2, resumed: None, folder: Path::new("") };
        lines.task_begins(&start("a.train", 1));
        lines.task_begins(&start("b.train", 2));
        lines.turns_to("a.train");
        lines.progress(&progress(9));
        lines.task_ends("a.train", End::Finished);
        lines.progress(&progress(9));
        let text = String::from_utf8(out).unwrap();
        let expected = [
            "[1/2] a.train (rl)",
            "[2/2] b.train (rl)",
            "  [1/2] a.train: 9/9 iterations  success 9 %  entropy 0.93",
            "[1/2] a.train: done after 0 s",
            "  9/9 iterations  success 9 %  entropy 0.93",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_model_is_read_in_silence() {
        let mut out = Vec::new();
        let mut lines = Lines::new(&mut out, Duration::ZERO);
        lines.task_begins(&Start { name: "a.train", kind: "rl", number: 1, total: 1, resumed: None, folder: Path::new("") });
        (1..=9).for_each(|done| lines.progress(&Progress::loading(done, 9)));
        lines.progress(&progress(1));
        assert_eq!(String::from_utf8(out).unwrap().lines().skip(1).collect::<Vec<_>>(), ["  1/9 iterations  success 1 %  entropy 0.93"]);
    }

    #[test]
    fn in_between_one_line_for_each_while() {
        let mut out = Vec::new();
        let mut lines = Lines::new(&mut out, Duration::ZERO);
        lines.task_begins(&Start { name: "a.train", kind: "rl", number: 1, total: 1, resumed: None, folder: Path::new("") });
        (1..=9).for_each(|done| lines.progress(&progress(done)));
        assert_eq!(String::from_utf8(out).unwrap().lines().count(), 10);
    }
}
