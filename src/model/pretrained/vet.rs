//! A first look at a stranger's model in a process of its own, which may abort, never end or want all memory.

use super::Outline;
use crate::child::isolated;
use crate::model::ModelError;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// Seconds of computing that a look may take; the largest published tokenizers take two.
const SECONDS: u64 = 30;
/// A look that sleeps is given up, too.
const PATIENCE: Duration = Duration::from_mins(10);
const MEMORY: u64 = 2 << 30;

/// The program that looks, and its arguments before the path.
static LOOKER: OnceLock<(PathBuf, &'static [&'static str])> = OnceLock::new();
static SEEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Sets the program that looks at models: one that calls [`look`]. Without one, models are read in this process alone.
pub(crate) fn looked_at_by(program: PathBuf, arguments: &'static [&'static str]) {
    let _ = LOOKER.set((program, arguments));
}

/// Reads all but the tensors, under limits. What is wrong is said by whoever reads it next; here it only matters to come to the end.
pub(crate) fn look(path: &Path) {
    #[cfg(unix)]
    {
        let _ = rlimit::setrlimit(rlimit::Resource::AS, MEMORY, MEMORY);
        let _ = rlimit::setrlimit(rlimit::Resource::CORE, 0, 0);
        let _ = rlimit::setrlimit(rlimit::Resource::CPU, SECONDS, SECONDS);
    }
    if let Ok(outline) = Outline::read_here(path)
        && let Some(chat) = outline.chat
    {
        let _ = (chat.frame(None), chat.frame(Some("system")));
        for system in [false, true] {
            let _ = (chat.appended(system), chat.anew(system));
        }
    }
}

/// Has the program look at the path, once.
///
/// # Errors
/// If it does not come to the end.
pub(super) fn vet(path: &Path) -> Result<(), ModelError> {
    let Some((program, arguments)) = LOOKER.get() else { return Ok(()) };
    if SEEN.lock().is_ok_and(|seen| seen.contains(path)) {
        return Ok(());
    }
    // It is given nothing but the path.
    let spawn =
        |whole: PathBuf| isolated(program, Path::new("/")).args(*arguments).arg(whole).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if !path.exists() {
        return Ok(());
    }
    let ended = path
        .canonicalize()
        .and_then(spawn)
        .and_then(wait)
        .map_err(|error| ModelError::file(path, format!("no process can be started to look at it: {error}")))?;
    let what = match ended {
        Some(status) if status.success() => {
            let _ = SEEN.lock().map(|mut seen| seen.insert(path.to_path_buf()));
            return Ok(());
        }
        Some(status) => format!("its files make their reader break down ({})", told(status)),
        None => format!("its files keep their reader waiting for more than {} minutes", PATIENCE.as_secs() / 60),
    };
    Err(ModelError::file(path, format!("{what}; no published model does, and nothing of it is used")))
}

/// `None` if it was ended for taking too long.
fn wait(mut child: Child) -> std::io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_millis(50));
    }
}

fn told(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return match signal {
            6 => "it aborts: too little memory or too deep a nesting".into(),
            9 | 24 => format!("it computes for more than {SECONDS} seconds"),
            other => format!("signal {other}"),
        };
    }
    status.to_string()
}
