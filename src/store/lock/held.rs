//! A claim of this process, and its signs of life.

use super::acquire::is_of;
use super::machine::Machine;
use super::record::Record;
use crate::store::StoreError;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

/// Whether it is still ours is looked up no more often than this.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Held {
    pub folder: PathBuf,
    path: PathBuf,
    record: Record,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// `None` once it was let go.
    file: Option<File>,
    beats: u64,
    /// When it was last seen to be ours, by both clocks: one of them does not see that the machine slept.
    seen: (Instant, SystemTime),
}

impl Held {
    pub(super) fn new(folder: PathBuf, path: PathBuf, file: File, record: Record) -> Arc<Self> {
        let state = State { file: Some(file), beats: 0, seen: (Instant::now(), SystemTime::now()) };
        let held = Arc::new(Self { folder, path, record, state: Mutex::new(state) });
        keep_alive(&held);
        held
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody has taken it over; `often`: unless that was looked up a moment ago.
    pub(super) fn is_ours(&self, often: bool) -> Result<bool, StoreError> {
        let mut state = self.state();
        let (instant, time) = state.seen;
        if often && instant.elapsed() < PAUSE && time.elapsed().is_ok_and(|since| since < PAUSE) {
            return Ok(true);
        }
        let ours = is_of(&self.path, &self.record)?;
        if ours {
            state.seen = (Instant::now(), SystemTime::now());
        }
        Ok(ours)
    }

    /// Through the open file, which is this claim's whoever has its name now. One that fails is like one that did not come.
    fn beat(&self) {
        let mut state = self.state();
        state.beats += 1;
        let record = self.record.at(state.beats);
        if let Some(file) = &mut state.file {
            // Other machines see what was synced.
            let _ = put(file, &record).and_then(|()| file.sync_data());
        }
    }

    /// As a process that is killed lets go, without a word.
    pub(super) fn abandon(&self) {
        if let Some(file) = self.state().file.take() {
            let _ = file.unlock();
        }
    }

    pub(super) fn release(&self) {
        if let Some(mut file) = self.state().file.take() {
            let _ = put(&mut file, &self.record.released());
            // Closing alone would do, were it not for a child that is just being started and has a copy of the open file for a moment.
            let _ = file.unlock();
        }
    }
}

fn put(file: &mut File, record: &Record) -> std::io::Result<()> {
    file.rewind()?;
    file.write_all(&record.bytes()?)
}

static ALL: Mutex<Vec<Weak<Held>>> = Mutex::new(Vec::new());

/// One thread for all claims of the process.
fn keep_alive(held: &Arc<Held>) {
    static STARTED: Once = Once::new();
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|held| held.strong_count() > 0);
    all.push(Arc::downgrade(held));
    STARTED.call_once(|| {
        // Without the thread claims look dead to other machines after a while, and each writer sees it when it was taken over.
        let _ = std::thread::Builder::new().name("claims".into()).spawn(|| {
            loop {
                std::thread::sleep(Machine::this().beat());
                let held: Vec<_> = ALL.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect();
                held.iter().for_each(|held| held.beat());
            }
        });
    });
}
