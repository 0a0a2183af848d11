//! MLflow by its REST protocol: a run for each task that measures something, below one for the whole.
//!
//! A thread of its own asks the server, so that no task waits for it. What could not be sent is kept and sent later.

mod client;
mod params;
mod worker;

use crate::exec::End;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use worker::Worker;

/// For what is still to be sent when a run is over.
const LAST: Duration = Duration::from_secs(30);

/// What the thread is told.
enum Message {
    Run {
        id: String,
    },
    Begins {
        name: String,
        folder: PathBuf,
    },
    Progress,
    Ends(End),
    /// The run, and the pages that it made.
    Over(End, Vec<PathBuf>),
}

/// The thread, seen from the run.
pub(super) struct Mlflow {
    to: Sender<Message>,
    warnings: Receiver<String>,
    thread: JoinHandle<()>,
}

impl Mlflow {
    /// # Errors
    /// If the system gives no thread.
    pub(super) fn start(url: &str, folder: &Path) -> Result<Self, String> {
        let ((to, heard), (warn, warnings)) = (channel(), channel());
        let worker = Worker::new(url.to_owned(), warn);
        let thread = std::thread::Builder::new().name("mlflow".into()).spawn(move || worker.run(&heard));
        let thread = thread.map_err(|error| format!("no thread can be started: {error}"))?;
        // `tiny/7f3a9c41`
        let parts: Vec<String> = folder.iter().rev().take(2).map(|part| part.to_string_lossy().into_owned()).collect();
        let id = parts.into_iter().rev().collect::<Vec<_>>().join("/");
        let this = Self { to, warnings, thread };
        this.tell(Message::Run { id });
        Ok(this)
    }

    fn tell(&self, message: Message) {
        // A thread that is gone has said why.
        let _ = self.to.send(message);
    }

    pub(super) fn begins(&self, name: &str, folder: &Path) {
        self.tell(Message::Begins { name: name.to_owned(), folder: folder.to_path_buf() });
    }

    pub(super) fn progress(&self) {
        self.tell(Message::Progress);
    }

    pub(super) fn ends(&self, end: End) {
        self.tell(Message::Ends(end));
    }

    /// What there is to warn of.
    pub(super) fn warnings(&self) -> impl Iterator<Item = String> {
        self.warnings.try_iter()
    }

    /// Waits for the last to be sent, and gives what there is to warn of.
    pub(super) fn over(self, end: End, pages: Vec<PathBuf>) -> Vec<String> {
        self.tell(Message::Over(end, pages));
        let Self { to, warnings, thread } = self;
        drop(to);
        let begun = Instant::now();
        let mut said = Vec::new();
        while !thread.is_finished() {
            let Some(left) = LAST.checked_sub(begun.elapsed()) else {
                said.push(format!("MLflow did not take all within {} s", LAST.as_secs()));
                break;
            };
            // Ends when the thread does.
            match warnings.recv_timeout(left) {
                Ok(warning) => said.push(warning),
                Err(_) if thread.is_finished() => break,
                Err(_) => {}
            }
        }
        said.extend(warnings.try_iter());
        said
    }
}
