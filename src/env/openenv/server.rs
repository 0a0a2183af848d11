//! The server that all episodes share: how many sessions it is asked for at once, and how long one waits for it.

use super::address::Address;
use super::protocol::{Request, read};
use super::session::{Refusal, Session};
use super::{Config, Scene};
use crate::env::remembered::{Host, Played, Question, Trouble};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Pauses between tries to get a session: the first, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];
/// How long one still looks for a server that was waited for in vain.
const GLANCE: Duration = Duration::from_secs(1);
/// How often sessions in which nothing is asked are looked after. Servers send pings, and take one who answers none for gone: OpenEnv's after 20 s.
const KEEP: Duration = Duration::from_secs(2);
/// Threads that open sessions.
const OPENERS: usize = 8;

#[derive(Debug)]
pub(super) struct Server {
    address: Address,
    time_out: Duration,
    pub(super) config: Config,
    gate: Arc<Gate>,
    /// Since when no session was to be had.
    silent_since: Mutex<Option<Instant>>,
    open: Arc<Mutex<Vec<Weak<Mutex<Session>>>>>,
    opened: AtomicUsize,
}

/// How many sessions there may be.
#[derive(Debug)]
struct Gate {
    free: Mutex<usize>,
    freed: Condvar,
}

/// The right to have a session.
#[derive(Debug)]
struct Pass(Arc<Gate>);

/// A session, and the right to have it, which ends after it.
#[derive(Debug)]
pub(super) struct Seat {
    session: Arc<Mutex<Session>>,
    _pass: Pass,
}

impl Drop for Pass {
    fn drop(&mut self) {
        *locked(&self.0.free) += 1;
        self.0.freed.notify_one();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// Opens a session to see that there is one.
    ///
    /// # Errors
    /// In words.
    pub(super) fn open(config: Config, address: Address, time_out: Duration) -> Result<Self, String> {
        drop(Session::open(&address, time_out).map_err(|refusal| refusal.to_string())?);
        let gate = Arc::new(Gate { free: Mutex::new(config.sessions), freed: Condvar::new() });
        let open: Arc<Mutex<Vec<Weak<Mutex<Session>>>>> = Arc::default();
        keep(Arc::downgrade(&open)).map_err(|error| format!("no thread can be started for it: {error}"))?;
        Ok(Self { address, time_out, config, gate, silent_since: Mutex::new(None), open, opened: AtomicUsize::new(0) })
    }

    /// How many sessions were opened for episodes.
    pub(super) fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    /// Opens as many sessions as will be wanted at once.
    ///
    /// # Errors
    /// If the server does not allow that, in words.
    pub(super) fn room(&self) -> Result<(), String> {
        let wanted = self.config.sessions;
        let opened: Vec<Result<Session, Refusal>> = std::thread::scope(|scope| {
            let some = |first: usize| {
                move || (first..wanted).step_by(OPENERS).map(|_| Session::open(&self.address, self.time_out)).collect::<Vec<_>>()
            };
            let all: Vec<_> = (0..OPENERS.min(wanted)).map(|first| scope.spawn(some(first))).collect();
            all.into_iter().flat_map(|one| one.join().unwrap_or_default()).collect()
        });
        let refused = opened.iter().filter_map(|one| one.as_ref().err());
        // What it says of its capacity says most.
        let refused = refused.clone().find(|refusal| matches!(refusal, Refusal::Full(_))).or(refused.clone().next());
        match refused {
            None => Ok(()),
            Some(Refusal::Full(most)) => {
                let allowed = match most {
                    None => "fewer sessions".into(),
                    Some(1) => "1 session".into(),
                    Some(most) => format!("{most} sessions"),
                };
                Err(format!(
                    "the server allows {allowed} at once, and the recipe has {wanted} at once\nallow more in the server (OpenEnv: `max_concurrent_envs`), let others end theirs, or lower `sessions` in the recipe"
                ))
            }
            Some(refusal) => Err(format!("of {wanted} sessions at once, not all are to be had: {refusal}")),
        }
    }

    fn pass(&self) -> Result<Pass, String> {
        let free = locked(&self.gate.free);
        let waited = self.gate.freed.wait_timeout_while(free, self.time_out, |free| *free == 0);
        let (mut free, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() && *free == 0 {
            let (most, seconds) = (self.config.sessions, self.time_out.as_secs_f64());
            return Err(format!("all {most} sessions were taken for {seconds} s"));
        }
        *free -= 1;
        drop(free);
        Ok(Pass(self.gate.clone()))
    }
}

impl Host for Server {
    type Seat = Seat;
    type Turn<'a> = ();
    type Scene = Scene;

    const SEAT: &'static str = "session";
    const SAYS: &'static str = "the recipe";
    const WAITS: bool = true;

    /// Tries again with growing pauses, so that a server may be restarted; but not for longer than the time-out after which it is taken for gone.
    fn seat(&self) -> Result<Seat, String> {
        let pass = self.pass()?;
        let mut pause = PAUSES[0];
        loop {
            let waited = locked(&self.silent_since).map_or(Duration::ZERO, |since| since.elapsed());
            let patience = self.time_out.saturating_sub(waited).max(GLANCE.min(self.time_out));
            match Session::open(&self.address, patience) {
                Ok(session) => {
                    *locked(&self.silent_since) = None;
                    self.opened.fetch_add(1, Ordering::Relaxed);
                    let session = Arc::new(Mutex::new(session));
                    locked(&self.open).push(Arc::downgrade(&session));
                    return Ok(Seat { session, _pass: pass });
                }
                Err(refusal) => {
                    let since = *locked(&self.silent_since).get_or_insert_with(Instant::now);
                    if since.elapsed() >= self.time_out {
                        return Err(refusal.to_string());
                    }
                    std::thread::sleep(pause);
                    pause = (2 * pause).min(PAUSES[1]);
                }
            }
        }
    }

    /// Every session is one episode's.
    fn alone(&self) -> Result<(Seat, ()), String> {
        Ok((self.seat()?, ()))
    }

    fn ask(&self, seat: &mut Seat, played: &Played, question: Question<'_>) -> Result<Vec<u8>, Trouble> {
        let Config { shape, splits, .. } = &self.config;
        let request = match question {
            Question::Begin => {
                let first = splits.iter().find(|split| split.name == played.split).map_or(0, |split| split.first);
                Request::Reset(shape.reset(first + played.task as u64, played.seed))
            }
            Question::Act(text) => Request::Step(shape.action(text).unwrap_or_default()),
            Question::Expert => return Err(Trouble::Hopeless("OpenEnv has no experts".into())),
        };
        locked(&seat.session).ask(&request, self.time_out)
    }

    fn scene(&self, answer: &[u8]) -> Result<Scene, String> {
        Scene::of(read(answer)?)
    }

    fn repeats(&self) -> bool {
        self.config.deterministic
    }
}

/// Looks after sessions as long as there is somebody who has them.
fn keep(open: Weak<Mutex<Vec<Weak<Mutex<Session>>>>>) -> std::io::Result<()> {
    let look = move || {
        while let Some(open) = {
            std::thread::sleep(KEEP);
            open.upgrade()
        } {
            let there: Vec<_> = {
                let mut open = locked(&open);
                open.retain(|session| session.strong_count() > 0);
                open.clone()
            };
            drop(open);
            for session in there.iter().filter_map(Weak::upgrade) {
                // One that is being asked is heard by who asks.
                if let Ok(mut session) = session.try_lock() {
                    session.keep();
                }
            }
        }
    };
    std::thread::Builder::new().name("openenv-keep".into()).stack_size(1 << 18).spawn(look).map(drop)
}
