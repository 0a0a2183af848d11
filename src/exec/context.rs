use super::{Options, Watch};
use crate::plan::Known;
use crate::ranks::Ranks;
use crate::stage::{Content, Context, Histogram, InputFolder, Looks, Machine, Progress};
use crate::store::{Event, TaskFolder};
use std::path::Path;
use std::time::{Duration, Instant};

/// What a running stage says.
#[derive(Clone, Debug)]
pub(super) enum Heard {
    Progress {
        progress: Progress,
        /// Worth a line in the events: something new is done, and not only a moment after the last.
        record: bool,
    },
    /// Of a step, what it is of, and how it is spread.
    Spread(u64, String, Histogram),
    Said(String),
    Warned(String),
}

/// Not more often is progress written down that is not counted in iterations.
const PAUSE: Duration = Duration::from_secs(2);

/// What the executor lends a running stage.
pub(super) struct TaskContext<'a> {
    seed: u64,
    options: &'a Options,
    ranks: &'a Ranks,
    inputs: Vec<InputFolder>,
    folder: TaskFolder,
    hear: &'a mut dyn FnMut(Heard),
    contents: Option<&'a Known>,
    recorded: Option<(u64, Instant)>,
}

impl<'a> TaskContext<'a> {
    /// Also for tests of a stage alone: `hear` may do nothing.
    pub(super) fn new(
        seed: u64,
        options: &'a Options,
        inputs: Vec<InputFolder>,
        folder: TaskFolder,
        hear: &'a mut dyn FnMut(Heard),
    ) -> Self {
        Self { seed, options, ranks: &Ranks::ALONE, inputs, folder, hear, contents: None, recorded: None }
    }

    /// With what lay outside of the store when the plan was made.
    pub(super) fn knowing(self, contents: &'a Known) -> Self {
        Self { contents: Some(contents), ..self }
    }

    /// Beside others.
    pub(super) fn among(self, ranks: &'a Ranks) -> Self {
        Self { ranks, ..self }
    }

    pub(super) fn into_folder(self) -> TaskFolder {
        self.folder
    }
}

impl Context for TaskContext<'_> {
    fn seed(&self) -> u64 {
        self.seed
    }

    fn threads(&self) -> usize {
        self.options.threads.max(1)
    }

    fn ranks(&self) -> &Ranks {
        self.ranks
    }

    fn device(&self) -> &candle_core::Device {
        &self.options.device
    }

    fn machine(&self) -> &Machine {
        &self.options.machine
    }

    fn content(&self, path: &Path) -> Option<Content> {
        self.contents?.get(path)?.clone()
    }

    fn inputs(&self, field: &str) -> Vec<InputFolder> {
        self.inputs.iter().filter(|i| i.field == field).cloned().collect()
    }

    fn folder(&mut self) -> &mut TaskFolder {
        &mut self.folder
    }

    fn progress(&mut self, progress: Progress) {
        let now = Instant::now();
        let record = match self.recorded {
            _ if progress.is_loading() => false,
            None => true,
            Some((done, _)) if done == progress.done => false,
            Some((_, at)) => progress.unit == "iterations" || progress.done == progress.total || now.duration_since(at) >= PAUSE,
        };
        if record {
            self.recorded = Some((progress.done, now));
        }
        (self.hear)(Heard::Progress { progress, record });
    }

    fn looks(&self) -> Looks {
        self.options.looks
    }

    fn histogram(&mut self, step: u64, name: &str, histogram: Histogram) {
        (self.hear)(Heard::Spread(step, name.to_owned(), histogram));
    }

    fn say(&mut self, line: &str) {
        (self.hear)(Heard::Said(line.to_owned()));
    }

    fn warn(&mut self, line: &str) {
        (self.hear)(Heard::Warned(line.to_owned()));
    }

    fn interrupted(&self) -> bool {
        self.options.interrupt.requested()
    }
}

/// Shows it, and gives the event to be written down.
pub(super) fn hear(task: &str, heard: Heard, watch: &mut dyn Watch) -> Option<Event> {
    match heard {
        Heard::Progress { progress, record } => {
            watch.progress(&progress);
            let Progress { done, total, unit, notes } = progress;
            let notes = notes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            record.then(|| Event::Progress { task: task.to_owned(), done, total, unit: unit.to_owned(), notes })
        }
        Heard::Spread(step, name, histogram) => {
            watch.histogram(step, &name, &histogram);
            None
        }
        Heard::Said(line) => {
            watch.say(&line);
            Some(Event::Said { task: task.to_owned(), line })
        }
        Heard::Warned(line) => {
            watch.warn(&format!("{task}: {line}"));
            Some(Event::Warning { task: task.to_owned(), line })
        }
    }
}
