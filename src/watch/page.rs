//! What the page shows now, and what of it changed since when.

use crate::exec::{Watched, Watching};
use crate::report::{Part, RunStanding, live_html, live_parts};
use crate::store::Seen;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A page is not looked for more often.
const PAUSE: Duration = Duration::from_secs(1);
/// Nor more often than in this many times the time that a look takes.
const SHARE: u32 = 5;
/// Nor than so many bytes a second.
const BYTES: f64 = 4e6;

/// The page of a run, shared by all that look at it.
pub(super) struct Page {
    run: Watching,
    /// Tells the revisions of this server from those of one before.
    server: String,
    state: Mutex<State>,
    /// Milliseconds before the next look.
    pause: AtomicU64,
}

#[derive(Default)]
struct State {
    seen: Option<Seen>,
    revision: u64,
    title: String,
    /// With the revision in which each changed last.
    parts: Vec<(u64, Part)>,
    last: Option<Watched>,
    looked: Option<(Instant, Duration)>,
}

impl Page {
    pub(super) fn new(run: Watching, server: String) -> Self {
        Self { run, server, state: Mutex::default(), pause: AtomicU64::default() }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks, unless it just did; gives the revision.
    pub(super) fn look(&self) -> u64 {
        self.with(|state| {
            if state.looked.is_none_or(|(at, pause)| at.elapsed() >= pause) {
                let pause = state.look(&self.run);
                self.pause.store(pause.as_millis() as u64, Ordering::Relaxed);
            }
            state.revision
        })
    }

    /// How long to wait before the next look; unlike the rest answered at once.
    pub(super) fn pause(&self) -> Duration {
        Duration::from_millis(self.pause.load(Ordering::Relaxed)).max(PAUSE)
    }

    /// The whole page.
    pub(super) fn html(&self, script: &str) -> String {
        self.with(|state| {
            let parts: Vec<Part> = state.parts.iter().map(|(_, part)| part.clone()).collect();
            live_html(&state.title, &parts, &self.name(state.revision), script)
        })
    }

    /// The parts that are new to who has a revision, and the name of this one; nothing where nothing is.
    pub(super) fn news(&self, have: &str) -> Option<(String, Value)> {
        let known = have.strip_prefix(&self.server).and_then(|rest| rest.strip_prefix('-')?.parse::<u64>().ok());
        self.with(|state| {
            let new = |(changed, _): &&(u64, Part)| known.is_none_or(|known| *changed > known);
            let parts: Vec<Value> = state.parts.iter().filter(new).map(|(_, part)| json!({ "id": part.id, "html": part.html() })).collect();
            (!parts.is_empty()).then(|| (self.name(state.revision), json!({ "title": state.title, "parts": parts })))
        })
    }

    /// What who knows this revision says that it has.
    fn name(&self, revision: u64) -> String {
        format!("{}-{revision}", self.server)
    }
}

impl State {
    /// Gives how long to wait before the next.
    fn look(&mut self, run: &Watching) -> Duration {
        let begun = Instant::now();
        let seen = run.seen();
        let mut bytes = 0;
        if self.seen.as_ref() != Some(&seen) {
            let watched = match run.look() {
                Ok(watched) => watched,
                // What was seen last stays.
                Err(error) => {
                    let mut last = self.last.clone().unwrap_or_default();
                    last.standing.state = RunStanding::Lost;
                    last.standing.left = None;
                    last.standing.warnings = vec![(last.standing.run.clone(), error.to_string())];
                    last
                }
            };
            bytes = self.take(watched);
            self.seen = Some(seen);
        }
        let pause = (begun.elapsed() * SHARE).max(PAUSE).max(Duration::from_secs_f64(bytes as f64 / BYTES));
        self.looked = Some((Instant::now(), pause));
        pause
    }

    /// Gives the bytes of what changed.
    fn take(&mut self, watched: Watched) -> usize {
        let parts = live_parts(&watched.data, &watched.standing);
        let word = match watched.standing.state {
            RunStanding::Running => String::new(),
            RunStanding::Finished => "finished: ".into(),
            RunStanding::Failed => "failed: ".into(),
            RunStanding::Interrupted | RunStanding::Lost => "stopped: ".into(),
        };
        self.title = format!("{word}{}", watched.data.title);
        self.last = Some(watched);
        let before = std::mem::take(&mut self.parts);
        let next = self.revision + 1;
        let since = |part: &Part| before.iter().find(|(_, other)| other == part).map_or(next, |(revision, _)| *revision);
        self.parts = parts.into_iter().map(|part| (since(&part), part)).collect();
        let changed = self.parts.iter().filter(|(revision, _)| *revision == next);
        let bytes = changed.map(|(_, part)| part.html().len()).sum();
        self.revision += u64::from(bytes > 0);
        bytes
    }
}
