//! Ranks that MPI has started: `mpirun`, or `srun` where Slurm speaks PMIx.

use super::{Exchange, Lost, Ranks};
use mpi::Threading;
use mpi::environment::Universe;
use mpi::request::{Request, scope};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Destination, Root, Source};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// How long a rank that waits keeps its core.
const SPIN: Duration = Duration::from_micros(200);
/// How long it sleeps, at most, before it looks again.
const SLEEP: Duration = Duration::from_millis(10);

/// The ranks of `MPI_COMM_WORLD`. A rank that dies is the launcher's business, which ends the others.
struct World {
    /// Ends MPI when it is dropped.
    _universe: Universe,
    rank: usize,
    size: usize,
    /// MPI is asked for threads that call it one at a time.
    turn: Mutex<()>,
}

/// This process as one of those that a launcher has started. Once in a process; to be called only where there is a launcher.
///
/// # Errors
/// If MPI was begun before.
pub fn join() -> Result<Ranks, &'static str> {
    let (universe, _) = mpi::initialize_with_threading(Threading::Serialized).ok_or("MPI has been started in this process before")?;
    let world = universe.world();
    let (rank, size) = (world.rank() as usize, world.size() as usize);
    Ok(Ranks::over(World { _universe: universe, rank, size, turn: Mutex::new(()) }))
}

impl World {
    fn world(&self) -> (SimpleCommunicator, MutexGuard<'_, ()>) {
        (SimpleCommunicator::world(), self.turn.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

/// MPI's own way of waiting keeps a core busy; here ranks wait for hours while the first one works alone, perhaps on the same cores. Adds a hundredth to what is waited for.
fn wait<'a, D: ?Sized, S: mpi::request::Scope<'a>>(mut request: Request<'a, D, S>) {
    let start = Instant::now();
    loop {
        request = match request.test() {
            Ok(_) => return,
            Err(open) => open,
        };
        let waited = start.elapsed();
        if waited < SPIN { std::thread::yield_now() } else { std::thread::sleep((waited / 100).min(SLEEP)) }
    }
}

impl Exchange for World {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn all_gather(&self, own: &[u8], all: &mut [u8]) -> Result<(), Lost> {
        let (world, _turn) = self.world();
        scope(|scope| wait(world.immediate_all_gather_into(scope, own, all)));
        Ok(())
    }

    fn broadcast(&self, root: usize, bytes: &mut [u8]) -> Result<(), Lost> {
        let (world, _turn) = self.world();
        scope(|scope| wait(world.process_at_rank(root as i32).immediate_broadcast_into(scope, bytes)));
        Ok(())
    }

    fn send(&self, to: usize, bytes: &[u8]) -> Result<(), Lost> {
        let (world, _turn) = self.world();
        scope(|scope| wait(world.process_at_rank(to as i32).immediate_send(scope, bytes)));
        Ok(())
    }

    fn receive(&self, from: usize, bytes: &mut [u8]) -> Result<(), Lost> {
        let (world, _turn) = self.world();
        scope(|scope| wait(world.process_at_rank(from as i32).immediate_receive_into(scope, bytes)));
        Ok(())
    }
}
