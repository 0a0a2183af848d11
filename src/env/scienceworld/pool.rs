//! Simulators kept for their next game, and the processes they live in.

use super::archive::Archive;
use super::error::{Failure, SetupError};
use super::java::Java;
use super::jvm::{Jvm, Limits, Seat};
use super::simulator::Simulator;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Shared by all games of a world. A simulator takes a second to build and gets faster for minutes, so it is built once and kept.
#[derive(Debug)]
pub(super) struct Pool {
    java: Java,
    archive: Archive,
    limits: Limits,
    repeatable: bool,
    state: Mutex<State>,
    quarantine: Mutex<()>,
    /// How many are being built.
    building: Mutex<usize>,
    built: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jvms: Vec<Arc<Jvm>>,
    idle: Vec<Simulator>,
    started: usize,
}

/// A simulator in a process of its own. There is one at a time.
pub(super) struct Quarantined<'a> {
    pub simulator: Simulator,
    _turn: MutexGuard<'a, ()>,
}

impl Pool {
    /// Finds Java, verifies the archive, starts a first process.
    pub(super) fn open(data: &Path, limits: Limits, repeatable: bool) -> Result<Self, SetupError> {
        let archive = Archive::open(data)?;
        let java = Java::find()?;
        let (state, quarantine, building, built) = Default::default();
        let pool = Self { java, archive, limits, repeatable, state, quarantine, building, built };
        pool.jvm_with_a_seat(&mut pool.state())?;
        Ok(pool)
    }

    /// One that is free, or else a new one where there is room, if need be in a new process.
    pub(super) fn take(&self) -> Result<Simulator, Failure> {
        let (seat, jvm) = {
            let mut state = self.state();
            state.idle.retain(Simulator::is_usable);
            if let Some(simulator) = state.idle.pop() {
                return Ok(simulator);
            }
            let jvm = self.jvm_with_a_seat(&mut state)?;
            // Taken before another thread looks.
            (Seat::take(&jvm), jvm)
        };
        self.build(seat).inspect_err(|failure| drop(failure.is_breakdown().then(|| jvm.give_up(failure))))
    }

    /// For the next game. One that is in doubt, or whose process is not shared, is dropped.
    pub(super) fn give_back(&self, simulator: Simulator) {
        let mut state = self.state();
        if simulator.is_usable() && state.jvms.iter().any(|jvm| jvm.id() == simulator.jvm().id()) {
            state.idle.push(simulator);
        }
    }

    /// A simulator alone in a fresh process: what breaks it down there is its own doing. Waits for the one before.
    pub(super) fn quarantine(&self) -> Result<Quarantined<'_>, Failure> {
        let turn = self.quarantine.lock().unwrap_or_else(PoisonError::into_inner);
        let seat = Seat::take(&Arc::new(self.start(&mut self.state())?));
        Ok(Quarantined { simulator: self.build(seat)?, _turn: turn })
    }

    /// The processes that run, by id.
    pub(super) fn processes(&self) -> Vec<u32> {
        self.state().jvms.iter().filter(|jvm| jvm.is_alive()).map(|jvm| jvm.id()).collect()
    }

    /// How many processes were started in all: more than needed tells of breakdowns.
    pub(super) fn started(&self) -> usize {
        self.state().started
    }

    /// Resident memory of the processes in bytes, where the system tells it.
    pub(super) fn resident(&self) -> Option<u64> {
        self.state().jvms.iter().map(|jvm| jvm.resident()).sum()
    }

    /// Outside the lock, but not more at once than there are processors: a storm of them would outlast its time-out.
    fn build(&self, seat: Seat) -> Result<Simulator, Failure> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let mut building = self.built.wait_while(building, |building| *building >= processors).unwrap_or_else(PoisonError::into_inner);
        *building += 1;
        drop(building);
        let simulator = Simulator::new(seat, &self.limits);
        *self.building.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.built.notify_one();
        simulator
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn jvm_with_a_seat(&self, state: &mut State) -> Result<Arc<Jvm>, SetupError> {
        state.jvms.retain(|jvm| jvm.is_alive());
        if let Some(jvm) = state.jvms.iter().find(|jvm| jvm.seats() < self.limits.per_process.max(1)) {
            return Ok(jvm.clone());
        }
        let jvm = Arc::new(self.start(state)?);
        state.jvms.push(jvm.clone());
        Ok(jvm)
    }

    fn start(&self, state: &mut State) -> Result<Jvm, SetupError> {
        state.started += 1;
        Jvm::start(&self.java, &self.archive, &self.limits, self.repeatable)
    }
}
