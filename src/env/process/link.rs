//! One running program, and the questions that wait for its answers.

use super::board::{Answered, Board};
use super::command::{command, folder};
use super::protocol::{Hello, Request, read};
use super::tail::{Tail, next_line};
use crate::env::Program;
use std::io::Write;
use std::process::{Child, ChildStdin, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a program that is no longer needed may take to end by itself, and one that has closed its output.
const LEAVE: Duration = Duration::from_millis(500);

/// Why a question was not answered.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// The program ended, hung or wrote what nobody can read; the cause in words.
    Breakdown { cause: String, hung: bool },
    /// The question cannot be asked.
    Question(String),
}

/// Ends with its last user, and with this process however that ends: a program ends where its input does.
#[derive(Debug)]
pub(super) struct Link {
    running: Arc<Running>,
    input: Mutex<Option<ChildStdin>>,
    /// Its working directory.
    _folder: tempfile::TempDir,
}

#[derive(Debug)]
struct Running {
    child: Mutex<Child>,
    id: u32,
    swept: AtomicBool,
    board: Board,
    tail: Tail,
}

impl Link {
    /// Starts a program and hears what it says of itself.
    ///
    /// # Errors
    /// In words.
    pub(super) fn start(program: &Program) -> Result<(Self, Hello), String> {
        let folder = folder()?;
        let mut child = command(program, folder.path())?.spawn().map_err(|error| {
            let name = program.command.first().map(String::as_str).unwrap_or_default();
            format!("`{name}` cannot be started: {error}")
        })?;
        let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let running = Arc::new(Running {
            id: child.id(),
            swept: AtomicBool::new(false),
            child: Mutex::new(child),
            board: Board::default(),
            tail: Tail::default(),
        });
        // From here on, dropping it on the way out ends the process.
        let link = Self { running: running.clone(), input: Mutex::new(input), _folder: folder };
        let (Some(mut output), Some(errors)) = (output, errors) else { return Err("its streams are not to be had".into()) };
        let time_out = program.time_out;
        let read = running.clone();
        let threads = running.tail.keep(errors).and_then(|()| {
            spawn("process-read", move || {
                let mut lines = std::io::BufReader::with_capacity(1 << 16, &mut output);
                let cause = loop {
                    match next_line(&mut lines).map(|line| line.map(|line| read.board.answer(line))) {
                        Ok(Some(Answered::Taken)) => {}
                        Ok(Some(Answered::Nonsense(said))) => break said,
                        Ok(None) => break read.end(),
                        Err(said) => break said,
                    }
                };
                read.give_up(cause);
            })
            .and_then(|()| spawn("process-watch", move || running.watch(time_out)))
        });
        threads.map_err(|error| format!("no thread can be started for it: {error}"))?;
        let answer = link.ask(&Request::Hello { protocol: super::PROTOCOL }).map_err(|failure| match failure {
            Failure::Breakdown { cause, .. } | Failure::Question(cause) => cause,
        })?;
        let hello: Hello = self::read(&answer)?;
        hello.check()?;
        Ok((link, hello))
    }

    /// Of the process.
    pub(super) fn id(&self) -> u32 {
        self.running.id
    }

    pub(super) fn is_usable(&self) -> bool {
        self.running.board.end().is_none()
    }

    /// The line that answers a question.
    pub(super) fn ask(&self, request: &Request<'_>) -> Result<Vec<u8>, Failure> {
        let line = request.line().map_err(Failure::Question)?;
        let board = &self.running.board;
        let answer = {
            // Under one lock, so that the oldest question on the board is the oldest that was written.
            let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = board.wait(request.episode());
            let written = input.as_mut().is_some_and(|input| input.write_all(line.as_bytes()).is_ok());
            if !written && self.is_usable() {
                self.running.give_up(self.running.end());
            }
            answer
        };
        answer.recv().map_err(|_| {
            let (cause, hung) = match board.end() {
                Some(end) => (end.cause, end.hung == Some(request.episode())),
                None => ("another episode has its number".into(), false),
            };
            Failure::Breakdown { cause, hung }
        })
    }

    /// Resident memory in bytes, where the system tells it.
    pub(super) fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    }
}

impl Drop for Link {
    /// Lets it end by itself, for a moment.
    fn drop(&mut self) {
        self.input.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        self.running.status();
        self.running.give_up("it is no longer needed".into());
    }
}

impl Running {
    /// Ends the process where it does not answer.
    fn watch(&self, time_out: Duration) {
        if self.board.overdue(time_out) {
            self.kill();
        }
    }

    /// Nobody waits any longer, and the process is gone.
    fn give_up(&self, cause: String) {
        self.board.close(cause, None);
        self.kill();
    }

    /// How it ended, if it does so soon.
    fn status(&self) -> Option<ExitStatus> {
        let patience = Instant::now() + LEAVE;
        loop {
            let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
            if let Ok(Some(status)) = child.try_wait() {
                self.sweep();
                return Some(status);
            }
            drop(child);
            if Instant::now() >= patience {
                return None;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Why its output has ended, in words.
    fn end(&self) -> String {
        let status = self.status();
        if self.board.end().is_some_and(|end| end.hung.is_some()) {
            return "it was given up".into();
        }
        let how = status.map_or_else(|| "the program has closed its output".into(), |status| format!("the program ended ({status})"));
        match self.tail.text(LEAVE) {
            text if text.is_empty() => how,
            text => format!("{how} and wrote: {text}"),
        }
    }

    /// With all that it has started.
    fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        self.sweep();
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Ends what is left of the process's group, once: it is this process's as long as it is there, and was there until a moment ago.
    fn sweep(&self) {
        if !self.swept.swap(true, Ordering::Relaxed) {
            #[cfg(unix)]
            // SAFETY: a signal to another process touches no memory of ours.
            unsafe {
                libc::kill(-(self.id as libc::pid_t), libc::SIGKILL);
            }
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.into()).stack_size(1 << 18).spawn(work).map(drop)
}
