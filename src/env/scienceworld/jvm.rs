//! One Java process that holds many simulators.

use super::archive::{Archive, CLASS_PATH};
use super::client::{Client, Target};
use super::error::{Failure, SetupError};
use super::java::Java;
use super::wire::Arg;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// How the Java processes are run. Changes how fast a game is played and what becomes of a broken process, never a game.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Simulators in one process. Each further one costs a fraction of a further process.
    pub per_process: usize,
    /// The most that one process's heap may take, in MB.
    pub heap_mb: usize,
    /// A simulator that does not answer for so long is given up and replaced, its process's own time counting where others keep it from
    /// the processor. The slowest step seen takes 0.1 s.
    pub time_out: Duration,
    /// The same for finding an expert's path, which takes up to 10 s.
    pub expert_time_out: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_process: 16, heap_mb: 640, time_out: Duration::from_mins(1), expert_time_out: Duration::from_mins(5) }
    }
}

/// The last lines that the process wrote, for the message about its end.
type Tail = Arc<Mutex<VecDeque<String>>>;

/// Ends with its last user, and with this process however that ends: the server inside watches its standard input.
#[derive(Debug)]
pub(super) struct Jvm {
    child: Mutex<Child>,
    id: u32,
    door: Door,
    seats: AtomicUsize,
    time_out: Duration,
    tail: Tail,
    condemned: Mutex<Option<String>>,
    /// Its working directory, with all that it runs.
    folder: tempfile::TempDir,
}

/// Where the server listens, and the token without which it answers nobody: others on this machine, and pages in a browser, can reach the port.
#[derive(Debug, Default)]
struct Door {
    port: u16,
    token: String,
}

impl Jvm {
    /// About 0.1 s.
    ///
    /// # Errors
    /// [`SetupError::NoStart`], [`SetupError::NotRepeatable`], [`SetupError::Io`], [`SetupError::Unexpected`]
    pub(super) fn start(java: &Java, archive: &Archive, limits: &Limits, repeatable: bool) -> Result<Self, SetupError> {
        let folder = private(tempfile::Builder::new().prefix("epo-scienceworld-")).tempdir().map_err(|error| SetupError::Io {
            action: "create a folder in",
            path: std::env::temp_dir(),
            reason: error.to_string(),
        })?;
        archive.unpack(folder.path())?;
        let mut command = java.command(folder.path());
        command.arg(format!("-Xmx{}m", limits.heap_mb)).args(["-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"]);
        command.args(if repeatable { java.repeatable()? } else { &[] });
        command.args(["-cp", CLASS_PATH, "py4j.GatewayServer", "--enable-auth", "--die-on-broken-pipe", "0"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Of its own, so that Ctrl-C reaches only us, who may still want to finish an iteration.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().map_err(|error| SetupError::NoStart(error.to_string()))?;
        Self::attend(child, folder, limits.time_out)
    }

    fn attend(mut child: Child, folder: tempfile::TempDir, time_out: Duration) -> Result<Self, SetupError> {
        let tail = Tail::default();
        let (found, door) = mpsc::channel();
        let watched = [
            child.stdout.take().map(|out| watch(out, tail.clone(), Some(found))),
            child.stderr.take().map(|err| watch(err, tail.clone(), None)),
        ];
        // From here on, dropping it on the way out ends the process.
        let mut jvm = Self {
            id: child.id(),
            child: Mutex::new(child),
            door: Door::default(),
            seats: AtomicUsize::new(0),
            time_out,
            tail,
            condemned: Mutex::new(None),
            folder,
        };
        if watched.iter().flatten().any(Result::is_err) {
            return Err(SetupError::NoStart("no thread can be started to read what it writes".into()));
        }
        jvm.door = door.recv_timeout(time_out).map_err(|_| SetupError::NoStart(jvm.end()))?;
        jvm.mute()?;
        Ok(jvm)
    }

    /// The simulator prints a lot at each step. Before the first instance: later, Scala holds on to the old stream.
    fn mute(&self) -> Result<(), Failure> {
        let mut client = self.connect()?;
        let sink = client.construct("java.io.PrintStream", &[Arg::Text("/dev/null")])?;
        for method in ["setOut", "setErr"] {
            client.call(Target::Class("java.lang.System"), method, &[Arg::Object(&sink)])?;
        }
        drop(sink);
        client.release()
    }

    pub(super) fn connect(&self) -> Result<Client, Failure> {
        Client::connect(self.door.port, &self.door.token, Some(self.id), self.time_out)
    }

    /// The simulator's archive, as this process runs it.
    pub(super) fn jar(&self) -> PathBuf {
        Archive::jar(self.folder.path())
    }

    /// Of the process.
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn is_alive(&self) -> bool {
        matches!(self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait(), Ok(None))
    }

    /// Ends the process, with all its simulators, after one of them broke down. What is known of the cause, in words.
    pub(super) fn give_up(&self, failure: &Failure) -> String {
        if matches!(failure, Failure::Closed { .. }) {
            // Its connections close a moment before it is gone; then the system tells how it ended.
            let patience = Instant::now() + Duration::from_millis(500);
            while self.is_alive() && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let cause = if self.is_alive() { failure.to_string() } else { self.end() };
        self.condemned.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| cause.clone());
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
        cause
    }

    fn end(&self) -> String {
        if let Some(reason) = &*self.condemned.lock().unwrap_or_else(PoisonError::into_inner) {
            return reason.clone();
        }
        let status = match self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait() {
            Ok(Some(status)) => format!("the java process ended ({status})"),
            _ => "the java process runs, but does not answer".into(),
        };
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.is_empty() {
            status
        } else {
            format!("{status} and wrote: {}", tail.iter().map(String::as_str).collect::<Vec<_>>().join(" / "))
        }
    }

    /// Resident memory in bytes, where the system tells it.
    pub(super) fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    }

    /// Simulators that are in it or on their way.
    pub(super) fn seats(&self) -> usize {
        self.seats.load(Ordering::Relaxed)
    }
}

impl Drop for Jvm {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// A simulator's place in a process.
#[derive(Debug)]
pub(super) struct Seat(Arc<Jvm>);

impl Seat {
    pub(super) fn take(jvm: &Arc<Jvm>) -> Self {
        jvm.seats.fetch_add(1, Ordering::Relaxed);
        Self(jvm.clone())
    }

    pub(super) fn jvm(&self) -> &Jvm {
        &self.0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.seats.fetch_sub(1, Ordering::Relaxed);
    }
}

/// For this user alone.
fn private<'a, 'b>(builder: &'a mut tempfile::Builder<'b, 'b>) -> &'a mut tempfile::Builder<'b, 'b> {
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder
}

/// Reads all that comes, so that the writer never waits; hands on the port and the token behind it, keeps the last few lines.
fn watch(stream: impl Read + Send + 'static, tail: Tail, door: Option<mpsc::Sender<Door>>) -> std::io::Result<std::thread::JoinHandle<()>> {
    const KEPT: usize = 8;
    std::thread::Builder::new().name("scienceworld-watch".into()).stack_size(1 << 17).spawn(move || {
        let mut lines = BufReader::new(stream);
        let mut line = Vec::new();
        let (mut waiting, mut port) = (door, None);
        while matches!((&mut lines).take(1 << 16).read_until(b'\n', &mut line), Ok(1..)) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            // A Java that is told something by its surroundings may say so before the port.
            if let (Some(_), None, Ok(number)) = (&waiting, port, text.parse()) {
                port = Some(number);
                continue;
            }
            if let (Some(door), Some(port)) = (waiting.take_if(|_| port.is_some()), port) {
                let _ = door.send(Door { port, token: text });
                continue;
            }
            let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
            if tail.len() == KEPT {
                tail.pop_front();
            }
            tail.push_back(text);
        }
    })
}
